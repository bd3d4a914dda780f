"""Servers that are slow, cut, malformed or hostile, and a key that stays secret."""

import asyncio
import logging
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qwen_tui.backends.remote import RemoteBackend
from qwen_tui.backends.remote_server import Server
from qwen_tui.chat.events import AnswerDelta, Failed, StreamEvent
from tests.backends.scripted_server import (
    DIALECTS,
    Hold,
    ScriptedServer,
    Status,
    data,
    delta,
    last,
)
from tests.backends.test_remote import (
    QUICK,
    REQUEST,
    backend_for,
    failure_of,
    listen,
    said,
    turn,
)

KEY = "sk-hunter2-0123456789"
WITH_KEY: dict[str, Any] = {"api_key_env": "BOX_KEY", "environ": {"BOX_KEY": KEY}}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody vouches for."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-keyout", folder / "key.pem",
         "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


def tls(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def failed_load(server: Server, environ: dict[str, str] | None = None) -> Failed:
    backend = RemoteBackend(server, QUICK, environ=environ or {})
    try:
        return failure_of(await listen(backend.load()))
    finally:
        await backend.close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


async def test_nobody_there_is_told():
    failure = await failed_load(Server(f"http://127.0.0.1:{free_port()}"))
    assert failure.code == "server_unreachable"
    assert failure.message.startswith("Nothing answers at http://127.0.0.1:")


async def test_a_certificate_that_does_not_verify_is_told(certificate: Path):
    with ScriptedServer("vllm", tls=tls(certificate)) as server:
        failure = await failed_load(
            Server(server.url, api_key_env="BOX_KEY"), {"BOX_KEY": KEY}
        )
    assert failure.code == "server_tls"
    assert "certificate" in failure.message
    assert "SSL_CERT_FILE" in failure.hint
    assert server.seen == []


async def test_https_where_plain_http_is_spoken_is_told():
    with ScriptedServer("vllm") as server:
        failure = await failed_load(Server(server.url.replace("http:", "https:")))
    assert failure.code == "server_tls"
    assert "http://" in failure.hint


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "server_key"),
        (403, "server_key"),
        (404, "server_not_found"),
        (429, "server_busy"),
        (500, "server_error"),
        (503, "server_busy"),
    ],
)
async def test_every_refusal_has_a_word_of_its_own(status: int, code: str):
    with ScriptedServer("openai") as server:
        server.pages["/v1/models"] = Status(status, b'{"error": "no"}')
        failure = await failed_load(Server(server.url))
    assert failure.code == code
    assert str(status) in failure.message


@pytest.mark.parametrize(
    "body", [b"<html><body>Hi</body></html>", b"[]", b'{"data": 1}', b"", b"{" * 5000]
)
async def test_something_else_than_an_openai_server_is_told(body: bytes):
    with ScriptedServer("openai") as server:
        server.pages["/v1/models"] = Status(200, body)
        assert (await failed_load(Server(server.url))).code == "not_openai"


async def test_a_web_page_instead_of_a_stream_is_told():
    page = Status(200, b"<html>Sign in</html>", {"Content-Type": "text/html"})
    with ScriptedServer("vllm") as server:
        server.does(page)
        server.does(b"<html>Sign in</html>\n")
        codes = [failure_of(await turn(server)).code for _n in range(2)]
    assert codes == ["not_openai", "not_openai"]


async def test_a_redirect_to_another_host_is_refused_and_the_key_stays():
    with ScriptedServer("vllm") as thief, ScriptedServer("vllm") as server:
        away = Status(307, b"", {"Location": f"{thief.url}/v1/chat/completions"})
        server.does(away)
        server.scripts.append([away])
        failure = failure_of(await turn(server, **WITH_KEY))
        assert failure.code == "server_redirect"
        assert thief.url in failure.message
        server.pages["/v1/models"] = away
        assert failure_of(await turn(server, **WITH_KEY)).code == "server_redirect"
    assert thief.seen == []
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


async def test_a_line_of_ten_megabytes_ends_the_answer_and_takes_no_memory():
    flood = b'data: {"choices": [{"delta": {"content": "' + b"x" * 10_000_000
    with ScriptedServer("vllm") as server:
        server.does(delta(content="Par"), flood, Hold())
        events = await turn(server)
    assert said(events) == ("", "Par")
    assert failure_of(events).code == "server_reply"


async def test_bytes_that_are_no_utf8_become_replacement_characters():
    with ScriptedServer("vllm") as server:
        broken = delta(content="?").replace(b"?", b"\xff\xfe")
        server.does(delta(content="Par"), broken, delta(content="is"), last())
        assert said(await turn(server)) == ("", "Par\ufffd\ufffdis")


@pytest.mark.parametrize(
    "line",
    [
        b"data: {broken\n\n",
        b"data: [1, 2]\n\n",
        b"data: " + b"[" * 100_000 + b"\n\n",
    ],
)
async def test_malformed_events_end_the_answer_and_keep_what_came(line: bytes):
    with ScriptedServer("vllm") as server:
        server.does(delta(content="Par"), line, last())
        events = await turn(server)
    assert said(events) == ("", "Par")
    assert failure_of(events).code == "server_reply"


@pytest.mark.parametrize(
    "value",
    [
        {"choices": [None]},
        {"choices": {"0": 1}},
        {"choices": [{"delta": []}]},
        {"choices": [{"delta": {"content": 7, "reasoning": {}}}]},
        {"choices": [{"delta": None}], "usage": {"completion_tokens": "many"}},
        {"usage": [1]},
        {"model": 7, "id": ["x"]},
    ],
)
async def test_fields_of_a_wrong_type_are_skipped(value: dict[str, object]):
    with ScriptedServer("vllm") as server:
        server.does(data(value), delta(content="ok"), last())
        assert said(await turn(server)) == ("", "ok")


async def test_what_a_server_says_in_a_failure_cannot_draw_on_the_screen():
    evil = b'{"error": {"message": "\\u001b]0;x\\u0007 [red]oops\\u202e"}}'
    with ScriptedServer("vllm") as server:
        server.does(Status(400, evil))
        failure = failure_of(await turn(server))
    assert "oops" in failure.message
    assert not {"\x1b", "\x07", "\u202e"} & set(failure.message)


async def test_a_prompt_that_is_too_long_is_told_as_such():
    told = b'{"message": "This model\'s maximum context length is 4096 tokens."}'
    with ScriptedServer("vllm") as server:
        server.does(Status(400, told))
        assert failure_of(await turn(server)).code == "context_overflow"


async def test_a_slow_server_holds_up_nobody():
    laps: list[float] = []

    async def watch() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            laps.append(time.perf_counter() - began - 0.005)

    with ScriptedServer("vllm") as server:
        server.says(answer=["a", "b"], pause_s=0.1)
        watching = asyncio.create_task(watch())
        assert said(await turn(server)) == ("", "ab")
        watching.cancel()
    assert len(laps) > 10  # the loop went on while the server took its time


# The key


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_key_goes_to_its_server_with_every_request(dialect: str):
    with ScriptedServer(dialect, key=KEY) as server:
        backend = backend_for(server, **WITH_KEY)
        assert said(await listen(backend.stream(REQUEST))) == ("", "ok")
        await backend.measure(REQUEST)
        await backend.close()
    assert {s.headers.get("authorization") for s in server.seen} == {f"Bearer {KEY}"}


async def test_without_a_key_none_is_sent():
    with ScriptedServer("vllm") as server:
        await turn(server)
    assert all("authorization" not in s.headers for s in server.seen)


async def test_a_server_that_wants_a_key_says_how_to_give_one():
    with ScriptedServer("vllm", key=KEY) as server:
        without = await failed_load(Server(server.url))
        wrong = await failed_load(
            Server(server.url, api_key_env="BOX_KEY"), {"BOX_KEY": "sk-other"}
        )
    assert without.code == wrong.code == "server_key"
    assert "--api-key-env" in without.hint
    assert "does not accept the key" in wrong.message


async def test_a_named_variable_that_is_empty_is_told_before_anything_is_sent():
    with ScriptedServer("vllm") as server:
        failure = await failed_load(Server(server.url, api_key_env="BOX_KEY"))
    assert "BOX_KEY" in failure.message
    assert server.seen == []


async def test_a_key_with_a_line_end_is_refused_and_not_shown():
    with ScriptedServer("vllm") as server:
        failure = await failed_load(
            Server(server.url, api_key_env="BOX_KEY"), {"BOX_KEY": f"{KEY}\nX-Evil: 1"}
        )
    assert KEY not in f"{failure}"
    assert server.seen == []


async def test_the_key_is_in_no_failure_though_the_server_repeats_it(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    told = f'{{"error": {{"message": "Incorrect API key: {KEY}"}}}}'.encode()
    answers: list[list[StreamEvent]] = []
    with ScriptedServer("vllm") as server:
        server.does(Status(400, told))
        server.does(Status(500, told))
        server.does(delta(content="Par"), b"data: " + told + b"\n\n")
        server.does(delta(content="Par"), b"error: " + KEY.encode() + b"\n\n")
        answers += [await turn(server, **WITH_KEY) for _n in range(4)]
    assert all(isinstance(events[-1], Failed) for events in answers)
    assert all(KEY not in repr(event) for events in answers for event in events)
    assert KEY not in caplog.text
    assert "".join(capfd.readouterr()).find(KEY) == -1


async def test_the_keyring_is_asked_for_a_saved_server(
    monkeypatch: pytest.MonkeyPatch,
):
    asked: list[tuple[str, str]] = []

    def get_password(service: str, name: str) -> str:
        asked.append((service, name))
        return KEY

    spec = SimpleNamespace(name="keyring")
    keyring = SimpleNamespace(get_password=get_password, __spec__=spec)
    errors = SimpleNamespace(KeyringError=RuntimeError, __spec__=spec)
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    with ScriptedServer("vllm", key=KEY) as server:
        assert said(await turn(server, name="box")) == ("", "ok")
        unsaved = failure_of(await turn(server))
    assert asked == [("qwen-tui", "box")]
    assert unsaved.code == "server_key"


async def test_no_proxy_stands_before_a_server_of_this_machine(
    monkeypatch: pytest.MonkeyPatch,
):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ScriptedServer("vllm") as server:
        assert said(await turn(server)) == ("", "ok")


async def test_another_host_is_reached_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
):
    with ScriptedServer("vllm") as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        proxy.pages["http://box.example:8000/v1/models"] = Status(
            200, b'{"data": [{"id": "qwen", "owned_by": "vllm"}]}'
        )
        backend = RemoteBackend(Server("http://box.example:8000"), QUICK, environ={})
        events = await listen(backend.load())
        await backend.close()
    assert not isinstance(events[-1], Failed)
    assert proxy.seen[0].path == "http://box.example:8000/v1/models"


async def test_a_server_that_floods_is_read_no_faster_than_it_is_shown():
    with ScriptedServer("vllm") as server:
        server.does(*[delta(content="x" * 1000)] * 20_000, last())
        request = replace(REQUEST, loop_guard=False)
        backend = backend_for(server)
        n_seen = 0
        async for event in backend.stream(request):
            n_seen += isinstance(event, AnswerDelta)
            if n_seen == 10:
                await asyncio.sleep(0.2)  # nobody takes the events
                assert backend._job is not None
                assert backend._job.events.qsize() <= 256
                break
        await backend.close()
