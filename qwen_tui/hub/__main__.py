"""The hub process: `python -m qwen_tui.hub`, one download or one query a process.

It ends when its standard input does: what was fetched is on the disk, and the next
process goes on from there.
"""

import contextlib
import logging
import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

from qwen_tui import wire
from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.answers import answer
from qwen_tui.hub.client import HttpOptions
from qwen_tui.hub.download import Job, download
from qwen_tui.hub.plan import Choice
from qwen_tui.hub.progress import (
    Planned,
    Progressed,
    Report,
    Retrying,
    Verifying,
)
from qwen_tui.hub.retry import Stopped, TransferOptions
from qwen_tui.i18n import detect_language, set_language
from qwen_tui.wire_hub import Info, Probe, Search

_Request = wire.Download | Probe | Search | Info

_LEAVE_S = 1.0


def main() -> None:
    """Take the pipes, wait for the request, carry it out, and end."""
    wire_out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints lands in the log
    set_language(detect_language())
    requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
    stop = threading.Event()
    reader = threading.Thread(target=_read, args=(requests, stop), daemon=True)
    reader.start()
    wire_out.write(wire.encode(wire.Hello(wire.PROTOCOL)))
    request = requests.get()
    if isinstance(request, wire.Download):
        with contextlib.suppress(Stopped):
            _send(wire_out, _fetch(request, wire_out, stop))
    else:
        answer(request, lambda message: _send(wire_out, message))
    sys.stderr.flush()
    os._exit(0)  # a thread may still wait for a byte that nobody needs


def _read(requests: queue.SimpleQueue[_Request], stop: threading.Event) -> None:
    """Hand on the request; end the process with the input, whatever else runs."""
    grace_s = 0.0
    with os.fdopen(0, "rb", closefd=False) as lines:
        for line in lines:
            try:
                message = wire.decode(line)
            except wire.WireError:
                logging.exception("skipped")
                continue
            if isinstance(message, _Request):
                requests.put(message)
                grace_s = _LEAVE_S if isinstance(message, wire.Download) else 0.0
    stop.set()
    time.sleep(grace_s)  # the others give back what they hold, and end the process
    os._exit(0)


def _fetch(
    request: wire.Download, out: BinaryIO, stop: threading.Event
) -> wire.Message:
    job = Job(
        repo=request.repo,
        endpoint=request.endpoint,
        cache_dir=Path(request.cache_dir),
        revision=request.revision,
        local_dir=Path(request.local_dir) if request.local_dir else None,
        token=request.token,
        token_hosts=request.token_hosts,
        choice=Choice(request.allow, request.only, request.gguf),
    )
    options = TransferOptions(
        connections=max(1, request.connections),
        reserve_bytes=request.reserve_bytes,
        http=HttpOptions(read_timeout_s=request.stall_s),
    )
    try:
        folder = download(
            job,
            lambda report: _send(out, _as_message(request.id, report)),
            options=options,
            stop=stop,
        )
    except QwenTuiError as error:
        return wire.DownloadFailed(request.id, error.code, error.message, error.hint)
    return wire.DownloadDone(request.id, str(folder))


def _as_message(request_id: int, report: Report) -> wire.Message:
    match report:
        case Planned(n_files, total, have, commit, items, gguf, others):
            return wire.DownloadPlan(
                request_id, n_files, total, have, commit, items, gguf, others
            )
        case Progressed(done, total, speed, file, items):
            return wire.DownloadProgress(request_id, done, total, speed, file, items)
        case Verifying(file, done, total):
            return wire.DownloadVerify(request_id, file, done, total)
        case Retrying(file, reason, wait_s, is_lock):
            return wire.DownloadRetry(request_id, file, reason, wait_s, is_lock)


def _send(out: BinaryIO, message: wire.Message) -> None:
    try:
        out.write(wire.encode(message))
    except BrokenPipeError:
        os._exit(0)  # the parent is gone


if __name__ == "__main__":
    main()
