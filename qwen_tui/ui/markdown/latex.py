r"""LaTeX as a person would type it: x², √(a+b), (x+1)/2, α ≤ β.

What is not known stays as it was written: `\foo{x}` is shown as `\foo{x}`.
"""

import re
from collections.abc import Mapping

from qwen_tui.ui.markdown.latex_symbols import (
    ACCENTS,
    BLACKBOARD,
    FRACTIONS,
    FRAMES,
    NAMES,
    PLAIN,
    SPACED,
    SUBSCRIPTS,
    SUPERSCRIPTS,
    SYMBOLS,
    TEXT,
)

_TOKEN = re.compile(r"\\\\(?:\[[^\]]*\])?|\\[A-Za-z]+\*?|\\.|\s+|.", re.DOTALL)
_ABOVE = re.compile(r"[\w.]+[′⁰-⁹₀-₉]*|√?\([^()]*\)|√\w")
_BELOW = re.compile(r"(?:[\d.]+|[^\W\d_]+)[′⁰-⁹₀-₉]*|√?\([^()]*\)|√\w")
_ROW_END = re.compile(r"\\\\(?:\[[^\]]*\])?")
_SPACES = re.compile(r" {2,}")
_BRACKETS = {
    "pmatrix": "()",
    "bmatrix": "[]",
    "Bmatrix": "{}",
    "vmatrix": "||",
    "Vmatrix": "‖‖",
    "cases": "{}",
}
_FRACTIONS = ("frac", "dfrac", "tfrac", "cfrac")
_BINOMIALS = ("binom", "dbinom", "tbinom")
_MAX_DEPTH = 20


def readable(source: str) -> str:
    """Return the math `source` (without its delimiters) in one or more lines."""
    lines = _Reader(source).read().split("\n")
    tidy = (_SPACES.sub(" ", line).strip() for line in lines)
    return "\n".join(line for line in tidy if line) or source.strip()


class _Reader:
    """Walks over the tokens of one formula."""

    def __init__(self, source: str, depth: int = 0) -> None:
        self._tokens = _TOKEN.findall(source)
        self._at = 0
        self._depth = depth

    def read(self) -> str:
        """Return everything up to the end."""
        parts: list[str] = []
        while self._at < len(self._tokens):
            self._put(parts, self._next())
        return "".join(parts)

    def _put(self, parts: list[str], part: str) -> None:
        if part in ("^", "_"):
            base = parts.pop() if parts else ""
            parts.append(base + self._script(part))
        elif part == "{":
            self._at -= 1
            parts.append(self._argument())
        elif part in ("&", "~") or part.isspace():
            parts.append(" ")
        elif part == "'":
            parts.append("′")
        elif part.startswith("\\"):
            parts.append(self._command(part))
        else:
            parts.append(part)

    def _next(self) -> str:
        part = self._tokens[self._at]
        self._at += 1
        return part

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _raw_argument(self) -> str | None:
        """Return the source of the next {group} or part; None where nothing is."""
        while self._peek().isspace():
            self._at += 1
        if self._peek() != "{":
            return self._next() if self._peek() else None
        start, level = self._at + 1, 0
        while self._at < len(self._tokens):
            part = self._next()
            level += (part == "{") - (part == "}")
            if level == 0:
                return "".join(self._tokens[start : self._at - 1])
        return "".join(self._tokens[start:])  # never closed

    def _argument(self) -> str:
        raw = self._raw_argument()
        return "" if raw is None else self._inner(raw)

    def _inner(self, source: str) -> str:
        if self._depth >= _MAX_DEPTH:
            return source
        return _Reader(source, self._depth + 1).read()

    def _script(self, part: str) -> str:
        raw = self._raw_argument()
        if raw is None:
            return part
        if raw.strip() in (r"\circ", r"\degree") and part == "^":
            return "°"
        if raw.startswith("\\") and raw[1:] not in SYMBOLS and "{" not in raw:
            raw += "".join(f"{{{self._raw_argument() or ''}}}" for _ in raw[1:2])
        text = self._inner(raw).strip()
        table = SUPERSCRIPTS if part == "^" else SUBSCRIPTS
        raised = _translate(text, table)
        if raised is not None:
            return raised
        return f"{part}{text}" if len(text) == 1 else f"{part}({text})"

    def _command(self, part: str) -> str:
        name = part[1:].rstrip("*")
        if part.startswith("\\\\"):
            shown = "\n"
        elif name in _FRACTIONS:
            above, below = self._argument(), self._argument()
            shown = _fraction(above, below) if above or below else part
        elif name in _BINOMIALS:
            shown = f"C({self._argument()}, {self._argument()})"
        elif name == "sqrt":
            shown = self._root()
        elif name == "begin":
            shown = self._environment()
        elif name in PLAIN:
            shown = self._plain(name)
        elif name in SYMBOLS:
            shown = self._symbol(name)
        else:
            shown = part + self._groups()
        return shown

    def _groups(self) -> str:
        """Return the groups that follow an unknown command as they were written."""
        kept = ""
        while self._peek() == "{":
            kept += "{" + (self._raw_argument() or "") + "}"
        return kept

    def _symbol(self, name: str) -> str:
        sign = SYMBOLS[name]
        if name in ("left", "right") and self._peek() == ".":
            self._at += 1
        if name in SPACED:
            return f" {sign} "
        if name in NAMES and self._peek().isalnum():
            return f"{sign} "
        return sign

    def _root(self) -> str:
        degree = ""
        if self._peek() == "[":
            self._at += 1
            while self._peek() not in ("]", ""):
                degree += self._next()
            self._at += 1
        inner = self._argument().strip()
        shown = inner if _BELOW.fullmatch(inner) else f"({inner})"
        raised = _translate(degree, SUPERSCRIPTS)
        return f"{degree if raised is None else raised}√{shown}"

    def _plain(self, name: str) -> str:
        raw = self._raw_argument() or ""
        if name in TEXT:
            return raw
        inner = self._inner(raw)
        if name == "mathbb":
            return "".join(BLACKBOARD.get(char, char) for char in inner)
        if name in ACCENTS and len(inner.strip()) == 1:
            return inner.strip() + ACCENTS[name]
        return FRAMES.get(name, "{}").format(inner)

    def _environment(self) -> str:
        name = (self._raw_argument() or "").rstrip("*")
        if name == "array":
            self._raw_argument()  # how its columns are aligned
        body: list[str] = []
        while self._at < len(self._tokens):
            part = self._next()
            if part == r"\end":
                self._raw_argument()
                break
            body.append(part)
            if part == r"\begin":  # one inside: its own rows stay its own
                body.append("{" + (self._raw_argument() or "") + "}")
        rows = [row for row in _ROW_END.split("".join(body)) if row.strip()]
        shown = [self._inner(row.replace("&", r"\quad ")).strip() for row in rows]
        left, right = _BRACKETS.get(name, "  ")
        if left == " ":
            return "\n".join(row.replace("  ", " ") for row in shown)
        if len(shown) == 1:
            return f"{left}{shown[0]}{right}".strip()
        return left + "; ".join(_SPACES.sub(" ", row) for row in shown) + right


def _translate(text: str, table: Mapping[str, str]) -> str | None:
    """Return `text` raised or lowered, None where a character has no such form."""
    text = text.replace(" ", "").replace("−", "-")
    raised = [table.get(char) for char in text]
    if not all(raised):
        return None
    return "".join(char for char in raised if char)


def _fraction(above: str, below: str) -> str:
    above, below = above.strip(), below.strip()
    short = f"{above}/{below}"
    if short in FRACTIONS:
        return FRACTIONS[short]
    above = above if _ABOVE.fullmatch(above) else f"({above})"
    return f"{above}/{below if _BELOW.fullmatch(below) else f'({below})'}"
