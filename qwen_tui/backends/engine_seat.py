"""Where a backend has its engine process: started, heard, given up, ended."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qwen_tui import wire
from qwen_tui.backends.engine_child import ENDS, Engine, engine_environment
from qwen_tui.child import Child, ChildGone

EXIT_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class EngineOwner:
    """What a seat tells whoever it is for."""

    hear: Callable[[wire.Message], None]
    """A message came from the engine."""
    died: Callable[[Engine], None]
    """The engine ended by itself, and is given up already."""
    gone: Callable[[], None]
    """There is no engine any more, whoever ended it."""


class EngineSeat:
    """One engine process at a time; those before it may still be ending.

    Attributes:
        engine: The one that answers; None until it is started, and once it is lost.
    """

    def __init__(
        self,
        owner: EngineOwner,
        *,
        module: str,
        environ: Mapping[str, str] | None,
        log_file: Path,
    ) -> None:
        """Start nothing yet; see `LocalBackend` for what it takes."""
        self.engine: Engine | None = None
        self._owner = owner
        self._module = module
        self._environ = environ
        self._log_file = log_file
        self._readers: dict[asyncio.Task[None], Child] = {}

    @property
    def pids(self) -> list[int]:
        """The engine processes that are not gone yet."""
        return [child.pid for child in self._readers.values()]

    async def start(self) -> Engine:
        """Start an engine; it is ready once it said hello.

        Raises:
            OSError: the process cannot be started.
        """
        child = await Child.start(
            self._module,
            env=engine_environment(self._environ),
            log_file=self._log_file,
        )
        engine = self.engine = Engine(child)
        self._readers[asyncio.create_task(self._read(engine))] = child
        return engine

    async def send(self, message: wire.Message) -> None:
        """Send to the engine, if there is one; its death is told by the owner."""
        if self.engine is not None:
            with contextlib.suppress(ChildGone):
                await self.engine.child.send(message)

    def lose(self, engine: Engine) -> bool:
        """Kill an engine and have none; False where it was given up before."""
        if self.engine is not engine:
            return False
        engine.child.kill()
        self._give_up(engine)
        return True

    async def close(self) -> None:
        """End every engine, and wait for it."""
        stops = [child.stop() for child in self._readers.values()]
        await asyncio.gather(*stops, *self._readers)

    def kill(self) -> None:
        """End every engine now; safe in a signal handler."""
        for child in tuple(self._readers.values()):
            child.kill()

    async def _read(self, engine: Engine) -> None:
        """Bring what an engine says to the owner, until it ends."""
        task = asyncio.current_task()
        assert task is not None
        try:
            async for message in engine.child.messages():
                if isinstance(message, wire.Hello):
                    engine.protocol = message.protocol
                    engine.ready.set()
                elif isinstance(message, wire.Leaving):
                    engine.is_leaving = True
                elif self.engine is engine:
                    self._owner.hear(message)
                    if engine.is_leaving and _is_last(message):
                        self._give_up(engine)  # no other request may reach it
            try:
                async with asyncio.timeout(EXIT_GRACE_S):
                    await engine.child.wait()
            except TimeoutError:  # it closed its output and lives on
                await engine.child.stop()
        finally:
            if self.lose(engine):
                self._owner.died(engine)
            del self._readers[task]

    def _give_up(self, engine: Engine) -> None:
        """Have no engine any more; the next load starts another one."""
        self.engine = None
        engine.ready.set()
        self._owner.gone()


def _is_last(message: wire.Message) -> bool:
    return isinstance(message, wire.Event) and isinstance(message.event, ENDS)
