"""Open WebUI's export: a list of chats, each with a `history` of messages by id."""

import html
import json
import re
import time
from dataclasses import dataclass, field

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.store.transfer.foreign import Foreign, Node, in_order, made_id, time_of
from qwen_tui.store.transfer.openai import content_text
from qwen_tui.store.transfer.parts import Part

_SOURCE = "open-webui"
# How it keeps what a model thought: a folded block of quoted, escaped lines.
_REASONING = re.compile(
    r'\s*<details type="reasoning"[^>]*>\s*'
    r"(?:<summary>[^<]*</summary>)?(.*?)</details>",
    re.DOTALL,
)
_QUOTED = re.compile(r"^(?:>|&gt;) ?", re.MULTILINE)


@dataclass(slots=True)
class _Reading:
    """A chat as far as it was read."""

    chat: Conversation
    key: str
    left_out: int = 0
    kept: dict[str, str | None] = field(default_factory=dict[str, str | None])
    """Our id of the message at theirs or next above it."""


def read_open_webui(root: Part) -> Foreign:
    """Return one chat of the export.

    Raises:
        TransferError: it is wrong somewhere.
    """
    body = root.at("chat")
    key = root.at("id").text("") or json.dumps(root.value, sort_keys=True)
    created = time_of(root.at("created_at"), time_of(body.at("timestamp"), time.time()))
    models = body.at("models").items() if body.has("models") else []
    chat = Conversation(
        id=made_id(_SOURCE, key),
        title=_title(root, body),
        created_at=created,
        updated_at=time_of(root.at("updated_at"), created),
        model=models[0].text("") if models else "",
        system_prompt=_system_prompt(body),
        pinned=root.at("pinned").flag(False),
        archived=root.at("archived").flag(False),
        tags=_tags(root, body),
    )
    reading = _Reading(chat, key)
    history = body.at("history")
    for node, parent in in_order(_nodes(history.at("messages"))):
        _take(reading, node, parent)
    leaf = reading.kept.get(history.at("currentId").text(""))
    chat.leaf_id = leaf or next(reversed(chat.messages), None)
    return Foreign(chat, reading.left_out)


def _nodes(messages: Part) -> dict[str, Node]:
    return {
        name: Node(
            name,
            part,
            part.at("parentId").text("") or None,
            part.at("childrenIds").items() if part.has("childrenIds") else [],
        )
        for name, part in messages.members().items()
    }


def _title(root: Part, body: Part) -> str:
    return " ".join((root.at("title").text("") or body.at("title").text("")).split())


def _system_prompt(body: Part) -> str:
    if body.has("params") and body.at("params").has("system"):
        return body.at("params").at("system").text()
    return body.at("system").text("")


def _tags(root: Part, body: Part) -> list[str]:
    meta = root.at("meta") if root.has("meta") else body
    if not meta.has("tags"):
        return []
    # either names, or objects with a name
    tags = meta.at("tags").items()
    return [(t if isinstance(t.value, str) else t.at("name")).text() for t in tags]


def _take(reading: _Reading, node: Node, parent: str | None) -> None:
    part = node.part
    reading.kept[node.id] = reading.kept[parent] if parent is not None else None
    role = part.at("role").text()
    text, n_skipped = content_text(part.at("content"))
    reading.left_out += n_skipped
    if part.has("files"):
        reading.left_out += len(part.at("files").items())
    if role not in ("user", "assistant"):
        reading.left_out += 1
        return
    thinking = ""
    if role == "assistant":
        thinking, text = _parted(text)
    message = ChatMessage(
        "user" if role == "user" else "assistant",
        text,
        id=made_id(_SOURCE, reading.key, node.id),
        parent_id=reading.kept[node.id],
        thinking=thinking,
        created_at=time_of(part.at("timestamp"), reading.chat.created_at),
        model=part.at("model").text("") if role == "assistant" else "",
    )
    reading.chat.messages[message.id] = message
    reading.kept[node.id] = message.id


def _parted(content: str) -> tuple[str, str]:
    """Return the thinking that stands before an answer, and the answer."""
    thoughts: list[str] = []
    while (match := _REASONING.match(content)) is not None:
        quoted = match.group(1).strip("\n")
        thoughts.append(html.unescape(_QUOTED.sub("", quoted)).strip("\n"))
        content = content[match.end() :].lstrip("\n")
    return "\n\n".join(thoughts), content
