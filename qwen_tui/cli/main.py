"""From arguments to an exit status; a traceback is never what a person sees."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence

from qwen_tui import paths
from qwen_tui.cli.output import say_error
from qwen_tui.cli.parser import asked_language, build_parser, program_arguments
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import LANGUAGES, _, detect_language, set_language

INTERRUPTED = 130  # 128 + SIGINT, as shells count


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = list(argv) if argv is not None else program_arguments()
    asked = asked_language(arguments)
    set_language(asked if asked in LANGUAGES else detect_language())
    args = build_parser().parse_args(arguments)
    try:
        return _run(args)
    except QwenTuiError as error:
        say_error(error, as_json=getattr(args, "json", False))
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`); python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - a bug: to the log, one line to the person
        return _report_bug(error)


def _run(args: argparse.Namespace) -> int:
    from qwen_tui.cli.context import make_context

    context = make_context(args)
    if (
        asked_language(program_arguments()) is None
        and context.settings.ui.lang != "auto"
    ):
        set_language(context.settings.ui.lang)
    return _command(args)(context)


def _command(args: argparse.Namespace) -> Callable[..., int]:
    # Each command is imported only when it runs: --version and the first frame
    # must not wait for what they do not use.
    match args.command:
        case "ask":
            from qwen_tui.cli.ask import run
        case "models":
            from qwen_tui.cli.models import run
        case "chats":
            from qwen_tui.cli.chats import run
        case "doctor":
            from qwen_tui.cli.doctor import run
        case "config":
            from qwen_tui.cli.config import run
        case "web":
            from qwen_tui.cli.web import run
        case _:
            from qwen_tui.cli.tui import run
    return run


def _report_bug(error: Exception) -> int:
    log = paths.private_folder(paths.log_dir()) / "qwen-tui.log"
    with log.open("a", encoding="utf-8") as out:
        out.write("".join(traceback.format_exception(error)))
    log.chmod(0o600)
    say_error(
        QwenTuiError(
            _("Something went wrong inside qwen-tui ({kind}).").format(
                kind=type(error).__name__
            ),
            hint=_("The details are in {path}.").format(path=log),
        )
    )
    return 1
