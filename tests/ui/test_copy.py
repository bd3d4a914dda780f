"""Out of the chat: what is sent to the terminal's clipboard, and what is saved."""

import base64
import re
from pathlib import Path

import pytest

from qwen_tui.errors import FileError
from qwen_tui.ui.clipboard import (
    MOST_BYTES,
    SURE_BYTES,
    osc_52,
    sent_note,
    terminal_bytes,
)
from qwen_tui.ui.markdown.code_blocks import code_blocks
from qwen_tui.ui.saved_file import file_named, save
from tests.helpers import until
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.test_sidebar import save_chat

ANSWER = """Two ways, with $x^2$ in **one**:

```python
print("one")
```

- and in a list

  ```sh
  echo two
  ```"""


def unwrapped(sent: str) -> str:
    """Return the sequence that a multiplexer hands on."""
    if sent.startswith("\x1bPtmux;"):
        return sent[7:].partition("\x1b\\")[0].replace("\x1b\x1b", "\x1b")
    pieces = re.findall("\x1bP(.*?)\x1b\\\\", sent, re.DOTALL)
    assert all(len(piece) <= 200 for piece in pieces)
    return "".join(pieces)


def test_the_sequence_carries_the_text_in_base64() -> None:
    sequence = osc_52("a 你好")
    assert sequence.startswith("\x1b]52;c;")
    assert sequence.endswith("\a")
    assert base64.b64decode(sequence[7:-1]).decode() == "a 你好"


@pytest.mark.parametrize(
    "environ",
    [
        {"TMUX": "/tmp/tmux-0/default,1,0", "TERM": "tmux-256color"},
        {"STY": "1.pts-0.host", "TERM": "screen.xterm-256color"},
    ],
)
def test_a_multiplexer_hands_on_the_same_sequence(environ: dict[str, str]) -> None:
    text = "x" * 5000
    assert unwrapped(terminal_bytes(text, environ)) == osc_52(text)


@pytest.mark.parametrize("term", ["screen-256color", "tmux-256color"])
def test_over_ssh_out_of_a_multiplexer_both_forms_are_sent(term: str) -> None:
    sent = terminal_bytes("hello", {"TERM": term})
    assert unwrapped(sent) == osc_52("hello")
    assert sent.endswith("\x1b\\" + osc_52("hello"))


def test_a_bare_terminal_gets_the_bare_sequence() -> None:
    assert terminal_bytes("hello", {"TERM": "xterm-256color"}) == osc_52("hello")


def test_what_may_not_arrive_is_told_with_the_way_out() -> None:
    assert sent_note("x" * SURE_BYTES) == ("Sent to your terminal's clipboard", "plain")
    for n_bytes in (SURE_BYTES + 1, MOST_BYTES + 1):
        told, tone = sent_note("x" * n_bytes)
        assert "/save FILE" in told
        assert tone == "warning"
    assert sent_note("显" * (SURE_BYTES // 3 + 1))[1] == "warning"  # bytes, not letters


def test_code_blocks_come_as_they_were_written() -> None:
    assert code_blocks(ANSWER) == ['print("one")\n', "echo two\n"]
    assert code_blocks("```\nnever closed\n") == ["never closed\n"]
    assert code_blocks("a\r\n\r\n~~~\r\nx\ty\r\n~~~\r\n") == ["x\ty\n"]
    assert code_blocks("no code, `inline` only") == []


def test_a_file_is_written_once_and_again_only_when_told(tmp_path: Path) -> None:
    file = tmp_path / "answer.md"
    assert save(file, "one", overwrite=False)
    assert not save(file, "two", overwrite=False)
    assert file.read_text() == "one\n"
    assert save(file, "two\n", overwrite=True)
    assert file.read_text() == "two\n"


def test_names_of_files_are_read_as_a_shell_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert file_named("~/a.md") == tmp_path / "a.md"
    assert file_named('"two words.md"') == tmp_path / "two words.md"


@pytest.mark.parametrize("name", ["{}", "{}/no/such/folder/a.md", "/dev/null", "a\0b"])
def test_what_is_no_file_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError) as caught:
        save(file_named(name.format(tmp_path)), "text", overwrite=False)
    assert caught.value.message


async def test_the_last_answer_and_its_code_are_sent_as_written(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says(ANSWER)))
    async with app.run_test(size=(110, 30)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/copy")
        await person.sees("no answer yet")
        await person.asks("How?")
        await person.types("/copy")
        await person.sees("Sent to your terminal's clipboard")
        assert app.clipboard == ANSWER
        await person.types("/copy 2")
        await until(lambda: app.clipboard == "echo two\n", pause=pilot.pause)
        await person.types("/copy 3")
        await person.sees("code blocks 1 to 2")
        assert app.clipboard == "echo two\n"


async def test_keys_in_the_transcript_copy_message_and_code_in_turn(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says(ANSWER)))
    async with app.run_test(size=(110, 30)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("How?")
        app.chat.transcript.focus()
        await pilot.press("y")
        await until(lambda: app.clipboard == ANSWER, pause=pilot.pause)
        await pilot.press("k", "y")
        await until(lambda: app.clipboard == "How?", pause=pilot.pause)
        await pilot.press("c")
        await person.sees("no code block in this message")
        await pilot.press("j")
        for copied, number in (("one", 1), ("two", 2), ("one", 1)):
            await pilot.press("c")
            await person.sees(f"Code block {number} of 2 sent")
            assert copied in app.clipboard


async def test_what_a_model_hid_in_its_answer_does_not_reach_the_clipboard(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("a\x1b]52;c;eA==\x07b\u202e")))
    async with app.run_test(size=(110, 30)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("Hi")
        await person.types("/copy")
        await person.sees("Sent to your terminal's clipboard")
        assert app.clipboard == "a\u241b]52;c;eA==\u2407b\ufffd"


async def test_an_answer_is_saved_and_nothing_is_lost_without_a_yes(
    make_app: MakeApp, tmp_path: Path
) -> None:
    file = tmp_path / "the answer.md"
    chat = save_chat(tmp_path / "data", "Ways", "How?", ANSWER)
    app = make_app(chat=chat)
    async with app.run_test(size=(160, 30)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types(f"/save {file}")
        await person.sees("Saved to")
        assert file.read_text() == ANSWER + "\n"
        await person.types(f"/save {file} 1")
        await person.shown("is there already. Overwrite it?")
        await pilot.press("n")
        await person.gone("Overwrite it?")
        assert file.read_text() == ANSWER + "\n"
        await person.types(f"/save {file} 1")
        await person.shown("is there already. Overwrite it?")
        await pilot.press("y")
        await until(lambda: file.read_text() == 'print("one")\n', pause=pilot.pause)
        await person.types(f"/save {tmp_path}")
        await person.sees("is a folder.")
