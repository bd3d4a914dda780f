"""A stream of events that ends as it should, whatever happens in it."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator

from qwen_tui.chat.events import Failed, Finished, Loaded, StreamEvent
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _

_log = logging.getLogger(__name__)


async def to_the_end(
    events: AsyncIterator[StreamEvent],
) -> AsyncGenerator[StreamEvent, None]:
    """Yield what a backend says of a load or a turn, its last event included.

    An exception ends it as `Failed`, and so does a backend that falls silent.
    """
    event: StreamEvent | None = None
    try:
        async for event in events:
            yield event
        if not isinstance(event, Loaded | Finished | Failed):
            yield Failed("no_end", _("The model's program stopped in mid-answer."))
    except QwenTuiError as error:
        yield Failed(error.code, error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - a bug in a backend must not end the chat
        _log.exception("the backend failed")
        yield Failed(
            "internal",
            _("The model's program failed: {reason}").format(reason=repr(error)),
        )
    finally:
        if isinstance(events, AsyncGenerator):
            await events.aclose()
