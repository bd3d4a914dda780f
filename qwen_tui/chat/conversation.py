"""A conversation: messages as a tree, siblings under one parent are branches."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["user", "assistant"]
MessageState = Literal["complete", "streaming", "stopped", "failed", "interrupted"]


def new_id() -> str:
    """Return a fresh random id, 12 hex digits."""
    return secrets.token_hex(6)


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message, as it is stored; text is raw, sinks sanitize it."""

    role: Role
    content: str
    id: str = field(default_factory=new_id)
    parent_id: str | None = None
    """None for a first message."""
    thinking: str = ""
    state: MessageState = "complete"
    created_at: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    model: str = ""
    """What made an answer; empty for a user's message."""
    revision: str = ""
    sampling: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The settings that made an answer: sampling fields, seed, thinking, limits,
    "soft_switch" where one decided; "computed_by" is device, dtype, attention and
    versions."""
    usage: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`Usage` as a mapping, and "finish_reason", "finish_detail", "thinking_cut",
    "error"."""
    pinned: bool = False


@dataclass(slots=True)
class Conversation:
    """A conversation and the branch of it that is shown."""

    id: str = field(default_factory=new_id)
    title: str = ""
    created_at: float = field(default_factory=time.time)
    updated_at: float = field(default_factory=time.time)
    model: str = ""
    system_prompt: str = ""
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    leaf_id: str | None = None
    pinned: bool = False
    archived: bool = False
    tags: list[str] = field(default_factory=list[str])
    messages: dict[str, ChatMessage] = field(default_factory=dict[str, ChatMessage])
    """Every message of every branch, by id, in order of creation."""

    def branch(self, leaf_id: str | None = None) -> list[ChatMessage]:
        """Return the messages from the first to `leaf_id` (default: the shown leaf)."""
        chain: list[ChatMessage] = []
        current = leaf_id if leaf_id is not None else self.leaf_id
        while current is not None:
            message = self.messages[current]
            chain.append(message)
            current = message.parent_id
        chain.reverse()
        return chain

    def siblings(self, message_id: str) -> list[ChatMessage]:
        """Return every branch at this message, itself included, oldest first."""
        parent = self.messages[message_id].parent_id
        return [m for m in self.messages.values() if m.parent_id == parent]

    def put(self, message: ChatMessage) -> None:
        """Add or replace a message and show the branch that ends with it."""
        self.messages[message.id] = message
        self.leaf_id = message.id
        self.updated_at = time.time()


def title_from(text: str, limit: int = 40) -> str:
    """Return a title made from a first prompt: its first line, cut at `limit`."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first if len(first) <= limit else first[: limit - 1].rstrip() + "\u2026"
