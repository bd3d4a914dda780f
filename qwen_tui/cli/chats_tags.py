"""`qwen-tui chats tag`: the tags of a conversation."""

from qwen_tui.chat.tags import named_tags, with_tags, without_tags, write_tags
from qwen_tui.cli.context import Context
from qwen_tui.cli.output import say, say_json
from qwen_tui.errors import UsageError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.store.conversations import Store


def tag(context: Context, store: Store) -> None:
    """Give a conversation tags, or take them away; tell which it has then."""
    args = context.args
    named = named_tags(args.tags)
    chat = store.find(args.chat)
    if args.remove and not named:
        raise UsageError(_("Name the tags to take away."))
    if named:
        change = without_tags if args.remove else with_tags
        store.set_tags(chat.id, change(chat.tags, named))
        chat = store.load(chat.id)
    if args.json:
        say_json({"event": "tagged", "id": chat.id, "tags": chat.tags})
        return
    title = sanitize_line(chat.title) or _("(untitled)")
    tags = sanitize_line(write_tags(chat.tags))
    if tags:
        say(_('"{title}" has the tags {tags}.').format(title=title, tags=tags))
    else:
        say(_('"{title}" has no tags.').format(title=title))
