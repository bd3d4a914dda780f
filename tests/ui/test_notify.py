"""Who looks elsewhere is told that a long answer has ended, if they wish it."""

import pytest

from qwen_tui.chat.conversation import ChatMessage, MessageState
from qwen_tui.chat.events import Usage
from qwen_tui.ui.notify import is_worth_a_sign, sign_bytes
from tests.helpers import until
from tests.scripted import Gate, ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (80, 24)
LONG = Usage(prompt_tokens=9, answer_tokens=9, prefill_s=1.0, decode_s=11.0)
SHORT = Usage(prompt_tokens=9, answer_tokens=9, prefill_s=1.0, decode_s=2.0)


@pytest.mark.parametrize(
    ("wish", "usage", "looks", "signs"),
    [
        ("bell", LONG, False, 1),
        ("bell", SHORT, False, 0),
        ("bell", LONG, True, 0),
        ("off", LONG, False, 0),
    ],
)
async def test_a_sign_is_given_for_a_long_answer_to_who_looks_elsewhere(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    wish: str,
    usage: Usage,
    looks: bool,
    signs: int,
) -> None:
    gate = Gate()
    backend = ScriptedBackend([gate, *says("one", usage=usage)])
    app = make_app(backend, **{"ui.notify": wish})
    written: list[str] = []
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        await person.types("hello")
        await until(lambda: gate.reached, pause=pilot.pause)
        app.app_focus = looks
        gate.open()
        await person.idle()
        await person.sees("tok/s")
        await pilot.pause()
    assert written.count("\a") == signs


@pytest.mark.parametrize(
    ("state", "worth"), [("complete", True), ("failed", True), ("stopped", False)]
)
def test_who_stopped_an_answer_needs_no_sign(state: MessageState, worth: bool) -> None:
    usage = {"prefill_s": 4.0, "decode_s": 6.0}
    assert (
        is_worth_a_sign(ChatMessage("assistant", "", state=state, usage=usage)) is worth
    )
    assert not is_worth_a_sign(None)


def test_a_title_cannot_break_out_of_the_note() -> None:
    told = sign_bytes("osc9", "a\x07b\x1b]52;c;x\x07\n" + "c" * 200, {})
    assert told.startswith("\x1b]9;qwen-tui: a")
    assert told.count("\x1b") == 1
    assert told.count("\a") == 1
    assert len(told) < 120
    assert sign_bytes("osc9", "a", {"TMUX": "x"}).startswith("\x1bPtmux;\x1b\x1b]9;")
    assert sign_bytes("osc9", "a", {"STY": "x"}).startswith("\x1bP\x1b]9;")
