"""A real model that answers where it is asked for a title gives none."""

from pathlib import Path

import pytest

from qwen_tui.backends.local import LocalBackend
from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.events import AnswerDelta, Finished
from qwen_tui.chat.titling import read_title, title_request
from qwen_tui.paths import demo_model
from qwen_tui.wire_engine import LoadOptions

pytestmark = pytest.mark.torch

TALKS = (
    ("My name is Ada.", "Nice to meet you, Ada!"),
    ("What is the capital of France?", "The capital of France is Paris."),
    ("What is 2 + 3?", "2 + 3 = 5."),
    ("Tell me a colour", "Blue is a colour."),
    ("你好", "你好！有什么可以帮你？"),
    ("法国的首都是哪里？", "法国的首都是巴黎。"),
)


def talk(question: str, answer: str) -> Conversation:
    chat = Conversation()
    chat.put(ChatMessage("user", question))
    chat.put(ChatMessage("assistant", answer, parent_id=chat.leaf_id))
    return chat


async def test_no_answer_of_the_demo_model_becomes_a_title(tmp_path: Path) -> None:
    source = ModelSource("demo", str(demo_model()), "folder")
    options = LoadOptions(device="cpu", threads=1)
    backend = LocalBackend(source, options, log_dir=tmp_path / "log")
    try:
        async for _event in backend.load():
            pass
        for question, answer in TALKS:
            request = title_request(talk(question, answer))
            events = [event async for event in backend.stream(request)]
            assert isinstance(events[-1], Finished)
            written = "".join(e.text for e in events if isinstance(e, AnswerDelta))
            assert written
            assert read_title(written, answer) == "", written
    finally:
        await backend.close()
