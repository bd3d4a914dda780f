"""The formats in which a conversation can be written."""

from qwen_tui.chat.shelf import Format

FORMATS: tuple[Format, ...] = ("md", "json", "openai")
EXTENSIONS = {"md": ".md", "json": ".json", "openai": ".messages.json"}
