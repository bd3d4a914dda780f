"""The screen in a browser: who is let in, and that it is the program itself."""

import re
import signal
import socket
from collections.abc import Generator
from pathlib import Path

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from tests.e2e.programs import DONE, assert_gone_within, last_message
from tests.e2e.web import Page, Served, family, page, programs, serving
from tests.helpers import until, wait_until

pytestmark = pytest.mark.e2e

PATHS = ("", "static/js/textual.js", "page/page.js", "download/key", "ws", "none")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    """A server that nobody opens a page of."""
    with serving(tmp_path_factory.mktemp("web")) as served:
        yield served


async def status(url: str, **headers: str) -> int:
    async with (
        ClientSession() as session,
        session.get(url, headers=headers, allow_redirects=False) as reply,
    ):
        return reply.status


async def socket_status(served: Served, **headers: str) -> int:
    """Return the status that a page gets which wants to drive the program."""
    async with ClientSession() as session:
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(f"{served.address}ws", headers=headers)
        return refused.value.status


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_is_there_without_the_secret(empty: Served, path: str):
    root = f"{empty.origin}/"
    swapped = empty.address[:-2] + ("A" if empty.address[-2] != "A" else "B") + "/"
    for wrong in (root, f"{root}x/", swapped, f"{root}x{empty.address}"):
        assert await status(wrong + path) == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:1", "0.0.0.0"]
)
async def test_a_foreign_name_of_this_machine_is_refused(
    empty: Served, path: str, host: str
):
    assert await status(empty.address + path, Host=host) == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1"]
)
async def test_another_page_of_the_browser_is_refused(empty: Served, origin: str):
    for path in PATHS:
        assert await status(empty.address + path, Origin=origin) == 403
    assert await socket_status(empty, Origin=origin) == 403


async def test_a_websocket_of_no_page_is_refused(empty: Served):
    assert await socket_status(empty) == 403


async def test_a_foreign_websocket_with_its_own_host_is_refused(empty: Served):
    """What a name that is made to lead here would send."""
    rebound = {"Origin": "http://evil.example", "Host": "evil.example"}
    assert await socket_status(empty, **rebound) == 403


async def test_the_page_is_whole_and_fetches_nothing_from_elsewhere(empty: Served):
    async with ClientSession() as session:
        async with session.get(empty.address) as reply:
            text, policy = await reply.text(), reply.headers["Content-Security-Policy"]
        assert reply.status == 200
        wanted = re.findall(r'(?:href|src)="([^"]+)"|url\("([^"]+)"\)', text)
        files = {"".join(pair) for pair in wanted} - {"data:,"}
        assert len(files) == 5
        for file in files:
            assert await status(empty.address + file) == 200, file
    assert not re.findall(r"https?://|//\w", text.replace("ws://127.0.0.1", ""))
    assert "default-src 'none'" in policy
    assert f"connect-src 'self' ws://127.0.0.1:{empty.port};" in policy


async def test_a_forwarded_port_may_have_another_number(empty: Served):
    async with (
        ClientSession() as session,
        session.get(empty.address, headers={"Host": "localhost:9000"}) as reply,
    ):
        assert "ws://localhost:9000/" in await reply.text()


def test_no_other_address_of_this_machine_is_served(empty: Served):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", empty.port), timeout=5)


@pytest.mark.parametrize("said", [b"\x1b[2J\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"])
def test_what_is_no_request_is_refused_and_not_printed(empty: Served, said: bytes):
    before = empty.out.read_bytes()
    with socket.create_connection(("127.0.0.1", empty.port), timeout=60) as other:
        other.sendall(said)
        assert b" 400 " in other.recv(100)
    assert empty.out.read_bytes() == before


async def ask(shown: Page, prompt: str, answer: str) -> None:
    await shown.send(f"{prompt}\r")
    await shown.wait_for(answer)


async def test_a_prompt_typed_in_a_page_is_answered_and_closing_it_ends_all(
    tmp_path: Path,
):
    with serving(tmp_path, "--model=demo") as served:
        async with page(served) as shown:
            await shown.wait_for("qwen-tui  demo")
            await ask(shown, "What is the capital of France?", "Paris")
            await shown.wait_for(DONE)
            await ask(shown, "Count to 100.", "6, 7")
            pids = family(served)
        for pid in pids:
            assert_gone_within(pid, 5)  # before it would be killed
        assert "6, 7" in last_message(tmp_path).content
        assert served.process.poll() is None


async def test_a_page_takes_another_size_and_is_closed_by_leaving(tmp_path: Path):
    with serving(tmp_path) as served:
        async with page(served) as shown:
            await shown.wait_for("Try the small demo model")
            await shown.send("\x1b")
            await shown.wait_for("F1 help")
            await shown.resize(130, 45)
            await shown.wait_until(lambda: "F1 help" in shown.text().splitlines()[-1])
            await shown.send("\x11")
            while await shown.take():
                pass
            assert shown.socket.close_code == 1000
        await until(lambda: not programs(served))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
async def test_the_end_of_the_server_is_the_end_of_its_programs(
    tmp_path: Path, number: signal.Signals
):
    with serving(tmp_path, "--model=demo") as served:
        async with page(served) as shown:
            await shown.wait_for("qwen-tui  demo")
            pids = family(served)
            served.process.send_signal(number)
            while await shown.take():
                pass
        expected = -9 if number == signal.SIGKILL else 0
        assert served.process.wait(10) == expected
        for pid in pids:
            assert_gone_within(pid, 5)  # before it would be killed


async def test_two_pages_are_two_programs_on_the_same_conversations(tmp_path: Path):
    with serving(tmp_path, "--model=demo") as served:
        async with page(served) as first:
            await first.wait_for("qwen-tui  demo")
            await ask(first, "What is the capital of Japan?", "Tokyo")
            await first.wait_for(DONE)
            async with page(served) as second:
                await second.wait_for("What is the cap")  # among the chats
                wait_until(lambda: len(programs(served)) == 4)


@pytest.mark.parametrize(
    "said", ["{", "[]", '["resize", {"width": -1, "height": 1e9}]']
)
async def test_a_page_that_talks_nonsense_disturbs_nothing(tmp_path: Path, said: str):
    with serving(tmp_path) as served:
        async with page(served) as shown:
            await shown.socket.send_str(said)
            await shown.wait_for("Try the small demo model")
