"""Reading a conversation's history while its next question is being written."""

import logging
from collections.abc import Callable

import torch

from qwen_tui.chat.backend import TurnRequest
from qwen_tui.chat.events import Finished, Usage
from qwen_tui.engine.model import LoadedModel
from qwen_tui.engine.prefill import PromptReader

_NOT_WORTH_READING = 16  # tokens; the next prompt reads as many in one pass anyway
_log = logging.getLogger(__name__)


def warm(
    loaded: LoadedModel,
    request: TurnRequest,
    reader: PromptReader,
    is_unwanted: Callable[[], bool],
) -> Finished:
    """Read what the next prompt will begin with, as far as nobody else waits.

    The last answer stands there without its thoughts, so that much of a turn is read
    again; after this only the question is left.

    Args:
        loaded: The model.
        request: Its messages are those before the next question.
        reader: Keeps what is read.
        is_unwanted: Tells every now and then whether something else is to be done.

    Raises:
        QwenTuiError: the template refuses the messages.
    """
    history = reader.history(request)
    lacking = reader.lacks(history)
    usage = Usage(prompt_tokens=len(history), cached_tokens=len(history) - lacking)
    if lacking <= _NOT_WORTH_READING or len(history) >= loaded.context_length:
        return Finished("stop", usage)
    with torch.inference_mode():
        forward = reader.begin(request, history)
        points = reader.end_of_history(history)
        for _step in reader.read(forward, history, points, lambda _n: is_unwanted()):
            pass
        reader.settle()
    left = len(history) - len(forward.kv_cache.ids)
    _log.info("read %d tokens ahead, %d left", lacking - left, left)
    return Finished("cancelled" if left else "stop", usage)
