"""The screen in a browser of this machine, or of one that forwards a port to it.

textual-serve brings the terminal that the page draws; who may use it is told by
`Gate`, and what runs in it is a `WebTerminal`. It leans on textual-serve 1.1.3, whose
`Server` is made for being started alone.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Generator, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

import aiohttp_jinja2
from aiohttp import WSMsgType, hdrs, web
from textual_serve.server import Server

from qwen_tui.errors import WebError
from qwen_tui.i18n import _, language
from qwen_tui.ui.web_gate import Gate, restrict
from qwen_tui.ui.web_terminal import WebTerminal

HOST = "127.0.0.1"
"""No other: nothing here is encrypted, that is for SSH to do."""
_PAGE = Path(__file__).parent / "web_page"
_HEARTBEAT_S = 30.0
"""A page that is silent for one and a half times as long is gone."""
_SHUTDOWN_S = 15.0
LOG_NAME = "web.log"
_LOG_BYTES = 1024 * 1024
_CLOSE_S = 3.0
_FIRST_SIZE = (80, 24)
"""Until the page tells its own, which it does as soon as it is connected."""
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Tell = Callable[[str, int], None]
"""Takes the address and the port once the page is there."""


def serve(arguments: Sequence[str], port: int, tell: Tell, *, log_dir: Path) -> None:
    """Serve the page until a signal ends it, then close every program.

    Args:
        arguments: Of qwen-tui, which each page starts anew.
        port: 0 takes any that is free.
        tell: Called once.
        log_dir: Where to tell of requests that could not be understood, and of bugs.

    Raises:
        WebError: the port is taken or not allowed.
    """
    with _logged_to(log_dir / LOG_NAME):
        asyncio.run(_serve(arguments, port, tell))


@contextlib.contextmanager
def _logged_to(file: Path) -> Generator[None]:
    """Keep off the terminal what others can make aiohttp say, and keep it short."""
    log = RotatingFileHandler(
        file, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8", errors="replace"
    )
    log.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    loggers = [logging.getLogger(name) for name in ("aiohttp", "asyncio")]
    for logger in loggers:
        logger.addHandler(log)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(log)
        log.close()


async def _serve(arguments: Sequence[str], port: int, tell: Tell) -> None:
    ended = asyncio.Event()
    for number in _ENDING_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    gate = Gate()
    app = web.Application(middlewares=[gate.middleware()])
    app.on_response_prepare.append(restrict)
    app.add_subapp(gate.prefix, await PageServer(arguments).make_app())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        bound = await _listen(runner, port)
        tell(f"http://{HOST}:{bound}{gate.prefix}/", bound)
        await ended.wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, port: int) -> int:
    """Begin to listen and return the port."""
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        raise WebError(
            _("Port {port} of this machine cannot be used: {reason}.").format(
                port=port, reason=os.strerror(error.errno or 0)
            ),
            hint=_("Name another one with --port, or 0 for any that is free."),
            code="web_port",
        ) from error
    return runner.addresses[0][1]


class PageServer(Server):
    """textual-serve's page and files, with a terminal of ours behind them."""

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__("qwen-tui", host=HOST, templates_path=_PAGE)
        self._arguments = arguments
        self._sockets: set[web.WebSocketResponse] = set()

    async def make_app(self) -> web.Application:
        """Return the page, its files and its websocket."""
        app = await self._make_app()
        app.router.add_static("/page", _PAGE)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Print nothing: whoever started the server tells the address."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Close every page, which ends its program."""
        await asyncio.gather(*(socket.close() for socket in self._sockets))

    async def handle_index(self, request: web.Request) -> web.Response:
        """Return the page; everything on it lies under the address it was asked by."""
        told = {
            "language": language(),
            "socket": f"ws://{request.headers[hdrs.HOST]}{request.path}ws",
            "ended": _("The program has ended, and everything is saved."),
            "again": _("Start it again"),
        }
        return aiohttp_jinja2.render_template("page.html", request, told)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run one program for as long as its page is open."""
        socket = web.WebSocketResponse(timeout=_CLOSE_S, heartbeat=_HEARTBEAT_S)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            with contextlib.suppress(ConnectionError):  # the page is gone
                await self._run_program(socket)
        finally:
            self._sockets.discard(socket)
        return socket

    async def _run_program(self, socket: web.WebSocketResponse) -> None:
        try:
            terminal = await WebTerminal.start(
                self._arguments, environ=os.environ, size=_FIRST_SIZE
            )
        except OSError as error:
            text = _("The program cannot be started: {reason}.")
            reason = os.strerror(error.errno or 0)
            await socket.send_bytes(text.format(reason=reason).encode())
            return
        drawing = asyncio.create_task(_draw(terminal, socket))
        try:
            await _obey(terminal, socket)
        finally:
            drawing.cancel()
            await asyncio.wait((drawing,))
            await terminal.close()


async def _draw(terminal: WebTerminal, socket: web.WebSocketResponse) -> None:
    """Send what the program draws; a page that does not take it slows it down."""
    with contextlib.suppress(ConnectionError):  # the page is gone
        while data := await terminal.read():
            await socket.send_bytes(data)
        await socket.close()


async def _obey(terminal: WebTerminal, socket: web.WebSocketResponse) -> None:
    """Hand on keys and sizes, in the messages that textual-serve's page sends."""
    async for message in socket:
        if message.type != WSMsgType.TEXT:
            continue
        try:
            told = message.json()
        except ValueError:
            continue
        match told:
            case ["stdin", str(keys)]:
                await terminal.write(keys.encode("utf-8", "replace"))
            case ["resize", {"width": int(columns), "height": int(rows)}]:
                terminal.resize((columns, rows))
            case ["ping", str(mark)]:
                await socket.send_json(["pong", mark])
            case _:
                pass  # focus and blur come as keys, because the program asks for them
