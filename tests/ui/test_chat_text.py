"""Hostile and odd text: shown as text, and nothing of it reaches the terminal."""

from pathlib import Path

import pytest

from qwen_tui.chat.events import AnswerDelta, Finished, ThinkingDelta, Usage
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.test_sidebar import save_chat

SIZE = (110, 40)
HOSTILE = (
    "\x1b]52;c;aGk=\x07 \x1b[2J \x9b31m [/foo] [@click=app.quit]x[/] "
    "\u202egnp.exe &#x202e;entity &#27;[31m \x00 \u200b"
)
FORBIDDEN = ("\x1b", "\x07", "\x9b", "\u202e", "\x00", "\u200b")


@pytest.mark.parametrize("role", ["user", "assistant"])
async def test_hostile_text_in_messages_and_titles_is_shown_as_text(
    make_app: MakeApp, tmp_path: Path, role: str
) -> None:
    texts = (HOSTILE, "fine") if role == "user" else ("fine", HOSTILE)
    chat_id = save_chat(tmp_path / "data", HOSTILE, *texts)
    app = make_app(chat=chat_id)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("[@click=app.quit]x[/]")
        assert not [char for char in FORBIDDEN if char in person.screen_text()]


async def test_hostile_text_is_harmless_while_it_streams(make_app: MakeApp) -> None:
    pieces = [HOSTILE[i : i + 3] for i in range(0, len(HOSTILE), 3)]
    script = [
        *(ThinkingDelta(piece) for piece in pieces),
        *(AnswerDelta(piece) for piece in pieces),
        Finished("stop", Usage()),
    ]
    app = make_app(ScriptedBackend(script), **{"ui.thinking_open": True})
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks(HOSTILE.replace("\x00", ""))
        await person.shown("[/foo]")
        assert person.screen_text().count("[@click=app.quit]x[/]") >= 3
        assert not [char for char in FORBIDDEN if char in person.screen_text()]


async def test_html_is_shown_and_links_show_where_they_lead(make_app: MakeApp) -> None:
    text = "Use `List<int>` or <details> and [docs](https://evil.example/x)."
    app = make_app(ScriptedBackend(says(text)))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hi")
        await person.shown("docs (https://evil.example/x)")
        await person.shown("List<int>")
        await person.shown("<details>")


async def test_a_table_directly_followed_by_code_is_shown_whole(
    make_app: MakeApp,
) -> None:
    text = "|a|b|\n|-|-|\n|1|2|\n```python\nprint('after the table')\n```\nthe end"
    pieces = [AnswerDelta(text[i : i + 4]) for i in range(0, len(text), 4)]
    app = make_app(ScriptedBackend([*pieces, Finished("stop", Usage())]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hi")
        await person.shown("print('after the table')")
        await person.shown("the end")


@pytest.mark.parametrize(
    "text",
    [
        "# 标题 # heading [x\n\ntext",
        "```no-such-lexer {x=1}\ncode\n```",
        "> quote\n> - item\n>   ```\n>   code\n",
        "[a]: <javascript:alert(1)>\n\n[a] ![alt](http://x/y.png)",
        "1. one\n\n   para\n2. two\n- a\n  - b\n    - c\n",
        "**注意：**请 ~~删除~~ `代码`\r\nline two\rline three",
        "|a|\n|-|\n" + "|x|\n" * 30,
        "text\n" + "=" * 20 + "\n\n***\n\n\\( x \\) $$y$$",
    ],
)
async def test_every_construct_can_be_streamed_and_saved(
    make_app: MakeApp, text: str
) -> None:
    pieces = [AnswerDelta(text[i : i + 2]) for i in range(0, len(text), 2)]
    app = make_app(ScriptedBackend([*pieces, Finished("stop", Usage())]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hi")
        assert person.saved().branch()[-1].content == text.strip("\n")
        answer = app.chat.transcript.last_answer
        assert answer is not None
        assert answer.view.text == text
