"""The command without a name: the screen."""

import sys
from dataclasses import replace

from qwen_tui.backends.remote_choice import is_server_ref
from qwen_tui.chat.conversation import Conversation
from qwen_tui.cli.context import Context, warn_of_remote_code
from qwen_tui.cli.output import say
from qwen_tui.cli.server import wanted_server
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _
from qwen_tui.settings import Settings
from qwen_tui.ui.launch import LaunchOptions, run_tui


def run(context: Context) -> int:
    """Open the screen on the conversation and the model that were asked for."""
    return run_tui(launch_options(context))


def launch_options(context: Context) -> LaunchOptions:
    """Return what to open; notices of the settings and warnings are told.

    Raises:
        QwenTuiError: the model, the server or the conversation is not there.
    """
    chat = _conversation(context)
    server = wanted_server(context, chat.model if chat else "")
    model = "" if server else _local_model(context, chat)
    if context.args.model and server is None:
        # A wrong name is told here, not on the screen.
        warn_of_remote_code(context, context.find_source(model))
    for notice in context.settings.notices:
        say(notice, sys.stderr)
    return LaunchOptions(
        settings=_trusting(context, model),
        model=model,
        chat=chat.id if chat else "",
        data_dir=context.data_dir,
        log_dir=context.log_dir,
        config_file=context.config_file,
        server=server,
    )


def _local_model(context: Context, chat: Conversation | None) -> str:
    """Return the model of this machine that was named, or answered last; else ""."""
    used = chat.model if chat is not None else ""
    return context.settings.model.default or ("" if is_server_ref(used) else used)


def _conversation(context: Context) -> Conversation | None:
    if not (context.args.resume or context.args.continue_):
        return None
    store = context.open_store()
    try:
        chat = context.wanted_conversation(store)
    finally:
        store.close()
    if chat is None and context.args.continue_:
        raise QwenTuiError(
            _("There is no conversation to go on with."),
            hint=_("Start one with: qwen-tui"),
            code="chat_not_found",
        )
    return chat


def _trusting(context: Context, model: str) -> Settings:
    settings = context.settings
    if not (context.args.trust_remote_code and model):
        return settings
    source = context.find_source(model)
    trusted = (*settings.model.trust_remote_code, source.identity)
    return replace(settings, model=replace(settings.model, trust_remote_code=trusted))
