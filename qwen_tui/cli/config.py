"""`qwen-tui config`: where the settings are, what they are, who set them."""

from dataclasses import asdict

from qwen_tui.cli.context import Context
from qwen_tui.cli.output import say, say_json
from qwen_tui.settings import effective


def run(context: Context) -> int:
    """Carry out one `config` command."""
    if context.args.action == "path":
        say(str(context.config_file))
        return 0
    for row in effective(context.settings):
        if context.args.json:
            say_json(asdict(row))
        else:
            say(f"{row.key} = {row.value!r}  # {row.origin}")
    for notice in context.settings.notices:
        say(notice)
    return 0
