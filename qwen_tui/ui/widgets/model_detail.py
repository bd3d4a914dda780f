"""What is told of one model beside the table: plain values."""

from collections.abc import Sequence
from dataclasses import dataclass

from qwen_tui.ui.widgets.model_row import ModelRow


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file of a repo, and how much of it is here."""

    path: str
    size_bytes: int
    have_bytes: int
    checking: bool = False
    """Its hash is being computed."""

    @property
    def is_here(self) -> bool:
        return self.have_bytes >= self.size_bytes


@dataclass(frozen=True, slots=True)
class TransferView:
    """How far a download is."""

    state: str
    """The word of its state, translated."""
    done_bytes: int
    total_bytes: int
    """0 until the hub told."""
    bytes_per_s: float = 0.0
    """Over the last 5 seconds."""
    eta_s: float | None = None
    retries: int = 0
    waiting: str = ""
    """What it waits for; empty while bytes come."""
    failure: str = ""
    hint: str = ""
    source: str = ""
    target: str = ""
    files: Sequence[FileLine] = ()

    @property
    def shards(self) -> tuple[int, int]:
        """Weight files that are here, and how many there are."""
        shards = [f for f in self.files if is_shard(f.path)]
        return sum(f.is_here for f in shards), len(shards)


@dataclass(frozen=True, slots=True)
class MemoryView:
    """What a model needs where it would run."""

    place: str
    """"cuda:0 NVIDIA H100" or the word for main memory."""
    weights_bytes: int
    kv_bytes: int
    overhead_bytes: int
    context: int
    """Tokens that the KV cache is counted for."""
    free_bytes: int
    total_bytes: int

    @property
    def need_bytes(self) -> int:
        return self.weights_bytes + self.kv_bytes + self.overhead_bytes

    @property
    def left_bytes(self) -> int:
        return self.free_bytes - self.need_bytes


@dataclass(frozen=True, slots=True)
class ModelDetail:
    """Everything that is known of one model."""

    row: ModelRow
    title: str
    facts: Sequence[tuple[str, str]] = ()
    """Label and value, translated."""
    brief: str = ""
    """The same in one line."""
    memory: MemoryView | None = None
    transfer: TransferView | None = None
    files: Sequence[FileLine] = ()
    """What a download would fetch, or what is here."""
    keys: Sequence[tuple[str, str]] = ()
    note: str = ""
    """One more sentence: why it cannot be loaded, that it was verified."""


def is_shard(path: str) -> bool:
    """Whether a file holds weights."""
    return path.endswith((".safetensors", ".gguf"))
