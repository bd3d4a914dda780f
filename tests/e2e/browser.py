"""A headless Chromium, told what to do in the DevTools protocol.

Source: https://chromedevtools.github.io/devtools-protocol/
"""

import asyncio
import base64
import contextlib
import io
import json
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse
from PIL import Image

from tests.e2e.shown import Shown
from tests.e2e.terminal import PATIENCE_S
from tests.helpers import until

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
_BINARY = 2
"""The opcode of a websocket's binary frame."""


class Tab(Shown):
    """A tab: what it shows, fetches and reports, and its keys."""

    def __init__(self, devtools: ClientWebSocketResponse) -> None:
        super().__init__(80, 24)
        self.requests: list[str] = []
        self.problems: list[str] = []
        self.dialogs: list[str] = []
        self._devtools = devtools
        self._numbers = count()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def listen(self) -> None:
        """Take in what the browser tells, until it has gone."""
        async for message in self._devtools:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            else:
                self._note(told["method"], told["params"])

    def _note(self, method: str, told: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(told["url"])
            case "Network.webSocketFrameReceived" | "Network.webSocketFrameSent":
                self._note_frame(told["response"])
            case "Runtime.exceptionThrown":
                self.problems.append(str(told))
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                self.problems.append(told["entry"]["text"])
            case "Page.javascriptDialogOpening":
                self.dialogs.append(told["type"])
            case _:
                pass

    def _note_frame(self, frame: dict[str, Any]) -> None:
        if frame["opcode"] == _BINARY:
            self.feed(base64.b64decode(frame["payloadData"]))
            return
        match json.loads(frame["payloadData"]):
            case ["resize", {"width": int(columns), "height": int(rows)}]:
                self.screen.resize(rows, columns)
            case _:
                pass

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """Have the browser do something and return what comes of it."""
        number, answer = next(self._numbers), asyncio.Future[dict[str, Any]]()
        self._answers[number] = answer
        message = {"id": number, "method": method, "params": params}
        await self._devtools.send_json(message)
        told = await asyncio.wait_for(answer, PATIENCE_S)
        assert "error" not in told, told
        return told["result"]

    async def press(self, key: str) -> None:
        """Press a key: a character, or Enter."""
        text = "\r" if key == "Enter" else key
        code = {"windowsVirtualKeyCode": 13} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if kind == "keyDown" else {}
            await self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, **code, **more
            )

    async def wait_for(self, text: str) -> None:
        """Wait until the program has drawn `text`."""
        try:
            await until(lambda: text in self.text())
        except AssertionError as error:
            error.add_note(self.text())
            raise

    async def colours(self) -> dict[tuple[int, ...], int]:
        """Return how often each colour is in a picture of the page."""
        told = await self.call("Page.captureScreenshot", format="png")
        picture = Image.open(io.BytesIO(base64.b64decode(told["data"])))
        counted = picture.convert("RGB").getcolors(picture.width * picture.height)
        return {colour: n for n, colour in counted or []}  # pyright: ignore


@asynccontextmanager
async def chromium(profile: Path) -> AsyncGenerator[Tab]:
    """Run a browser of its own, which fetches nothing unasked, with one tab."""
    assert CHROMIUM
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    process = await asyncio.create_subprocess_exec(
        *(CHROMIUM, "--headless=new", "--disable-gpu", "--no-first-run", *sandbox),
        *("--disable-background-networking", "--disable-component-update"),
        *("--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"),
        stdout=DEVNULL,
        stderr=DEVNULL,
        start_new_session=True,
    )
    try:
        told = profile / "DevToolsActivePort"
        await until(lambda: told.exists() and "\n" in told.read_text())
        port = told.read_text().splitlines()[0]
        async with ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as reply:
                pages = [p for p in await reply.json() if p["type"] == "page"]
            url = pages[0]["webSocketDebuggerUrl"]
            async with session.ws_connect(url, max_msg_size=0) as devtools:
                tab = Tab(devtools)
                listening = asyncio.create_task(tab.listen())
                for domain in ("Page", "Network", "Runtime", "Log"):
                    await tab.call(f"{domain}.enable")
                yield tab
                listening.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
