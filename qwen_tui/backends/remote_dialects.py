"""What each kind of server understands of a turn, and how it wants to be told.

Sources: vLLM, "OpenAI-Compatible Server" and "Reasoning Outputs"; SGLang, "OpenAI
APIs"; llama.cpp, tools/server/README.md; Ollama, "OpenAI compatibility"; the source
of transformers 5.23, cli/serving/chat_completion.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

_STANDARD = {
    name: name
    for name in (
        "temperature",
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "stop",
    )
}
_MORE = {name: name for name in ("top_k", "min_p", "repetition_penalty")}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of server is spoken to."""

    kind: str
    label: str
    """What a person calls it; empty for a kind that is not known."""
    sampling: Mapping[str, str] = field(default_factory=lambda: {**_STANDARD, **_MORE})
    """Fields of `Sampling` to fields of a request."""
    every_top_k: int = 0
    """The top_k that keeps every token."""
    thinking: Literal["template", "effort"] = "template"
    """Thinking is switched by chat_template_kwargs or by reasoning_effort."""
    budget: Literal["", "field", "control"] = ""
    """A limit to thinking is a field, or is kept by `answer_now`, or is not known."""
    goes_on: Literal["", "field", "prefix"] = ""
    """An answer that was cut goes on by a field, or where it is the last message."""
    tells_usage: bool = True
    """Understands stream_options."""
    fills_context: bool = False
    """Without max_tokens an answer may take what is left of the context."""
    takes_thoughts: bool = False
    """Messages may carry past thinking as reasoning_content."""
    loads_any: bool = False
    """Answers with models too that it does not list."""
    counts: Literal["", "tokenize", "input_tokens"] = ""
    """What counts the tokens of a prompt."""


DIALECTS: Mapping[str, Dialect] = {
    dialect.kind: dialect
    for dialect in (
        Dialect(
            "vllm",
            "vLLM",
            every_top_k=-1,
            budget="field",
            goes_on="field",
            fills_context=True,
            takes_thoughts=True,
            counts="tokenize",
        ),
        Dialect(
            "sglang",
            "SGLang",
            every_top_k=-1,
            goes_on="field",
            fills_context=True,
            takes_thoughts=True,
        ),
        Dialect(
            "llamacpp",
            "llama.cpp",
            sampling={
                **_STANDARD,
                "top_k": "top_k",
                "min_p": "min_p",
                "repetition_penalty": "repeat_penalty",
            },
            budget="control",
            goes_on="prefix",
            fills_context=True,
            takes_thoughts=True,
            counts="input_tokens",
        ),
        Dialect(
            "ollama",
            "Ollama",
            sampling=_STANDARD,
            thinking="effort",
            fills_context=True,
        ),
        Dialect(
            "transformers",
            "transformers serve",
            # its frequency_penalty is the repetition penalty, less one
            sampling={
                "temperature": "temperature",
                "top_p": "top_p",
                "seed": "seed",
                "stop": "stop",
                "repetition_penalty": "frequency_penalty",
            },
            tells_usage=False,
            loads_any=True,
        ),
        Dialect("openai", ""),
    )
}
