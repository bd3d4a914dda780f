"""What settings are once they are read. Defaults stand in config/settings.toml only."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from qwen_tui.chat.sampling import Presets, SamplingChoice
from qwen_tui.chat.turn import TurnOptions
from qwen_tui.chat.window import OverflowChoice
from qwen_tui.i18n import N_
from qwen_tui.settings.servers import SavedServer
from qwen_tui.wire_engine import LoadOptions

DEFAULT = N_("default")
"""The origin of what nobody set."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which model to load, and how."""

    default: str
    """A model's name; empty for none."""
    device: str
    """"auto" or a torch device name."""
    dtype: str
    threads: int
    """0 takes the usable cores."""
    kv_cache_mib: int
    """MiB for KV caches between turns; 0 for half of what is free."""
    cpu_fast: bool
    """Pack bf16 weights on a CPU."""
    context: int
    """Tokens that prompt and answer may take together; 0: all the model can."""
    yarn: float
    """How many times YaRN stretches the context; 0 leaves it alone."""
    quantize: str
    """"int8", "int4", or "" for the weights as they are."""
    kv_quantize: str
    """"int8", or "" for the KV cache as the model computes."""
    cuda_graphs: bool
    """Decode by CUDA graphs, recorded once a load."""
    trust_remote_code: tuple[str, ...]
    """Names of models whose own code may run."""
    folders: tuple[Path, ...]
    """Absolute folders in which models lie."""

    def load_options(self, identity: str, *, trusted: bool = False) -> LoadOptions:
        """Return how a model is to be loaded.

        Args:
            identity: What finds it; see `ModelSource.identity`.
            trusted: Its own code may run, whatever the settings say.
        """
        return LoadOptions(
            device=self.device,
            dtype=self.dtype,
            threads=self.threads,
            kv_cache_mib=self.kv_cache_mib,
            cpu_fast=self.cpu_fast,
            context_length=self.context,
            yarn_factor=self.yarn,
            quantize=self.quantize,
            kv_quantize=self.kv_quantize,
            cuda_graphs=self.cuda_graphs,
            trust_remote_code=trusted or identity in self.trust_remote_code,
        )


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """The limits of an answer."""

    max_new_tokens: int
    thinking: bool
    thinking_budget: int
    """Tokens; 0 for no limit."""
    stop: tuple[str, ...]
    loop_guard: bool


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """What happens when a conversation gets longer than the context."""

    overflow: OverflowChoice


@dataclass(frozen=True, slots=True)
class DownloadSettings:
    """Where models come from and go to."""

    endpoint: str
    """"official", "mirror" or a URL."""
    hf_home: str
    """As it was set; empty for the library's own default."""
    connections: int
    jobs_at_once: int
    token_hosts: tuple[str, ...]
    """Hosts (meaning https) or origins that may see the token of the official hub."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Whether a server answers, and how long it may take."""

    default: str
    """A saved server's name or a URL; empty: models of this machine answer."""
    connect_timeout_s: float
    first_token_timeout_s: float
    silence_timeout_s: float
    retries: int


@dataclass(frozen=True, slots=True)
class UiSettings:
    """How the screen looks."""

    lang: str
    """"auto", "en" or "zh"."""
    theme: str
    thinking_open: bool
    ascii_borders: bool
    frame_diff: bool
    """Send to the terminal only what changed."""
    titles: bool
    """The model that answers names new conversations."""
    slow_link: bool
    """Draw less often, for a line of some KB a second."""
    notify: str
    """"off", "bell" or "osc9": how the end of a long answer is told."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting in force, and who set it."""

    model: ModelSettings
    sampling: Presets
    generation: GenerationSettings
    context: ContextSettings
    downloads: DownloadSettings
    server: ServerSettings
    servers: tuple[SavedServer, ...]
    """The saved servers, in the file's order."""
    ui: UiSettings
    hf_home: Path
    """The Hugging Face folder in force, absolute."""
    hf_cache: Path
    """The folder of models--* repos in force, absolute."""
    hf_offline: bool
    """HF_HUB_OFFLINE: no request may be made."""
    origins: Mapping[str, str]
    """Dotted key to where its value came from: "default", the file's path, a
    variable's name or "command line"; "hf_home", "hf_cache", "hf_offline" too."""
    notices: tuple[str, ...]
    """Translated lines about keys and variables that mean nothing."""

    def presets(self, recommended: Mapping[str, Mapping[str, float]]) -> Presets:
        """Return the sampling of each mode for one model.

        Args:
            recommended: By the model's card: "thinking" and "answer" to fields of
                `Sampling`. What a person set wins over it, it over our defaults.
        """
        modes = {"thinking": self.sampling.thinking, "answer": self.sampling.answer}
        for mode, fields in recommended.items():
            free = {
                name: value
                for name, value in fields.items()
                if self.origins.get(f"sampling.{mode}.{name}") == DEFAULT
            }
            modes[mode] = replace(modes[mode], **free)
        return Presets(**modes)

    def turn_options(
        self, recommended: Mapping[str, Mapping[str, float]] | None = None
    ) -> TurnOptions:
        """Return what a turn is asked with where nothing else is said."""
        generation = self.generation
        return TurnOptions(
            presets=self.presets(recommended or {}),
            choice=SamplingChoice(stop=generation.stop or None),
            thinking=generation.thinking,
            thinking_budget=generation.thinking_budget or None,
            max_new_tokens=generation.max_new_tokens,
            loop_guard=generation.loop_guard,
            overflow=self.context.overflow,
        )
