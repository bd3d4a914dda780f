"""How the next token is drawn, and the presets of the thinking modes."""

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Sampling settings of one answer; a temperature of 0 means greedy."""

    temperature: float
    top_p: float = 1.0
    top_k: int = 0
    """0 keeps every token."""
    min_p: float = 0.0
    presence_penalty: float = 0.0
    """Applied to generated ids only, as vLLM does; 0 to 2."""
    seed: int | None = None
    """None draws a new seed, which the answer then records."""


@dataclass(frozen=True, slots=True)
class SamplingChoice:
    """What a person set by hand; None leaves a field to the preset."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None

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
