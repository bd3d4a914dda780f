"""An engine without a model: what it does stands in the paths and prompts it gets.

`python -m tests.backends.scripted_engine`; SCRIPTED_HELLO is "never" or a protocol
number.
"""

import os
import sys
import threading
import time
from collections.abc import Callable

from qwen_tui import wire
from qwen_tui.chat.backend import TurnRequest
from qwen_tui.chat.events import (
    AnswerDelta,
    Failed,
    Finished,
    Loaded,
    LoadProgress,
    PrefillProgress,
    StreamEvent,
    ThinkingDelta,
    Usage,
)
from qwen_tui.chat.ledger import MessageTokens, PromptTokens
from qwen_tui.wire_engine import LoadOptions


class Flags:
    """What the reader thread heard."""

    def __init__(self) -> None:
        self.work: list[wire.Message] = []
        self.cancelled: set[int] = set()
        self.answer_now: set[int] = set()
        self.changed = threading.Condition()

    def read(self) -> None:
        for line in sys.stdin.buffer:
            message = wire.decode(line)
            with self.changed:
                match message:
                    case wire.Cancel(n):
                        self.cancelled.add(n)
                    case wire.AnswerNow(n):
                        self.answer_now.add(n)
                    case _:
                        self.work.append(message)
                self.changed.notify_all()
        os._exit(0)

    def wait(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            self.changed.wait_for(condition)

    def wait_cancelled(self, n: int) -> None:
        self.wait(lambda: n in self.cancelled)


class Engine:
    def __init__(self) -> None:
        self.output = os.dup(1)
        os.dup2(2, 1)
        self.flags = Flags()
        self.loads = self.warmed = 0
        self.options = LoadOptions()

    def say(self, n: int, *events: StreamEvent) -> None:
        for event in events:
            os.write(self.output, wire.encode(wire.Event(n, event)))

    def run(self) -> None:
        hello = os.environ.get("SCRIPTED_HELLO", str(wire.PROTOCOL))
        if hello == "never":
            time.sleep(600)
        os.write(self.output, wire.encode(wire.Hello(int(hello))))
        threading.Thread(target=self.flags.read, daemon=True).start()
        while True:
            self.flags.wait(lambda: bool(self.flags.work))
            match self.flags.work.pop(0):
                case wire.Load(n, source, options):
                    self.options = options
                    self.load(n, source.path)
                case wire.Generate(n, request):
                    self.generate(n, request)
                case wire.Warm(n):
                    self.warmed += 1
                    self.say(n, AnswerDelta("of no turn"), Finished("stop", Usage()))
                case wire.Measure(n, request):
                    self.measure(n, request)
                case message:
                    raise AssertionError(message)

    def measure(self, n: int, request: TurnRequest) -> None:
        verb, _, rest = request.messages[-1].content.partition(" ")
        match verb:
            case "dies":
                os.kill(os.getpid(), int(rest))
            case "silent":
                return
            case "refused":
                self.say(n, Failed("template", "No."))
            case _:
                counts = tuple(MessageTokens(len(m.content)) for m in request.messages)
                message = wire.Measured(n, PromptTokens(counts, 2, 3))
                os.write(self.output, wire.encode(message))

    def load(self, n: int, path: str) -> None:
        self.loads += 1
        self.say(n, LoadProgress("weights", 0.5))
        match path:
            case "/hangs":
                self.flags.wait_cancelled(n)
                self.say(n, Failed("cancelled", "stopped"))
            case "/deaf":
                time.sleep(600)
            case "/dies":
                os.kill(os.getpid(), 9)
            case "/missing":
                self.say(n, Failed("model_not_found", "No model.", "Look again."))
            case _:
                self.say(n, Loaded("scripted", "cpu", "float32", 100, self.loads))

    def generate(self, n: int, request: TurnRequest) -> None:
        verb, _, rest = request.messages[-1].content.partition(" ")
        usage = Usage(prompt_tokens=3, answer_tokens=1)
        self.say(n, PrefillProgress(3, 3, 0))
        match verb:
            case "hangs" | "late":
                self.say(n, AnswerDelta("partial"))
                self.flags.wait_cancelled(n)
                self.say(n, Finished("cancelled", usage))
                if verb == "late":
                    self.say(n, AnswerDelta("late"))
                    self.flags.wait(lambda: bool(self.flags.work))
                    self.say(n, AnswerDelta("too late"), Finished("stop", usage))
            case "deaf":
                self.say(n, AnswerDelta("partial"))
                time.sleep(600)
            case "dies":
                self.say(n, AnswerDelta("partial"))
                os.kill(os.getpid(), int(rest))
            case "closes":  # its output, and lives on
                self.say(n, AnswerDelta("partial"))
                os.close(self.output)
                time.sleep(600)
            case "thinks":
                self.say(n, ThinkingDelta("hm"))
                self.flags.wait(lambda: n in self.flags.answer_now)
                self.say(n, AnswerDelta("now"), Finished("stop", usage))
            case "spent":
                os.write(self.output, wire.encode(wire.Leaving()))
                self.say(n, AnswerDelta("partial"), Failed("out_of_memory", "No."))
                os._exit(0)
            case "fails":
                self.say(n, Failed("out_of_memory", "No memory.", "Go smaller."))
            case _:
                self.say(n, AnswerDelta(self.reply(verb, rest)))
                self.say(n, Finished("stop", usage))

    def reply(self, verb: str, rest: str) -> str:
        if verb == "noise":
            os.write(1, b"a stray line\n")
            os.write(self.output, b"Loading 50%\n")
        told = {
            "noise": "quiet",
            "loaded": str(getattr(self.options, rest, "")),
            "env": os.environ.get(rest, "unset"),
            "warmed": str(self.warmed),
            "pid": str(os.getpid()),
        }
        return told.get(verb, rest)


if __name__ == "__main__":
    Engine().run()
