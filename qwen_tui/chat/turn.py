"""One turn: what it is asked with, what it adds, and whether it leaves a trace."""

from dataclasses import KW_ONLY, dataclass, field, replace

from qwen_tui.chat.answer import GrowingAnswer
from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.events import Failed, Finished
from qwen_tui.chat.ledger import Overflow
from qwen_tui.chat.sampling import Presets, SamplingChoice
from qwen_tui.chat.window import OverflowChoice

OWN_KEY = "options"
"""Where a conversation's settings keep what a person chose for it."""


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
    overflow: OverflowChoice = "ask"
    """What to do before a prompt would exceed the context."""
    may_choose: bool = True
    """Somebody is there who can be asked: a message that does not fit is kept."""


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """What a turn adds to the conversation."""

    answer: ChatMessage
    """New and empty, or the cut answer that goes on; its parent ends the history."""
    user: ChatMessage | None = None
    """A message sent with this turn: the answer's parent."""
    is_cut: bool = False
    overflow: OverflowChoice | None = None
    """What a person chose for this turn; None takes the option."""


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
    overflow: Overflow | None = None
    """The prompt does not fit, and it was not said what to do."""


def is_void(turn: Turn, last: Finished | Failed | None) -> bool:
    """Tell whether the turn shall leave no trace.

    A message that was sent stays on disk where nobody asked to stop: a program that
    ends in mid-turn has no composer left to give the text back to.
    """
    if turn.answer.grew:
        return False
    is_stopped = turn.is_stopping and isinstance(last, Finished)
    is_unsaved = isinstance(last, Failed) and not turn.is_saved
    is_refused = turn.overflow is not None
    return turn.plan.is_cut or is_stopped or is_unsaved or is_refused


def take_back(
    conversation: Conversation, turn: Turn, *, keep_question: bool
) -> list[str]:
    """Leave a conversation as it was before a turn; return the ids that are gone.

    Args:
        conversation: Changed in place.
        turn: Its answer goes, or is again what it was before it went on.
        keep_question: The message sent with it stays, and ends the shown branch.
    """
    plan, before = turn.plan, turn.before
    own = conversation.settings.get(OWN_KEY)  # may be chosen while the turn ran
    conversation.settings = dict(before.settings)
    if own is not None:
        conversation.settings[OWN_KEY] = own
    keeps = keep_question and plan.user is not None
    if not keeps:
        conversation.title, conversation.model = before.title, before.model
        conversation.updated_at = before.updated_at
        conversation.leaf_id = before.leaf_id
    if plan.is_cut:
        conversation.messages[plan.answer.id] = plan.answer
        return []
    gone = [plan.answer.id]
    if plan.user is not None:
        if keeps:
            conversation.leaf_id = plan.user.id
        else:
            gone.append(plan.user.id)
    for message_id in gone:
        del conversation.messages[message_id]
    return gone


def again(plan: TurnPlan, conversation: Conversation) -> TurnPlan:
    """Return the plan of a turn that left no answer, to be done once more."""
    is_kept = plan.user is not None and plan.user.id in conversation.messages
    answer = plan.answer if plan.is_cut else empty_answer(plan.answer.parent_id)
    return replace(plan, answer=answer, user=None if is_kept else plan.user)


def empty_answer(parent_id: str | None) -> ChatMessage:
    """Return an answer that is about to be written."""
    return ChatMessage("assistant", "", parent_id=parent_id, state="streaming")
