"""How `ask` shows a turn: the answer on stdout, all else on stderr, or JSON lines."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from qwen_tui.chat.events import (
    AnswerDelta,
    ContextCut,
    Failed,
    Finished,
    Loaded,
    LoadEstimate,
    LoadProgress,
    NotPassed,
    PrefillProgress,
    StreamEvent,
    Summarising,
    ThinkingDelta,
    WasThinking,
)
from qwen_tui.chat.notes import (
    cut_note,
    estimate_note,
    fit_warning,
    not_passed_note,
    summarising_note,
)
from qwen_tui.cli.output import say, say_json
from qwen_tui.i18n import _

_DIM, _NORMAL = "\x1b[2m", "\x1b[0m"
_NAMES = {
    ContextCut: "context",
    NotPassed: "not_passed",
    WasThinking: "was_thinking",
}
_CLEAR_LINE = "\r\x1b[K"


class AskOutput:
    """Shows the events of one turn.

    Attributes:
        chat: Id of the saved conversation, empty where none is saved.
        settings: What made the answer; told with its end.
    """

    def __init__(self, *, as_json: bool, chat: str) -> None:
        self.chat = chat
        self.settings: Mapping[str, Any] = {}
        self._as_json = as_json
        self._on_terminal = sys.stderr.isatty()
        self._progress_shown = False
        self._thinking = False
        self._line_open = False

    def show(self, event: StreamEvent) -> None:
        """Show one event."""
        if self._as_json:
            self._show_json(event)
            return
        match event:
            case LoadProgress() | Loaded() | PrefillProgress() | Summarising():
                self._progress(progress_text(event))
            case LoadEstimate():
                self._tell_estimate(event)
            case ContextCut() | NotPassed() | WasThinking():
                self._tell_limits(event)
            case ThinkingDelta(text=text):
                self._think(text)
            case AnswerDelta(text=text):
                self._answer(text)
            case Finished() | Failed():
                self.close()
                if isinstance(event, Finished) and (note := end_note(event)):
                    say(note, sys.stderr)

    def note(self, text: str) -> None:
        """Tell on stderr what a person should know before the answer comes."""
        self._end_progress()
        say(text, sys.stderr)

    def _tell_estimate(self, estimate: LoadEstimate) -> None:
        if warning := fit_warning(estimate):
            self.note(warning)
        elif text := estimate_note(estimate):
            self._progress(text)

    def _tell_limits(self, event: ContextCut | NotPassed | WasThinking) -> None:
        if isinstance(event, NotPassed):
            self.note(not_passed_note(event))
            return
        if isinstance(event, WasThinking):  # it is out, and cannot be taken back
            say("")
            self.note(_("All up to here was thinking; the answer follows."))
            return
        self.note(cut_note(event))
        if event.summary:
            self.note(_("Their summary: {text}").format(text=event.summary))

    def close(self) -> None:
        """End open lines, so that the next program's output starts on its own."""
        self._end_progress()
        self._end_thinking()
        if self._line_open:
            say("")
            self._line_open = False

    def _show_json(self, event: StreamEvent) -> None:
        match event:
            case LoadProgress() | Loaded():
                say_json({"event": "load", **asdict(event)})
            case LoadEstimate():
                say_json({"event": "load", "stage": "estimate", **asdict(event)})
            case PrefillProgress():
                say_json({"event": "prefill", **asdict(event)})
            case Summarising():
                say_json({"event": "summarising", **asdict(event)})
            case ContextCut() | NotPassed() | WasThinking():
                say_json({"event": _NAMES[type(event)], **asdict(event)})
            case ThinkingDelta(text=text):
                say_json({"event": "thinking", "text": text})
            case AnswerDelta(text=text):
                say_json({"event": "answer", "text": text})
            case Finished(reason=reason, usage=usage):
                say_json(
                    {
                        "event": "done",
                        "finish_reason": reason,
                        "chat": self.chat,
                        "finish_detail": event.detail,
                        "usage": {
                            **asdict(usage),
                            "prefill_tokens_per_s": usage.prefill_tokens_per_s,
                            "decode_tokens_per_s": usage.decode_tokens_per_s,
                        },
                        "thinking_cut": event.thinking_cut,
                        "seed": event.seed,
                        "settings": self.settings,
                    }
                )
            case Failed():
                pass  # told once, with the exit status, by whoever ends the program

    def _progress(self, text: str) -> None:
        if not self._on_terminal:
            return  # a log file wants no ticking line
        sys.stderr.write(f"{_CLEAR_LINE}{text}")
        sys.stderr.flush()
        self._progress_shown = True

    def _end_progress(self) -> None:
        if self._progress_shown:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()
            self._progress_shown = False

    def _think(self, text: str) -> None:
        self._end_progress()
        if not self._thinking:
            self._thinking = True
            if self._on_terminal:
                sys.stderr.write(_DIM)
        say(text, sys.stderr, end="")

    def _end_thinking(self) -> None:
        if not self._thinking:
            return
        self._thinking = False
        sys.stderr.write(f"{_NORMAL}\n\n" if self._on_terminal else "\n\n")
        sys.stderr.flush()

    def _answer(self, text: str) -> None:
        self._end_progress()
        self._end_thinking()
        say(text, end="")
        self._line_open = not text.endswith("\n")


def progress_text(
    event: LoadProgress | Loaded | PrefillProgress | Summarising,
) -> str:
    """Return how far things are, on one line."""
    match event:
        case LoadProgress(stage, fraction):
            text = _("Loading {percent} %").format(percent=_percent(fraction))
            return _("Asking the server") if stage == "connect" else text
        case Loaded(device=device, dtype=dtype):
            text = _("Loaded on {device} ({dtype})")
            return text.format(device=device, dtype=dtype) if dtype else event.model
        case PrefillProgress(done=done, total=total):
            return _("Reading the prompt {done}/{total}").format(done=done, total=total)
        case Summarising():
            return summarising_note(event)


def end_note(finished: Finished) -> str:
    """Return what is to be told about how an answer ended; mostly nothing."""
    if finished.detail == "loop":
        return _(
            "The answer repeated itself and was stopped. --presence-penalty 1.5 or "
            "another --seed may help; --no-loop-guard lets it go on."
        )
    if finished.thinking_cut and finished.reason == "length":
        return _("The limit was reached while thinking.")
    return ""


def _percent(fraction: float) -> int:
    return round(100 * fraction)
