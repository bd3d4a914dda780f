"""The options of the screen, in a terminal or in a browser."""

import argparse

from qwen_tui.cli.parser_parts import add_model
from qwen_tui.i18n import _

DEFAULT_PORT = 8765
_MOST_PORT = 65_535


def add_screen(parser: argparse.ArgumentParser, *, top: bool = False) -> None:
    """Add what the screen can be started with, before or after a command's name."""
    unset = None if top else argparse.SUPPRESS
    add_model(parser, top=top)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--continue",
        dest="continue_",
        action="store_true",
        default=unset,
        help=_("open the newest conversation"),
    )
    which.add_argument(
        "--resume",
        metavar="CHAT",
        default=unset,
        help=_("open a conversation by id or title"),
    )
    parser.add_argument(
        "--slow-link",
        action="store_true",
        default=unset,  # else it would overrule the settings
        help=_("draw less often, for a thin line"),
    )


def add_web(parser: argparse.ArgumentParser) -> None:
    """Add what `web` takes."""
    parser.add_argument(
        "--port",
        type=port,
        default=DEFAULT_PORT,
        metavar="N",
        help=_("port of this machine, 0 for any that is free (usually {n})").format(
            n=DEFAULT_PORT
        ),
    )
    add_screen(parser)


def port(text: str) -> int:
    """Return the number of a port; argparse shows this function's name."""
    value = int(text)
    if not 0 <= value <= _MOST_PORT:
        raise ValueError(text)
    return value
