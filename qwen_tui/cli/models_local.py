"""`qwen-tui models list`: what is on this machine."""

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict

from qwen_tui.cli.cells import output_width, table
from qwen_tui.cli.context import Context
from qwen_tui.cli.output import say, say_json, size_text
from qwen_tui.hub.cache import LocalModel, list_models
from qwen_tui.hub.partials import list_partials
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

SHORT_COMMIT = 7
_NARROW = 60
_MINUTE_S = 60
_HOUR_S = 60 * _MINUTE_S
_DAY_S = 24 * _HOUR_S
_WEEK_S = 7 * _DAY_S


def show_list(context: Context) -> int:
    """Print every model on this machine."""
    settings = context.settings
    folders = settings.model.folders
    models = list_models(cache_dir=settings.hf_cache, folders=folders)
    if context.args.json:
        for model in models:
            say_json(_fields(model))
        return 0
    width = output_width()
    rows = [_row(model, in_full=width is None) for model in models]
    if width is None:  # one line a model, for other programs
        for line in table(rows, width=None, right=[1]):
            say(line)
        return 0
    rows.insert(0, [_("MODEL"), _("SIZE"), _("REVISION"), _("LAST USED"), _("STATE")])
    if width < _NARROW:
        rows = [[name, size, state] for name, size, _rev, _used, state in rows]
    lines = table(rows, width=width, right=[1])
    say(lines[0])
    for model, line in zip(models, lines[1:], strict=True):
        say(line)
        for more in _below(model):
            say(f"  {more}")
    _tell_orphans(context)
    return 0


def ago(then: float | None) -> str:
    """Return how long ago a Unix time was, in its largest unit: "3 d ago"."""
    if then is None:
        return "-"
    seconds = time.time() - then
    if seconds < _MINUTE_S:
        return _("just now")
    for unit_s, text in (
        (_HOUR_S, _("{n} min ago").format(n=int(seconds / _MINUTE_S))),
        (_DAY_S, _("{n} h ago").format(n=int(seconds / _HOUR_S))),
        (2 * _WEEK_S, _("{n} d ago").format(n=int(seconds / _DAY_S))),
    ):
        if seconds < unit_s:
            return text
    return _("{n} w ago").format(n=int(seconds / _WEEK_S))


def short_commit(commit: str) -> str:
    """Return what a person needs to see of a revision."""
    return sanitize_line(commit[:SHORT_COMMIT])


def _fields(model: LocalModel) -> dict[str, object]:
    fields = asdict(model)
    folder = fields.pop("repo_folder")
    return {
        **fields.pop("source"),
        **fields,
        "repo_folder": None if folder is None else str(folder),
    }


def _row(model: LocalModel, *, in_full: bool) -> list[str]:
    return [
        sanitize_line(model.source.name),
        size_text(model.size_bytes),
        short_commit(model.source.revision) or "-",
        ago(model.last_used),
        _state(model, in_full=in_full),
    ]


def _state(model: LocalModel, *, in_full: bool) -> str:
    if model.complete:
        return _("ready")
    if in_full:
        return sanitize_line(model.reason)
    return _("unfinished") if model.partial_bytes else _("broken")


def _below(model: LocalModel) -> Iterator[str]:
    """What a row has no room for."""
    if not model.complete:
        yield sanitize_line(model.reason)
    for revision in model.revisions:
        if revision.commit != model.source.revision and not model.file_in_repo:
            names = ", ".join(revision.refs)
            yield _("revision {commit}, {time}: frees {size} when deleted").format(
                commit=" ".join(
                    filter(None, [short_commit(revision.commit), sanitize_line(names)])
                ),
                time=ago(revision.last_used),
                size=size_text(revision.freed_bytes),
            )


def _tell_orphans(context: Context) -> None:
    settings = context.settings
    partials = list_partials(settings.hf_cache, settings.model.folders)
    orphans = sum(p.size_bytes for p in partials if not p.ours and not p.in_use)
    if orphans:
        say(
            _("Other tools left {size} of unfinished files behind: {command}").format(
                size=size_text(orphans), command="qwen-tui models purge --orphans"
            ),
            sys.stderr,
        )
