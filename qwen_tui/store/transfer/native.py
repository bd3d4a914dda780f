"""Our own JSON: everything of every branch, and back without a loss."""

from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any, cast

from qwen_tui import __version__
from qwen_tui.chat.conversation import ChatMessage, Conversation, MessageState, Role
from qwen_tui.chat.events import Usage
from qwen_tui.errors import TransferError
from qwen_tui.i18n import _
from qwen_tui.store.transfer.parts import Part
from qwen_tui.store.tree import loop_ends

FORMAT = "qwen-tui.conversations"
VERSION = 1

_ROLES = ("user", "assistant")
_COUNTED = tuple(field.name for field in fields(Usage))
_TOLD = ("finish_reason", "finish_detail", "error", "error_hint")
_STATES = ("complete", "streaming", "stopped", "failed", "interrupted")


def document(conversations: Iterable[Conversation]) -> dict[str, Any]:
    """Return conversations as one JSON document."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "program": f"qwen-tui {__version__}",
        "conversations": [_written(chat) for chat in conversations],
    }


def read_document(root: Part) -> list[Conversation]:
    """Return the conversations of a document; ids stay.

    Raises:
        TransferError: it is of a newer version, or wrong somewhere.
    """
    version = root.at("version")
    if version.value != VERSION:
        raise TransferError(
            _("This file has version {version}; this qwen-tui reads {known}.").format(
                version=repr(version.value)[:20], known=VERSION
            ),
            hint=_("Update qwen-tui. Nothing was imported."),
            code="import_format",
        )
    conversations: dict[str, Conversation] = {}
    for part in root.at("conversations").items():
        chat = _read(part)
        if chat.id in conversations:
            raise part.at("id").wrong(_("an id that no other conversation has"))
        conversations[chat.id] = chat
    return list(conversations.values())


def _written(chat: Conversation) -> dict[str, Any]:
    body = asdict(chat)
    body["messages"] = [asdict(message) for message in chat.messages.values()]
    return body


def _read(part: Part) -> Conversation:
    messages: dict[str, ChatMessage] = {}
    for item in part.at("messages").items():
        message = _read_message(item)
        if message.id in messages:
            raise item.at("id").wrong(_("an id that no other message has"))
        messages[message.id] = message
    _check_links(part, messages)
    return Conversation(
        id=part.at("id").identity(),
        title=part.at("title").text(""),
        created_at=part.at("created_at").time(),
        updated_at=part.at("updated_at").time(),
        model=part.at("model").text(""),
        system_prompt=part.at("system_prompt").text(""),
        settings=part.at("settings").mapping(),
        # as a load does: the newest message, where no branch was chosen
        leaf_id=part.at("leaf_id").value or next(reversed(messages), None),
        pinned=part.at("pinned").flag(False),
        archived=part.at("archived").flag(False),
        tags=[tag.text() for tag in part.at("tags").items()],
        messages=messages,
    )


def _read_message(part: Part) -> ChatMessage:
    parent = part.at("parent_id")
    state = part.at("state").one_of(_STATES)
    return ChatMessage(
        role=cast(Role, part.at("role").one_of(_ROLES)),
        content=part.at("content").text(),
        id=part.at("id").identity(),
        parent_id=None if parent.value is None else parent.identity(),
        thinking=part.at("thinking").text(""),
        # nobody writes on what stands in a file
        state="interrupted" if state == "streaming" else cast(MessageState, state),
        created_at=part.at("created_at").time(),
        model=part.at("model").text(""),
        revision=part.at("revision").text(""),
        sampling=_checked_sampling(part.at("sampling")),
        usage=_checked_usage(part.at("usage")),
        pinned=part.at("pinned").flag(False),
    )


def _checked_sampling(part: Part) -> dict[str, Any]:
    """Return what made an answer; what the screen counts on is checked."""
    if part.has("computed_by"):
        part.at("computed_by").at("versions").mapping()
    if part.has("not_passed"):
        for name in part.at("not_passed").items():
            name.text()
    return part.mapping()


def _checked_usage(part: Part) -> dict[str, Any]:
    """Return what an answer cost and how it ended; what is counted with is checked."""
    for name in _COUNTED:
        if part.has(name):
            part.at(name).check_number()
    for name in _TOLD:
        if part.has(name):
            part.at(name).text()
    return part.mapping()


def _check_links(part: Part, messages: dict[str, ChatMessage]) -> None:
    items = part.at("messages").items()
    for item in items:
        parent = item.at("parent_id")
        if parent.value is not None and parent.value not in messages:
            raise parent.wrong(_("the id of a message of this conversation"))
    ends = loop_ends(messages)
    for item in items:
        if item.at("id").value in ends:
            raise item.at("parent_id").wrong(_("above its message, not below it"))
    leaf = part.at("leaf_id")
    if leaf.value is not None and leaf.identity() not in messages:
        raise leaf.wrong(_("the id of a message of this conversation"))
