"""The code blocks of a text, as they were written."""

from qwen_tui.ui.markdown.parser import build_parser, read_blocks


def code_blocks(text: str) -> list[str]:
    """Return what stands in each code block, fenced or indented, in their order.

    Args:
        text: Markdown, raw.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return [
        token.content
        for token in read_blocks(build_parser(), lines)
        if token.type in ("fence", "code_block")
    ]
