"""How `models download` shows a job: a bar, plain lines, or JSON lines."""

import sys
import time
from dataclasses import asdict

from qwen_tui.cli.bar import Bar
from qwen_tui.cli.output import say, say_json, size_text
from qwen_tui.errors import DownloadError
from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize_line
from qwen_tui.wire import (
    DownloadDone,
    DownloadFailed,
    DownloadPlan,
    DownloadProgress,
    DownloadRetry,
    DownloadVerify,
)

_ShownMessage = (
    DownloadPlan | DownloadProgress | DownloadRetry | DownloadVerify | DownloadDone
)
DownloadMessage = _ShownMessage | DownloadFailed
PLAIN_INTERVAL_S = 10.0  # a log file wants few lines


class DownloadOutput:
    """Shows the messages of one download."""

    def __init__(self, *, as_json: bool, repo: str) -> None:
        self._as_json = as_json
        self._repo = repo
        self._bar = Bar()
        self._next_line_at = 0.0

    def show(self, event: DownloadMessage) -> None:
        """Show one message.

        Raises:
            DownloadError: the download failed; the command line prints it.
        """
        if isinstance(event, DownloadFailed):
            self.close()
            raise DownloadError(event.message, hint=event.hint, code=event.code)
        if self._as_json:
            self._show_json(event)
        else:
            self._show_text(event)

    def close(self) -> None:
        """Take the bar away, so that the next line starts on its own."""
        self._bar.clear()

    def _show_json(self, event: _ShownMessage) -> None:
        name = type(event).__name__.removeprefix("Download").lower()
        body = asdict(event)
        del body["id"]
        say_json({"event": name, **body})

    def _show_text(self, event: _ShownMessage) -> None:
        match event:
            case DownloadPlan():
                self._line(_plan_text(self._repo, event))
            case DownloadProgress():
                self._show_share(_progress_text(event), _share(event))
            case DownloadRetry(file=file, reason=reason, wait_s=wait_s):
                self._line(
                    _("{file}: {reason}; trying again in {seconds} s").format(
                        file=sanitize_line(file),
                        reason=sanitize_line(reason),
                        seconds=round(wait_s),
                    )
                )
            case DownloadVerify(file=file, done_bytes=done, total_bytes=total):
                self._show_share(
                    _("{percent} %  checking {file}").format(
                        percent=int(100 * done / total), file=sanitize_line(file)
                    ),
                    done / total,
                )
            case DownloadDone(path=path):
                self.close()
                say(path)

    def _show_share(self, text: str, share: float) -> None:
        if self._bar.is_possible:
            self._bar.show(share, text)
        elif time.monotonic() >= self._next_line_at:
            self._next_line_at = time.monotonic() + PLAIN_INTERVAL_S
            self._line(text)

    def _line(self, text: str) -> None:
        self.close()
        say(text, sys.stderr)


def _plan_text(repo: str, plan: DownloadPlan) -> str:
    return ngettext(
        "{repo}: {n} file, {total}; {have} here already",
        "{repo}: {n} files, {total}; {have} here already",
        plan.files,
    ).format(
        repo=sanitize_line(repo),
        n=plan.files,
        total=size_text(plan.total_bytes),
        have=size_text(plan.have_bytes),
    )


def _progress_text(event: DownloadProgress) -> str:
    return _("{percent} %  {done} of {total}  {speed}/s").format(
        percent=int(100 * _share(event)),
        done=size_text(event.done_bytes),
        total=size_text(event.total_bytes),
        speed=size_text(event.bytes_per_s),
    )


def _share(event: DownloadProgress) -> float:
    return event.done_bytes / event.total_bytes if event.total_bytes else 1.0
