"""From options to the running program; textual is imported inside `run_tui` only."""

import gc
import logging
import os
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qwen_tui.ui.pace import USUAL, Pace, pace_for
from qwen_tui.ui.terminal import check_terminal
from qwen_tui.ui.textual_version import KNOWN, is_known_textual

if TYPE_CHECKING:
    from textual.driver import Driver

    from qwen_tui.backends.remote_server import Server
    from qwen_tui.settings import Settings

_TEXTUAL_ENVIRONMENT = {
    "TEXTUAL_ANIMATIONS": "none",  # a page scrolled is one frame, not 27
    "TEXTUAL_SMOOTH_SCROLL": "0",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """What the program is started with."""

    settings: "Settings"
    model: str
    """A model's name; empty takes the settings' default."""
    chat: str
    """The id of a saved conversation to open; empty starts a new one."""
    data_dir: Path
    log_dir: Path
    config_file: Path
    server: "Server | None" = None
    """What answers instead of a model of this machine."""


def run_tui(options: LaunchOptions) -> int:
    """Show the program until it is left; return the exit status.

    Raises:
        TerminalError: there is no terminal that can show it.
    """
    check_terminal(stdin=sys.stdin, stdout=sys.stdout, environ=os.environ)
    pace = pace_for(slow_link=options.settings.ui.slow_link)
    prepare_environment(os.environ, pace)
    gc.disable()  # nothing imported is garbage; `calm_garbage_collection` enables it
    from qwen_tui.ui.app import QwenTuiApp
    from qwen_tui.ui.life import run_to_the_end

    app = QwenTuiApp(options)
    app.driver_class = choose_driver() or app.driver_class
    return run_to_the_end(app, log_dir=options.log_dir)


def prepare_environment(environ: MutableMapping[str, str], pace: Pace = USUAL) -> None:
    """Set what Textual reads once, when it is first imported."""
    environ.setdefault("TEXTUAL_FPS", str(pace.frames_per_s))
    for name, value in _TEXTUAL_ENVIRONMENT.items():
        environ.setdefault(name, value)


def choose_driver() -> "type[Driver] | None":
    """Return our terminal driver, None where only Textual's own will do."""
    import textual

    if sys.platform == "win32":
        return None
    if not is_known_textual():
        _log.warning(
            "textual %s is not %s: running with its own terminal driver",
            textual.__version__,
            KNOWN,
        )
        return None
    from qwen_tui.ui.driver import TerminalDriver

    return TerminalDriver
