"""Terminals of few colours, in tmux: whole turns, and nothing beyond what they have."""

import re
from pathlib import Path

import pytest

from tests.e2e.programs import take_turn
from tests.e2e.shown import Shown
from tests.e2e.tmux import Tmux, needs_tmux

pytestmark = [pytest.mark.e2e, pytest.mark.torch, needs_tmux]

_TERMINALS: dict[str, dict[str, str]] = {
    "screen": {},
    "xterm-16color": {},
    "xterm-256color": {"NO_COLOR": "1"},
}
_SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
_COLOUR = re.compile(
    rb"\b([34]8[;:]2(?:[;:]\d*)+|[34]8[;:]5[;:]\d+|(?:[349]|10)[0-7])\b"
)
_OF_16 = re.compile(rb"(?:[349]|10)[0-7]")
_GREY = re.compile(rb"[34]8;5;2(?:3[2-9]|4\d|5[0-5])|[34]8;2;(\d+);\1;\1")


def colours(sent: bytes) -> set[bytes]:
    """Return every colour that was set: "31", "38;5;7" or "38;2;1;2;3"."""
    return {c for numbers in _SGR.findall(sent) for c in _COLOUR.findall(numbers)}


@pytest.mark.parametrize("term", _TERMINALS)
def test_a_turn_in_a_terminal_of_few_colours(tmp_path: Path, term: str) -> None:
    env = {"COLORTERM": "", **_TERMINALS[term]}
    home = tmp_path / "home"
    with Tmux(home, columns=120, rows=36, term=term, **env) as terminal:
        terminal.start("--model", "demo")
        assert "Paris" in take_turn(terminal, "What is the capital of France?")
        assert b"Thinking" in terminal.sent  # as it came, not only at its end
        terminal.leave()
        seen = colours(terminal.sent)
    has = _GREY if "NO_COLOR" in env else _OF_16
    assert len(seen) > 2
    assert not {colour for colour in seen if not has.fullmatch(colour)}


def test_what_shows_a_terminal_feeds_lines_outside_of_the_scroll_region() -> None:
    shown = Shown(9, 5)
    shown.feed(b"\x1b[2;3r\x1b[4;1Hbelow\r\nlast\x1b[1;1H\x1b[Aup")
    assert shown.text() == "up\n\n\nbelow\nlast"
