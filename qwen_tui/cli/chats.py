"""`qwen-tui chats`: list, show, rename and delete conversations, and more."""

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.shelf import ConversationSummary
from qwen_tui.chat.tags import has_tags, named_tags, write_tags
from qwen_tui.cli.chats_search import search
from qwen_tui.cli.chats_tags import tag
from qwen_tui.cli.chats_transfer import export, import_
from qwen_tui.cli.context import Context
from qwen_tui.cli.output import confirmed, say, say_json
from qwen_tui.errors import UsageError
from qwen_tui.i18n import N_, _, ngettext
from qwen_tui.sanitize import sanitize_line
from qwen_tui.store.conversations import Store

STATE_NAMES = {
    "streaming": N_("being written"),
    "stopped": N_("stopped"),
    "failed": N_("failed"),
    "interrupted": N_("interrupted"),
}


def run(context: Context) -> int:
    """Carry out one `chats` command."""
    args = context.args
    with closing(context.open_store()) as store:
        match args.action:
            case "list":
                _list(store, args.tag, archived=args.archived, as_json=args.json)
            case "show":
                _show(store.find(args.chat), as_json=args.json)
            case "search":
                search(context, store)
            case "export":
                export(context, store)
            case "import":
                import_(context, store)
            case "rename":
                _rename(store, args.chat, args.title, as_json=args.json)
            case "tag":
                tag(context, store)
            case _:
                return _delete(context, store)
    return 0


def _list(store: Store, tags: Sequence[str], *, archived: bool, as_json: bool) -> None:
    summaries = [
        summary
        for summary in store.summaries(archived=archived)
        if has_tags(summary.tags, named_tags(tags))
    ]
    if as_json:
        for summary in summaries:
            say_json(asdict(summary))
        return
    if not summaries:
        say(_("No conversations yet."), sys.stderr)
    for summary in summaries:
        say(_row(summary))


def _row(summary: ConversationSummary) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(summary.updated_at))
    count = ngettext("{n} message", "{n} messages", summary.n_messages).format(
        n=summary.n_messages
    )
    title = sanitize_line(summary.title) or _("(untitled)")
    facts = [count, summary.model]
    facts += [_("pinned")] if summary.pinned else []
    facts += [write_tags(summary.tags)]
    told = sanitize_line(", ".join(fact for fact in facts if fact))
    return f"{summary.id}  {when}  {title}  ({told})"


def _show(conversation: Conversation, *, as_json: bool) -> None:
    branch = conversation.branch()
    if as_json:
        body = asdict(conversation)
        body["messages"] = [asdict(message) for message in branch]
        say_json(body)
        return
    say(sanitize_line(conversation.title) or _("(untitled)"))
    if conversation.system_prompt:
        say(f"\n## {_('System prompt')}\n\n{conversation.system_prompt}")
    for message in branch:
        say(_message(message))


def _message(message: ChatMessage) -> str:
    who = _("You") if message.role == "user" else message.model or _("Assistant")
    state = STATE_NAMES.get(message.state)
    mark = f" [{_(state)}]" if state else ""
    thinking = "".join(f"> {line}\n" for line in message.thinking.splitlines())
    gap = "\n" if thinking else ""
    return f"\n## {who}{mark}\n\n{thinking}{gap}{message.content}"


def _rename(store: Store, ref: str, title: str, *, as_json: bool) -> None:
    if not title.strip():
        raise UsageError(_("A title needs at least one character."))
    chat_id = store.find(ref).id
    store.rename(chat_id, title)
    new = store.load(chat_id).title
    if as_json:
        say_json({"event": "renamed", "id": chat_id, "title": new})
    else:
        say(_("Renamed to {title}.").format(title=sanitize_line(new)))


def _delete(context: Context, store: Store) -> int:
    conversation = store.find(context.args.chat)
    title = sanitize_line(conversation.title) or _("(untitled)")
    if not context.args.yes and not _confirmed(title, len(conversation.messages)):
        return 1
    store.delete(conversation.id)
    body: Mapping[str, Any] = {"event": "deleted", "id": conversation.id}
    if context.args.json:
        say_json(body)
    else:
        say(_("Deleted {title}.").format(title=title))
    return 0


def _confirmed(title: str, n_messages: int) -> bool:
    question = ngettext(
        "Delete {title} with {n} message for ever?",
        "Delete {title} with {n} messages for ever?",
        n_messages,
    ).format(title=title, n=n_messages)
    refusal = _("Deleting {title} needs a yes.").format(title=title)
    return confirmed(question, refusal=refusal)
