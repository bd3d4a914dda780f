"""`web`: the screen in a browser, for those who forward a port over SSH."""

import argparse
import getpass
import platform
from importlib.util import find_spec

from qwen_tui.cli.context import Context
from qwen_tui.cli.output import say
from qwen_tui.cli.tui import launch_options
from qwen_tui.errors import WebError
from qwen_tui.i18n import _

_PACKAGE = "textual_serve"
_HANDED_ON = (
    *("model", "server", "api_key_env", "device", "dtype", "context", "yarn"),
    *("quantize", "kv_quantize", "trust_remote_code", "continue_", "resume"),
    *("slow_link", "hf_home", "endpoint", "data_dir", "config", "lang"),
)
"""The options that each page's program is started with."""


def run(context: Context) -> int:
    """Serve the screen to browsers of this machine until it is ended by Ctrl+C."""
    if find_spec(_PACKAGE) is None:
        raise WebError(
            _("The parts for a browser are not installed."),
            hint=_("Install them with: pip install 'qwen-tui[web]'"),
            code="web_missing",
        )
    launch_options(context)  # what is wrong is told here, not in the browser
    from qwen_tui.ui.web_server import serve

    arguments = start_arguments(context.args)
    serve(arguments, context.args.port, _tell_address, log_dir=context.log_dir)
    return 0


def start_arguments(args: argparse.Namespace) -> list[str]:
    """Return the arguments that start the screen as `web` was told to."""
    arguments: list[str] = []
    for name in _HANDED_ON:
        option = f"--{name.strip('_').replace('_', '-')}"
        value = getattr(args, name)
        if value is True:
            arguments.append(option)
        elif value not in (None, False):
            arguments.append(f"{option}={value}")
    return arguments


def _tell_address(address: str, port: int) -> None:
    machine = f"{getpass.getuser()}@{platform.node()}"
    say(_("Open this address in a browser. Whoever knows it can use the program:"))
    say(f"\n  {address}\n")
    say(_("From another machine, forward the port there first:"))
    say(f"\n  ssh -N -L {port}:127.0.0.1:{port} {machine}\n")
    say(
        _(
            "Each tab is a program of its own with its own model, on the same "
            "conversations. Closing a tab saves and ends it; Ctrl+C here ends them all."
        )
    )
