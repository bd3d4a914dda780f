"""The parser of the `models` commands."""

import argparse
from pathlib import Path
from typing import Any

from qwen_tui.cli.parser_parts import add_command, add_common, add_json
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

    add_command(
        actions,
        "download",
        _("fetch a model; goes on where it stopped"),
        _add_download,
    )


def _add_download(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="M", help=_("a repo id or an alias"))
    parser.add_argument("--revision", default="main", help=_("branch, tag or commit"))
    parser.add_argument(
        "--local-dir",
        type=Path,
        metavar="DIR",
        help=_("plain files into this folder instead of the cache"),
    )
    add_json(parser)
