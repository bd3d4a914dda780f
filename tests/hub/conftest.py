"""A fake hub and a short-tempered byte mover."""

import os
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qwen_tui.errors import DownloadError, HubError, QwenTuiError
from qwen_tui.hub.client import HttpOptions
from qwen_tui.hub.download import Job, download
from qwen_tui.hub.find import find_model
from qwen_tui.hub.plan import Choice
from qwen_tui.hub.progress import Planned, Progressed, Report, Retrying
from qwen_tui.hub.retry import TransferOptions
from tests.fake_hub import FakeHub

if TYPE_CHECKING:
    from tests.hub.queues import Place

REPO = "owner/model"
BIG = "model.safetensors"
BIG_BYTES = 2_000_000

QUICK = TransferOptions(
    attempts=4,
    backoff_s=0.01,
    longest_backoff_s=0.05,
    reserve_bytes=0,
    lock_wait_s=0.1,
    http=HttpOptions(connect_timeout_s=30, read_timeout_s=30),
)


@dataclass
class Mover:
    """Downloads from the fake hub and keeps what was reported."""

    hub: FakeHub
    cache_dir: Path
    reports: list[Report] = field(default_factory=list[Report])
    options: TransferOptions = QUICK

    def fetch(
        self,
        *,
        revision: str = "main",
        endpoint: str = "",
        local_dir: Path | None = None,
        token: str = "",
        token_hosts: tuple[str, ...] = (),
        choice: Choice | None = None,
    ) -> Path:
        self.reports.clear()
        job = Job(
            REPO,
            endpoint or self.hub.url,
            self.cache_dir,
            revision=revision,
            local_dir=local_dir,
            token=token,
            token_hosts=token_hosts,
            choice=choice or Choice(),
        )
        return download(job, self.reports.append, options=self.options)

    @property
    def plan(self) -> Planned:
        return next(r for r in self.reports if isinstance(r, Planned))

    @property
    def last_progress(self) -> Progressed:
        return [r for r in self.reports if isinstance(r, Progressed)][-1]

    @property
    def retries(self) -> list[Retrying]:
        return [r for r in self.reports if isinstance(r, Retrying)]

    def blob(self, etag: str) -> Path:
        return self.cache_dir / "models--owner--model" / "blobs" / etag


def failure(mover: Mover) -> QwenTuiError:
    with pytest.raises((HubError, DownloadError)) as caught:
        mover.fetch()
    assert caught.value.message
    assert caught.value.hint
    return caught.value


def refused(name: str, cache_dir: Path, folders: tuple[Path, ...] = ()) -> QwenTuiError:
    with pytest.raises(QwenTuiError) as caught:
        find_model(name, cache_dir=cache_dir, folders=folders)
    return caught.value


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake hub is on this machine, whatever the environment says."""
    for name in [n for n in os.environ if n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        yield hub


@pytest.fixture
def files() -> dict[str, bytes]:
    """A repo: two large files behind the CDN, small ones on the hub itself."""
    draw = random.Random(7)
    return {
        ".gitattributes": b"*.safetensors filter=lfs\n",
        "config.json": b'{"model_type": "qwen3"}',
        "empty.txt": b"",
        "tokenizer.json": draw.randbytes(100_000),
        "nested/name with space.json": b"{}",
        BIG: draw.randbytes(BIG_BYTES),
    }


@pytest.fixture
def mover(hub: FakeHub, files: dict[str, bytes], tmp_path: Path) -> Mover:
    hub.add_repo(REPO, files)
    return Mover(hub, tmp_path / "hub")


@pytest.fixture
def cache_dir(tmp_path: Path) -> Path:
    return tmp_path / "hub"


@pytest.fixture
async def place(
    hub: FakeHub, files: dict[str, bytes], tmp_path: Path, no_proxy: None
) -> "AsyncIterator[Place]":
    """Where queues of download jobs keep them, and the repo that they fetch."""
    from tests.hub.queues import Place  # it takes its names from here

    own = ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH")
    environ = {name: value for name, value in os.environ.items() if name not in own}
    hub.add_repo(REPO, files)
    place = Place(hub, tmp_path, environ | {"HF_HOME": str(tmp_path / "home")})
    yield place
    hub.release.set()
    await place.close()


@pytest.fixture
def environ(tmp_path: Path, no_proxy: None) -> dict[str, str]:
    """A home of its own with a saved token."""
    own = ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH")
    env = {name: value for name, value in os.environ.items() if name not in own}
    home = tmp_path / "home"
    home.mkdir()
    (home / "token").write_text("hf_saved\n")
    return env | {"HF_HOME": str(home)}
