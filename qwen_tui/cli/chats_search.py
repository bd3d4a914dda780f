"""`qwen-tui chats search`: messages and titles that hold some words."""

import sys
import time
from dataclasses import asdict

from qwen_tui.chat.shelf import SearchHit
from qwen_tui.cli.cells import cut, output_width
from qwen_tui.cli.context import Context
from qwen_tui.cli.output import say, say_json
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.store.conversations import Store


def search(context: Context, store: Store) -> None:
    """Print what holds the words, by conversation."""
    args = context.args
    hits = store.search(args.query, limit=args.limit, only_titles=args.titles)
    if args.json:
        for hit in hits:
            say_json(asdict(hit))
        return
    if not hits:
        words = sanitize_line(args.query)
        say(_("Nothing was found for {words}.").format(words=words), sys.stderr)
    width = output_width()
    by_chat: dict[str, list[SearchHit]] = {}
    for hit in hits:
        by_chat.setdefault(hit.chat_id, []).append(hit)
    for chat_id, found in by_chat.items():
        for line in (_head(chat_id, found[0]), *map(_row, found)):
            say(line if width is None else cut(line, width))


def _head(chat_id: str, hit: SearchHit) -> str:
    title = sanitize_line(hit.title) or _("(untitled)")
    mark = f" ({_('archived')})" if hit.archived else ""
    return f"{chat_id}  {title}{mark}"


def _row(hit: SearchHit) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(hit.when))
    return f"    {when}  {_who(hit)}: {hit.snippet}"


def _who(hit: SearchHit) -> str:
    if hit.message_id is None:
        return _("Title")
    if hit.in_thinking:
        return _("Thinking")
    return _("You") if hit.role == "user" else _("Assistant")
