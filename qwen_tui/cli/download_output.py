"""How `models download` shows a job: a bar, plain lines, or JSON lines."""

import sys
import time
from dataclasses import asdict

from qwen_tui import wire
from qwen_tui.cli.bar import Bar
from qwen_tui.cli.download_bar import bar_line, progress_text
from qwen_tui.cli.output import say, say_json, size_text
from qwen_tui.hub.jobs import DownloadEvent
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize_line

PLAIN_INTERVAL_S = 10.0  # a log file wants few lines


class DownloadOutput:
    """Shows one job, message by message.

    On a terminal a bar on standard error, which knows why it waits; elsewhere lines
    there. The path of the finished model goes to standard output.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._bar = Bar()
        self._next_line_at = 0.0
        self._reasons: dict[str, str] = {}

    def show(self, job: DownloadJob, event: DownloadEvent) -> None:
        """Show one message and what became of the job by it; a failure is not told."""
        if isinstance(event, wire.DownloadFailed):
            self.close()  # told once, with the exit status, by whoever ends the program
        elif self._as_json:
            _show_json(event)
        elif isinstance(event, wire.DownloadDone):
            self.close()
            say(event.path)
        else:
            self._show_text(job, event)

    def say(self, text: str) -> None:
        """Print a line about the job on standard error."""
        self.close()
        say(sanitize_line(text), sys.stderr)

    def close(self) -> None:
        """Take the bar away, so that the next line starts on its own."""
        self._bar.clear()

    def _show_text(self, job: DownloadJob, event: DownloadEvent) -> None:
        if isinstance(event, wire.DownloadPlan):
            self.say(_plan_text(job.repo, event))
            if event.gguf:
                self.say(_gguf_text(event))
        if self._bar.is_possible:
            self._bar.draw(bar_line(job, self._bar.width))
        elif isinstance(event, wire.DownloadRetry):
            self._say_reason(event)
        elif isinstance(event, wire.DownloadProgress) and self._is_line_due():
            self.say(progress_text(job))
        elif isinstance(event, wire.DownloadVerify) and self._is_line_due():
            self.say(job.waiting)

    def _say_reason(self, event: wire.DownloadRetry) -> None:
        if self._reasons.get(event.file) == event.reason and not self._is_line_due():
            return
        self._reasons[event.file] = event.reason
        self.say(
            _("{file}: {reason}; trying again in {seconds} s").format(
                file=event.file, reason=event.reason, seconds=round(event.wait_s)
            )
        )

    def _is_line_due(self) -> bool:
        now = time.monotonic()
        is_due = now >= self._next_line_at
        if is_due:
            self._next_line_at = now + PLAIN_INTERVAL_S
        return is_due


def _show_json(event: DownloadEvent) -> None:
    body = asdict(event)
    del body["id"]
    name = type(event).__name__.removeprefix("Download").lower()
    say_json({"event": name, **body})


def _gguf_text(plan: wire.DownloadPlan) -> str:
    text = _("Of several quantisations {name} is taken; --gguf takes another: {others}")
    return text.format(name=plan.gguf, others=", ".join(plan.other_ggufs))


def _plan_text(repo: str, plan: wire.DownloadPlan) -> str:
    return ngettext(
        "{repo}: {n} file, {total}; {have} here already",
        "{repo}: {n} files, {total}; {have} here already",
        plan.files,
    ).format(
        repo=repo,
        n=plan.files,
        total=size_text(plan.total_bytes),
        have=size_text(plan.have_bytes),
    )
