"""`qwen-tui models verify`: hash every file of a model, offline."""

import shlex
import sys
import threading
import time
from dataclasses import asdict

from qwen_tui.cli.bar import Bar
from qwen_tui.cli.context import Context
from qwen_tui.cli.models_local import short_commit
from qwen_tui.cli.output import confirmed, say, say_json, size_text
from qwen_tui.errors import ModelCorrupt
from qwen_tui.hub.cache import LocalModel
from qwen_tui.hub.find import find_local
from qwen_tui.hub.verify import (
    BadFile,
    VerifyProgress,
    VerifyResult,
    discard_bad,
    verify_model,
)
from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize_line

PLAIN_INTERVAL_S = 10.0  # a log file wants few lines


def verify(context: Context) -> int:
    """Check one model; status 1 when a file of it is bad."""
    settings = context.settings
    model = find_local(
        context.args.model,
        cache_dir=settings.hf_cache,
        folders=settings.model.folders,
    )
    result = _watch(model, as_json=context.args.json)
    if context.args.json:
        say_json({"event": "done", **_fields(result)})
    else:
        _tell(model, result)
    if result.bad:
        raise ModelCorrupt(
            ngettext(
                "{n} file of {name} is bad.",
                "{n} files of {name} are bad.",
                len(result.bad),
            ).format(n=len(result.bad), name=sanitize_line(model.source.name)),
            hint=_repair(context, model, result.bad),
        )
    return 0


def _watch(model: LocalModel, *, as_json: bool) -> VerifyResult:
    bar, next_line_at = Bar(), time.monotonic() + PLAIN_INTERVAL_S
    result = VerifyResult(0, (), ())
    try:
        for event in verify_model(model, threading.Event()):
            if isinstance(event, VerifyResult):
                result = event
            elif as_json:
                say_json({"event": "progress", **asdict(event)})
            elif bar.is_possible:
                bar.show(_share(event), _progress_text(event))
            elif time.monotonic() >= next_line_at:
                next_line_at = time.monotonic() + PLAIN_INTERVAL_S
                say(_progress_text(event), sys.stderr)
    finally:
        bar.clear()
    return result


def _share(event: VerifyProgress) -> float:
    return event.done_bytes / event.total_bytes if event.total_bytes else 1.0


def _progress_text(event: VerifyProgress) -> str:
    return _("{percent} %  {done} of {total}").format(
        percent=int(100 * _share(event)),
        done=size_text(event.done_bytes),
        total=size_text(event.total_bytes),
    )


def _fields(result: VerifyResult) -> dict[str, object]:
    bad = [{**asdict(file), "blob": str(file.blob)} for file in result.bad]
    return {"checked": result.checked, "bad": bad, "unknown": list(result.unknown)}


def _tell(model: LocalModel, result: VerifyResult) -> None:
    name = sanitize_line(model.source.name)
    for file in result.bad:
        path, reason = sanitize_line(file.path_in_repo), sanitize_line(file.reason)
        if file.revision not in ("", model.source.revision):
            commit = short_commit(file.revision)
            path = _("{name}, revision {revision}").format(name=path, revision=commit)
        say(f"{path}: {reason}")
    if not result.checked:
        say(_("{name}: no known hash for any of its files.").format(name=name))
        return
    if not result.bad:
        say(
            ngettext(
                "{name}: {n} file checked, all good.",
                "{name}: {n} files checked, all good.",
                result.checked,
            ).format(name=name, n=result.checked)
        )
    if result.unknown:
        say(
            _("No known hash: {files}").format(
                files=sanitize_line(", ".join(result.unknown))
            )
        )


def _repair(context: Context, model: LocalModel, bad: tuple[BadFile, ...]) -> str:
    """Remove the bad files where that is wanted; returns what to do next."""
    download = _download_command(context, model, bad)
    there = [file for file in bad if file.blob.exists()]
    if there and not _wants_removal(context):
        files = " ".join(shlex.quote(str(file.blob)) for file in there)
        return _("Fetch again what is bad: {command}").format(
            command=f"rm {files} && {download}"
        )
    discard_bad(bad)
    return _("Fetch again what is bad: {command}").format(command=download)


def _wants_removal(context: Context) -> bool:
    if context.args.discard:
        return True
    if context.args.json or not sys.stdin.isatty():
        return False
    return confirmed(_("Remove what is bad, so that it is fetched again?"))


def _download_command(
    context: Context, model: LocalModel, bad: tuple[BadFile, ...]
) -> str:
    command = "qwen-tui models download"
    if not model.repo:
        return f"{command} <repo> --local-dir {shlex.quote(model.source.path)}"
    command = f"{command} {model.repo}"
    if context.args.hf_home is not None:
        command += f" --hf-home {shlex.quote(str(context.settings.hf_home))}"
    current = model.source.revision
    revisions = sorted({f.revision for f in bad}, key=lambda r: (r != current, r))
    return " && ".join(
        command if revision == current else f"{command} --revision {revision}"
        for revision in revisions
    )
