"""`qwen-tui models`: each command stands in a module of its own."""

from collections.abc import Callable

from qwen_tui.cli import (
    models_delete,
    models_download,
    models_info,
    models_local,
    models_search,
    models_verify,
)
from qwen_tui.cli.context import Context

_COMMANDS: dict[str, Callable[[Context], int]] = {
    "list": models_local.show_list,
    "search": models_search.search,
    "info": models_info.info,
    "download": models_download.download,
    "verify": models_verify.verify,
    "delete": models_delete.delete_model,
    "purge": models_delete.purge,
}


def run(context: Context) -> int:
    """Carry out one `models` command."""
    return _COMMANDS[context.args.action](context)
