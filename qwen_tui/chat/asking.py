"""Everything that happens between a message and the end of its answer."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from qwen_tui.chat.backend import Backend
from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.ending import to_the_end
from qwen_tui.chat.events import Failed, Finished, StreamEvent, Usage
from qwen_tui.chat.overflow import Fitting
from qwen_tui.chat.turn import Turn, TurnOptions

STOPPED = Finished("cancelled", Usage())


async def turn_events(
    backend: Backend, conversation: Conversation, turn: Turn, options: TurnOptions
) -> AsyncGenerator[StreamEvent, None]:
    """Yield the load where one is due, what is done to make room, and the answer.

    Notes in `turn` what did not fit. Only after the load it is known how the model
    thinks and what a prompt takes.
    """
    if backend.loaded is None:
        async with aclosing(to_the_end(backend.load())) as events:
            async for event in events:
                yield event
                if isinstance(event, Failed):
                    return
    if turn.is_stopping:  # asked for when nothing ran that could have been stopped
        yield STOPPED
        return
    fitting = Fitting(backend, conversation, turn.plan, options)
    async with aclosing(fitting.events()) as events:
        async for event in events:
            turn.overflow = fitting.overflow
            yield event
            if isinstance(event, Failed | Finished):
                return
    if turn.is_stopping:
        yield STOPPED
        return
    async with aclosing(to_the_end(backend.stream(fitting.asked.request))) as events:
        async for event in events:
            yield event
