"""`qwen-tui web` as a process, and a page of it without a browser."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from tests.e2e.shown import Shown
from tests.e2e.terminal import PATIENCE_S, descendants, plain_environment
from tests.helpers import wait_until

_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/[\w-]+/")
_COLUMNS, _ROWS = 120, 36
_REPO = Path(__file__).parents[2]


@dataclass
class Served:
    """A running server and what it printed."""

    process: "subprocess.Popen[str]"
    address: str
    """With the secret and the slash at its end."""
    port: int
    out: Path
    """What it printed."""

    @property
    def origin(self) -> str:
        """What a browser names as the page's origin."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(home: Path, *arguments: str, **env: str) -> Generator[Served]:
    """Run the server with every folder inside `home`, and end it and all below it."""
    log = home / "web.out"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "qwen_tui", "web", "--port=0", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            text=True,
            env=plain_environment(home, **env),
            cwd=_REPO,
        )
    try:
        wait_until(lambda: bool(_ADDRESS.search(log.read_text())))
        found = _ADDRESS.search(log.read_text())
        assert found
        yield Served(process, found.group(), int(found.group(1)), log)
    finally:
        if process.poll() is None:
            for pid in descendants(process.pid) | {process.pid}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        process.wait()


class Page(Shown):
    """A page of the browser: what it shows, and its keys."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        super().__init__(_COLUMNS, _ROWS)
        self.socket = socket

    async def send(self, keys: str) -> None:
        """Press keys."""
        await self.socket.send_json(["stdin", keys])

    async def resize(self, columns: int, rows: int) -> None:
        """Tell how large the window is, as a page does as soon as it is opened."""
        self.screen.resize(rows, columns)
        await self.socket.send_json(["resize", {"width": columns, "height": rows}])

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Take what the program draws until `condition()` holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                assert await self.take(), f"the program ended:\n{self.text()}"

    async def wait_for(self, text: str) -> None:
        """Wait until `text` is on the screen."""
        try:
            await self.wait_until(lambda: text in self.text())
        except TimeoutError as error:
            raise AssertionError(f"never seen: {text!r} in\n{self.text()}") from error

    async def take(self) -> bool:
        """Show the next message; False when the server has closed the page."""
        message = await self.socket.receive()
        if message.type == WSMsgType.BINARY:
            self.feed(message.data)
        return message.type in (WSMsgType.BINARY, WSMsgType.TEXT)


@asynccontextmanager
async def page(served: Served) -> AsyncGenerator[Page]:
    """Open a page as a browser does."""
    headers: Mapping[str, str] = {"Origin": served.origin}
    async with (
        ClientSession() as session,
        session.ws_connect(f"{served.address}ws", headers=headers) as socket,
    ):
        shown = Page(socket)
        await shown.resize(_COLUMNS, _ROWS)
        yield shown


def family(served: Served) -> set[int]:
    """Return the program of the only page and its engine, once both run."""
    wait_until(lambda: len(programs(served)) == 2)
    return programs(served)


def programs(served: Served) -> set[int]:
    """Return the programs of all pages, and their engines."""
    found: set[int] = set()
    for pid in descendants(served.process.pid):
        with contextlib.suppress(OSError):  # it has just ended
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"qwen_tui.engine" in command or b"qwen_tui.ui.web_child" in command:
                found.add(pid)
    return found
