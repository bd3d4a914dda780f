"""The options of `ask`."""

import argparse
from pathlib import Path

from qwen_tui.cli.parser_parts import add_json, add_model, count
from qwen_tui.i18n import _


def add_ask(parser: argparse.ArgumentParser) -> None:
    """Add what `ask` takes."""
    parser.add_argument("prompt", nargs="?", default="", metavar="PROMPT")
    add_model(parser)
    add = parser.add_argument
    add("--system", metavar="TEXT", help=_("system prompt"))
    thinking = parser.add_mutually_exclusive_group()
    thinking.add_argument(
        "--think",
        dest="think",
        action="store_true",
        default=None,
        help=_("think before the answer"),
    )
    thinking.add_argument(
        "--no-think",
        dest="think",
        action="store_false",
        default=None,
        help=_("answer at once"),
    )
    add("--thinking-budget", type=count, metavar="N", help=_("most thinking tokens"))
    add("--max-new-tokens", type=count, metavar="N", help=_("most new tokens"))
    _add_sampling(parser)
    add(
        "--overflow",
        choices=("drop-oldest", "summarise"),
        help=_("what to do with messages that no longer fit the context"),
    )
    add(
        "--file",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help=_("attach a text file; may be repeated"),
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--chat", metavar="CHAT", help=_("go on in a conversation"))
    which.add_argument(
        "--continue",
        dest="continue_",
        action="store_true",
        help=_("go on in the newest conversation"),
    )
    add("--no-save", action="store_true", help=_("leave no trace on disk"))
    add_json(parser)


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--temperature", type=float, metavar="F", help=_("0 is greedy"))
    add("--top-p", type=float, metavar="F")
    add("--top-k", type=int, metavar="N")
    add("--min-p", type=float, metavar="F")
    add("--presence-penalty", type=float, metavar="F")
    add("--frequency-penalty", type=float, metavar="F")
    add("--repetition-penalty", type=float, metavar="F", help=_("1 is none"))
    add("--seed", type=int, metavar="N", help=_("same seed, same answer"))
    add(
        "--stop",
        action="append",
        default=[],
        metavar="TEXT",
        help=_("end the answer before this text; may be repeated"),
    )
    add(
        "--no-loop-guard",
        action="store_true",
        help=_("let an answer repeat itself"),
    )
