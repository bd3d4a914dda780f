"""Textual's own way to stream Markdown, as its documentation shows it."""

import asyncio
import time

from textual.app import App, ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, Markdown, Static

from tests.bench.screen_child import RATE, Report, answer


class StockApp(App[None]):
    """A header, a sidebar, the answer and an input."""

    CSS = "#side { width: 26; } VerticalScroll { width: 1fr; }"

    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report

    def compose(self) -> ComposeResult:
        yield Static("stock")
        with Horizontal():
            yield Static("chats", id="side")
            with VerticalScroll(id="answer"):
                yield Markdown()
        yield Input()

    def on_mount(self) -> None:
        self.run_worker(self._run())
        self.run_worker(self._report.probe())

    async def _run(self) -> None:
        before, tokens = answer(self._report.spec)
        markdown = self.query_one(Markdown)
        self.query_one("#answer", VerticalScroll).anchor()
        if before:
            await markdown.append(before)  # after `update` it tears open blocks

        async def stream() -> None:
            out = Markdown.get_stream(markdown)
            start = time.perf_counter()
            for number, token in enumerate(tokens):
                await asyncio.sleep(start + number / RATE - time.perf_counter())
                await out.write(token)
            await out.stop()

        await self._report.window(stream, lambda: True)
        self.exit()


def run_stock(report: Report) -> None:
    StockApp(report).run()
