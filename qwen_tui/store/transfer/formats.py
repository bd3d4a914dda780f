"""The formats in which a conversation can be written."""

from typing import Literal

Format = Literal["md", "json", "openai"]
"""Markdown for people, our JSON without any loss, OpenAI's `messages`."""
FORMATS: tuple[Format, ...] = ("md", "json", "openai")
EXTENSIONS = {"md": ".md", "json": ".json", "openai": ".messages.json"}
