"""A conversation as Markdown for people: the branch that is shown."""

import re
import time

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.i18n import N_, _
from qwen_tui.sanitize import sanitize, sanitize_line

_STATES = {
    "streaming": N_("being written"),
    "stopped": N_("stopped"),
    "failed": N_("failed"),
    "interrupted": N_("interrupted"),
}
_CLOSING = re.compile(r"<(?=/\s*details)", re.IGNORECASE)


def as_markdown(chat: Conversation) -> str:
    """Return a conversation to be read; nothing in it acts on a terminal."""
    blocks = [f"# {_heading(chat.title) or _('(untitled)')}", _facts(chat)]
    if chat.system_prompt:
        blocks.append(_folded(_("System prompt"), chat.system_prompt))
    for message in chat.branch():
        blocks += _message(chat, message)
    return sanitize("\n\n".join(block for block in blocks if block) + "\n")


def _facts(chat: Conversation) -> str:
    facts = [_when(chat.created_at), _heading(chat.model), *map(_heading, chat.tags)]
    return " \N{MIDDLE DOT} ".join(fact for fact in facts if fact)


def _message(chat: Conversation, message: ChatMessage) -> list[str]:
    is_user = message.role == "user"
    who = _("You") if is_user else _heading(message.model) or _("Assistant")
    siblings = chat.siblings(message.id)
    marks = [_(_STATES[message.state])] if message.state in _STATES else []
    if len(siblings) > 1:
        number = [sibling.id for sibling in siblings].index(message.id) + 1
        marks.append(f"{number}/{len(siblings)}")
    if message.pinned:
        marks.append(_("pinned"))
    mark = f" ({', '.join(marks)})" if marks else ""
    thinking = _folded(_("Thinking"), message.thinking) if message.thinking else ""
    return [f"## {who}{mark}", thinking, message.content.strip("\n")]


def _folded(summary: str, text: str) -> str:
    """Return a text that is shown once its heading is clicked."""
    inner = _CLOSING.sub("&lt;", text.strip("\n"))
    return (
        f"<details>\n<summary>{summary}</summary>\n\n{_fenced_off(inner)}\n\n</details>"
    )


def _fenced_off(text: str) -> str:
    """Close a code fence that is left open, so that it ends with this text."""
    fences = re.findall(r"^ {0,3}(`{3,}|~{3,})", text, re.MULTILINE)
    opened = ""
    for fence in fences:
        if not opened:
            opened = fence
        elif fence[0] == opened[0] and len(fence) >= len(opened):
            opened = ""
    return f"{text}\n{opened}" if opened else text


def _heading(text: str) -> str:
    return " ".join(sanitize_line(text).split())


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
