"""What every command's parser is made of."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from qwen_tui.i18n import LANGUAGES, N_, _
from qwen_tui.sanitize import sanitize_line

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
        self.exit(2, f"qwen-tui: {sanitize_line(message)}. {hint}\n")


def add_command(commands: Any, name: str, help_: str, add: Add) -> None:  # noqa: ANN401 - argparse has no public type for it
    """Add a command with its own options and the common ones."""
    parser = commands.add_parser(name, help=help_, description=help_)
    parser.allow_abbrev = False
    add(parser)
    add_common(parser, top=False)


def add_common(parser: argparse.ArgumentParser, *, top: bool) -> None:
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


def add_model(parser: argparse.ArgumentParser, *, top: bool = False) -> None:
    """Add the options that say which model answers, and how it is loaded."""
    default = None if top else argparse.SUPPRESS

    def add(name: str, help_: str, **more: Any) -> None:  # noqa: ANN401 - passed on
        parser.add_argument(name, default=default, help=help_, **more)

    add(
        "--model",
        _("a repo id, an alias, a folder, a .gguf file, or demo"),
        metavar="M",
    )
    add(
        "--server",
        _("the saved server or URL that answers; off for none"),
        metavar="WHERE",
    )
    add(
        "--api-key-env",
        _("the variable that holds the server's key"),
        metavar="NAME",
    )
    add("--device", _("auto, cpu, cuda:0, mps"), metavar="DEVICE")
    add("--dtype", _("auto, bfloat16, float16, float32"), metavar="DTYPE")
    add("--context", _("most tokens of prompt and answer"), type=count, metavar="N")
    add(
        "--yarn",
        _("stretch the context this many times by YaRN"),
        type=float,
        metavar="F",
    )
    add(
        "--quantize",
        _("pack the weights, on CUDA"),
        choices=("int8", "int4"),
    )
    add(
        "--kv-quantize",
        _("keep the KV cache in 8 bits, which takes half the memory"),
        choices=("int8",),
    )
    add(
        "--trust-remote-code",
        _("run Python code that comes with this model, with your rights"),
        action="store_true",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help=_("one JSON object a line"))


def count(text: str) -> int:
    """Return a number of at least one; argparse shows this function's name."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value
