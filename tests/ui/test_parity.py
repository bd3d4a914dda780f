"""A message looks the same whether it was streamed or loaded from the file."""

import pytest

from qwen_tui.chat.events import AnswerDelta, Finished, ThinkingDelta, Usage
from tests.helpers import until
from tests.scripted import Pause, ScriptedBackend, Step
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.markdown.corpus import CHINESE, ENGLISH, ODD, SCRIPTS

SIZE = (110, 40)
TEXT = f"{ENGLISH}\n\n{CHINESE}\n\n{ODD}\n\n{SCRIPTS}".strip()


def rows_of_the_answer(person: Person) -> list[str]:
    """Return all rows of the newest answer with their colours."""
    turn = person.app.chat.transcript.last_answer
    assert turn is not None
    strips = [turn.render_line(y) for y in range(turn.size.height)]
    return [repr([(s.text, s.style) for s in strip]) for strip in strips]


async def shown_whole(person: Person) -> list[str]:
    await person.idle()
    turn = person.app.chat.transcript.last_answer
    assert turn is not None
    await until(lambda: turn.settled, pause=person.pilot.pause)
    await until(lambda: turn.size.height == turn.n_rows, pause=person.pilot.pause)
    return rows_of_the_answer(person)


@pytest.mark.parametrize("size", [1, 3, 7])
async def test_what_was_streamed_looks_as_it_does_when_it_is_loaded_again(
    make_app: MakeApp, size: int
) -> None:
    thoughts = [ThinkingDelta(TEXT[at : at + size]) for at in range(0, 400, size)]
    script: list[Step] = [*thoughts]
    for at in range(0, len(TEXT), size):
        script.append(AnswerDelta(TEXT[at : at + size]))
        if at % (40 * size) == 0:
            script.append(Pause(0.002))  # so that it is drawn in many states
    usage = Usage(thinking_tokens=400, thinking_s=1.5)
    app = make_app(ScriptedBackend([*script, Finished("stop", usage)]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("go")
        streamed = await shown_whole(person)
        chat = person.saved().id
    app = make_app(chat=chat)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        loaded = await shown_whole(person)
    assert len(loaded) > 200
    assert loaded == streamed
