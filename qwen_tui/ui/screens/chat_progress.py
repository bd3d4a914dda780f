"""What a load or a turn has told so far, and the status line that says it."""

from dataclasses import dataclass, field
from typing import Literal

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
from qwen_tui.chat.notes import estimate_note, summarising_note
from qwen_tui.i18n import N_, _
from qwen_tui.ui.widgets.thinking_panel import count_tokens_text

Phase = Literal[
    "idle", "waiting", "loading", "summary", "prefill", "thinking", "answer"
]

_STAGES = {
    "import": N_("starting the engine"),
    "weights": N_("reading the weights"),
    "packing": N_("arranging the weights for this CPU"),
    "graphs": N_("recording CUDA graphs"),
    "ready": N_("getting ready"),
}


@dataclass(slots=True)
class Progress:
    """Counts of one load or turn; times are `time.monotonic()` seconds."""

    phase: Phase = "idle"
    stage: str = ""
    fraction: float = 0.0
    estimate: str = ""
    """What the load takes, in words."""
    summary: Summarising = field(default_factory=lambda: Summarising(0, 0))
    prefill: PrefillProgress = field(default_factory=lambda: PrefillProgress(0, 0, 0))
    thinking_tokens: int = 0
    answer_tokens: int = 0
    thinking_since: float = 0.0
    thinking_s: float = 0.0
    answer_since: float = 0.0

    @property
    def context_tokens(self) -> int:
        """Tokens of the context that this turn uses so far."""
        return self.prefill.total + self.thinking_tokens + self.answer_tokens

    def note(self, event: StreamEvent, now: float) -> None:
        """Take one event into account."""
        match event:
            case LoadProgress(stage, fraction):
                self.phase, self.stage, self.fraction = "loading", stage, fraction
            case LoadEstimate():
                self.estimate = estimate_note(event)
            case Summarising():
                self.phase, self.summary = "summary", event
            case Loaded() | ContextCut():
                self.phase = "waiting"
            case NotPassed() | WasThinking():
                self._rethink(event)
            case PrefillProgress():
                self.phase, self.prefill = "prefill", event
            case ThinkingDelta(tokens=tokens):
                self._begin_thinking(now)
                self.thinking_tokens += tokens
            case AnswerDelta(tokens=tokens):
                self._begin_answer(now)
                self.answer_tokens += tokens
            case Finished() | Failed():
                self._end_thinking(now)
                self.phase = "idle"

    def thinking_seconds(self, now: float) -> float:
        """Seconds spent thinking, still counting while it goes on."""
        if self.phase == "thinking":
            return now - self.thinking_since
        return self.thinking_s

    def _rethink(self, event: NotPassed | WasThinking) -> None:
        if isinstance(event, WasThinking):
            self.thinking_tokens, self.answer_tokens = self.answer_tokens, 0
            self.phase, self.thinking_since = "thinking", self.answer_since

    def _begin_thinking(self, now: float) -> None:
        if self.phase != "thinking":
            self.phase, self.thinking_since = "thinking", now

    def _end_thinking(self, now: float) -> None:
        if self.phase == "thinking":
            self.thinking_s = now - self.thinking_since

    def _begin_answer(self, now: float) -> None:
        if self.phase != "answer":
            self._end_thinking(now)
            self.phase, self.answer_since = "answer", now

    def line(self, now: float) -> str:
        """Return the status line; empty while idle."""
        match self.phase:
            case "idle" | "waiting":
                return _("Waiting for the model") if self.phase == "waiting" else ""
            case "loading":
                return self._loading_line()
            case "summary":
                return summarising_note(self.summary)
            case "prefill":
                return self._prefill_line()
            case "thinking" | "answer":
                return self._token_line(now)

    def _loading_line(self) -> str:
        if self.stage == "connect":
            return _("Asking the server")
        stage = _STAGES.get(self.stage, "")
        line = _("Loading the model {percent}").format(percent=f"{self.fraction:.0%}")
        line = f"{line}, {_(stage)}" if stage else line
        return f"{line}   {self.estimate}" if self.estimate else line

    def _prefill_line(self) -> str:
        counts = {
            "done": f"{self.prefill.done:,}",
            "total": f"{self.prefill.total:,}",
            "cached": f"{self.prefill.cached:,}",
        }
        if self.prefill.cached:
            text = _("Reading the prompt {done}/{total} (cached {cached})")
        else:
            text = _("Reading the prompt {done}/{total}")
        return text.format(**counts)

    def _token_line(self, now: float) -> str:
        if self.phase == "thinking":
            return _("Thinking {seconds} s, {tokens}").format(
                seconds=f"{self.thinking_seconds(now):.1f}",
                tokens=count_tokens_text(self.thinking_tokens),
            )
        seconds = now - self.answer_since
        tokens = count_tokens_text(self.answer_tokens)
        if seconds <= 0:
            return _("Answering {tokens}").format(tokens=tokens)
        return _("Answering {rate} tok/s  {tokens}  {seconds} s").format(
            rate=f"{self.answer_tokens / seconds:.1f}",
            tokens=tokens,
            seconds=f"{seconds:.1f}",
        )
