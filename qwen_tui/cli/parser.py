"""Every command and option, and nothing else."""

import argparse
import sys
from itertools import zip_longest
from typing import Any

from qwen_tui import __version__
from qwen_tui.cli.parser_ask import add_ask
from qwen_tui.cli.parser_chats import add_chats
from qwen_tui.cli.parser_models import add_models
from qwen_tui.cli.parser_parts import (
    Parser,
    add_command,
    add_common,
    add_json,
)
from qwen_tui.cli.parser_screen import add_screen, add_web
from qwen_tui.i18n import _


def build_parser() -> Parser:
    """Return the parser of the whole command line, in the active language."""
    # argparse looks its texts up in its own module; this makes it ask our catalogue.
    argparse.__dict__["_"] = _
    parser = Parser(
        prog="qwen-tui",
        description=_("Chat in the terminal with Qwen models on this machine."),
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"qwen-tui {__version__}"
    )
    add_common(parser, top=True)
    add_screen(parser, top=True)
    commands = parser.add_subparsers(
        dest="command", metavar="", title=_("commands"), parser_class=Parser
    )
    add_command(commands, "ask", _("answer one prompt on standard output"), add_ask)
    add_models(commands)
    add_chats(commands)
    add_command(
        commands, "doctor", _("what is installed, in force, and wrong"), _add_doctor
    )
    _add_config(commands)
    add_command(commands, "web", _("the screen in a browser, over SSH"), add_web)
    return parser


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--offline", action="store_true", help=_("try no source"))
    add_json(parser)


def _add_config(commands: Any) -> None:  # noqa: ANN401 - argparse has no public type for it
    parser = commands.add_parser("config", help=_("settings and where they come from"))
    add_common(parser, top=False)
    actions = parser.add_subparsers(
        dest="action", metavar="", title=_("commands"), required=True
    )
    add_command(actions, "path", _("print where the settings file is"), lambda _p: None)
    add_command(actions, "show", _("print every setting and its origin"), add_json)


def asked_language(argv: list[str]) -> str | None:
    """Return the language named in `argv`, before the parser exists to read it."""
    for name, value in zip_longest(argv, argv[1:], fillvalue=""):
        if name == "--lang":
            return value
        if name.startswith("--lang="):
            return name.removeprefix("--lang=")
    return None


def program_arguments() -> list[str]:
    """Return what the program was started with."""
    return sys.argv[1:]
