"""A person talks to the demo model, leaves, comes back; things die in between."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.programs import (
    assert_gone_within,
    freeze_in_an_answer,
    last_message,
    leave,
    program,
    take_turn,
)

pytestmark = [pytest.mark.e2e, pytest.mark.torch]


def test_a_name_is_known_in_the_next_turn_and_after_a_restart(tmp_path: Path):
    with program(tmp_path) as terminal:
        terminal.wait_for("Try the small demo model")
        terminal.send("\r")
        terminal.wait_gone("Try the small demo model")
        take_turn(terminal, "My name is Ada.")
        answer = take_turn(terminal, "What is my name?")
        assert "Ada" in answer
        terminal.wait_until(  # folded when the answer came
            lambda: terminal.text().count("[+] Thought for") == 2, "two folded panels"
        )
        assert b"Thinking" in terminal.raw  # and seen while it went on
        terminal.wait_quiet(1.5)
        leave(terminal)
    with program(tmp_path, "--continue") as terminal:
        terminal.wait_for("My name is Ada.")
        terminal.wait_for("What is my name?")
        answer = take_turn(terminal, "What is my name?")
        assert "Ada" in answer
        leave(terminal)


def test_neither_a_dead_engine_nor_a_killed_program_loses_an_answer(tmp_path: Path):
    with program(tmp_path, "--model", "demo") as terminal:
        os.kill(freeze_in_an_answer(terminal, tmp_path), signal.SIGKILL)
        terminal.wait_for("killed (signal 9)")
        terminal.wait_for("6, 7")
        assert "Paris" in take_turn(terminal, "What is the capital of France?")
        engine = freeze_in_an_answer(terminal, tmp_path)
        terminal.signal(signal.SIGKILL)
        terminal.process.wait()
        os.kill(engine, signal.SIGCONT)
        assert_gone_within(engine, 2)
    with program(tmp_path, "--continue") as terminal:
        terminal.wait_for("Interrupted: the program ended")
        terminal.wait_for("6, 7")
        leave(terminal)
    message = last_message(tmp_path)
    assert message.state == "interrupted"
    assert "6, 7" in message.content


@pytest.mark.parametrize(
    "ending", ["SIGTERM", "SIGTERM while stalled", "window closed"]
)
def test_an_ending_in_the_middle_of_an_answer_keeps_it(tmp_path: Path, ending: str):
    with program(tmp_path, "--model", "demo") as terminal:
        engine = freeze_in_an_answer(terminal, tmp_path)
        if ending == "SIGTERM while stalled":
            for columns in range(80, 120):  # redraws that nobody reads
                terminal.resize(columns, 36)
                terminal.signal(signal.SIGWINCH)
            terminal.wait_stalled()
        ended_at = time.monotonic()
        if ending == "window closed":
            terminal.hang_up()
            number = signal.SIGHUP
        else:
            number = signal.SIGTERM
            terminal.signal(number)
        reading = ending == "SIGTERM"
        assert terminal.wait_exit(reading=reading) == 128 + number
        assert time.monotonic() - ended_at < 3
        assert_gone_within(engine, 2)
        if ending != "window closed":
            while terminal.pump(0.1):
                pass
            terminal.assert_restored()
    message = last_message(tmp_path)
    assert message.state in ("interrupted", "stopped")
    assert "6, 7" in message.content
