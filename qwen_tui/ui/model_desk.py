"""What stands behind the models screen: disk, queue, hub and settings, no Textual.

It belongs to the app, so that downloads go on while another screen is shown, and a
folder or source that is changed on the screen counts from then on for everybody.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qwen_tui.errors import HubError, QwenTuiError
from qwen_tui.hub.home import HomeCheck, check_hf_home
from qwen_tui.hub.jobs import run_download
from qwen_tui.hub.machine import Machine, disk_free, read_machine
from qwen_tui.hub.queries import RemoteInfo, RemoteModel
from qwen_tui.hub.queue import FILE_NAME, JobQueue
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.hub.queue_run import RunDownload
from qwen_tui.hub.verify import VerifyResult
from qwen_tui.i18n import _
from qwen_tui.settings import Settings, save_setting
from qwen_tui.ui.hub_queries import Queries, hub_queries
from qwen_tui.ui.model_disk import DiskModel, read_disk

OnJob = Callable[[DownloadJob | None], None]


@dataclass(frozen=True, slots=True)
class HomeChange:
    """A new HF_HOME: what was found there, and what takes over at the next start."""

    check: HomeCheck
    rival: str
    """A variable that wins again at the next start; empty when the folder stays."""


class ModelDesk:
    """Settings in force, the models, the jobs; every slow step is in a thread.

    Attributes:
        settings: In force now; replaced as a whole when one changes.
        queue: The download jobs.
        machine: GPUs and memory; None before the first look.
        disk_free: Free bytes where the cache is; None where nobody can tell.
        on_disk: The models of the last look.
        has_looked: Whether there was a look at all.
        found: What the last search found.
        infos: What the hub told of a repo in this run.
        checks: What a verification found, by the model's path.
        in_use: Folders and files of models that are loaded.
        arrived: The path of the newest model that came while nobody looked.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        config_file: Path,
        data_dir: Path,
        log_dir: Path,
        run: RunDownload | None = None,
        queries: Queries | None = None,
    ) -> None:
        """Prepare; `open` reads the jobs.

        Args:
            settings: In force at the start.
            config_file: Where a change is saved.
            data_dir: Where the jobs are kept.
            log_dir: Where child processes log.
            run: Carries out a download; the hub's own where not given.
            queries: Asks hubs; the hub's own where not given.
        """
        self.settings = settings
        # one mapping for all: HF_HOME leads to the token, and may change
        self.environ = {**os.environ, "HF_HOME": str(settings.hf_home)}
        self.queue = JobQueue(
            data_dir / FILE_NAME,
            log_dir=log_dir,
            at_once=settings.downloads.jobs_at_once,
            run=run or run_download,
            environ=self.environ,
            token_hosts=settings.downloads.token_hosts,
        )
        self.queue.on_change = self._tell
        self.queries = queries or hub_queries(
            log_dir, self.environ, settings.downloads.token_hosts
        )
        self.machine: Machine | None = None
        self.disk_free: int | None = None
        self.on_disk: list[DiskModel] = []
        self.has_looked = False
        self.found: list[RemoteModel] = []
        self.infos: dict[str, RemoteInfo] = {}
        self.checks: dict[str, VerifyResult] = {}
        self.in_use: Callable[[], Sequence[Path]] = tuple
        self.arrived = ""
        self._config_file = config_file
        self._origins = settings.origins
        self._listeners: list[OnJob] = []
        self._mine: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # the life of the program

    async def open(self) -> None:
        """Read the jobs.

        Raises:
            QwenTuiError: the file cannot be used.
        """
        await self.queue.open()

    async def close(self) -> None:
        """Pause what runs."""
        await self.queue.close()

    def kill(self) -> None:
        """End what runs at once; safe in a signal handler."""
        self.queue.kill()

    def listen(self, on_job: OnJob) -> None:
        """Call `on_job` whenever a job changed, with None when jobs came or went."""
        self._listeners.append(on_job)

    def unlisten(self, on_job: OnJob) -> None:
        """Call it no more."""
        self._listeners.remove(on_job)

    def _tell(self, job: DownloadJob | None) -> None:
        if job is not None and job.state == "running" and not job.holder:
            self._mine.add(job.id)
        if job is not None and job.state == "done":
            self.arrived = job.path
            self.checks.pop(job.path, None)
            if job.id in self._mine:  # another program's is its own to forget
                self._mine.discard(job.id)
                task = asyncio.ensure_future(self._forget(job.id))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        for listener in tuple(self._listeners):
            listener(job)

    async def _forget(self, job_id: str) -> None:
        with contextlib.suppress(QwenTuiError):  # gone already, or told at the next
            await self.queue.forget(job_id)

    # what there is

    @property
    def is_offline(self) -> bool:
        """Whether no request may be made."""
        return self.settings.hf_offline

    def check_online(self) -> None:
        """Refuse what needs the network where it is switched off.

        Raises:
            HubError: "unreachable".
        """
        if self.is_offline:
            raise HubError(
                _("HF_HUB_OFFLINE is set, so nothing is fetched."),
                hint=_("Unset it for this command, or use a model that is here."),
                code="unreachable",
            )

    @property
    def source(self) -> str:
        """Where downloads come from: "official", "mirror" or a URL."""
        return self.settings.downloads.endpoint

    async def look_at_disk(self) -> None:
        """Look at the models on the disk again."""
        settings = self.settings
        self.on_disk, self.disk_free = await asyncio.gather(
            asyncio.to_thread(read_disk, settings),
            asyncio.to_thread(_disk_free, settings.hf_cache),
        )
        self.has_looked = True

    async def look_at_machine(self) -> None:
        """Look at GPUs and memory again; a driver may take seconds to answer."""
        self.machine = await asyncio.to_thread(read_machine)

    async def info(self, repo: str) -> RemoteInfo:
        """Return what the hub tells of a repo, and keep it.

        Raises:
            QwenTuiError: it told nothing.
        """
        info = await self.queries.info(repo, "main", self.source)
        self.infos[info.repo] = info
        return info

    # what can be changed

    async def download(
        self,
        repo: str,
        *,
        revision: str = "main",
        local_dir: Path | None = None,
        only: tuple[str, ...] = (),
        gguf: str = "",
    ) -> DownloadJob:
        """Queue a download from the source in force.

        Args:
            repo: Repo id, or an alias of the catalogue.
            revision: Branch, tag or commit.
            local_dir: A plain folder instead of the cache.
            only: Paths of the files to fetch, for a repair.
            gguf: The quantisation to fetch, where there are several.

        Raises:
            QwenTuiError: it cannot be queued.
        """
        downloads = self.settings.downloads
        return await self.queue.add(
            repo,
            revision=revision,
            endpoint=self.source,
            cache_dir=self.settings.hf_cache,
            local_dir=local_dir,
            connections=downloads.connections,
            only=only,
            gguf=gguf,
        )

    def use_source(self, endpoint: str) -> None:
        """Fetch new downloads from `endpoint`, in this run of the program."""
        downloads = replace(self.settings.downloads, endpoint=endpoint)
        self.settings = replace(self.settings, downloads=downloads)

    async def set_source(self, endpoint: str) -> int:
        """Fetch from `endpoint` from now on, what runs or waits included.

        Returns:
            How many jobs changed over.

        Raises:
            QwenTuiError: it cannot be saved, or a job's file cannot be written; it
                counts for this run all the same.
        """
        self.use_source(endpoint)
        active = [j for j in self.queue.jobs if j.is_active and not j.holder]
        for job in active:
            await self.queue.resume(job.id, endpoint=endpoint)
        await self._save("downloads.endpoint", endpoint)
        return len(active)

    async def set_hf_home(self, folder: Path) -> HomeChange:
        """Keep models in `folder` from now on.

        In force at once whatever the environment says, for a person asked for it;
        a variable that is set wins again at the next start.

        Raises:
            QwenTuiError: the folder cannot be used, or the choice cannot be saved.
        """
        check = await asyncio.to_thread(check_hf_home, folder)
        home = check.path
        before = self.settings
        chosen = str(self._config_file)
        origins = {**before.origins, "hf_home": chosen, "hf_cache": chosen}
        self.settings = replace(
            before,
            downloads=replace(before.downloads, hf_home=str(home)),
            hf_home=home,
            hf_cache=home / "hub",
            origins=origins,
        )
        self.environ["HF_HOME"] = str(home)
        await self._save("downloads.hf_home", str(home))
        return HomeChange(check, self.rival_of("hf_cache"))

    def rival_of(self, key: str) -> str:
        """The variable that set `key` at the start and will do so again; else ""."""
        origin = self._origins.get(key, "")
        return origin if origin in os.environ else ""

    async def _save(self, key: str, value: str) -> None:
        await asyncio.to_thread(save_setting, self._config_file, key, value)


def _disk_free(folder: Path) -> int | None:
    try:
        return disk_free(folder)
    except OSError:
        return None
