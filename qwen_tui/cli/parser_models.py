"""The parser of the `models` commands."""

import argparse
from pathlib import Path
from typing import Any

from qwen_tui.cli.parser_parts import add_command, add_common, add_json, count
from qwen_tui.i18n import _


def add_models(commands: Any) -> None:  # noqa: ANN401 - argparse has no public type for it
    """Add `models` and everything below it."""
    parser = commands.add_parser("models", help=_("models on this machine"))
    add_common(parser, top=False)
    actions = parser.add_subparsers(
        dest="action", metavar="", title=_("commands"), required=True
    )
    actions.required = True
    add_command(actions, "list", _("list the models on this machine"), add_json)

    add_command(actions, "search", _("search a hub for models"), _add_search)
    add_command(
        actions, "info", _("what a model's repo holds, and does it fit here"), _add_info
    )
    add_command(
        actions,
        "download",
        _("fetch a model; goes on where it stopped"),
        _add_download,
    )
    add_command(
        actions, "verify", _("check every file of a model, offline"), _add_verify
    )
    add_command(actions, "delete", _("delete a model of the cache"), _add_delete)
    add_command(actions, "purge", _("delete unfinished files"), _add_purge)


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", metavar="QUERY", help=_("part of a name"))
    add_json(parser)


def _add_info(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="M", help=_("a repo id or an alias"))
    parser.add_argument("--revision", default="main", help=_("branch, tag or commit"))
    parser.add_argument(
        "--context",
        type=count,
        metavar="N",
        help=_("tokens that memory is judged at"),
    )
    add_json(parser)


def _add_download(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="M", help=_("a repo id or an alias"))
    parser.add_argument("--revision", default="main", help=_("branch, tag or commit"))
    parser.add_argument(
        "--local-dir",
        type=Path,
        metavar="DIR",
        help=_("plain files into this folder instead of the cache"),
    )
    parser.add_argument(
        "--gguf",
        default="",
        metavar="NAME",
        help=_('quantisation of a GGUF repo, such as Q8_0; "*" for all of them'),
    )
    parser.add_argument(
        "--connections",
        type=count,
        metavar="N",
        help=_("files fetched at a time"),
    )
    add_json(parser)


def _add_verify(parser: argparse.ArgumentParser) -> None:
    _add_local(parser)
    parser.add_argument(
        "--discard", action="store_true", help=_("remove what is bad, without asking")
    )
    add_json(parser)


def _add_delete(parser: argparse.ArgumentParser) -> None:
    _add_local(parser)
    parser.add_argument(
        "--revision", metavar="R", help=_("only this commit, branch or tag")
    )
    _add_yes(parser)
    add_json(parser)


def _add_purge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--orphans",
        action="store_true",
        help=_("only those that no download goes on from"),
    )
    _add_yes(parser)
    add_json(parser)


def _add_local(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="M", help=_("a model of `models list`"))


def _add_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help=_("do not ask"))
