"""What is asked of an engine process, and what it answers beside stream events.

Messages of `wire`, by which they are encoded and decoded.
"""

from dataclasses import dataclass

from qwen_tui.chat.backend import ModelSource, TurnRequest
from qwen_tui.chat.ledger import PromptTokens


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a model is loaded."""

    device: str = "auto"
    """"auto" (CUDA, else MPS, else CPU) or a torch device name."""
    dtype: str = "auto"
    """"auto" (bf16; on CUDA without it fp16), "bfloat16", "float16", "float32"."""
    threads: int = 0
    """CPU threads; 0 takes the usable cores."""
    trust_remote_code: bool = False
    context_length: int = 0
    """Tokens that prompt and answer may take together; 0: all the model can."""
    yarn_factor: float = 0.0
    """How many times YaRN stretches the context; 0 and 1 leave it alone."""
    yarn_original: int = 0
    """Tokens the model was trained for; 0 takes its config's word."""
    cuda_graphs: bool = False
    """Decode by CUDA graphs, which take their time to be recorded once a load."""
    quantize: str = ""
    """"int8" or "int4" packs the weights, on CUDA; empty leaves them as they are."""
    kv_quantize: str = ""
    """"int8" keeps the KV cache in 8 bits, where every layer keeps all tokens."""
    kv_cache_mib: int = 0
    """MiB that KV caches may take between turns; 0 for half of what is free."""
    cpu_fast: bool = True
    """Pack bf16 weights on a CPU, which decodes faster and loads slower."""


@dataclass(frozen=True, slots=True)
class Load:
    """Load a model, giving back the one that is loaded."""

    id: int
    source: ModelSource
    options: LoadOptions


@dataclass(frozen=True, slots=True)
class Generate:
    """Answer one turn."""

    id: int
    request: TurnRequest


@dataclass(frozen=True, slots=True)
class Warm:
    """Read a history ahead of its next question, as long as nothing else is asked.

    It ends with a `Finished`, whose usage tells what there was to read.
    """

    id: int
    request: TurnRequest


@dataclass(frozen=True, slots=True)
class Cancel:
    """End request `id` at the next chunk or token."""

    id: int


@dataclass(frozen=True, slots=True)
class AnswerNow:
    """End the thinking of request `id`."""

    id: int


@dataclass(frozen=True, slots=True)
class Measure:
    """Count the tokens of a turn's prompt; nothing is computed or kept."""

    id: int
    request: TurnRequest


@dataclass(frozen=True, slots=True)
class Measured:
    """The answer to `Measure`; where it fails, `Event` with `Failed` comes instead."""

    id: int
    tokens: PromptTokens


@dataclass(frozen=True, slots=True)
class Unload:
    """Give back the model and its memory."""

    id: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """The engine ends with this request's last event: it cannot compute any more.

    The next load needs another process.
    """
