"""`qwen-tui ask`: one prompt, one answer on standard output."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from qwen_tui.backends.local import LocalBackend
from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.events import Failed, Finished
from qwen_tui.chat.sampling import SamplingChoice
from qwen_tui.chat.turn import TurnOptions
from qwen_tui.cli.ask_output import AskOutput
from qwen_tui.cli.context import Context, warn_of_remote_code
from qwen_tui.cli.output import say
from qwen_tui.errors import QwenTuiError, UsageError
from qwen_tui.i18n import _
from qwen_tui.session import Session
from qwen_tui.store.conversations import Store
from qwen_tui.store.database import IN_MEMORY

FILE_LIMIT_BYTES = 1_000_000  # a longer file would not fit any context we know
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(context: Context) -> int:
    """Answer the prompt of the arguments, standard input and files."""
    prompt = build_prompt(context.args.prompt, context.args.file)
    for notice in context.settings.notices:
        say(notice, sys.stderr)
    store = Store(IN_MEMORY) if context.args.no_save else context.open_store()
    try:
        conversation = _conversation(context, store)
        source = _source(context, conversation)
        warn_of_remote_code(context, source)
        conversation.model = source.identity
        return asyncio.run(_answer(context, store, conversation, source, prompt))
    finally:
        store.close()


def build_prompt(prompt: str, files: Sequence[Path]) -> str:
    """Return the prompt with standard input and files appended.

    Raises:
        UsageError: nothing was asked, or a file is no text we can attach.
    """
    parts = [prompt] if prompt else []
    if sys.stdin is not None and not sys.stdin.isatty():  # pyright: ignore[reportUnnecessaryComparison]
        piped = sys.stdin.buffer.read().decode("utf-8", "replace").rstrip("\n")
        if piped.strip():
            parts.append(piped)
    parts.extend(attach(path) for path in files)
    if not parts:
        raise UsageError(
            _("There is nothing to ask."),
            hint=_('Try: qwen-tui ask --model demo "What is the capital of France?"'),
        )
    return "\n\n".join(parts)


def attach(path: Path) -> str:
    """Return a text file as a fenced block under its name.

    Raises:
        UsageError: the file cannot be read, is too long, or is no text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            _("Cannot read {path}: {reason}.").format(path=path, reason=reason)
        ) from error
    if len(data) > FILE_LIMIT_BYTES:
        raise UsageError(
            _("{path} has {size} bytes; the limit is {limit}.").format(
                path=path, size=len(data), limit=FILE_LIMIT_BYTES
            ),
            hint=_("Attach the part that matters."),
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(
            _("{path} is no UTF-8 text.").format(path=path),
            hint=_("Convert it first; pictures and programs cannot be attached."),
        ) from error
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{path.name}\n{fence}\n{text.rstrip()}\n{fence}"


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


def _source(context: Context, conversation: Conversation) -> ModelSource:
    name = context.settings.model.default or conversation.model
    if not name:
        raise UsageError(
            _("No model was named."),
            hint=_("Add --model M; 'qwen-tui models list' shows what is here."),
        )
    return context.find_source(name)


def turn_options(context: Context) -> TurnOptions:
    """Return the settings with what the arguments say on top."""
    args, settings = context.args, context.settings
    generation = settings.generation
    names = ("temperature", "top_p", "top_k", "min_p", "presence_penalty", "seed")
    choice = SamplingChoice(**{name: getattr(args, name) for name in names})
    _check_sampling(choice)
    thinking = generation.thinking if args.think is None else args.think
    return TurnOptions(
        presets=settings.sampling,
        choice=choice,
        thinking=thinking,
        thinking_budget=args.thinking_budget or generation.thinking_budget or None,
        max_new_tokens=args.max_new_tokens or generation.max_new_tokens,
    )


def _check_sampling(choice: SamplingChoice) -> None:
    allowed = {
        "temperature": (0.0, 100.0),
        "top_p": (0.0, 1.0),
        "top_k": (0, 1_000_000),
        "min_p": (0.0, 1.0),
        "presence_penalty": (-2.0, 2.0),
    }
    for name, (low, high) in allowed.items():
        value = getattr(choice, name)
        if value is not None and not low <= value <= high:
            raise UsageError(
                _("--{name} must be between {low} and {high}.").format(
                    name=name.replace("_", "-"), low=low, high=high
                )
            )


async def _answer(
    context: Context,
    store: Store,
    conversation: Conversation,
    source: ModelSource,
    prompt: str,
) -> int:
    options = turn_options(context)
    backend = LocalBackend(
        source, context.load_options(source), log_dir=context.log_dir
    )
    session = Session(store, backend, conversation, options)
    output = AskOutput(as_json=context.args.json, chat=conversation.id)
    if context.args.no_save:
        output.chat = ""
    stopped = _stop_on_signals(session)
    try:
        async for event in session.send(prompt):
            output.show(event)
            if isinstance(event, Failed) and not stopped:
                raise QwenTuiError(event.message, hint=event.hint, code=event.code)
            if isinstance(event, Finished | Failed):
                break
    finally:
        output.close()
        if backend.notice:
            say(backend.notice, sys.stderr)
        await backend.close()
    return 128 + stopped[0] if stopped else 0


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
