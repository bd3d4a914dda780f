"""How the model's Markdown is read: html stays text, links stay addresses."""

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from qwen_tui.sanitize import sanitize, sanitize_line


def build_parser() -> MarkdownIt:
    """Return a CommonMark parser with tables and strikethrough, without html.

    What it yields is safe to draw: entities such as `&#x202e;` become real
    characters only while parsing, so text is sanitized once more afterwards.
    """
    parser = MarkdownIt("commonmark", {"html": False})
    parser.enable(["table", "strikethrough"])
    parser.core.ruler.push("outside_text", _tame)
    return parser


def _tame(state: StateCore) -> None:
    for token in state.tokens:
        if token.children:
            token.children = _tame_inline(state.md, token.children)
        elif token.content:
            token.content = sanitize(token.content)
        words = sanitize_line(token.info).split()
        if token.type == "fence":
            token.info = words[0] if words else ""


def _tame_inline(parser: MarkdownIt, children: list[Token]) -> list[Token]:
    """Return `children` as text and emphasis only; links show where they lead."""
    tamed: list[Token] = []
    addresses: list[tuple[str, int]] = []
    for child in children:
        child.content = sanitize(child.content)
        if child.type == "link_open":
            addresses.append((_address(parser, child.attrs.get("href")), len(tamed)))
        elif child.type == "link_close":
            address, start = addresses.pop()
            shown = "".join(token.content for token in tamed[start:])
            if address and address != shown:
                tamed.append(_text(f" ({address})"))
        elif child.type == "image":
            address = _address(parser, child.attrs.get("src"))
            tamed.append(_text(f"[{child.content}] ({address})"))
        elif child.type == "softbreak":
            # a chat answer means its line ends; CommonMark would join the lines
            tamed.append(Token("hardbreak", "br", 0))
        else:
            tamed.append(child)
    return tamed


def _address(parser: MarkdownIt, href: object) -> str:
    return sanitize_line(parser.normalizeLinkText(str(href or "")))


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
