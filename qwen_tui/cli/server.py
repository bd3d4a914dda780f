"""The server that shall answer, where one shall."""

from qwen_tui.backends.remote import RemoteBackend
from qwen_tui.backends.remote_choice import (
    OFF,
    find_server,
    is_server_ref,
    server_of_ref,
)
from qwen_tui.backends.remote_server import Server, ServerOptions
from qwen_tui.cli.context import Context
from qwen_tui.errors import UsageError
from qwen_tui.hub.catalog import thinking_kind
from qwen_tui.i18n import _


def wanted_server(context: Context, used: str = "") -> Server | None:
    """Return the server that shall answer; None for a model of this machine.

    What was named on the command line counts first: --server, or --model alone, which
    is one of this machine. Then what the conversation was held with, then the settings.

    Args:
        context: Settings and arguments.
        used: The model of the conversation that goes on.

    Raises:
        UsageError: what was named is no server.
    """
    args, settings = context.args, context.settings
    where = settings.server.default
    if args.server is None:
        if args.api_key_env:
            raise UsageError(_("--api-key-env needs --server."))
        if args.model:
            return None
        if is_server_ref(used):
            return server_of_ref(used, settings.servers)
        where = "" if used else where
    if not where or where == OFF:
        return None
    return find_server(
        where,
        settings.servers,
        model=args.model or "",
        api_key_env=args.api_key_env or "",
    )


def remote_backend(context: Context, server: Server) -> RemoteBackend:
    """Return what asks a server, which is not asked yet."""
    options = ServerOptions.like(context.settings.server)
    return RemoteBackend(server, options, thinking_kind=thinking_kind)
