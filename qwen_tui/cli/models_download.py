"""`qwen-tui models download`: fetch a model, pause on Ctrl+C."""

import asyncio
import os
import signal
import sys
from contextlib import aclosing
from dataclasses import replace

from qwen_tui.cli.context import Context
from qwen_tui.cli.download_output import DownloadOutput
from qwen_tui.cli.output import say
from qwen_tui.hub.jobs import download_request, run_download
from qwen_tui.i18n import _
from qwen_tui.wire import Download


def download(context: Context) -> int:
    """Fetch one model."""
    args = context.args
    settings = context.settings
    request = download_request(
        args.model,
        revision=args.revision,
        endpoint=settings.downloads.endpoint,
        cache_dir=settings.hf_cache,
        local_dir=args.local_dir,
        # the token lies in the HF_HOME in force, which a settings file may have set
        environ={**os.environ, "HF_HOME": str(settings.hf_home)},
    )
    request = replace(request, connections=settings.downloads.connections)
    output = DownloadOutput(as_json=args.json, repo=request.repo)
    return asyncio.run(_run_job(context, request, output))


async def _run_job(context: Context, request: Download, output: DownloadOutput) -> int:
    loop = asyncio.get_running_loop()
    interrupted: list[int] = []
    job = asyncio.current_task()
    assert job is not None

    def pause(number: int) -> None:
        interrupted.append(number)
        job.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, pause, number)
    try:
        async with aclosing(run_download(request, log_dir=context.log_dir)) as events:
            async for event in events:
                output.show(event)
    except asyncio.CancelledError:
        if not interrupted:
            raise
        output.close()
        say(
            _("Paused. What was fetched is kept; the same command goes on from there."),
            sys.stderr,
        )
        return 128 + interrupted[0]
    output.close()
    return 0
