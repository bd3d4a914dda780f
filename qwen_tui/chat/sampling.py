"""How the next token is drawn, and the presets of the thinking modes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

LIMITS: Mapping[str, tuple[float, float]] = {
    "temperature": (0.0, 100.0),
    "top_p": (0.0, 1.0),
    "top_k": (0, 1_000_000),
    "min_p": (0.0, 1.0),
    "presence_penalty": (-2.0, 2.0),
    "frequency_penalty": (-2.0, 2.0),
    "repetition_penalty": (0.1, 10.0),
}
"""The least and the most of each number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Sampling settings of one answer; a temperature of 0 means greedy."""

    temperature: float
    top_p: float = 1.0
    top_k: int = 0
    """0 keeps every token."""
    min_p: float = 0.0
    presence_penalty: float = 0.0
    """Taken once from each token of the answer that came before; -2 to 2."""
    frequency_penalty: float = 0.0
    """Taken once for each time it came in the answer before; -2 to 2."""
    repetition_penalty: float = 1.0
    """transformers' own: over prompt and answer, logits above 0 are divided by it,
    those below multiplied; 1 changes nothing."""
    seed: int | None = None
    """None draws a new seed, which the answer then records."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer; neither they nor what follows is shown."""


@dataclass(frozen=True, slots=True)
class SamplingChoice:
    """What a person set by hand; None leaves a field to the preset."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None

    def over(self, preset: Sampling) -> Sampling:
        """Return `preset` with every field that was set by hand replaced."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(preset, **{k: v for k, v in chosen.items() if v is not None})


@dataclass(frozen=True, slots=True)
class Presets:
    """The sampling of each thinking mode where nothing was set by hand."""

    thinking: Sampling
    answer: Sampling

    def choose(self, choice: SamplingChoice, *, thinking: bool) -> Sampling:
        """Return what is in force for a turn."""
        return choice.over(self.thinking if thinking else self.answer)
