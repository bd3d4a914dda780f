"""From stream events to widgets: noted as they come, written a few times a second.

The buffer is drained whole, then written once; a widget update for each token
would cost the event loop more than the tokens do.
"""

import time
from dataclasses import dataclass

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.chat.events import (
    AnswerDelta,
    ContextCut,
    Failed,
    Finished,
    Loaded,
    LoadEstimate,
    NotPassed,
    StreamEvent,
    ThinkingDelta,
    WasThinking,
)
from qwen_tui.chat.notes import cut_note, fit_warning, not_passed_note
from qwen_tui.i18n import _
from qwen_tui.ui.screens.chat_progress import Progress
from qwen_tui.ui.widgets.chat_transcript import ChatTranscript
from qwen_tui.ui.widgets.composer import Composer
from qwen_tui.ui.widgets.header_bar import HeaderBar
from qwen_tui.ui.widgets.status_line import StatusLine
from qwen_tui.ui.widgets.turn import AssistantTurn, numbers_line, state_mark


@dataclass(frozen=True, slots=True)
class ChatWidgets:
    """What a turn draws on."""

    transcript: ChatTranscript
    composer: Composer
    status: StatusLine
    header: HeaderBar


class Feed:
    """What one load or turn tells, on its way to the widgets."""

    def __init__(self, widgets: ChatWidgets) -> None:
        self.progress = Progress()
        self.failure: Failed | None = None
        """Set when the load or turn ended in a failure."""
        self._warning = ""
        self._told_last = ""
        self._widgets = widgets
        self._turn: AssistantTurn | None = None
        self._thoughts: list[str] = []
        self._answers: list[str] = []

    def begin(self, progress: Progress, turn: AssistantTurn | None = None) -> None:
        """Start with a load (no `turn`) or with an answer that is shown in `turn`."""
        self.progress, self._turn, self.failure = progress, turn, None
        self._widgets.status.show(progress.line(time.monotonic()), "busy")

    def end(self) -> None:
        """Write what is left; nothing runs any more."""
        self.flush()
        self.progress, self._turn = Progress(), None

    def note(self, event: StreamEvent) -> None:
        """Take one event; a new phase shows at once, more of the same in time."""
        before = self.progress.phase
        self.progress.note(event, time.monotonic())
        match event:
            case ThinkingDelta(text):
                self._thoughts.append(text)
            case AnswerDelta(text):
                self._answers.append(text)
            case WasThinking():
                self._take_as_thinking()
            case Loaded():
                self._show_loaded(event)
            case LoadEstimate():
                self._warning = fit_warning(event)
            case ContextCut() | NotPassed(is_news=True):
                self._widgets.status.show_note(_limits_note(event), "warning")
            case Failed():
                self.failure = event
            case _:
                pass
        if self.progress.phase != before and not isinstance(event, Finished):
            self.flush()
            self.show_status()

    @property
    def warning(self) -> str:
        """What is to be told of the memory that the last load took."""
        return self._warning

    def flush(self) -> None:
        """Write what came since the last time, once each."""
        thoughts, self._thoughts = "".join(self._thoughts), []
        answers, self._answers = "".join(self._answers), []
        turn = self._turn
        if turn is None:
            return
        if thoughts:
            turn.think(thoughts)
        if answers:
            self._widgets.transcript.fold_when_unread(turn)
            turn.answer(answers)

    def _take_as_thinking(self) -> None:
        self.flush()
        if self._turn is not None:
            self._turn.take_as_thinking()

    def show_status(self) -> None:
        """Tell how far things are; called twice a second while something runs."""
        now = time.monotonic()
        progress = self.progress
        if progress.phase == "idle":
            return
        self._widgets.status.show_progress(progress.line(now))
        panel = self._turn.panel if self._turn is not None else None
        if panel is not None:
            seconds, tokens = progress.thinking_seconds(now), progress.thinking_tokens
            tell = panel.tick if progress.phase == "thinking" else panel.settle
            tell(seconds, tokens)
        if progress.prefill.total:
            self._widgets.header.change(used_tokens=progress.context_tokens)

    def tell_last(self, branch: list[ChatMessage]) -> None:
        """Tell how the last answer ended, or its numbers."""
        self._tell_end(branch)
        self._told_last = self._widgets.status.text

    def tell_ready(self) -> None:
        """Tell that the model can be asked."""
        self._widgets.status.show(_("Ready"))
        self._told_last = self._widgets.status.text

    def tell_last_again(self, branch: list[ChatMessage]) -> None:
        """Tell the same in the active language, where nothing was told since."""
        if self._told_last and self._widgets.status.text == self._told_last:
            self.tell_last(branch)

    def _tell_end(self, branch: list[ChatMessage]) -> None:
        status = self._widgets.status
        if not branch or branch[-1].role == "user":
            status.show(_("Ready"))
            return
        message = branch[-1]
        again = _("Ctrl+R answers again.")
        if message.state == "failed":
            status.show(f"{state_mark(message)} {again}", "error")
        elif message.state in ("stopped", "interrupted"):
            more = _("/continue goes on with it.")
            status.show(f"{state_mark(message)} {again} {more}", "warning")
        elif message.usage.get("finish_detail") == "loop":
            less = _("/set presence_penalty 1.5 makes it rarer.")
            more = _("/continue goes on with it.")
            status.show(f"{state_mark(message)} {again} {more} {less}", "warning")
        else:
            status.show(numbers_line(message.usage) or _("Ready"))

    def tell_failure(self, failure: Failed) -> None:
        """Tell what went wrong and the ways out."""
        way_out = _("Ctrl+R tries again, Ctrl+O chooses another model.")
        parts = (failure.message, failure.hint, way_out)
        self._widgets.status.show(" ".join(part for part in parts if part), "error")

    def _show_loaded(self, loaded: Loaded) -> None:
        self._widgets.header.change(
            model=loaded.model,
            device=loaded.device,
            dtype=loaded.dtype,
            context_tokens=loaded.context_length,
            thinking_kind=loaded.thinking,
        )


def _limits_note(event: ContextCut | NotPassed) -> str:
    """Return what a turn goes without, in words."""
    if isinstance(event, NotPassed):
        return not_passed_note(event)
    more = _("/summary shows and changes what stands for them.")
    return f"{cut_note(event)} {more if event.summary else ''}".strip()


def used_tokens(branch: list[ChatMessage]) -> int:
    """Return the tokens of the context that the last answer's turn took."""
    answers = [message for message in branch if message.role == "assistant"]
    if not answers:
        return 0
    usage = answers[-1].usage
    names = ("prompt_tokens", "thinking_tokens", "answer_tokens")
    return sum(int(usage.get(name) or 0) for name in names)
