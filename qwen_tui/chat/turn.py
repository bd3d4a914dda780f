"""One turn: what it is asked with, what it adds, and whether it leaves a trace."""

from dataclasses import KW_ONLY, dataclass, field

from qwen_tui.chat.answer import GrowingAnswer
from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.events import Failed, Finished
from qwen_tui.chat.sampling import Presets, SamplingChoice


@dataclass(slots=True)
class TurnOptions:
    """What the next turn is asked with; the screens change it."""

    presets: Presets
    _: KW_ONLY
    max_new_tokens: int
    choice: SamplingChoice = field(default_factory=SamplingChoice)
    thinking: bool = True
    thinking_budget: int | None = None
    loop_guard: bool = True


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """What a turn adds to the conversation."""

    answer: ChatMessage
    """New and empty, or the cut answer that goes on; its parent ends the history."""
    user: ChatMessage | None = None
    """A message sent with this turn: the answer's parent."""
    is_cut: bool = False


@dataclass(slots=True)
class Turn:
    """A running turn."""

    plan: TurnPlan
    before: Conversation
    """The conversation's own fields as they were."""
    answer: GrowingAnswer
    is_new_chat: bool = False
    """The store did not know the conversation yet."""
    is_saved: bool = False
    """What was sent is on disk."""
    is_stopping: bool = False


def is_void(turn: Turn, last: Finished | Failed | None) -> bool:
    """Tell whether the turn shall leave no trace.

    A message that was sent stays on disk where nobody asked to stop: a program that
    ends in mid-turn has no composer left to give the text back to.
    """
    if turn.answer.grew:
        return False
    is_stopped = turn.is_stopping and isinstance(last, Finished)
    is_unsaved = isinstance(last, Failed) and not turn.is_saved
    return turn.plan.is_cut or is_stopped or is_unsaved


def empty_answer(parent_id: str | None) -> ChatMessage:
    """Return an answer that is about to be written."""
    return ChatMessage("assistant", "", parent_id=parent_id, state="streaming")
