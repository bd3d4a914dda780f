"""Prompts kept across sessions."""

import fcntl
import json
import multiprocessing
import os
import re
import stat
import threading
from pathlib import Path

import pytest

from qwen_tui.ui.prompt_history import LIMIT, PROMPT_LIMIT_CHARS, PromptHistory
from tests.helpers import wait_until


@pytest.fixture
def history(tmp_path: Path) -> PromptHistory:
    return PromptHistory(tmp_path / "data" / "prompts.jsonl")


def test_prompts_come_back_oldest_first_in_another_program(history: PromptHistory):
    for prompt in ("first", "二\nlines", "\x1b[2J\ud800"):
        history.add(prompt)
    other = PromptHistory(history.file)
    assert other.load() == ["first", "二\nlines", "\x1b[2J\ud800"]


def test_nothing_was_sent_yet(history: PromptHistory):
    assert history.load() == []


def test_a_prompt_sent_again_stands_once_at_its_newest_place(history: PromptHistory):
    for prompt in ("a", "b", "a"):
        history.add(prompt)
    assert history.load() == ["b", "a"]


def test_blank_and_very_long_prompts_are_left_out(history: PromptHistory):
    history.add(" \n")
    history.add("x" * (PROMPT_LIMIT_CHARS + 1))
    assert history.load() == []


def test_file_and_folder_are_for_their_owner_alone(history: PromptHistory):
    history.add("secret")
    assert stat.S_IMODE(history.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(history.file.parent.stat().st_mode) == 0o700


def test_the_file_never_grows_far_over_its_limit(history: PromptHistory):
    history.file.parent.mkdir()
    lines = [json.dumps({"prompt": f"old {n}"}) for n in range(2 * LIMIT)]
    history.file.write_text("\n".join(lines) + "\n")
    history.add("new")
    prompts = history.load()
    assert len(prompts) == LIMIT
    assert prompts[-2:] == [f"old {2 * LIMIT - 1}", "new"]
    assert len(history.file.read_text().splitlines()) == LIMIT
    assert stat.S_IMODE(history.file.stat().st_mode) == 0o600
    assert [f.name for f in history.file.parent.iterdir()] == ["prompts.jsonl"]


@pytest.mark.parametrize(
    "damage",
    [b"{", b"[1]", b'{"prompt": 7}', b"\xff\xfe", b"[" * 100_000, b"\0" * 50, b"null"],
)
def test_a_line_that_is_no_prompt_costs_only_itself(
    history: PromptHistory, damage: bytes
):
    history.add("before")
    with history.file.open("ab") as stream:
        stream.write(damage)  # and no line end: the writer was killed
    history.add("after")
    assert history.load() == ["before", "after"]


def _add_many(file: Path, name: str, n: int) -> None:
    history = PromptHistory(file)
    for number in range(n):
        history.add(f"{name} {number}")


def test_two_programs_that_write_at_once_lose_nothing(history: PromptHistory):
    spawn = multiprocessing.get_context("spawn")
    writers = [
        spawn.Process(target=_add_many, args=(history.file, name, 200))
        for name in ("one", "two")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    prompts = history.load()
    for name in ("one", "two"):
        mine = [p for p in prompts if p.startswith(name)]
        assert mine == [f"{name} {n}" for n in range(200)]


def test_a_prompt_that_comes_while_the_file_is_written_anew_is_in_the_new_one(
    history: PromptHistory,
):
    history.add("old")
    with history.file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as the program that writes it anew
        anew = history.file.with_name("anew")
        anew.write_bytes(held.read())
        adding = threading.Thread(target=history.add, args=("mine",))
        adding.start()
        wait_until(lambda: not adding.is_alive() or _waits_for_a_lock())
        anew.replace(history.file)
    adding.join()
    assert history.load() == ["old", "mine"]


def _waits_for_a_lock() -> bool:
    waiting = re.compile(rf"-> FLOCK .* {os.getpid()} ")
    return bool(waiting.search(Path("/proc/locks").read_text()))
