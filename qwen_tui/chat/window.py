"""What of a conversation goes into prompts once all of it no longer fits."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from qwen_tui.chat.conversation import ChatMessage, Conversation

OverflowChoice = Literal["ask", "drop_oldest", "summarise"]
"""What to do before a prompt would exceed the context."""

_KEY = "window"
_SUMMARY_HEAD = "Summary of the earlier part of this conversation:"


@dataclass(frozen=True, slots=True)
class Window:
    """A conversation's messages from one on; what is pinned goes in anyway.

    It stays as it is from turn to turn, so that what was read is not read again, and
    it is forgotten when the context gets longer.
    """

    first_id: str = ""
    """The first message inside; empty: all of them are."""
    context_length: int = 0
    """Tokens of the context that made it necessary."""
    summary: str = ""
    """What the model, or a person, wrote about the messages outside."""

    @classmethod
    def of(cls, conversation: Conversation, branch: Sequence[ChatMessage]) -> "Window":
        """Return the window of a branch; all of it where none was ever needed."""
        stored = conversation.settings.get(_KEY)
        if not isinstance(stored, Mapping):
            return cls()
        window = _read(cast(Mapping[str, Any], stored))
        return window if any(m.id == window.first_id for m in branch) else cls()

    def keep_in(self, conversation: Conversation) -> None:
        """Let the window hold for the next prompts of a conversation."""
        if self.first_id:
            conversation.settings[_KEY] = asdict(self)
        else:
            conversation.settings.pop(_KEY, None)

    def outside(self, branch: Sequence[ChatMessage]) -> frozenset[str]:
        """Return the ids of the messages that do not go into the prompt."""
        if not self.first_id:
            return frozenset()
        ids: list[str] = []
        for message in branch:
            if message.id == self.first_id:
                break
            if not message.pinned:
                ids.append(message.id)
        return frozenset(ids)

    def system_prompt(self, written: str) -> str:
        """Return the system prompt, with the summary where there is one."""
        if not self.summary:
            return written
        summary = f"{_SUMMARY_HEAD}\n{self.summary}"
        return f"{written}\n\n{summary}" if written else summary


def _read(stored: Mapping[str, Any]) -> Window:
    length = stored.get("context_length")
    return Window(
        first_id=str(stored.get("first_id") or ""),
        context_length=length if isinstance(length, int) else 0,
        summary=str(stored.get("summary") or ""),
    )
