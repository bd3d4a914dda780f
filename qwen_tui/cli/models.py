"""`qwen-tui models`: each command stands in a module of its own."""

from collections.abc import Callable

from qwen_tui.cli import models_download, models_local
from qwen_tui.cli.context import Context

_COMMANDS: dict[str, Callable[[Context], int]] = {
    "list": models_local.show_list,
    "download": models_download.download,
}


def run(context: Context) -> int:
    """Carry out one `models` command."""
    return _COMMANDS[context.args.action](context)
