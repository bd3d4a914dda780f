"""ChatGPT's data export: `conversations.json`, each conversation a `mapping` of nodes.

Written from the shape of the file as the program exports it: a node holds a message
or none, its parent and its children; what a model thought stands in nodes of its own
above the answer.
"""

import json
import time
from dataclasses import dataclass, field

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.store.transfer.foreign import Foreign, Node, in_order, made_id, time_of
from qwen_tui.store.transfer.parts import Part

_SOURCE = "chatgpt"


@dataclass(slots=True)
class _Reading:
    """A conversation as far as it was read; keys are ids of their nodes."""

    chat: Conversation
    key: str
    left_out: int = 0
    kept: dict[str, str | None] = field(default_factory=dict[str, str | None])
    """Our id of the message at a node or next above it."""
    thoughts: dict[str, str] = field(default_factory=dict[str, str])
    """What was thought above a node and not answered yet."""
    system: list[str] = field(default_factory=list[str])


def read_chatgpt(root: Part) -> Foreign:
    """Return one conversation of the export.

    Raises:
        TransferError: it is wrong somewhere.
    """
    nodes = {
        name: Node(
            name,
            part,
            part.at("parent").text("") or None,
            part.at("children").items() if part.has("children") else [],
        )
        for name, part in root.at("mapping").members().items()
    }
    key = root.at("conversation_id").text("") or root.at("id").text("")
    key = key or json.dumps(root.value, sort_keys=True)
    created = time_of(root.at("create_time"), time.time())
    chat = Conversation(
        id=made_id(_SOURCE, key),
        title=" ".join(root.at("title").text("").split()),
        created_at=created,
        updated_at=time_of(root.at("update_time"), created),
        model=root.at("default_model_slug").text(""),
        archived=root.at("is_archived").flag(False),
        pinned=root.at("is_starred").flag(False),
    )
    reading = _Reading(chat, key)
    for node, parent in in_order(nodes):
        _take(reading, node, parent)
    chat.system_prompt = "\n\n".join(reading.system)
    leaf = reading.kept.get(root.at("current_node").text(""))
    chat.leaf_id = leaf or next(reversed(chat.messages), None)
    return Foreign(chat, reading.left_out)


def _take(reading: _Reading, node: Node, parent: str | None) -> None:
    reading.kept[node.id] = reading.kept[parent] if parent is not None else None
    thought = reading.thoughts.get(parent or "", "")
    reading.thoughts[node.id] = thought
    if not node.part.has("message"):
        return
    part = node.part.at("message")
    role = part.at("author").at("role").text("")
    hidden = part.at("metadata").has("is_visually_hidden_from_conversation")
    kind = part.at("content").at("content_type").text("")
    if role == "assistant" and kind in ("thoughts", "reasoning_recap"):
        more = _thoughts(part.at("content"))
        reading.thoughts[node.id] = "\n\n".join(t for t in (thought, more) if t)
        return
    text, n_skipped = _text(part.at("content"))
    reading.left_out += n_skipped
    if role == "system" and text and not hidden:
        reading.system.append(text)
    elif role in ("user", "assistant") and text and not hidden:
        reading.thoughts[node.id] = "" if role == "assistant" else thought
        _put(reading, node, part, text, thought if role == "assistant" else "")
    elif role == "tool" or (text and not hidden):
        reading.left_out += 1


def _put(reading: _Reading, node: Node, part: Part, text: str, thinking: str) -> None:
    chat = reading.chat
    is_user = part.at("author").at("role").value == "user"
    model = part.at("metadata").at("model_slug") if part.has("metadata") else None
    message = ChatMessage(
        "user" if is_user else "assistant",
        text,
        id=made_id(_SOURCE, reading.key, node.id),
        parent_id=reading.kept[node.id],
        thinking=thinking,
        created_at=time_of(part.at("create_time"), chat.created_at),
        model="" if is_user or model is None else model.text(""),
    )
    chat.messages[message.id] = message
    reading.kept[node.id] = message.id


def _text(content: Part) -> tuple[str, int]:
    """Return the text of a content, and how many of its parts are no text."""
    if not content.has("parts"):
        return content.at("text").text(""), 0
    texts: list[str] = []
    n_skipped = 0
    for part in content.at("parts").items():
        if isinstance(part.value, str):
            texts.append(part.value)
        elif part.has("text"):
            texts.append(part.at("text").text())
        else:
            n_skipped += 1
    return "\n\n".join(text for text in texts if text), n_skipped


def _thoughts(content: Part) -> str:
    if not content.has("thoughts"):
        return ""
    items = content.at("thoughts").items()
    return "\n\n".join(item.at("content").text("") for item in items).strip("\n")
