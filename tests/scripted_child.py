"""A child for tests of `child.py`: `python -m tests.scripted_child`, told by SCRIPT."""

import os
import signal
import subprocess
import sys
import time

from qwen_tui import wire


def say(message: wire.Message) -> None:
    os.write(1, wire.encode(message))


def hello(**versions: str) -> wire.Hello:
    return wire.Hello(wire.PROTOCOL, versions=versions)


def echo() -> None:
    """Send every message back; end with the input."""
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


def environment() -> None:
    say(hello(**os.environ))
    echo()


def stray() -> None:
    os.write(1, b"Loading: 50%\xff\xfe\n\n[1, 2]\n")
    say(hello())
    os.write(1, b'{"type": "Hello", "pro')


def shout() -> None:
    """Fill what would be a pipe many times over, then go on."""
    sys.stderr.write("a warning of some library\n" * 100_000)
    sys.stderr.flush()
    say(hello())


def deaf() -> None:
    """Hear neither the end of the input nor SIGTERM; have a child that is deaf too."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    say(hello(child=str(sleeper.pid)))
    time.sleep(600)


def polite() -> None:
    """Do not hear the end of the input, but SIGTERM."""
    say(hello())
    time.sleep(600)


def leave() -> None:
    say(hello())
    sys.exit(3)


def crash() -> None:
    say(hello())
    os.kill(os.getpid(), signal.SIGSEGV)


SCRIPTS = (echo, environment, stray, shout, deaf, polite, leave, crash)

if __name__ == "__main__":
    next(s for s in SCRIPTS if s.__name__ == os.environ["SCRIPT"])()
