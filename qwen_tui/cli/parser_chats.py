"""The options of `chats`."""

import argparse
from pathlib import Path
from typing import Any

from qwen_tui.cli.parser_parts import add_command, add_common, add_json, count
from qwen_tui.i18n import _
from qwen_tui.store.transfer.formats import FORMATS

HITS = 50
"""The most hits that a search prints where no other number is asked for."""


def add_chats(commands: Any) -> None:  # noqa: ANN401 - argparse has no public type for it
    """Add the `chats` command and all it does."""
    parser = commands.add_parser("chats", help=_("saved conversations"))
    add_common(parser, top=False)
    actions = parser.add_subparsers(
        dest="action", metavar="", title=_("commands"), required=True
    )
    add_command(actions, "list", _("list the conversations, newest first"), _add_list)
    add_command(actions, "show", _("print a conversation"), _add_chat)
    add_command(actions, "search", _("find messages and titles"), _add_search)
    add_command(actions, "export", _("write conversations to files"), _add_export)
    add_command(actions, "import", _("read conversations from a file"), _add_import)
    add_command(actions, "rename", _("give a conversation a title"), _add_rename)
    add_command(actions, "tag", _("give a conversation tags"), _add_tag)
    add_command(actions, "delete", _("delete a conversation"), _add_delete)


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--archived", action="store_true", help=_("those in the archive")
    )
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="TAG",
        help=_("only those with this tag; repeat it for several"),
    )
    add_json(parser)


def _add_chat(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("chat", metavar="CHAT", help=_("id or title"))
    add_json(parser)


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query",
        metavar="QUERY",
        help=_("words that must all be there; double quotes keep words together"),
    )
    parser.add_argument("--titles", action="store_true", help=_("look in titles only"))
    parser.add_argument(
        "--limit", type=count, default=HITS, metavar="N", help=_("the most to print")
    )
    add_json(parser)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("chat", metavar="CHAT", nargs="?", help=_("id or title"))
    parser.add_argument("--all", action="store_true", help=_("every conversation"))
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="md",
        help=_("md to read, json without any loss, openai as messages"),
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help=_("a file or folder; standard output without"),
    )
    parser.add_argument(
        "--force", action="store_true", help=_("overwrite what is there")
    )
    add_json(parser)


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help=_("of qwen-tui, ChatGPT or Open WebUI, or OpenAI messages"),
    )
    add_json(parser)


def _add_rename(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("chat", metavar="CHAT", help=_("id or title"))
    parser.add_argument("title", metavar="TITLE", help=_("the new title"))
    add_json(parser)


def _add_tag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("chat", metavar="CHAT", help=_("id or title"))
    parser.add_argument(
        "tags", metavar="TAG", nargs="*", help=_("to be added; none tells which it has")
    )
    parser.add_argument(
        "--remove", action="store_true", help=_("take these tags away instead")
    )
    add_json(parser)


def _add_delete(parser: argparse.ArgumentParser) -> None:
    _add_chat(parser)
    parser.add_argument("--yes", action="store_true", help=_("do not ask"))
