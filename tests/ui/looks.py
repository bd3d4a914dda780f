"""Looks: screens as text that is kept in a file, compared, and drawn.

A look is the rows of a screen, then as many rows of letters, one for each cell, and
last what the letters stand for. A blank in the second half is the commonest style.

    python -m tests.ui.looks FOLDER draws all that are kept, to be looked at.
"""

import difflib
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from string import ascii_letters, digits
from typing import Any

import pytest
from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from textual.app import App
from textual.pilot import Pilot

from tests.helpers import until

FOLDER = Path(__file__).parent / "looks"
_PATIENCE_S = 8.0  # a pass takes no longer than the drawing
_NAMES = ascii_letters + digits
_RULE = "=" * 10
_ATTRIBUTES = ("bold", "dim", "italic", "underline", "strike")


async def assert_looks(pilot: Pilot[Any], name: str) -> None:
    """Fail unless the screen comes to look as it is kept in the file of that name.

    A look that is not kept yet is written, to be looked at; the test fails once.
    """
    file = FOLDER / f"{name}.txt"
    app = pilot.app
    if not file.exists():
        await settled(pilot)
        FOLDER.mkdir(exist_ok=True)
        file.write_text(look_of(app), encoding="utf-8")
        pytest.fail(f"{file.name} is new: draw it, look at it, and keep it.")
    kept = file.read_text(encoding="utf-8")
    try:
        await until(
            lambda: look_of(app) == kept, patience_s=_PATIENCE_S, pause=pilot.pause
        )
    except AssertionError:
        changes = difflib.unified_diff(
            kept.splitlines(),
            look_of(app).splitlines(),
            "kept",
            "now",
            n=1,
            lineterm="",
        )
        told = "\n".join(["It looks different. If that is right, delete", str(file),
                          "and run the test twice.", *changes])  # fmt: skip
        pytest.fail(told, pytrace=False)


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until the screen stays the same."""
    before, same = "", 0
    while same < 20:
        await pilot.pause(0.03)
        now = look_of(pilot.app)
        same = same + 1 if now == before else 0
        before = now


def look_of(app: App[Any]) -> str:
    """Return how the screen looks."""
    width, height = app.size
    texts: list[str] = []
    styles: list[list[str]] = []
    strips = app.screen._compositor.render_strips()
    for strip in strips[:height]:
        texts.append(strip.crop(0, width).text.rstrip())
        row: list[str] = []
        for text, style, _control in strip.crop(0, width):
            for char in text:
                row += [described(style or Style(), char)] * cell_len(char)
        styles.append(row)
    counts = Counter(style for row in styles for style in row)
    common = counts.most_common(1)[0][0]
    names = {common: " "}
    for style in (style for row in styles for style in row):
        names.setdefault(style, _NAMES[len(names) - 1])
    letters = ["".join(names[style] for style in row).rstrip() for row in styles]
    meanings = [f"{name} {style}" for style, name in names.items()]
    size = f"{width}x{height}"
    parts = [size, _RULE, *texts, _RULE, *letters, _RULE, *meanings]
    return "\n".join(parts) + "\n"


def described(style: Style, char: str) -> str:
    """Return what can be seen of a style, "bold #ffffff on #000000"."""
    ink, paper = _colour(style.color), _colour(style.bgcolor)
    if style.reverse:
        ink, paper = paper, ink
    words = [name for name in _ATTRIBUTES if getattr(style, name)]
    if char == " ":  # it has no ink of its own, and is not bold
        words = [name for name in words if name in ("underline", "strike")]
        ink = ink if words else ""
    return " ".join([*words, ink, "on", paper]).strip()


def _colour(color: Color | None) -> str:
    if color is None or color.is_default:
        return "default"
    return color.get_truecolor().hex


def _draw(file: Path, folder: Path) -> None:
    """Draw a kept look as a picture."""
    import pyte

    from tests.e2e.picture import draw

    lines = iter(file.read_text(encoding="utf-8").splitlines())
    columns, rows = map(int, next(lines).split("x"))
    next(lines)
    texts = list(takewhile(lambda line: line != _RULE, lines))
    letters = list(takewhile(lambda line: line != _RULE, lines))
    styles = {line[0]: Style.parse(line[2:]) for line in lines}
    screen = pyte.Screen(columns, rows)
    stream = pyte.Stream(screen)
    for number, (text, row) in enumerate(zip(texts, letters, strict=True), 1):
        stream.feed(f"\x1b[{number};1H" + _painted(text, row.ljust(columns), styles))
    screen.cursor.hidden = True
    draw(screen, folder / f"{file.stem}.png")


def _painted(text: str, row: str, styles: Mapping[str, Style]) -> str:
    painted, column = "", 0
    for char in text.ljust(len(row) - cell_len(text) + len(text)):
        painted += styles[row[column]].render(char)
        column += cell_len(char)
    return painted


if __name__ == "__main__":
    for look in sorted(FOLDER.glob("*.txt")):
        _draw(look, Path(sys.argv[1]))
