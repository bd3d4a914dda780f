"""The pictures of the readmes, of the real program: python -m tests.screenshots.

Each goes from the program through a pseudo-terminal and an emulator into a PNG file, so
that it shows what a terminal receives. Needs Debian's fonts-noto-cjk.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.programs import leave, program
from tests.e2e.terminal import Terminal

FOLDER = Path(__file__).parent / "data" / "screenshots"
_SIZE = (110, 30)
_QUIET_S = 0.6
_F6, _F10 = "\x1b[17~", "\x1b[21~"


@dataclass(frozen=True, slots=True)
class Language:
    """One readme's pictures: what is said, and in which colours."""

    code: str
    theme: str
    ready: str
    done: str
    """In the line below every finished answer."""
    prompts: tuple[str, ...]


_LANGUAGES = (
    Language(
        "en",
        "qwen-dark",
        "Ready",
        "first token after",
        (
            "What is the capital of France?",
            "Write Python code for a function that sums a list.",
        ),
    ),
    Language(
        "zh",
        "qwen-light",
        "就绪",
        "首个 token",
        ("法国的首都是哪里？", "请用 Python 写一个判断偶数的函数。"),
    ),
)


def talk(terminal: Terminal, language: Language) -> None:
    """Show a conversation, its last thinking open."""
    for n, prompt in enumerate(language.prompts, 1):
        terminal.send(f"{prompt}\r")
        terminal.wait_until(lambda n=n: terminal.text().count(language.done) >= n)
        terminal.wait_quiet(_QUIET_S)
    terminal.send("\x1bOR")  # F3


def options(terminal: Terminal, language: Language) -> None:
    """Show what a conversation with a persona is asked with."""
    terminal.send("/persona translator\r")
    terminal.wait_for("translator")
    terminal.send(_F6)
    terminal.wait_for("top_p")


def settings(terminal: Terminal, language: Language) -> None:
    """Show the settings."""
    terminal.send(_F10)
    terminal.wait_for("kv_cache_mib")


_SCREENS: dict[str, Callable[[Terminal, Language], None]] = {
    "chat": talk,
    "options": options,
    "settings": settings,
}


def take(name: str, language: Language, file: Path) -> None:
    """Bring the program to one screen and draw it."""
    columns, rows = _SIZE
    with tempfile.TemporaryDirectory() as home:
        started = program(
            Path(home),
            *("--model", "demo"),
            columns=columns,
            rows=rows,
            QWEN_TUI_LANG=language.code,
            QWEN_TUI_UI_THEME=language.theme,
        )
        with started as terminal:
            terminal.wait_for(language.ready)
            _SCREENS[name](terminal, language)
            terminal.wait_quiet(_QUIET_S)
            terminal.picture(file)
            if name != "chat":
                terminal.send("\x1b")
                terminal.wait_quiet(_QUIET_S)
            leave(terminal)


def main() -> None:
    """Take every picture anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for language in _LANGUAGES:
        for name in _SCREENS:
            file = FOLDER / f"{name}-{language.code}.png"
            take(name, language, file)
            print(f"{file.name}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
