"""Two processes never write one partial, also where locks cannot be trusted."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from qwen_tui.hub import claim as claim_module
from qwen_tui.hub.claim import ClaimLost, owner_of, try_claim
from qwen_tui.processes import FOREIGN_SILENCE_S, ProcessId, this_process
from tests.fake_hub import FakeHub, etag
from tests.helpers import wait_until
from tests.hub.conftest import BIG, BIG_BYTES, Mover
from tests.hub.models import same_as

WAIT = """
import dataclasses, json, sys
from qwen_tui.processes import this_process
print(json.dumps(dataclasses.asdict(this_process())), flush=True)
sys.stdin.read()
"""
# a lock that anybody gets at any time, as flock is on some network filesystems
CLAIM_OFTEN = """
import contextlib, sys, time
from pathlib import Path
import huggingface_hub.utils
huggingface_hub.utils.WeakFileLock = lambda *_, **__: contextlib.nullcontext()
from qwen_tui.hub.claim import try_claim
held, log = 0, Path(sys.argv[2])
while held < 5:
    with try_claim(Path(sys.argv[1]), 0.05) as claim, log.open("a") as lines:
        if claim is not None:
            lines.write("in\\n"); lines.flush()
            time.sleep(0.02)
            lines.write("out\\n"); lines.flush()
            held += 1
"""


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """A process that lives until it is killed."""
    command = [sys.executable, "-c", WAIT]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.kill()


def process_id(process: subprocess.Popen[str]) -> ProcessId:
    assert process.stdout is not None
    return ProcessId(**json.loads(process.stdout.readline()))


def lock_file(mover: Mover, content: bytes) -> Path:
    folder = mover.cache_dir / ".locks" / "models--owner--model"
    return folder / f"{etag(BIG, content)}.lock"


def write_owner(lock: Path, owner: ProcessId) -> Path:
    file = lock.with_suffix(".owner")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(owner)))
    return file


def test_an_owner_that_lives_is_waited_for_and_named(
    mover: Mover,
    files: dict[str, bytes],
    hub: FakeHub,
    other: subprocess.Popen[str],
) -> None:
    owner = process_id(other)
    lock = lock_file(mover, files[BIG])
    write_owner(lock, owner)  # it has no lock: ours is given at once
    done: list[Path] = []
    thread = threading.Thread(target=lambda: done.append(mover.fetch()))
    thread.start()
    wait_until(lambda: any(r.file == BIG for r in mover.retries))
    reason = next(r.reason for r in mover.retries if r.file == BIG)
    assert owner.host in reason
    assert str(owner.pid) in reason
    assert not hub.requests(BIG)
    other.kill()
    other.wait()
    thread.join(60)
    assert same_as(done[0], files)
    assert hub.file_bytes(BIG) == BIG_BYTES
    assert not list(lock.parent.glob("*.owner"))


def test_an_owner_on_another_host_counts_while_its_file_is_touched(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "x.lock"
    owner = ProcessId("elsewhere", 1, "")
    file = write_owner(lock, owner)
    with try_claim(lock, 0.1) as claim:
        assert claim is None
    assert owner_of(lock) == owner
    long_ago_s = time.time() - FOREIGN_SILENCE_S - 5
    os.utime(file, (long_ago_s, long_ago_s))
    assert owner_of(lock) is None
    with try_claim(lock, 0.1) as claim:
        assert claim is not None
        assert owner_of(lock) == this_process()


@pytest.mark.parametrize("text", ["", "[]", '{"host": 1}', "{"])
def test_a_torn_owner_file_holds_nobody_for_long(tmp_path: Path, text: str) -> None:
    lock = tmp_path / "x.lock"
    file = lock.with_suffix(".owner")
    file.write_text(text)
    with try_claim(lock, 0.1) as claim:
        assert claim is None
    os.utime(file, (0, 0))
    with try_claim(lock, 0.1) as claim:
        assert claim is not None
    assert not file.exists()


def test_what_was_taken_over_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "x.lock"
    with try_claim(lock, 0.1) as claim:
        assert claim is not None
        file = write_owner(lock, ProcessId("elsewhere", 1, ""))
        claim.check()  # nobody takes over from one that was seen a moment ago
        later_s = time.time() + FOREIGN_SILENCE_S
        monkeypatch.setattr(claim_module.time, "time", lambda: later_s)
        with pytest.raises(ClaimLost):
            claim.check()
    assert "elsewhere" in file.read_text()


def test_a_long_sleep_loses_nothing_when_nobody_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with try_claim(tmp_path / "x.lock", 0.1) as claim:
        assert claim is not None
        later_s = time.time() + FOREIGN_SILENCE_S
        monkeypatch.setattr(claim_module.time, "time", lambda: later_s)
        claim.check()


def test_one_at_a_time_where_every_lock_is_given_at_once(tmp_path: Path) -> None:
    lock, log = tmp_path / "x.lock", tmp_path / "log"
    command = [sys.executable, "-c", CLAIM_OFTEN, str(lock), str(log)]
    processes = [subprocess.Popen(command) for _process in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert log.read_text().splitlines() == ["in", "out"] * 15
