"""Every command and option, and nothing else."""

import argparse
import sys
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any, NoReturn

from qwen_tui import __version__
from qwen_tui.i18n import LANGUAGES, N_, _

# argparse's own texts, marked so that the catalogue holds them.
ARGPARSE_TEXTS = (
    N_("usage: "),
    N_("options"),
    N_("positional arguments"),
    N_("show this help message and exit"),
    N_("show program's version number and exit"),
    N_("unrecognized arguments: %s"),
    N_("the following arguments are required: %s"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("expected one argument"),
    N_("invalid %(type)s value: %(value)r"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("not allowed with argument %s"),
)

Add = Callable[[argparse.ArgumentParser], None]


class Parser(argparse.ArgumentParser):
    """An argument parser that fails with one line."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and where help is; exit with status 2."""
        hint = _("'{command} --help' shows what there is.").format(command=self.prog)
        self.exit(2, f"qwen-tui: {message}. {hint}\n")


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
    _add_common(parser, top=True)
    _add_model(parser, top=True)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--continue",
        dest="continue_",
        action="store_true",
        help=_("open the newest conversation"),
    )
    which.add_argument(
        "--resume", metavar="CHAT", help=_("open a conversation by id or title")
    )
    commands = parser.add_subparsers(
        dest="command", metavar="", title=_("commands"), parser_class=Parser
    )
    _command(commands, "ask", _("answer one prompt on standard output"), _add_ask)
    _add_models(commands)
    _add_chats(commands)
    _add_config(commands)
    return parser


def _command(commands: Any, name: str, help_: str, add: Add) -> None:  # noqa: ANN401 - argparse has no public type for it
    parser = commands.add_parser(name, help=help_, description=help_)
    parser.allow_abbrev = False
    add(parser)
    _add_common(parser, top=False)


def _add_common(parser: argparse.ArgumentParser, *, top: bool) -> None:
    """Add the options every command takes, before or after its name.

    A command's own parser must not overwrite with its defaults what stood before
    the command's name, hence SUPPRESS.
    """
    default = None if top else argparse.SUPPRESS
    group = parser.add_argument_group(_("common options"))

    def add(name: str, help_: str, **more: Any) -> None:  # noqa: ANN401 - passed on
        group.add_argument(name, default=default, help=help_, **more)

    add("--hf-home", _("folder of the Hugging Face cache"), type=Path, metavar="DIR")
    add("--endpoint", _("official, mirror, or a hub's URL"), metavar="WHERE")
    add("--data-dir", _("folder of the conversations"), type=Path, metavar="DIR")
    add("--config", _("settings file"), type=Path, metavar="FILE")
    add("--lang", _("language of the program"), choices=LANGUAGES)


def _add_model(parser: argparse.ArgumentParser, *, top: bool = False) -> None:
    default = None if top else argparse.SUPPRESS

    def add(name: str, help_: str, **more: Any) -> None:  # noqa: ANN401 - passed on
        parser.add_argument(name, default=default, help=help_, **more)

    add(
        "--model",
        _("a repo id, an alias, a folder, a .gguf file, or demo"),
        metavar="M",
    )
    add("--device", _("auto, cpu, cuda:0, mps"), metavar="DEVICE")
    add("--dtype", _("auto, bfloat16, float16, float32"), metavar="DTYPE")
    add(
        "--trust-remote-code",
        _("run Python code that comes with this model, with your rights"),
        action="store_true",
    )


def _add_ask(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", nargs="?", default="", metavar="PROMPT")
    _add_model(parser)
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
    add("--thinking-budget", type=_count, metavar="N", help=_("most thinking tokens"))
    add("--max-new-tokens", type=_count, metavar="N", help=_("most new tokens"))
    add("--temperature", type=float, metavar="F", help=_("0 is greedy"))
    add("--top-p", type=float, metavar="F")
    add("--top-k", type=int, metavar="N")
    add("--min-p", type=float, metavar="F")
    add("--presence-penalty", type=float, metavar="F")
    add("--seed", type=int, metavar="N", help=_("same seed, same answer"))
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
    _add_json(parser)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help=_("one JSON object a line"))


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


_count.__name__ = "count"  # argparse shows it: invalid count value


def _add_models(commands: Any) -> None:  # noqa: ANN401 - argparse has no public type for it
    parser = commands.add_parser("models", help=_("models on this machine"))
    _add_common(parser, top=False)
    actions = parser.add_subparsers(
        dest="action", metavar="", title=_("commands"), required=True
    )
    actions.required = True
    _command(actions, "list", _("list the models on this machine"), _add_json)

    def add_download(download: argparse.ArgumentParser) -> None:
        download.add_argument("model", metavar="M", help=_("a repo id or an alias"))
        download.add_argument(
            "--revision", default="main", help=_("branch, tag or commit")
        )
        download.add_argument(
            "--local-dir",
            type=Path,
            metavar="DIR",
            help=_("plain files into this folder instead of the cache"),
        )
        _add_json(download)

    _command(
        actions,
        "download",
        _("fetch a model; goes on where it stopped"),
        add_download,
    )


def _add_chats(commands: Any) -> None:  # noqa: ANN401 - argparse has no public type for it
    parser = commands.add_parser("chats", help=_("saved conversations"))
    _add_common(parser, top=False)
    actions = parser.add_subparsers(
        dest="action", metavar="", title=_("commands"), required=True
    )
    _command(actions, "list", _("list the conversations, newest first"), _add_json)

    def add_chat(chat: argparse.ArgumentParser) -> None:
        chat.add_argument("chat", metavar="CHAT", help=_("id or title"))
        _add_json(chat)

    def add_delete(chat: argparse.ArgumentParser) -> None:
        add_chat(chat)
        chat.add_argument("--yes", action="store_true", help=_("do not ask"))

    _command(actions, "show", _("print a conversation"), add_chat)
    _command(actions, "delete", _("delete a conversation"), add_delete)


def _add_config(commands: Any) -> None:  # noqa: ANN401 - argparse has no public type for it
    parser = commands.add_parser("config", help=_("settings and where they come from"))
    _add_common(parser, top=False)
    actions = parser.add_subparsers(
        dest="action", metavar="", title=_("commands"), required=True
    )
    _command(actions, "path", _("print where the settings file is"), lambda _p: None)
    _command(actions, "show", _("print every setting and its origin"), _add_json)


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
