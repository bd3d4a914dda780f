"""`qwen-tui ask`: one prompt, one answer on standard output."""

import asyncio
import signal
import sys
from functools import partial
from typing import NamedTuple

from qwen_tui.backends.local import LocalBackend
from qwen_tui.backends.remote import RemoteBackend
from qwen_tui.backends.remote_choice import is_server_ref
from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.events import (
    Failed,
    Finished,
    Loaded,
    LoadEstimate,
    LoadProgress,
)
from qwen_tui.chat.ledger import Overflow
from qwen_tui.cli.ask_options import turn_options
from qwen_tui.cli.ask_output import AskOutput
from qwen_tui.cli.ask_prompt import build_prompt
from qwen_tui.cli.context import Context, warn_of_remote_code
from qwen_tui.cli.output import say
from qwen_tui.cli.server import remote_backend, wanted_server
from qwen_tui.errors import QwenTuiError, UsageError
from qwen_tui.hub.catalog import recommended_sampling
from qwen_tui.hub.loading import prepare_here
from qwen_tui.i18n import _
from qwen_tui.session import Session
from qwen_tui.store.conversations import Store
from qwen_tui.store.database import IN_MEMORY

Answering = LocalBackend | RemoteBackend
_BEFORE = (LoadProgress, LoadEstimate, Loaded, Failed)
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Answerer(NamedTuple):
    """What answers, and the name that its model has in the catalogue."""

    backend: Answering
    model: str


def run(context: Context) -> int:
    """Answer the prompt of the arguments, standard input and files."""
    prompt = build_prompt(context.args.prompt, context.args.file)
    for notice in context.settings.notices:
        say(notice, sys.stderr)
    store = Store(IN_MEMORY) if context.args.no_save else context.open_store()
    try:
        conversation = _conversation(context, store)
        answerer = _answerer(context, conversation)
        options = turn_options(context, answerer.model)
        session = Session(store, answerer.backend, conversation, options)
        return asyncio.run(_answer(context, session, answerer.backend, prompt))
    finally:
        store.close()


def _conversation(context: Context, store: Store) -> Conversation:
    args = context.args
    if args.no_save and (args.chat or args.continue_):
        raise UsageError(
            _("--no-save cannot go on in a saved conversation."),
            hint=_("Leave out --no-save, or --chat and --continue."),
        )
    conversation = context.wanted_conversation(store) or Conversation()
    if args.system is not None:
        conversation.system_prompt = args.system
    return conversation


def _answerer(context: Context, conversation: Conversation) -> "_Answerer":
    """Return the server's or the local model that shall answer."""
    server = wanted_server(context, conversation.model)
    if server is not None:
        remote = remote_backend(context, server)
        return _Answerer(remote, server.model)
    source = _source(context, conversation)
    warn_of_remote_code(context, source)
    conversation.model = source.identity
    local = LocalBackend(
        source,
        context.load_options(source),
        log_dir=context.log_dir,
        prepare=prepare_here,
    )
    return _Answerer(local, source.name)


def _source(context: Context, conversation: Conversation) -> ModelSource:
    name = context.settings.model.default
    if not name and not is_server_ref(conversation.model):
        name = conversation.model
    if not name:
        raise UsageError(
            _("No model was named."),
            hint=_("Add --model M; 'qwen-tui models list' shows what is here."),
        )
    return context.find_source(name)


async def _answer(
    context: Context, session: Session, backend: Answering, prompt: str
) -> int:
    output = AskOutput(as_json=context.args.json, chat=session.conversation.id)
    if context.args.no_save:
        output.chat = ""
    if isinstance(backend, RemoteBackend):
        backend.on_loaded = partial(_take_presets, context, session)
    stopped = _stop_on_signals(session)
    is_reading = False
    try:
        async for event in session.send(prompt):
            if not isinstance(event, _BEFORE) and not is_reading:
                is_reading = True
                for note in _thinking_notes(context, session):
                    output.note(note)
            if session.conversation.leaf_id is not None:
                output.settings = session.conversation.branch()[-1].sampling
            output.show(event)
            if isinstance(event, Failed) and not stopped:
                hint = _overflow_hint(session.overflow) or event.hint
                raise QwenTuiError(event.message, hint=hint, code=event.code)
            if isinstance(event, Finished | Failed):
                break
    finally:
        output.close()
        if backend.notice:
            say(backend.notice, sys.stderr)
        await backend.close()
    return 128 + stopped[0] if stopped else 0


def _take_presets(context: Context, session: Session, model: str) -> None:
    """Take the sampling for the model that a server has."""
    session.options.presets = context.settings.presets(recommended_sampling(model))


def _overflow_hint(overflow: Overflow | None) -> str:
    """Return which option makes a prompt fit; empty where that is not the matter."""
    if overflow is None or not overflow.outside:
        return ""
    return _(
        "Add --overflow drop-oldest, which leaves out the {n} oldest messages "
        "({tokens} tokens), or --overflow summarise, which sums them up."
    ).format(n=len(overflow.outside), tokens=f"{overflow.outside_tokens:,}")


def _thinking_notes(context: Context, session: Session) -> list[str]:
    """Return what to tell where this turn thinks otherwise than was asked."""
    loaded = session.backend.loaded if session.backend is not None else None
    kind = loaded.thinking if loaded is not None else "switch"
    wanted = context.args.think
    if wanted is False and kind == "always":
        return [_("This model always thinks: --no-think changes nothing.")]
    if wanted is True and kind == "never":
        return [_("This model cannot think: --think changes nothing.")]
    answer = session.current
    match answer.sampling.get("soft_switch") if answer is not None else None:
        case "/no_think":
            return [_("/no_think in the conversation: this turn does not think.")]
        case "/think":
            return [_("/think in the conversation: this turn thinks.")]
        case _:
            return []


def _stop_on_signals(session: Session) -> list[int]:
    """Stop the turn at a signal; the returned list then holds its number."""
    loop = asyncio.get_running_loop()
    received: list[int] = []
    tasks: set[asyncio.Task[None]] = set()

    def stop(number: int) -> None:
        received.append(number)
        tasks.add(loop.create_task(session.stop()))

    for number in _STOPPING:
        loop.add_signal_handler(number, stop, number)
    return received
