"""Code in colours, lexed in portions so that long code costs no more than short.

A portion of `_PORTION` lines settles its first `_SETTLED` ones, which never change
again: what a line looks like depends on at most that many lines after it.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from qwen_tui.ui.markdown.rows import Piece

if TYPE_CHECKING:
    from pygments.lexer import Lexer

_PORTION = 40
_SETTLED = 20
_MAX_LINE = 2000  # longer ones are data: lexing them is dear and shows nothing
_START = ("root",)
_KINDS = {
    "Comment": "code-comment",
    "Comment.Preproc": "code-keyword",
    "Keyword": "code-keyword",
    "Keyword.Type": "code-type",
    "Name.Builtin": "code-builtin",
    "Name.Function": "code-function",
    "Name.Class": "code-type",
    "Name.Namespace": "code-type",
    "Name.Decorator": "code-function",
    "Name.Tag": "code-keyword",
    "Name.Attribute": "code-builtin",
    "Literal.String": "code-string",
    "Literal.Number": "code-number",
    "Operator.Word": "code-keyword",
    "Generic.Inserted": "code-string",
    "Generic.Deleted": "code-deleted",
    "Generic.Heading": "code-keyword",
    "Generic.Prompt": "code-comment",
}

Line = list[Piece]
Stack = tuple[str, ...]


class Lexers:
    """The lexers that are loaded; the first use of a language costs 10 to 200 ms."""

    def __init__(self, *, load_at_once: bool = True) -> None:
        """Begin with none.

        Args:
            load_at_once: Whether asking for a language may take that long.
        """
        self.wanted: set[str] = set()
        """What was asked for and is not loaded; `load` takes it."""
        self._load_at_once = load_at_once
        self._names: dict[str, str] = {}
        self._loaded: dict[str, Lexer | None] = {"": None}

    def is_ready(self, language: str) -> bool:
        """Tell whether code in `language` can be coloured, or never will be."""
        if language in self._loaded:
            return True
        if self._load_at_once:
            self.load(language)
            return True
        self.wanted.add(language)
        return False

    def find(self, language: str) -> "Lexer | None":
        """Return the lexer of a language that is ready, None for plain text."""
        return self._loaded[language]

    def load(self, language: str) -> None:
        """Load a language; may run in a thread."""
        from pygments.lexers import find_lexer_class, get_all_lexers

        if not self._names:  # asking pygments by alias would search all packages
            known = get_all_lexers(plugins=False)
            names = {alias: name for name, aliases, *_ in known for alias in aliases}
            self._names = names
        name = self._names.get(language)
        found = find_lexer_class(name) if name else None
        lexer = found() if found else None
        if lexer is not None:
            list(lexer.get_tokens_unprocessed("\n"))
        self._loaded[language] = lexer
        self.wanted.discard(language)


class Highlighter:
    """Colours the code of one block while it grows."""

    def __init__(self, lexers: Lexers, language: str) -> None:
        self._lexers = lexers
        self._language = language
        self._stack: Stack = _START

    def settle(self, lines: Sequence[str]) -> list[Line]:
        """Return the first of `lines`, which are complete, as they will always look.

        They are to be left out from the next call on.
        """
        settled: list[Line] = []
        while len(lines) - len(settled) >= _PORTION and self._is_ready:
            portion = tuple(lines[len(settled) : len(settled) + _PORTION])
            lexed = _settle(self._lexers.find(self._language), portion, self._stack)
            settled += lexed.lines
            self._stack = lexed.stack
        return settled

    def show(self, lines: Sequence[str]) -> list[Line]:
        """Return lines that are not settled as they look now."""
        if not self._is_ready:
            return _plain(lines)
        return _lex(self._lexers.find(self._language), tuple(lines), self._stack)[0]

    @property
    def _is_ready(self) -> bool:
        return self._lexers.is_ready(self._language)


class _Lexed(NamedTuple):
    """Lines in colours, and how the lexer stood after them."""

    lines: list[Line]
    stack: Stack


@lru_cache(maxsize=64)
def _settle(lexer: "Lexer | None", portion: tuple[str, ...], stack: Stack) -> _Lexed:
    """Return as many lines as can be settled, at a line where a token begins."""
    lines, stacks = _lex(lexer, portion, stack)
    for number in range(_SETTLED, _SETTLED // 2, -1):
        before = stacks[number]
        if before is not None:
            return _Lexed(lines[:number], before)
    return _Lexed(lines[:_SETTLED], _START)


@lru_cache(maxsize=32)
def _lex(
    lexer: "Lexer | None", lines: tuple[str, ...], stack: Stack
) -> tuple[list[Line], list[Stack | None]]:
    """Return lines in colours, and the stack before each, None inside a token."""
    if lexer is None or any(len(line) > _MAX_LINE for line in lines):
        return _plain(lines), [stack] * len(lines)
    found: list[Line] = [[]]
    stacks: list[Stack | None] = [None]
    try:
        for look, text, now in _tokens(lexer, "\n".join(lines) + "\n", stack):
            if stacks[-1] is None and not found[-1]:
                stacks[-1] = now
            for number, part in enumerate(text.split("\n")):
                if number:
                    found.append([])
                    stacks.append(None)
                if part:
                    _add(found[-1], part, look)
    except Exception:  # noqa: BLE001 - some lexers cannot be resumed, a few are faulty
        return _plain(lines), [_START] * len(lines)
    return found[: len(lines)], stacks[: len(lines)]


def _add(line: Line, text: str, look: str) -> None:
    if line and line[-1].look == look:
        line[-1] = Piece(line[-1].text + text, look)
    else:
        line.append(Piece(text, look))


def _plain(lines: Sequence[str]) -> list[Line]:
    return [[Piece(line, "code")] if line else [] for line in lines]


def _tokens(
    lexer: "Lexer", text: str, stack: Stack
) -> Iterator[tuple[str, str, Stack]]:
    """Yield looks, texts, and the stack with which each token was begun."""
    from pygments.lexer import ExtendedRegexLexer, LexerContext, RegexLexer

    if not isinstance(lexer, RegexLexer):
        for _at, kind, part in lexer.get_tokens_unprocessed(text):
            yield _look(kind), part, _START
        return
    context = LexerContext(text, 0, list(stack))
    # The one lexer that tells its stack works on the tables of any other.
    tell: Any = ExtendedRegexLexer.get_tokens_unprocessed
    for _at, kind, part in tell(lexer, context=context):
        yield _look(kind), part, tuple(context.stack)


@lru_cache(maxsize=512)
def _look(kind: tuple[str, ...]) -> str:
    names = list(kind)
    while names:
        found = _KINDS.get(".".join(names))
        if found:
            return f"code {found}"
        names.pop()
    return "code"
