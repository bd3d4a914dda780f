"""The context ledger: what each message takes of the context, in tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

_ROOM_SHARE = 8
_ROOM_MOST = 2048  # tokens that an answer finds at least, where the context is long


@dataclass(frozen=True, slots=True)
class MessageTokens:
    """What one message takes in a prompt."""

    tokens: int
    """In the prompt, with what the template puts around it."""
    dropped_tokens: int = 0
    """Of its thinking, which the template leaves out of this prompt."""


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """What a prompt is made of; the parts add up to the total."""

    messages: tuple[MessageTokens, ...]
    """In the order of the request's messages."""
    template_tokens: int
    """What the template says by itself, such as a system prompt of its own."""
    generation_tokens: int
    """The beginning of the answer, as the template writes it."""
    is_estimate: bool = False
    """Nobody counted: a server that does not say."""

    @property
    def total(self) -> int:
        """Tokens of the whole prompt."""
        rest = self.template_tokens + self.generation_tokens
        return sum(message.tokens for message in self.messages) + rest


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One message of a conversation, and what becomes of it in the next prompt."""

    message_id: str
    """Empty for the system prompt."""
    role: str
    text: str
    cost: MessageTokens | None
    """None where it does not go into the prompt."""
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the next prompt of a conversation will take."""

    rows: tuple[LedgerRow, ...]
    prompt: PromptTokens
    context_length: int
    summary: str = ""
    """What stands for the messages outside; empty for none."""

    @property
    def room(self) -> int:
        """Tokens left for the next message and its answer."""
        return self.context_length - self.prompt.total


@dataclass(frozen=True, slots=True)
class Overflow:
    """A prompt that does not fit, and what leaving messages out would do."""

    prompt_tokens: int
    room: int
    """Tokens that the answer should find."""
    context_length: int
    outside: tuple[str, ...] = ()
    """Ids of the oldest messages that would have to go; empty: nothing helps."""
    outside_tokens: int = 0


def answer_room(context_length: int, max_new_tokens: int) -> int:
    """Return the tokens that a prompt must leave to its answer.

    An eighth of the context, at most 2,048 and no more than the answer may have: the
    limit of an answer is often the whole context, which no prompt could leave.
    """
    return max(1, min(context_length // _ROOM_SHARE, _ROOM_MOST, max_new_tokens))


@dataclass(frozen=True, slots=True)
class Movable:
    """A message of a prompt as far as leaving it out goes."""

    tokens: int
    is_user: bool
    is_fixed: bool = False
    """The system prompt, and what is pinned: always stays."""


def first_kept(messages: Sequence[Movable], excess: int) -> int | None:
    """Return where a prompt has to begin so that `excess` tokens are left out.

    Whole turns go, the oldest first, and the last message's turn stays.

    Args:
        messages: Of the prompt, oldest first.
        excess: Tokens that must go, at least.

    Returns:
        The place of a user's message; what is before it and not fixed goes. None
        where even leaving all earlier turns out is too little.
    """
    gone = 0
    for place, message in enumerate(messages):
        if message.is_user and gone >= excess:
            return place
        if not message.is_fixed:
            gone += message.tokens
    return None
