"""May the program start here."""

import io
import subprocess
import sys

import pytest

from qwen_tui.errors import TerminalError
from qwen_tui.ui.launch import choose_driver, prepare_environment
from qwen_tui.ui.pace import pace_for
from qwen_tui.ui.terminal import check_terminal


class FakeTty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("missing", [io.StringIO(), None])
def test_a_start_without_a_terminal_is_refused_with_a_way_out(
    missing: io.StringIO | None,
):
    for stdin, stdout in ((missing, FakeTty()), (FakeTty(), missing)):
        with pytest.raises(TerminalError) as caught:
            check_terminal(stdin=stdin, stdout=stdout, environ={"TERM": "xterm"})
        assert "qwen-tui ask" in caught.value.hint
        assert caught.value.exit_status == 2


def test_a_dumb_terminal_is_refused():
    with pytest.raises(TerminalError, match="TERM=dumb"):
        check_terminal(stdin=FakeTty(), stdout=FakeTty(), environ={"TERM": "dumb"})


def test_a_terminal_is_accepted():
    check_terminal(stdin=FakeTty(), stdout=FakeTty(), environ={"TERM": "xterm"})


def test_textuals_settings_yield_to_the_ones_a_person_made():
    environ = {"TEXTUAL_FPS": "10"}
    prepare_environment(environ)
    assert environ["TEXTUAL_FPS"] == "10"
    assert environ["TEXTUAL_ANIMATIONS"] == "none"
    assert environ["TEXTUAL_SMOOTH_SCROLL"] == "0"


def test_a_slow_link_gets_fewer_frames():
    usual: dict[str, str] = {}
    slow: dict[str, str] = {}
    prepare_environment(usual)
    prepare_environment(slow, pace_for(slow_link=True))
    assert int(slow["TEXTUAL_FPS"]) < int(usual["TEXTUAL_FPS"])


def test_our_driver_is_taken_for_the_textual_it_was_written_for():
    driver = choose_driver()
    assert driver is not None
    assert driver.__module__ == "qwen_tui.ui.driver"


def test_another_textual_runs_with_its_own_driver(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("textual.__version__", "9.0.0", raising=False)
    assert choose_driver() is None
    assert "9.0.0" in caplog.text


def test_the_launcher_is_imported_without_textual():
    code = "import sys; import qwen_tui.ui.launch; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
