"""Pictures of a pyte screen, cell by cell, as the terminal would show it."""

from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont
from pyte.screens import Char

_FONTS = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
_FAMILY = "Noto Sans Mono CJK SC"
_SIZE = 16
_CELL = (8, 20)
_FOREGROUND = "#d8d8d8"
_BACKGROUND = "#101010"
_NAMED = {
    "black": "#000000",
    "red": "#cd3131",
    "green": "#0dbc79",
    "brown": "#e5e510",
    "blue": "#2472c8",
    "magenta": "#bc3fbc",
    "cyan": "#11a8cd",
    "white": "#e5e5e5",
}


def draw(screen: pyte.Screen, path: Path) -> None:
    """Write the screen as a PNG file; needs Debian's fonts-noto-cjk."""
    font = _font()
    width, height = _CELL
    image = Image.new("RGB", (screen.columns * width, screen.lines * height))
    pen = ImageDraw.Draw(image)
    for row in range(screen.lines):
        for column in range(screen.columns):
            char = screen.buffer[row][column]
            ink, paper = _colours(char)
            x, y = column * width, row * height
            if char.data:  # empty: the right half of a wide character
                pen.rectangle((x, y, x + 2 * width, y + height), fill=paper)
                pen.text((x, y - 2), char.data, font=font, fill=ink)
    x, y = screen.cursor.x * width, screen.cursor.y * height
    if not screen.cursor.hidden:
        pen.rectangle((x, y, x + width - 1, y + height - 1), outline="#ffffff")
    image.save(path)


def _font() -> ImageFont.FreeTypeFont:
    for index in range(20):
        font = ImageFont.truetype(str(_FONTS), _SIZE, index=index)
        if font.getname()[0] == _FAMILY:
            return font
    raise LookupError(_FAMILY)


def _colours(char: Char) -> tuple[str, str]:
    ink = _colour(char.fg, _FOREGROUND)
    paper = _colour(char.bg, _BACKGROUND)
    return (paper, ink) if char.reverse else (ink, paper)


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return _NAMED.get(name.removeprefix("bright"), f"#{name}")
