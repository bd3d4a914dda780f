"""What lists, searches and files tell of saved conversations."""

from dataclasses import dataclass
from typing import Literal

Format = Literal["md", "json", "openai"]
"""Markdown for people, our JSON without any loss, OpenAI's `messages`."""
Marks = tuple[tuple[int, int], ...]
"""Start and end of each match in a text, in order, none inside another."""


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """What a list shows of a conversation."""

    id: str
    title: str
    updated_at: float
    """Seconds since the epoch."""
    model: str
    n_messages: int
    """Messages of every branch."""
    pinned: bool
    archived: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A message, or the title of a conversation, that holds what was searched for."""

    chat_id: str
    message_id: str | None
    """None where the title holds it."""
    title: str
    """The conversation's, raw."""
    role: str
    """"user" or "assistant"; empty for a title."""
    when: float
    """When the message was made, or the conversation used; seconds since the epoch."""
    snippet: str
    """A part of the text around the first match, one sanitized line."""
    marks: Marks
    """Start and end of every match in `snippet`."""
    in_thinking: bool = False
    """Whether only the thinking before an answer holds it."""
    archived: bool = False
