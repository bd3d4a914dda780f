"""An engine process as its backend knows it, and what runs in it."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field

from qwen_tui.chat.events import Failed, Finished, Loaded, StreamEvent
from qwen_tui.child import Child
from qwen_tui.i18n import _, language

ENDS = (Loaded, Finished, Failed)
"""The events that end a load or a turn."""
_TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH")


@dataclass(slots=True, eq=False)
class Engine:
    """An engine process and what it said of itself."""

    child: Child
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """The engine said hello, or is lost."""
    protocol: int = 0
    is_leaving: bool = False
    """It said that it ends with the request it is at."""

    def death(self) -> Failed:
        """Return how it ended, for a person."""
        hint = _("What came so far is kept. The next message loads the model again.")
        if self.child.returncode == -signal.SIGKILL:
            hint = _(
                "A smaller model or a shorter context needs less memory. What came so "
                "far is kept; the next message loads the model again."
            )
        message = _("The engine ended: {reason}.").format(reason=self.child.death())
        return Failed("engine_died", message, hint)


@dataclass(slots=True, eq=False)
class Job:
    """A load or a turn, from the first step of its stream to the last."""

    events: asyncio.Queue[StreamEvent] = field(
        default_factory=asyncio.Queue[StreamEvent]
    )
    request_id: int = 0
    """The request whose events count; 0 while none was sent."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """The engine ended the request, or is lost."""
    is_loading: bool = True
    is_cancelled: bool = False


def cancelled() -> Failed:
    """Return how a load or a turn ends that was stopped before it began."""
    return Failed("cancelled", _("Loading was stopped."))


def engine_environment(environ: Mapping[str, str] | None) -> dict[str, str]:
    """Return what an engine is started with: no token, no network.

    Args:
        environ: Ours, or None to look it up.
    """
    ours = os.environ if environ is None else environ
    env = {k: v for k, v in ours.items() if k not in _TOKEN_VARIABLES}
    return env | {
        # tokenizers that want for memory would wait for ever while they print theirs
        "RUST_BACKTRACE": "0",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
        "QWEN_TUI_LANG": language(),
    }
