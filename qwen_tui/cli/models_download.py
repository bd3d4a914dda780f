"""`qwen-tui models download`: fetch a model, pause on Ctrl+C, go on next time.

The download is a job of the queue that the screen shows, so that what is paused here
can go on there, and what runs there is followed here.
"""

import asyncio
import contextlib
import os
import shlex
import signal
from pathlib import Path

from qwen_tui.cli.context import Context
from qwen_tui.cli.download_follower import Follower
from qwen_tui.cli.download_output import DownloadOutput
from qwen_tui.hub.queue import FILE_NAME, JobQueue
from qwen_tui.i18n import _
from qwen_tui.paths import private_folder
from qwen_tui.settings.load import DEFAULT

_AT_ONCE = 1000  # who types the command does not want to wait for other downloads
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def download(context: Context) -> int:
    """Fetch one model."""
    return asyncio.run(_fetch(context))


async def _fetch(context: Context) -> int:
    settings = context.settings
    queue = JobQueue(
        private_folder(context.data_dir) / FILE_NAME,
        log_dir=context.log_dir,
        at_once=_AT_ONCE,
        # the token lies in the HF_HOME in force, which a settings file may have set
        environ={**os.environ, "HF_HOME": str(settings.hf_home)},
        token_hosts=settings.downloads.token_hosts,
    )
    output = DownloadOutput(as_json=context.args.json)
    follower = Follower(queue, output, lambda: _add(context, queue))
    received = _end_on_signals(queue)
    try:
        status = await follower.follow()
    except asyncio.CancelledError:
        if not received:
            raise
        status = 128 + received[0]
        if received[0] == signal.SIGINT:
            await follower.pause()
    finally:
        await queue.close()
        with contextlib.suppress(OSError):  # the terminal may be gone
            output.close()
    if status:
        with contextlib.suppress(OSError):
            _say_how_to_go_on(context, follower, output)
    return status


async def _add(context: Context, queue: JobQueue) -> str:
    args, settings = context.args, context.settings
    job = await queue.add(
        args.model,
        revision=args.revision,
        endpoint=settings.downloads.endpoint,
        cache_dir=settings.hf_cache,
        local_dir=args.local_dir,
        connections=settings.downloads.connections,
        gguf=args.gguf,
    )
    return job.id


def _end_on_signals(queue: JobQueue) -> list[int]:
    """Cancel the running task at a signal; the returned list then holds its number."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    received: list[int] = []

    def end(number: int) -> None:
        received.append(number)
        if len(received) > 1:  # it takes too long for a person
            queue.kill()
            os._exit(128 + number)
        task.cancel()

    for number in _ENDING_SIGNALS:
        loop.add_signal_handler(number, end, number)
    return received


def _say_how_to_go_on(
    context: Context, follower: Follower, output: DownloadOutput
) -> None:
    job = follower.job()
    if job is None:
        return
    if job.holder:
        output.say(
            _("It is still being downloaded by {holder}.").format(holder=job.holder)
        )
    elif job.state == "paused":
        output.say(_("Paused. What was fetched is kept; this goes on from there:"))
        output.say(resume_command(context))


def resume_command(context: Context) -> str:
    """Return what to type so that the download goes on, from the same endpoint."""
    args, settings = context.args, context.settings
    endpoint_origin = settings.origins["downloads.endpoint"]
    is_lasting = endpoint_origin in (DEFAULT, str(context.config_file))
    options: dict[str, object] = {
        "--revision": args.revision if args.revision != "main" else None,
        "--local-dir": _absolute(args.local_dir),
        "--gguf": args.gguf or None,
        "--connections": args.connections,
        "--endpoint": None if is_lasting else settings.downloads.endpoint,
        "--hf-home": _absolute(args.hf_home),
        "--data-dir": _absolute(args.data_dir),
        "--config": _absolute(args.config),
        "--lang": args.lang,
    }
    words = ["qwen-tui", "models", "download", args.model]
    for name, value in options.items():
        if value is not None:
            words += [name, str(value)]
    return shlex.join([*words, "--json"] if args.json else words)


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.expanduser().absolute()
