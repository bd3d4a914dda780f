"""The lines that a child process and its parent exchange."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_tui import wire, wire_hub
from qwen_tui.chat.backend import ModelSource, PromptMessage, TurnRequest
from qwen_tui.chat.events import (
    AnswerDelta,
    ContextCut,
    Failed,
    Finished,
    Loaded,
    LoadEstimate,
    LoadProgress,
    NotPassed,
    PrefillProgress,
    Summarising,
    ThinkingDelta,
    Usage,
    WasThinking,
)
from qwen_tui.chat.ledger import MessageTokens, PromptTokens
from qwen_tui.chat.sampling import Sampling
from qwen_tui.wire_engine import LoadOptions

REQUEST = TurnRequest(
    messages=(
        PromptMessage("system", "Be brief."),
        PromptMessage("user", "你好\n\u2028\u0085"),
        PromptMessage("assistant", "Hi", thinking="they greet\n"),
    ),
    sampling=Sampling(temperature=0.6, top_p=0.95, top_k=20, seed=2**63),
    max_new_tokens=32768,
    thinking=False,
    thinking_budget=512,
    continue_last=True,
    conversation_id="0123456789ab",
)
EVENTS = (
    LoadProgress("weights", 0.25),
    LoadEstimate("cuda:0", 5, 6, 7, 8, None, "unknown"),
    Loaded(
        *("demo", "cpu", "bfloat16", 2048, 2_000_000, "switch", "abc"),
        attention="sdpa",
        versions={"torch": "2.13.0"},
    ),
    Summarising(messages=6, tokens=12),
    WasThinking(),
    NotPassed(("top_k",), "box", is_news=False),
    ContextCut(("a", "b"), 5000, 3000, 4096, "They met."),
    PrefillProgress(done=10, total=20, cached=5),
    ThinkingDelta("嗯", tokens=2),
    AnswerDelta("\x1b[31m"),
    Finished(
        "length",
        Usage(10, 5, 3, 4, 0.5, 1.5, 0.25),
        thinking_cut=True,
        seed=3,
        detail="loop",
    ),
    Failed("out_of_memory", "No memory.", "Take a smaller model."),
)
MESSAGES = (
    wire.Hello(wire.PROTOCOL, {"torch": "2.13.0"}, ("cuda:0", "cpu")),
    wire.Load(
        1, ModelSource("m", "/m", "gguf"), LoadOptions("cpu", "float32", 2, True)
    ),
    wire.Generate(2, REQUEST),
    wire.Warm(2, REQUEST),
    wire.Cancel(2),
    wire.AnswerNow(2),
    wire.Measure(3, REQUEST),
    wire.Measured(3, PromptTokens((MessageTokens(5), MessageTokens(6, 7)), 8, 9)),
    wire.Unload(3),
    wire.Leaving(),
    *(wire.Event(4, event) for event in EVENTS),
    wire.Download(5, "Qwen/Qwen3-0.6B", "main", "https://huggingface.co", "/cache"),
    wire.Download(
        6, "o/m", "main", "http://[::1]:1", "/c", allow=("*.json",), only=("a", "b")
    ),
    wire.DownloadPlan(5, 3, 10, 4, "abc", (wire.FileState("模/a", 10, 4),)),
    wire.DownloadProgress(5, 5, 10, 2.5, "a", (wire.FileState("a", 10, 5),) * 2),
    wire.DownloadRetry(5, "config.json", "reset", 1.5),
    wire.DownloadVerify(5, "model.safetensors", 5, 10),
    wire.DownloadDone(5, "/cache/snapshot"),
    wire.DownloadFailed(5, "gated", "Ask for access.", "Log in."),
    wire_hub.Probe(6, ("https://a", "https://b"), "Qwen/Qwen3-0.6B", "w.safetensors"),
    wire_hub.ProbeResult(
        "https://a", True, 0.25, ("a", "cdn"), 1.5e6, "x", "y", "z", ("a",), 6
    ),
    wire_hub.Search(7, "https://a", "千问", 5, "hf_x"),
    wire_hub.SearchResult(
        7,
        (
            wire_hub.RemoteModel("o/m", 10, 2, "2026-01-01", True, 5, ("a", "b")),
            wire_hub.RemoteModel("o/n"),
        ),
    ),
    wire_hub.Info(8, "https://a", "o/m", "v1", "hf_x"),
    wire_hub.InfoResult(
        8,
        wire_hub.RemoteInfo(
            "o/m",
            "abc",
            files=(wire_hub.RemoteFileInfo("config.json", 2, True),),
            config={"a": {"b": [1, {"c": None}]}},
        ),
    ),
    wire_hub.QueryFailed(8, "not_found", "No such repo.", "Check the name."),
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_every_message_comes_back_equal_from_one_line(message: wire.Message):
    line = wire.encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert wire.decode(line) == message


def test_every_kind_of_message_and_event_is_among_those_tested():
    assert {type(m) for m in MESSAGES} == set(wire.Message.__args__)
    assert {type(e) for e in EVENTS} == set(
        wire.Event.__dataclass_fields__["event"].type.__args__
    )


@given(st.text(st.characters(exclude_categories=()), max_size=50))
def test_any_text_survives_even_lone_surrogates(text: str):
    event = wire.Event(1, AnswerDelta(text))
    assert wire.decode(wire.encode(event)) == event


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"Loading: 50%\n",
        b"\xff\xfe\n",
        b"null\n",
        b"[]\n",
        b'"Cancel"\n',
        b"{}\n",
        b'{"type": "Unheard", "id": 1}\n',
        b'{"type": "Cancel"}\n',
        b'{"type": "Event", "id": 1, "event": {"type": "Unheard"}}\n',
        b'{"type": "Event", "id": 1, "event": {"type": "AnswerDelta"}}\n',
        b'{"type": ["Cancel"], "id": 1}\n',
        b'{"type": "Cancel", "id": 1',
    ],
)
def test_a_line_that_is_no_message_is_refused(line: bytes):
    with pytest.raises(wire.WireError):
        wire.decode(line)


def test_a_field_of_a_newer_version_is_passed_over():
    line = b'{"type": "Cancel", "id": 3, "gently": true}\n'
    assert wire.decode(line) == wire.Cancel(3)


def test_a_field_that_an_older_version_leaves_out_gets_its_default():
    line = b'{"type": "Hello", "protocol": 1}\n'
    assert wire.decode(line) == wire.Hello(1)
