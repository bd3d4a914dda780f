"""What a turn asks of whatever answers it, a local engine or a server."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from qwen_tui.chat.events import Loaded, StreamEvent
from qwen_tui.chat.ledger import PromptTokens
from qwen_tui.chat.sampling import Sampling


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str
    thinking: str = ""
    """Past thinking, handed to the template as `reasoning_content`."""


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """Everything that decides one answer."""

    messages: Sequence[PromptMessage]
    sampling: Sampling
    max_new_tokens: int
    """Thinking included; the engine caps it by what is left of the context."""
    thinking: bool = True
    thinking_budget: int | None = None
    """Tokens the model may think before it is told to answer; None for no limit."""
    continue_last: bool = False
    """The last message is an assistant's, cut short: go on inside it."""
    conversation_id: str = ""
    """Whose turn it is: what was read for its earlier turns is not read again."""
    loop_guard: bool = True
    """End an answer that repeats itself; see `Finished.detail`."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model on this machine, found and named."""

    name: str
    """What a person calls it: "demo", a repo id, a folder's or file's name."""
    path: str
    """Absolute: a folder with safetensors, or a .gguf file."""
    kind: Literal["folder", "gguf"]
    revision: str = ""
    """Commit sha of a cached repo, else empty."""
    ref: str = ""
    """What finds it again, a path where it was named by path; empty: `name` does."""

    @property
    def identity(self) -> str:
        """Return what finds this very model again: `ref`, else `name`."""
        return self.ref or self.name


class Backend(Protocol):
    """Whatever answers turns. One turn at a time."""

    @property
    def loaded(self) -> Loaded | None:
        """What is loaded, None before and for a server that loads nothing."""
        ...

    def load(self) -> AsyncIterator[StreamEvent]:
        """Make the model ready; the last event is `Loaded` or `Failed`."""
        ...

    def stream(self, request: TurnRequest) -> AsyncIterator[StreamEvent]:
        """Answer one turn; the last event is `Finished` or `Failed`.

        Loads the model first where it is not loaded (`LoadProgress`, `Loaded`).
        Closing the iterator early cancels the turn.
        """
        ...

    async def warm(self, request: TurnRequest) -> None:
        """Let an idle model read a history ahead of its next question, if it can.

        Returns at once, holds nothing up, and tells nothing.
        """
        ...

    async def measure(self, request: TurnRequest) -> PromptTokens | None:
        """Count the tokens of a turn's prompt, which is not answered.

        None where that cannot be told: nothing is loaded, the template refuses the
        messages, or it is a server that does not say.
        """
        ...

    async def cancel(self) -> None:
        """End the running load or turn.

        A turn's stream then ends with `Finished("cancelled")`, a load's with
        `Failed("cancelled")`.
        """
        ...

    async def answer_now(self) -> None:
        """End the thinking of the running turn and let the answer begin."""
        ...

    async def close(self) -> None:
        """Give back the model and end what runs it."""
        ...
