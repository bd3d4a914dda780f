"""One rule for all outside text before it reaches a terminal, title or clipboard.

Stored text stays raw; every sink calls `sanitize` (DESIGN: nothing the model
writes can move the cursor, set the clipboard or fake UI).
"""

import re

_REPLACED = "\N{REPLACEMENT CHARACTER}"
_LINE_ENDS = re.compile(r"\r\n?")
_HOSTILE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f"  # C0 without TAB and LF, and DEL
    "\x80-\x9f"  # C1: some terminals read 0x9b as ESC [
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls
    "\u2028\u2029"  # line and paragraph separators break rows
    "\u200b\u200c\u2060-\u2064\ufeff\u00ad\u180e"  # zero width; U+200D (ZWJ) stays
    "\ufff9-\ufffb"  # interlinear annotation
    "\ud800-\udfff"  # lone surrogates
    "\U000e0000-\U000e007f"  # tag characters hide text
    "]"
)
_ZERO_WIDTH = frozenset(
    "\u200b\u200c\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u180e\ufff9\ufffa\ufffb"
)
_DEL = "\x7f"
_FIRST_TAG = "\U000e0000"


def _replace(match: re.Match[str]) -> str:
    char = match.group()
    if char < " ":
        return chr(0x2400 + ord(char))  # control pictures
    if char == _DEL:
        return "\u2421"
    if char in _ZERO_WIDTH or char >= _FIRST_TAG:
        return ""
    return _REPLACED


def sanitize(text: str) -> str:
    """Return `text` with nothing in it that a terminal would act on.

    Tabs and line feeds stay, CR and CRLF become LF, C0 controls become their
    pictures, C1, bidi controls and lone surrogates become U+FFFD, zero-width and
    tag characters vanish except ZWJ and variation selectors.
    """
    if text.isascii() and text.isprintable():
        return text
    return _HOSTILE.sub(_replace, _LINE_ENDS.sub("\n", text))


def sanitize_line(text: str) -> str:
    """Return `text` for a place of one row: as `sanitize`, line ends as spaces."""
    return " ".join(sanitize(text).replace("\t", " ").split("\n"))
