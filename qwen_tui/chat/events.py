"""What a backend tells while it loads a model and answers: a closed union.

A `match` over `StreamEvent` that forgets a case is a type error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FinishReason = Literal["stop", "length", "cancelled"]
FinishDetail = Literal["", "loop", "stop_text"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer cost."""

    prompt_tokens: int = 0
    """Tokens of the prompt, after the chat template was applied."""
    cached_tokens: int = 0
    """Tokens of the prompt that were not computed again."""
    thinking_tokens: int = 0
    """Generated tokens up to and including the end of thinking."""
    answer_tokens: int = 0
    """Generated tokens after thinking, the stop token included."""
    prefill_s: float = 0.0
    """Seconds until the prompt was read."""
    decode_s: float = 0.0
    """Seconds from then to the last token."""
    thinking_s: float = 0.0
    """The part of `decode_s` that was spent thinking."""
    first_token_s: float = 0.0
    """Seconds from the request to the first new token."""
    is_estimate: bool = False
    """The tokens were counted by what came, not told by what computed them."""

    @property
    def new_tokens(self) -> int:
        """Generated tokens, thinking included."""
        return self.thinking_tokens + self.answer_tokens

    @property
    def prefill_tokens_per_s(self) -> float:
        """Tokens of the prompt that were computed in a second; 0 where unknown."""
        computed = self.prompt_tokens - self.cached_tokens
        return computed / self.prefill_s if self.prefill_s > 0 else 0.0

    @property
    def decode_tokens_per_s(self) -> float:
        """Tokens that were generated in a second; 0 where unknown."""
        return self.new_tokens / self.decode_s if self.decode_s > 0 else 0.0


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """A model is being loaded."""

    stage: str
    """"import", "weights", "packing", "graphs", "ready": stable names, translated
    where shown."""
    fraction: float
    """Between 0 and 1; of the whole load."""


@dataclass(frozen=True, slots=True)
class LoadEstimate:
    """What a load is going to take, told before it begins."""

    device: str
    weights_bytes: int
    kv_bytes: int
    """The KV cache once the whole context is used; 0 where nobody knows."""
    overhead_bytes: int
    """What computing takes besides."""
    context_length: int
    """Tokens; 0 where nobody knows."""
    free_bytes: int | None
    """On the device now; None where it does not tell."""
    fit: Literal["fits", "tight", "too_big", "unknown"]
    """With the whole context used."""
    gguf_kind: str = ""
    """Of a GGUF file, architecture and packing by its own word, raw: "qwen3 Q4_K_M"."""
    gguf_bytes: int = 0
    """Its size; its weights are unpacked, so `weights_bytes` is more. 0: no GGUF."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model is ready."""

    model: str
    device: str
    dtype: str
    context_length: int
    """Tokens the model can attend to."""
    memory_bytes: int
    """Bytes of the weights on the device."""
    thinking: str = "switch"
    """"switch", "always" or "never": what the chat template offers."""
    revision: str = ""
    ref: str = ""
    """What finds the model again; see `ModelSource.identity`."""
    own_context_length: int = 0
    """What the model itself could attend to; `context_length` may be less by choice."""
    attention: str = ""
    """The attention implementation that computes it, by its name in transformers."""
    kv_dtype: str = ""
    """What the KV cache is packed in: "int8"; empty for as `dtype` says."""
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    """Versions of the libraries that compute it, by name."""


@dataclass(frozen=True, slots=True)
class PrefillProgress:
    """The prompt is being read."""

    done: int
    total: int
    """Tokens of the whole prompt."""
    cached: int
    """Tokens that were in the KV cache already; counted in `done`."""


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """More of the thinking."""

    text: str
    tokens: int = 1


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """More of the answer."""

    text: str
    tokens: int = 1


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer ended: the last event of a turn that went well or was stopped."""

    reason: FinishReason
    usage: Usage
    thinking_cut: bool = False
    """Thinking was opened and never closed: the limit fell inside it."""
    seed: int | None = None
    """The seed that was used, also where none was asked for."""
    detail: FinishDetail = ""
    """What else ended it: "loop", the answer repeated itself (reason "length");
    "stop_text", one of the texts that were asked for came (reason "stop")."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The turn or the load ended in a failure: the last event of it."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Summarising:
    """The model sums up the messages that no longer fit, before it answers."""

    messages: int
    tokens: int
    """Generated so far."""


@dataclass(frozen=True, slots=True)
class ContextCut:
    """Which messages do not go into this prompt and the next ones, and why."""

    outside: tuple[str, ...]
    """Their ids, oldest first; empty: all of them go in again."""
    full_tokens: int
    """What the prompt would have taken."""
    prompt_tokens: int
    """What it takes now."""
    context_length: int
    summary: str = ""
    """What stands for them in the prompt; empty for nothing."""


@dataclass(frozen=True, slots=True)
class NotPassed:
    """What was asked for and has no effect, because the server does not know it."""

    names: tuple[str, ...]
    """As `/set` spells them; "thinking" and "answer_now" too."""
    server: str
    is_news: bool = True
    """The person was not told so before."""


@dataclass(frozen=True, slots=True)
class WasThinking:
    """All that came as the answer so far was thinking.

    A server sent raw text whose thinking the chat template had opened: only its end
    tells what it was.
    """


StreamEvent = (
    LoadProgress
    | LoadEstimate
    | Loaded
    | Summarising
    | ContextCut
    | NotPassed
    | PrefillProgress
    | ThinkingDelta
    | AnswerDelta
    | WasThinking
    | Finished
    | Failed
)
