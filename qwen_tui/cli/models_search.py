"""`qwen-tui models search`: what a hub has."""

import asyncio
import sys
from dataclasses import asdict

from qwen_tui.cli.cells import output_width, table
from qwen_tui.cli.context import Context
from qwen_tui.cli.output import say, say_json, size_text
from qwen_tui.hub.queries import RemoteModel, search_models
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_DATE_CHARS = 10
_THOUSAND, _MILLION = 1000, 1_000_000


def search(context: Context) -> int:
    """Print the models that a hub finds."""
    settings = context.settings
    found = asyncio.run(
        search_models(
            context.args.query,
            endpoint=settings.downloads.endpoint,
            token_hosts=settings.downloads.token_hosts,
            log_dir=context.log_dir,
            environ=context.hub_environ,
        )
    )
    if context.args.json:
        for model in found:
            say_json(asdict(model))
        return 0
    if not found:
        text = _("Nothing was found for {words}.").format(words=context.args.query)
        say(text, sys.stderr)
        return 0
    width = output_width()
    rows = [_row(model) for model in found]
    if width is not None:
        rows.insert(0, [_("MODEL"), _("SIZE"), _("DOWNLOADS"), _("CHANGED"), ""])
    for line in table(rows, width=width, right=[1, 2]):
        say(line)
    return 0


def _row(model: RemoteModel) -> list[str]:
    return [
        sanitize_line(model.repo),
        "?" if model.size_bytes is None else size_text(model.size_bytes),
        count_text(model.downloads),
        sanitize_line(model.updated_at[:_DATE_CHARS]),
        _("gated") if model.gated else "",
    ]


def count_text(count: int) -> str:
    """Return a count as people read it: 987, 12k, 3.4M."""
    if count < _THOUSAND:
        return str(count)
    if count < _MILLION:
        return f"{count / _THOUSAND:.0f}k"
    return f"{count / _MILLION:.1f}M"
