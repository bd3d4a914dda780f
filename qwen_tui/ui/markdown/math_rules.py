r"""Where LaTeX stands in the model's Markdown: \( \), \[ \], $$ $$ and $ $.

A block of it is several lines without a blank one between. One that is not closed
(yet) is told by `info` being empty, and shown as it was written.
"""

import re

from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

_CLOSER = {r"\[": r"\]", "$$": "$$"}
# Money is written with a dollar too: a single one is math only with a sign of it.
_DOLLAR = re.compile(
    r"\$(?![\s$])(?=[^$\n]*[\\^_=])((?:\\.|[^$\n\\])+?)(?<!\s)\$(?!\d)"
)
_INLINE = {
    r"\(": re.compile(r"\\\((.+?)\\\)", re.DOTALL),
    r"\[": re.compile(r"\\\[(.+?)\\\]", re.DOTALL),
    "$$": re.compile(r"\$\$(.+?)\$\$", re.DOTALL),
}


def math_inline(state: StateInline, silent: bool) -> bool:
    """Read math inside a paragraph; an opener without its closer stays as it is."""
    opener = state.src[state.pos : state.pos + 2]
    if opener in _INLINE:
        found = _INLINE[opener].match(state.src, state.pos)
        if found is None:
            return _keep(state, opener, silent)
    elif opener[0] == "$":
        found = _DOLLAR.match(state.src, state.pos)
    else:
        return False
    if found is None or found.end() > state.posMax:
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content, token.markup = found[1].strip(), found[0]
    state.pos = found.end()
    return True


def _keep(state: StateInline, opener: str, silent: bool) -> bool:
    r"""Keep the backslash of a lone \( or \[, which would else be an escape."""
    if not silent:
        state.append_pending(opener)
    state.pos += len(opener)
    return True


def math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""Read lines from one that begins with \[ or $$ up to the one that ends it."""
    if state.is_code_block(start):
        return False
    first = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    closer = _CLOSER.get(first[:2])
    if closer is None:
        return False
    inner = first[2:].rstrip()
    if closer in inner[: -len(closer)] or (inner and not _fits(inner, closer)):
        return False  # text follows it in the line: part of a paragraph
    if silent:
        return True
    last = _find_end(state, start, end, closer, inner)
    closed = last >= 0
    if not closed:
        last = _blank_after(state, start, end) - 1
    text = state.getLines(start, last + 1, state.blkIndent, False)
    token = state.push("math_block", "math", 0)
    token.map = [start, last + 1]
    token.markup = text.strip()
    token.info = closer if closed else ""
    token.content = token.markup[2 : -len(closer)].strip() if closed else token.markup
    token.block = True
    state.line = last + 1
    return True


def _fits(inner: str, closer: str) -> bool:
    """Tell whether what follows an opener in its line is the math itself."""
    return inner.endswith(closer) or closer not in inner


def _find_end(state: StateBlock, start: int, end: int, closer: str, inner: str) -> int:
    """Return the line that ends with the closer, -1 where a blank one comes first."""
    if inner.endswith(closer):
        return start
    for line in range(start + 1, _blank_after(state, start, end)):
        if state.src[state.bMarks[line] : state.eMarks[line]].rstrip().endswith(closer):
            return line
    return -1


def _blank_after(state: StateBlock, start: int, end: int) -> int:
    """Return the first line after `start` that is blank or outside its container."""
    line = start + 1
    while (
        line < end and not state.isEmpty(line) and state.sCount[line] >= state.blkIndent
    ):
        line += 1
    return line
