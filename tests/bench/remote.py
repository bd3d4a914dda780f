"""What our client costs between a server and the screen.

    python -m tests.bench.remote [URL MODEL]

A server that runs, or else a `transformers serve` with the demo model in a process of
its own, answers our backend and a bare loop over the same stream in turn.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qwen_tui.backends.remote import RemoteBackend
from qwen_tui.backends.remote_server import Server
from qwen_tui.chat.backend import PromptMessage, TurnRequest
from qwen_tui.chat.events import AnswerDelta, ThinkingDelta
from qwen_tui.chat.sampling import Sampling
from qwen_tui.paths import demo_model
from tests.backends.transformers_serve import transformers_serve
from tests.bench.measure import Row, show, show_machine

if TYPE_CHECKING:
    import httpx2

PROMPT = "Count to 100."
TOKENS = 200
ROUNDS = 21
REQUEST = TurnRequest(
    (PromptMessage("user", PROMPT),),
    Sampling(temperature=0.0),
    max_new_tokens=TOKENS,
    loop_guard=False,
)


class Taken:
    """What each answer took, in seconds: to the first token, a token, of the CPU."""

    def __init__(self) -> None:
        self.first: list[float] = []
        self.rates: list[float] = []
        self.cpu: list[float] = []
        self._began = self._cpu_began = 0.0

    def begin(self) -> None:
        self._began, self._cpu_began = time.perf_counter(), time.process_time()

    def add(self, times: list[float]) -> None:
        n_tokens = len(times)  # a delta is about a token
        self.cpu.append((time.process_time() - self._cpu_began) / n_tokens)
        self.first.append(times[0] - self._began)
        self.rates.append((n_tokens - 1) / (times[-1] - times[0]))


async def through_us(backend: RemoteBackend, taken: Taken) -> None:
    taken.begin()
    times = [
        time.perf_counter()
        async for event in backend.stream(REQUEST)
        if isinstance(event, ThinkingDelta | AnswerDelta)
    ]
    taken.add(times)


async def bare(
    client: "httpx2.AsyncClient", url: str, model: str, taken: Taken
) -> None:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": PROMPT}],
        "stream": True,
        "temperature": 0.0,
        "max_tokens": TOKENS,
    }
    times: list[float] = []
    taken.begin()
    address = f"{url}/v1/chat/completions"
    async with client.stream("POST", address, json=body, timeout=None) as response:
        async for line in response.aiter_lines():
            if not line.startswith("data: {"):
                continue
            choices = json.loads(line[6:])["choices"]
            delta = choices[0]["delta"] if choices else {}
            thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
            if delta.get("content") or thought.strip("\n"):
                times.append(time.perf_counter())
    taken.add(times)


async def worst_lag(doing: Callable[[], Awaitable[object]]) -> float:
    """Return how long the event loop was held up at most, in seconds."""
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - began - 0.001)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.05)
    worst = 0.0
    await doing()
    watching.cancel()
    return worst


async def measure(url: str, model: str) -> None:
    backend = RemoteBackend(Server(url, model=model), environ={})

    async def connect() -> None:
        async for _event in backend.load():
            pass

    lag = await worst_lag(connect)
    import httpx2  # not before: its import is part of connecting

    ours, theirs = Taken(), Taken()
    async with httpx2.AsyncClient(trust_env=False) as client:
        for n_round in range(ROUNDS + 1):
            await through_us(backend, ours)
            await bare(client, url, model, theirs)
            if not n_round:  # the server loads its model
                ours, theirs = Taken(), Taken()
    await backend.close()
    pairs = zip(ours.rates, theirs.rates, strict=True)
    ratio = statistics.median(a / b for a, b in pairs)
    firsts = zip(ours.first, theirs.first, strict=True)
    added = statistics.median(a - b for a, b in firsts)
    rates = f"{statistics.median(ours.rates):.1f} against "
    rates += f"{statistics.median(theirs.rates):.1f} tokens/s"
    show(Row("tokens/s against a bare client loop", ratio, "x", 0.97, detail=rates))
    cpu = statistics.median(ours.cpu) - statistics.median(theirs.cpu)
    show(
        Row(
            "CPU that it adds to a token",
            1000 * cpu,
            "ms",
            0.3,  # 3 % of a token's time at 100 tokens/s
            at_least=False,
            detail=f"{1000 * statistics.median(ours.cpu):.2f} ms in all",
        )
    )
    first = f"{1000 * statistics.median(ours.first):.1f} ms in all"
    show(
        Row(
            "time that it adds to the first token",
            1000 * added,
            "ms",
            10,
            at_least=False,
            detail=first,
        )
    )
    show(
        Row(
            "event-loop lag while it connects, worst",
            1000 * lag,
            "ms",
            50,
            at_least=False,
        )
    )


def main() -> None:
    show_machine()
    print(f"# load {os.getloadavg()[0]:.1f}", flush=True)
    if sys.argv[1:]:
        asyncio.run(measure(*sys.argv[1:]))
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        transformers_serve(Path(folder)) as url,
    ):
        asyncio.run(measure(url, str(demo_model())))


if __name__ == "__main__":
    main()
