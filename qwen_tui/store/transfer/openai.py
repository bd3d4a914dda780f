"""The `messages` of OpenAI's chat completions, with thinking as `reasoning_content`."""

import hashlib
import json
from typing import Any

from qwen_tui.chat.conversation import ChatMessage, Conversation, title_from
from qwen_tui.store.transfer.foreign import Foreign, made_id
from qwen_tui.store.transfer.parts import Part

_SYSTEM = ("system", "developer")
_ROLES = ("user", "assistant", "tool", "function", *_SYSTEM)
_SOURCE = "openai"


def messages_document(chat: Conversation) -> dict[str, Any]:
    """Return the branch that is shown as a request's `messages`."""
    messages: list[dict[str, Any]] = []
    if chat.system_prompt:
        messages.append({"role": "system", "content": chat.system_prompt})
    for message in chat.branch():
        body: dict[str, Any] = {"role": message.role, "content": message.content}
        if message.thinking:
            body["reasoning_content"] = message.thinking
        messages.append(body)
    return {"model": chat.model, "messages": messages}


def read_messages(root: Part) -> Foreign:
    """Return the conversation of a list of messages, or of an object with one.

    Images and what tools were asked and said are left out.

    Raises:
        TransferError: it is wrong somewhere.
    """
    is_request = isinstance(root.value, dict)
    items = (root.at("messages") if is_request else root).items()
    written = json.dumps([item.value for item in items], sort_keys=True)
    key = hashlib.sha256(written.encode()).hexdigest()
    chat = Conversation(id=made_id(_SOURCE, key), model=_named(root, "model"))
    system: list[str] = []
    left_out = 0
    for number, item in enumerate(items):
        role = item.at("role").one_of(_ROLES)
        content, n_skipped = content_text(item.at("content"))
        left_out += n_skipped
        if role in _SYSTEM:
            system.append(content)
            continue
        thinking = _thinking(item)
        if role not in ("user", "assistant") or not (content or thinking):
            left_out += 1
            continue
        chat.put(
            ChatMessage(
                "user" if role == "user" else "assistant",
                content,
                id=made_id(_SOURCE, key, str(number)),
                parent_id=chat.leaf_id,
                thinking=thinking,
                model=chat.model if role == "assistant" else "",
            )
        )
    chat.system_prompt = "\n\n".join(text for text in system if text)
    first = next((m.content for m in chat.messages.values() if m.role == "user"), "")
    chat.title = _named(root, "title") or title_from(first)
    return Foreign(chat, left_out)


def content_text(content: Part) -> tuple[str, int]:
    """Return the text of a message's content, and how many parts are no text.

    Raises:
        TransferError: it is neither a text, null nor a list of parts.
    """
    if not isinstance(content.value, list):
        return content.text(""), 0
    texts: list[str] = []
    n_skipped = 0
    for part in content.items():
        if isinstance(part.value, str):
            texts.append(part.value)
        elif part.at("type").text("") in ("text", "input_text", "output_text"):
            texts.append(part.at("text").text())
        else:
            n_skipped += 1
    return "\n\n".join(texts), n_skipped


def _named(root: Part, name: str) -> str:
    return root.at(name).text("") if root.has(name) else ""


def _thinking(item: Part) -> str:
    for name in ("reasoning_content", "reasoning"):
        if isinstance(item.at(name).value, str):
            return item.at(name).text()
    return ""
