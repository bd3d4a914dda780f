"""Take conversations out of the store as text, and bring those of a file into it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.shelf import Format
from qwen_tui.i18n import ngettext
from qwen_tui.store.conversations import Store
from qwen_tui.store.transfer.files import read_conversations
from qwen_tui.store.transfer.formats import EXTENSIONS
from qwen_tui.store.transfer.markdown import as_markdown
from qwen_tui.store.transfer.native import document
from qwen_tui.store.transfer.openai import messages_document

_UNSAFE = re.compile(r"[^\w]+")
_MOST_STEM_BYTES = 60


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file."""

    added: tuple[Conversation, ...]
    present: tuple[Conversation, ...]
    """Those whose id is in the store already: they were left as they are there."""
    left_out: int
    """Messages and parts of them that have no place here: images, tools."""


def export_text(conversation: Conversation, form: Format) -> str:
    """Return a conversation in a format.

    Args:
        conversation: With its messages.
        form: "md" for people, "json" without any loss, "openai" as `messages`; the
            first and the last hold the branch that is shown.
    """
    match form:
        case "md":
            return as_markdown(conversation)
        case "json":
            return backup_text([conversation])
        case "openai":
            return _json(messages_document(conversation))


def backup_text(conversations: Sequence[Conversation]) -> str:
    """Return conversations as one JSON document, from which they come back whole."""
    return _json(document(conversations))


def file_name(conversation: Conversation, form: Format) -> str:
    """Return a name for an exported conversation, made from its title and id."""
    stem = _UNSAFE.sub("-", conversation.title).strip("-_")
    short = stem.encode("utf-8", "ignore")[:_MOST_STEM_BYTES].decode("utf-8", "ignore")
    return f"{short.rstrip('-') or 'chat'}-{conversation.id}{EXTENSIONS[form]}"


def import_file(store: Store, file: Path) -> Imported:
    """Bring the conversations of a file into the store, all or nothing.

    What is imported keeps the id it has, or gets one made from the id it had in the
    other program: importing a file again finds it all present and changes nothing.
    What was added is found by every search; `Store.build_index`, or its twin in the
    background, makes that fast.

    Raises:
        TransferError: the file cannot be read, or is wrong somewhere.
        StoreError: the store cannot be written.
    """
    found = read_conversations(file)
    chats = {f.conversation.id: f.conversation for f in found}
    added = store.add_missing(list(chats.values()))
    new = {chat.id for chat in added}
    return Imported(
        added=tuple(added),
        present=tuple(chat for chat in chats.values() if chat.id not in new),
        left_out=sum(f.left_out for f in found if f.conversation.id in new),
    )


def summary_text(found: Imported) -> str:
    """Return what became of a file, in one line."""
    n = len(found.added)
    text = ngettext("Imported {n} conversation.", "Imported {n} conversations.", n)
    texts = [text.format(n=n)]
    if n := len(found.present):
        text = ngettext(
            "{n} was there already and stays as it is.",
            "{n} were there already and stay as they are.",
            n,
        )
        texts.append(text.format(n=n))
    if n := found.left_out:
        text = ngettext(
            "{n} picture or tool message was left out.",
            "{n} pictures and tool messages were left out.",
            n,
        )
        texts.append(text.format(n=n))
    return " ".join(texts)


def _json(body: dict[str, Any]) -> str:
    text = json.dumps(body, ensure_ascii=False, indent=1) + "\n"
    try:
        text.encode()
    except UnicodeEncodeError:  # half of an emoji, somewhere in the settings
        return json.dumps(body, indent=1) + "\n"
    return text
