"""The backend that asks a server: every dialect, every quirk of a stream."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from qwen_tui.backends.remote import RemoteBackend
from qwen_tui.backends.remote_server import Server, ServerOptions, server_url
from qwen_tui.chat.backend import Backend, PromptMessage, TurnRequest
from qwen_tui.chat.events import (
    AnswerDelta,
    Failed,
    Finished,
    Loaded,
    NotPassed,
    StreamEvent,
    ThinkingDelta,
    Usage,
    WasThinking,
)
from qwen_tui.chat.sampling import Sampling
from qwen_tui.errors import UsageError
from tests.backends.scripted_server import (
    CONTEXT,
    DIALECTS,
    MODEL,
    Cut,
    Hold,
    ScriptedServer,
    Status,
    chunk,
    data,
    delta,
    last,
    reply,
    usage,
)
from tests.helpers import until

QUICK = ServerOptions(
    connect_timeout_s=5, first_token_timeout_s=20, silence_timeout_s=20, retries=0
)
REQUEST = TurnRequest(
    (PromptMessage("user", "Capital of France?"),),
    Sampling(temperature=0.6, top_p=0.95, top_k=20),
    max_new_tokens=100,
)
DONE = b"data: [DONE]\n\n"


def backend_for(
    server: ScriptedServer,
    options: ServerOptions = QUICK,
    *,
    environ: Mapping[str, str] | None = None,
    kind: str = "switch",
    **more: str,
) -> RemoteBackend:
    return RemoteBackend(
        Server(server.url, **more),
        options,
        environ=environ or {},
        thinking_kind=lambda _model: kind,
    )


async def listen(events: AsyncIterator[StreamEvent]) -> list[StreamEvent]:
    return [event async for event in events]


async def turn(
    server: ScriptedServer, request: TurnRequest = REQUEST, **more: Any
) -> list[StreamEvent]:
    """Ask one turn and give everything back."""
    backend = backend_for(server, **more)
    try:
        return await listen(backend.stream(request))
    finally:
        await backend.close()


def said(events: list[StreamEvent]) -> tuple[str, str]:
    """Return thinking and answer."""
    thoughts = [e.text for e in events if isinstance(e, ThinkingDelta)]
    answers = [e.text for e in events if isinstance(e, AnswerDelta)]
    return "".join(thoughts), "".join(answers)


def end_of(events: list[StreamEvent]) -> Finished:
    end = events[-1]
    assert isinstance(end, Finished), end
    return end


def failure_of(events: list[StreamEvent]) -> Failed:
    end = events[-1]
    assert isinstance(end, Failed), end
    return end


def left_out(events: list[StreamEvent]) -> set[str]:
    return {n for e in events if isinstance(e, NotPassed) for n in e.names}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_thinking_and_answer_of_every_dialect_become_the_same_events(
    dialect: str,
):
    with ScriptedServer(dialect) as server:
        server.says(thinking=["Let me", " see."], answer=["Par", "is."])
        events = await turn(server)
    assert said(events) in [("Let me see.", "Paris."), ("Let me see.\n", "Paris.")]
    assert end_of(events).reason == "stop"
    assert not end_of(events).thinking_cut


@pytest.mark.parametrize("dialect", [d for d in DIALECTS if d != "openai"])
async def test_usage_is_the_servers_word(dialect: str):
    with ScriptedServer(dialect) as server:
        server.says(thinking=["a", "b", "c"], answer=["d"])
        cost = end_of(await turn(server)).usage
    assert (cost.prompt_tokens, cost.cached_tokens) == (11, 4)
    assert (cost.thinking_tokens, cost.answer_tokens) == (3, 1)
    assert not cost.is_estimate


async def test_what_was_never_shown_as_thinking_is_not_counted_as_such():
    cost = {**usage(5, 3), "completion_tokens_details": {"reasoning_tokens": 3}}
    with ScriptedServer("vllm") as server:  # as vLLM 0.32 tells of a cut answer
        server.does(delta(content="is."), last(), data(chunk([], usage=cost)), DONE)
        told = end_of(await turn(server, CUT_ANSWER)).usage
    assert (told.thinking_tokens, told.answer_tokens) == (0, 3)


async def test_without_usage_the_deltas_are_counted_and_marked_as_an_estimate():
    with ScriptedServer("openai") as server:
        server.says(answer=["a", "b", "c"])
        cost = end_of(await turn(server)).usage
    assert (cost.prompt_tokens, cost.answer_tokens) == (0, 3)
    assert cost.is_estimate


@pytest.mark.parametrize(
    ("dialect", "label", "length"),
    [
        ("vllm", "vLLM", CONTEXT),
        ("sglang", "SGLang", CONTEXT),
        ("llamacpp", "llama.cpp", CONTEXT),
        ("ollama", "Ollama", 0),
        ("openai", "server", 0),
    ],
)
async def test_a_server_is_known_by_what_it_says_of_itself(
    dialect: str, label: str, length: int
):
    with ScriptedServer(dialect) as server:
        backend = backend_for(server)
        events = await listen(backend.load())
        await backend.close()
    loaded = events[-1]
    assert isinstance(loaded, Loaded)
    assert (loaded.device, loaded.context_length) == (label, length)
    assert loaded.model == f"{MODEL} @ {server.url.removeprefix('http://')}"
    assert loaded.ref == f"server:{server.url}#{MODEL}"


async def test_the_context_of_ollama_is_known_once_its_model_runs():
    with ScriptedServer("ollama") as server:
        backend = backend_for(server)
        await listen(backend.load())
        assert backend.loaded is not None
        assert backend.loaded.context_length == 0
        await listen(backend.stream(REQUEST))
        assert backend.loaded.context_length == CONTEXT
        await backend.close()


async def test_transformers_serve_is_asked_for_the_model_it_was_started_with():
    with ScriptedServer("transformers", models=[]) as server:
        server.pages["/v1/models"] = Status(500, b"Internal Server Error")
        events = await turn(server)
    assert "model" not in server.asked[0]
    assert end_of(events).reason == "stop"
    last_loaded = [e for e in events if isinstance(e, Loaded)][-1]
    assert last_loaded.model.startswith(f"{MODEL} @ ")  # it told its name


@pytest.mark.parametrize(
    ("dialect", "told", "missing"),
    [
        ("vllm", {"top_k": 20, "min_p": 0.1, "repetition_penalty": 1.1}, set()),
        ("sglang", {"top_k": 20, "min_p": 0.1, "repetition_penalty": 1.1}, set()),
        ("llamacpp", {"top_k": 20, "min_p": 0.1, "repeat_penalty": 1.1}, set()),
        ("ollama", {}, {"top_k", "min_p", "repetition_penalty"}),
        # its frequency_penalty is a repetition penalty, less one
        (
            "transformers",
            {"frequency_penalty": 0.1},
            {"top_k", "min_p", "presence_penalty"},
        ),
    ],
)
async def test_sampling_is_told_in_the_servers_words_and_the_rest_is_named(
    dialect: str, told: dict[str, Any], missing: set[str]
):
    sampling = replace(
        REQUEST.sampling,
        min_p=0.1,
        repetition_penalty=1.1,
        presence_penalty=0.5,
        seed=7,
        stop=("END",),
    )
    with ScriptedServer(dialect) as server:
        events = await turn(server, replace(REQUEST, sampling=sampling))
    (asked,) = server.asked
    assert told.items() <= asked.items()
    assert (asked["seed"], asked["stop"]) == (7, ["END"])
    assert (asked["temperature"], asked["top_p"]) == (0.6, 0.95)
    assert left_out(events) == missing


async def test_what_keeps_every_token_is_told_in_vllms_way():
    with ScriptedServer("vllm") as server:
        sampling = Sampling(temperature=1.0, top_k=0)
        await turn(server, replace(REQUEST, sampling=sampling))
    assert server.asked[0]["top_k"] == -1


@pytest.mark.parametrize("dialect", ["vllm", "sglang", "llamacpp", "transformers"])
async def test_thinking_is_switched_by_the_template(dialect: str):
    with ScriptedServer(dialect) as server:
        events = await turn(server, replace(REQUEST, thinking=False))
    assert server.asked[0]["chat_template_kwargs"] == {"enable_thinking": False}
    assert "thinking" not in left_out(events)


async def test_thinking_is_switched_by_the_effort_at_ollama():
    with ScriptedServer("ollama") as server:
        await turn(server, replace(REQUEST, thinking=False))
        await turn(server)
    assert server.asked[0]["reasoning_effort"] == "none"
    assert "reasoning_effort" not in server.asked[1]


async def test_the_thinking_budget_is_passed_to_vllm_and_named_where_unknown():
    limited = replace(REQUEST, thinking_budget=64)
    with ScriptedServer("vllm") as server:
        events = await turn(server, limited)
    assert server.asked[0]["thinking_token_budget"] == 64
    assert left_out(events) == set()
    with ScriptedServer("sglang") as server:
        assert left_out(await turn(server, limited)) == {"thinking_budget"}


async def test_llama_cpp_is_told_when_the_thinking_budget_is_used_up():
    with ScriptedServer("llamacpp") as server:
        server.says(thinking=["a", "b", "c", "d"], answer=["e"])
        events = await turn(server, replace(REQUEST, thinking_budget=2))
    controls = [s.body for s in server.seen if s.path.endswith("/control")]
    assert controls == [{"id": "chatcmpl-1", "action": "reasoning_end", "model": MODEL}]
    assert said(events) == ("abcd", "e")


async def test_answer_now_is_named_where_a_server_cannot():
    with ScriptedServer("vllm") as server:
        server.does(delta(reasoning="Hm"), Hold())
        backend = backend_for(server)
        seen: list[StreamEvent] = []
        async for event in backend.stream(REQUEST):
            seen.append(event)
            if isinstance(event, ThinkingDelta):
                await backend.answer_now()
            if isinstance(event, NotPassed):
                server.release.set()
                break
        await backend.close()
    assert left_out(seen) == {"answer_now"}


async def test_what_has_no_effect_is_news_only_once():
    with ScriptedServer("ollama") as server:
        backend = backend_for(server)
        turns = [await listen(backend.stream(REQUEST)) for _n in range(2)]
        await backend.close()
    told = [e for events in turns for e in events if isinstance(e, NotPassed)]
    assert [e.is_news for e in told] == [True, False]


async def test_a_field_that_an_unknown_server_refuses_is_left_out_and_named():
    with ScriptedServer("openai") as server:
        refusal = b'{"error": {"message": "Unrecognized: chat_template_kwargs"}}'
        server.does(Status(400, refusal))
        backend = backend_for(server)
        first = await listen(backend.stream(REQUEST))
        second = await listen(backend.stream(REQUEST))
        await backend.close()
    assert end_of(first).reason == end_of(second).reason == "stop"
    assert left_out(first) == left_out(second) == {"thinking"}
    assert "chat_template_kwargs" in server.asked[0]
    assert [("chat_template_kwargs" in a) for a in server.asked] == [True, False, False]


async def test_stop_closes_the_stream_and_the_server_notices():
    with ScriptedServer("vllm") as server:
        server.does(delta(content="Par"), Hold())
        backend = backend_for(server)
        seen: list[StreamEvent] = []
        async for event in backend.stream(REQUEST):
            seen.append(event)
            if isinstance(event, AnswerDelta):
                await backend.cancel()
        await until(server.client_left.is_set)
        await backend.close()
    assert said(seen) == ("", "Par")
    assert end_of(seen).reason == "cancelled"
    assert end_of(seen).usage.answer_tokens == 1


async def test_stop_while_the_server_has_not_answered_yet():
    with ScriptedServer("vllm") as server:
        server.does(Hold())
        backend = backend_for(server)
        await listen(backend.load())
        events = asyncio.create_task(listen(backend.stream(REQUEST)))
        await until(lambda: bool(server.asked))
        await backend.cancel()
        assert await events == [Finished("cancelled", Usage())]
        await until(server.client_left.is_set)
        await backend.close()


async def test_closing_the_iterator_early_ends_the_stream_at_the_server():
    with ScriptedServer("sglang") as server:
        server.does(delta(content="Par"), Hold())
        backend: Backend = backend_for(server)
        events = backend.stream(REQUEST)
        async for event in events:
            if isinstance(event, AnswerDelta):
                break
        await events.aclose()  # type: ignore[attr-defined]
        await until(server.client_left.is_set)
        await backend.close()


async def test_a_stream_may_end_without_done_as_transformers_serve_does():
    with ScriptedServer("transformers") as server:
        server.does(delta(content="ok"), last("stop", usage=usage(3, 1)))
        events = await turn(server)
    assert said(events) == ("", "ok")
    assert end_of(events).usage.prompt_tokens == 3


async def test_empty_choices_and_a_chunk_of_usage_alone_say_nothing():
    with ScriptedServer("vllm") as server:
        server.does(
            data(chunk([])),
            delta(content="ok"),
            data(chunk([], usage=usage(5, 1))),
            last("stop"),
            DONE,
        )
        events = await turn(server)
    assert said(events) == ("", "ok")
    assert end_of(events).usage.prompt_tokens == 5


async def test_comments_that_keep_the_connection_alive_are_skipped():
    with ScriptedServer("llamacpp") as server:
        server.does(b": ping\n\n:\n\n", delta(content="ok"), b":\n", last(), DONE)
        assert said(await turn(server)) == ("", "ok")


async def test_an_event_may_come_in_pieces_with_other_line_ends():
    whole = delta(content="Größe").replace(b"\n\n", b"\r\n\r\n")
    with ScriptedServer("vllm") as server:
        pieces = [whole[n : n + 7] for n in range(0, len(whole), 7)]
        server.does(*pieces, last(), DONE)
        assert said(await turn(server)) == ("", "Größe")


async def test_a_server_that_does_not_stream_is_understood():
    message = {"role": "assistant", "reasoning_content": "Hm.", "content": "ok"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    with ScriptedServer("sglang") as server:
        server.does(Status(200, data(chunk([choice]))[6:].strip()))
        assert said(await turn(server)) == ("Hm.", "ok")


async def test_blank_thinking_with_thinking_off_is_no_thinking():
    with ScriptedServer("transformers") as server:
        server.says(thinking=["\n\n"], answer=["\n\n", "ok"])
        events = await turn(server, replace(REQUEST, thinking=False))
    assert said(events) == ("", "ok")


async def test_raw_thinking_that_the_template_opened_is_thinking():
    with ScriptedServer("openai") as server:
        server.does(
            delta(content="Hm."), delta(content="</th"), delta(content="ink>\n\nok"),
            last(), DONE,
        )  # fmt: skip
        assert said(await turn(server, kind="always")) == ("Hm.", "ok")


async def test_raw_thinking_that_nobody_saw_opened_is_taken_back_and_known_then():
    with ScriptedServer("vllm") as server:
        for _n in range(2):
            server.does(
                delta(content="Hm,"), delta(content=" so.</th"),
                delta(content="ink>\n\n"), delta(content="ok"), last(), DONE,
            )  # fmt: skip
        server.does(delta(content="a </think> tag"), last(), DONE)
        backend = backend_for(server)
        first = await listen(backend.stream(REQUEST))
        second = await listen(backend.stream(REQUEST))
        off = await listen(backend.stream(replace(REQUEST, thinking=False)))
        await backend.close()
    kinds = [type(e) for e in first]
    assert kinds.index(AnswerDelta) < kinds.index(WasThinking)
    after = first[kinds.index(WasThinking) :]
    assert said(after) == ("", "ok")
    assert end_of(first).usage.thinking_tokens == 2
    assert said(second) == ("Hm, so.", "ok")
    assert said(off) == ("", "a </think> tag")


async def test_thinking_that_the_limit_cut_is_told():
    with ScriptedServer("vllm") as server:
        server.says(thinking=["Hm"], answer=[], reason="length")
        end = end_of(await turn(server))
    assert (end.reason, end.thinking_cut) == ("length", True)


async def test_an_answer_that_goes_round_in_circles_is_ended():
    with ScriptedServer("vllm") as server:
        words = ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
        server.does(*[delta(content=w) for w in words * 60], Hold())
        end = end_of(await turn(server))
        await until(server.client_left.is_set)
    assert (end.reason, end.detail) == ("length", "loop")


async def test_past_thinking_goes_beside_the_answer_never_inside():
    history = (
        PromptMessage("system", "Be brief."),
        PromptMessage("user", "Hi"),
        PromptMessage("assistant", "Hello", "A greeting."),
        PromptMessage("user", "Bye"),
    )
    with ScriptedServer("vllm") as server:
        await turn(server, replace(REQUEST, messages=history))
    assert server.asked[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": "Hello",
            "reasoning_content": "A greeting.",
        },
        {"role": "user", "content": "Bye"},
    ]


CUT_ANSWER = replace(
    REQUEST,
    messages=(*REQUEST.messages, PromptMessage("assistant", "Par", "Let me see.")),
    continue_last=True,
)


@pytest.mark.parametrize("dialect", ["vllm", "sglang"])
async def test_a_cut_answer_goes_on_where_the_server_can(dialect: str):
    with ScriptedServer(dialect) as server:
        server.says(answer=["is."])
        events = await turn(server, CUT_ANSWER)
    assert server.asked[0]["continue_final_message"] is True
    assert server.asked[0]["add_generation_prompt"] is False
    assert said(events) == ("", "is.")


@pytest.mark.parametrize("dialect", ["ollama", "transformers", "openai"])
async def test_a_server_that_cannot_go_on_is_not_asked(dialect: str):
    with ScriptedServer(dialect) as server:
        events = await turn(server, CUT_ANSWER)
    assert failure_of(events).code == "server_cannot_go_on"
    assert server.asked == []


async def test_the_limit_of_an_answer_keeps_to_the_context():
    endless = replace(REQUEST, max_new_tokens=32768)
    with ScriptedServer("vllm") as server:
        await turn(server, endless)
        await turn(server)
    assert "max_tokens" not in server.asked[0]  # the rest of the context
    assert server.asked[1]["max_tokens"] == 100


@pytest.mark.parametrize("dialect", ["vllm", "llamacpp"])
async def test_a_prompt_is_counted_by_the_server(dialect: str):
    with ScriptedServer(dialect) as server:
        backend = backend_for(server)
        assert await backend.measure(REQUEST) is None
        await listen(backend.load())
        tokens = await backend.measure(REQUEST)
        await backend.close()
    assert tokens is not None
    assert (tokens.total, tokens.is_estimate) == (42, False)


async def test_a_count_is_an_estimate_that_learns_where_the_server_has_none():
    with ScriptedServer("sglang") as server:
        backend = backend_for(server)
        await listen(backend.load())
        before = await backend.measure(REQUEST)
        await listen(backend.stream(REQUEST))  # it took 11 tokens
        after = await backend.measure(REQUEST)
        await backend.close()
    assert before is not None
    assert after is not None
    assert (before.is_estimate, after.is_estimate) == (True, True)
    assert abs(after.total - 11) <= abs(before.total - 11) <= 10


async def test_several_models_need_a_name_and_a_name_must_be_there():
    with ScriptedServer("vllm", models=["small", "large"]) as server:
        several = failure_of(await turn(server))
        missing = failure_of(await turn(server, model="medium"))
        await turn(server, model="large")
    assert several.code == missing.code == "server_no_model"
    assert "small, large" in several.hint
    assert "medium" in missing.message
    assert [a["model"] for a in server.asked] == ["large"]


async def test_a_server_without_models_is_told():
    with ScriptedServer("ollama", models=[]) as server:
        failure = failure_of(await turn(server))
    assert failure.code == "server_no_model"


async def test_an_error_inside_the_stream_keeps_what_came():
    error = data({"error": {"message": "CUDA out of memory", "code": 500}})
    for dialect in ("vllm", "sglang", "ollama", "llamacpp"):
        with ScriptedServer(dialect) as server:
            server.does(delta(content="Par"), error)
            events = await turn(server)
        assert said(events) == ("", "Par")
        assert failure_of(events).code == "server_error"
        assert "CUDA out of memory" in failure_of(events).message


@pytest.mark.parametrize(
    "line",
    [
        b'error: {"code": 500, "message": "no slot"}\n\n',  # llama.cpp before 2026
        b'event: error\ndata: {"message": "no slot"}\n\n',
        b'data: {"error": "no slot"}\n\n',  # transformers serve
        b'data: {"error": "bad "quote": no slot"}\n\n',  # which does not escape
    ],
)
async def test_errors_come_in_many_shapes(line: bytes):
    with ScriptedServer("openai") as server:
        server.does(delta(content="Par"), line)
        failure = failure_of(await turn(server))
    assert failure.code == "server_error"
    assert "no slot" in failure.message


@pytest.mark.parametrize("ending", [Cut(), None])
async def test_a_stream_that_is_cut_keeps_what_came_and_offers_to_go_on(
    ending: Cut | None,
):
    steps = [delta(content="Par")] if ending is None else [delta(content="Par"), ending]
    with ScriptedServer("vllm") as server:
        server.does(*steps)
        events = await turn(server, options=replace(QUICK, retries=2))
    assert said(events) == ("", "Par")
    assert failure_of(events).code == "server_cut"
    assert "/continue" in failure_of(events).hint
    assert len(server.asked) == 1  # a token had come: never tried again


async def test_to_go_on_is_offered_only_where_the_server_can():
    hints: list[str] = []
    for dialect, step in (
        ("llamacpp", delta(content="Par")),
        ("ollama", delta(content="Par")),
        ("vllm", delta(reasoning="Hm")),  # not inside thinking
    ):
        with ScriptedServer(dialect) as server:
            server.does(step, Cut())
            hints.append(failure_of(await turn(server)).hint)
    assert ["/continue" in hint for hint in hints] == [True, False, False]
    assert all(hint.startswith("What came so far is kept") for hint in hints)


async def test_a_request_is_tried_again_while_nothing_was_generated():
    with ScriptedServer("vllm") as server:
        server.does(Status(503, b'{"error": "warming up"}'))
        server.does(delta(role="assistant", content=""), Cut())
        server.scripts.append(reply("vllm"))
        events = await turn(server, options=replace(QUICK, retries=2))
    assert said(events) == ("", "ok")
    assert len(server.asked) == 3


async def test_no_more_tries_than_the_settings_say():
    with ScriptedServer("vllm") as server:
        for _n in range(3):
            server.does(Status(503, b'{"error": "warming up"}'))
        events = await turn(server, options=replace(QUICK, retries=1))
    assert failure_of(events).code == "server_busy"
    assert "warming up" in failure_of(events).message
    assert len(server.asked) == 2


async def test_a_server_that_failed_is_not_asked_again():
    with ScriptedServer("vllm") as server:
        server.does(Status(500, b'{"error": "a bug"}'))
        events = await turn(server, options=replace(QUICK, retries=2))
    assert failure_of(events).code == "server_error"
    assert len(server.asked) == 1


async def test_silence_in_mid_answer_has_its_own_limit():
    with ScriptedServer("vllm") as server:
        server.does(delta(content="Par"), Hold())
        events = await turn(server, options=replace(QUICK, silence_timeout_s=0.2))
    assert said(events) == ("", "Par")
    assert failure_of(events).code == "server_timeout"
    assert "/continue" in failure_of(events).hint


async def test_signs_of_life_do_not_put_off_the_first_tokens_limit():
    with ScriptedServer("llamacpp") as server:
        server.does(b":\n\n", delta(role="assistant", content=""), Hold())
        options = replace(QUICK, first_token_timeout_s=0.5)
        async with asyncio.timeout(15):  # less than the limit of silence
            failure = failure_of(await turn(server, options=options))
    assert failure.code == "server_timeout"
    assert "0.5 s" in failure.message


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("gpu:8000", "http://gpu:8000"),
        ("http://GPU:8000/v1/", "http://gpu:8000"),
        ("https://x.example/llm/v1/chat/completions", "https://x.example/llm"),
        (" http://[::1]:8000 ", "http://[::1]:8000"),
    ],
)
def test_an_address_may_be_copied_from_anywhere(text: str, url: str):
    assert server_url(text) == url


@pytest.mark.parametrize(
    "text", ["", "ftp://gpu", "http://", "http://gpu:0", "http://g pu", "http://[::1"]
)
def test_what_is_no_address_is_told(text: str):
    with pytest.raises(UsageError):
        server_url(text)


def test_a_password_in_an_address_is_refused_and_never_shown():
    with pytest.raises(UsageError) as told:
        server_url("http://me:hunter2@gpu:8000")
    assert "hunter2" not in f"{told.value.message} {told.value.hint}"
