"""The whole app on a scripted model, a real store and real settings."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from qwen_tui.backends.remote_server import Server
from qwen_tui.chat.backend import ModelSource
from qwen_tui.settings import SavedServer
from qwen_tui.ui.app import QwenTuiApp
from qwen_tui.ui.launch import LaunchOptions
from tests.scripted import ScriptedBackend
from tests.ui.idle import Idle
from tests.ui.model_hosts import (
    FakeDownloads,
    FakeQueries,
    settings_for,
    write_model,
)

MakeApp = Callable[..., QwenTuiApp]


@pytest.fixture(autouse=True)
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pilots see sooner that an app has nothing to do."""
    wait = Idle().wait
    monkeypatch.setattr("textual.app.wait_for_idle", wait)
    monkeypatch.setattr("textual.pilot.wait_for_idle", wait)


@pytest.fixture
def make_app(tmp_path: Path) -> MakeApp:
    """Return a maker of apps that share one data folder, as restarts do."""
    model = write_model(tmp_path / "scripted")

    def make(
        *backends: ScriptedBackend,
        chat: str = "",
        model_name: str | None = None,
        downloads: FakeDownloads | None = None,
        queries: FakeQueries | None = None,
        server: Server | None = None,
        servers: Sequence[SavedServer] = (),
        **overrides: object,
    ) -> QwenTuiApp:
        """`backends` answer in order, one for each model that is opened.

        No hub is asked, and nothing is fetched, but by `queries` and `downloads`.
        """
        queue = list(backends)

        def open_backend(source: ModelSource) -> ScriptedBackend:
            backend = queue.pop(0) if queue else ScriptedBackend()
            backend.source = source
            return backend

        options = LaunchOptions(
            settings=replace(
                settings_for(tmp_path, **{"ui.titles": False, **overrides}),
                servers=tuple(servers),
            ),
            model=str(model) if model_name is None else model_name,
            chat=chat,
            data_dir=tmp_path / "data",
            log_dir=tmp_path / "log",
            config_file=tmp_path / "config.toml",
            server=server,
        )
        options.data_dir.mkdir(exist_ok=True)
        return QwenTuiApp(
            options,
            open_backend=open_backend,
            run_download=(downloads or FakeDownloads()).run,
            queries=(queries or FakeQueries()).queries(),
        )

    return make
