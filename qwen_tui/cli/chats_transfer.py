"""`qwen-tui chats export` and `import`: conversations as files."""

import sys
from pathlib import Path

from qwen_tui.chat.conversation import Conversation
from qwen_tui.cli.context import Context
from qwen_tui.cli.output import say, say_json
from qwen_tui.errors import UsageError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.store.conversations import Store
from qwen_tui.store.transfer.exchange import (
    Imported,
    backup_text,
    export_text,
    file_name,
    import_file,
    summary_text,
)
from qwen_tui.store.transfer.files import exists_error, make_folder, write_text

_MANY = 2000
"""Messages from which on indexing is felt."""


def export(context: Context, store: Store) -> None:
    """Write one conversation, or all, to a file, a folder or standard output."""
    args = context.args
    if bool(args.chat) == args.all:
        raise UsageError(
            _("Name a conversation to export, or take --all."),
            hint=_("See `qwen-tui chats list`."),
        )
    if not args.all:
        chat = store.find(args.chat)
        _write_one(context, [chat], export_text(chat, args.format))
        return
    summaries = (*store.summaries(), *store.summaries(archived=True))
    chats = [store.load(summary.id) for summary in summaries]
    if args.format == "json":
        _write_one(context, chats, backup_text(chats))
    else:
        _write_each(context, chats)


def _write_one(context: Context, chats: list[Conversation], text: str) -> None:
    """Write conversations that make one text."""
    args = context.args
    ids = [chat.id for chat in chats]
    if args.output is None:
        if args.json:
            say_json({"event": "exported", "ids": ids, "text": text})
        else:
            say(text, end="")
        return
    path = args.output
    if path.is_dir():
        name = "qwen-tui-chats.json" if args.all else file_name(chats[0], args.format)
        path = path / name
    write_text(path, text, overwrite=args.force)
    _tell(context, path, ids)


def _write_each(context: Context, chats: list[Conversation]) -> None:
    """Write each conversation to a file of its own in a folder."""
    args = context.args
    if args.output is None:
        raise UsageError(
            _("All conversations in this format need a folder."),
            hint=_("Name one with -o DIR, or take --format json."),
        )
    make_folder(args.output)
    files = {args.output / file_name(chat, args.format): chat for chat in chats}
    for path in files:
        if path.exists() and not args.force:
            raise exists_error(path)
    for path, chat in files.items():
        write_text(path, export_text(chat, args.format), overwrite=args.force)
        _tell(context, path, [chat.id])


def _tell(context: Context, path: Path, ids: list[str]) -> None:
    if context.args.json:
        say_json({"event": "exported", "ids": ids, "path": str(path.absolute())})
    else:
        shown = sanitize_line(str(path))
        say(_("Exported to {path}.").format(path=shown), sys.stderr)


def import_(context: Context, store: Store) -> None:
    """Bring the conversations of a file into the store."""
    found = import_file(store, context.args.file)
    if context.args.json:
        _tell_json(found)
    else:
        for chat in found.added:
            say(f"{chat.id}  {sanitize_line(chat.title) or _('(untitled)')}")
        say(summary_text(found), sys.stderr)
    if store.unindexed() > _MANY:
        say(_("Preparing the search; Ctrl+C leaves it for later."), sys.stderr)
    store.build_index()


def _tell_json(found: Imported) -> None:
    for event, chats in (("imported", found.added), ("present", found.present)):
        for chat in chats:
            n_messages = len(chat.messages)
            body = {"id": chat.id, "title": chat.title, "n_messages": n_messages}
            say_json({"event": event, **body})
    counts = {"imported": len(found.added), "present": len(found.present)}
    say_json({"event": "done", **counts, "left_out": found.left_out})
