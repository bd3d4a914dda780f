"""How the model's Markdown is read: CommonMark without what a chat makes wrong.

Html stays text. Links become text with their address. Reference definitions and
headings underlined after several lines are off, because what comes later must not
change what was drawn before. `**注意：**请` is bold, as its writer meant.
"""

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

from qwen_tui.ui.markdown.math_rules import math_block, math_inline

LONG_LINE = 1000
"""Characters from which on a line is only ever part of a paragraph."""
INSIDE = "inside"
"""Set in the environment: the first line goes on with an earlier paragraph."""
_MAX_TITLE = 200
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*\Z")
_PARAGRAPH_ENDS: RuleOptionsType = {"alt": ["paragraph", "blockquote", "list"]}


def build_parser() -> MarkdownIt:
    """Return the parser; one may serve any number of texts."""
    parser = MarkdownIt("commonmark", {"html": False})
    parser.inline = _Inline()
    parser.enable("strikethrough")
    parser.disable(["reference", "html_block", "html_inline"])
    parser.block.ruler.at("lheading", _underlined_heading)
    parser.block.ruler.before("code", "table", _table, {"alt": ["paragraph"]})
    parser.block.ruler.before("fence", "math_block", math_block, _PARAGRAPH_ENDS)
    parser.inline.ruler.before("escape", "math_inline", math_inline)
    return parser


def read_blocks(parser: MarkdownIt, text: str, *, inside: bool = False) -> list[Token]:
    """Return the block tokens of `text`; inline ones stay unread.

    Args:
        parser: What `build_parser` returned.
        text: Sanitized lines.
        inside: The first line goes on with a paragraph that is not part of `text`.
    """
    tokens: list[Token] = []
    parser.block.parse(text, parser, {INSIDE: inside}, tokens)
    return tokens


def read_inline(parser: MarkdownIt, text: str) -> list[Token]:
    """Return the inline tokens of a paragraph's text."""
    return parser.inline.parse(text, parser, {}, [])


class _Inline(ParserInline):
    """The stock inline parser with another eye for where emphasis may stand."""

    def parse(
        self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]
    ) -> list[Token]:
        state = _InlineState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _InlineState(StateInline):
    """Lets emphasis begin and end beside Chinese, Japanese and Korean characters.

    Source: the "CJK-friendly emphasis" amendment to CommonMark 0.31,
    https://github.com/tats-u/markdown-cjk-friendly/blob/main/specification.md
    """

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        marker = self.src[start]
        end = start
        while end < self.posMax and self.src[end] == marker:
            end += 1
        before = self.src[start - 1] if start > 0 else " "
        after = self.src[end] if end < self.posMax else " "
        left = _flanks(after, before)
        right = _flanks(before, after)
        return Scanned(
            left and (canSplitWord or not right or _is_punctuation(before)),
            right and (canSplitWord or not left or _is_punctuation(after)),
            end - start,
        )


def _flanks(inner: str, outer: str) -> bool:
    """Tell whether a run of markers leans on `inner`, `outer` being at its back."""
    if isWhiteSpace(ord(inner)):
        return False
    if not _is_punctuation(inner) or _is_cjk(inner):
        return True
    return isWhiteSpace(ord(outer)) or _is_punctuation(outer) or _is_cjk(outer)


def _is_punctuation(char: str) -> bool:
    return isMdAsciiPunct(ord(char)) or isPunctChar(char)


def _is_cjk(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WFH"


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table, unless its first line was begun elsewhere or is a long text."""
    if start == 0 and state.env.get(INSIDE):
        return False
    if state.eMarks[start] - state.bMarks[start] > LONG_LINE:
        return False
    return table(state, start, end, silent)


def _underlined_heading(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read one short line that is underlined with = or -."""
    if silent or start + 1 >= end or (start == 0 and state.env.get(INSIDE)):
        return False
    if state.is_code_block(start) or state.sCount[start + 1] < state.blkIndent:
        return False
    title = state.getLines(start, start + 1, state.blkIndent, False).strip()
    under = state.getLines(start + 1, start + 2, state.blkIndent, False)
    found = _UNDERLINE.match(under)
    if not found or not title or len(title) > _MAX_TITLE:
        return False
    level = 1 if found[1][0] == "=" else 2
    state.line = start + 2
    state.push("heading_open", f"h{level}", 1).map = [start, state.line]
    inline = state.push("inline", "", 0)
    inline.content, inline.map, inline.children = title, [start, state.line], []
    state.push("heading_close", f"h{level}", -1)
    return True
