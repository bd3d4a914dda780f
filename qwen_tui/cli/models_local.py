"""`qwen-tui models list`: what is on this machine."""

from dataclasses import asdict

from qwen_tui.cli.context import Context
from qwen_tui.cli.output import say, say_json, size_text
from qwen_tui.hub.cache import LocalModel, list_models
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line


def show_list(context: Context) -> int:
    """Print every model on this machine."""
    settings = context.settings
    folders = settings.model.folders
    for model in list_models(cache_dir=settings.hf_cache, folders=folders):
        if context.args.json:
            say_json(_fields(model))
        else:
            say(_row(model))
    return 0


def _fields(model: LocalModel) -> dict[str, object]:
    return {
        **asdict(model.source),
        "size_bytes": model.size_bytes,
        "complete": model.complete,
        "reason": model.reason,
    }


def _row(model: LocalModel) -> str:
    state = _("ready") if model.complete else model.reason
    name = sanitize_line(model.source.name)
    return f"{name:<40} {size_text(model.size_bytes):>10}  {sanitize_line(state)}"
