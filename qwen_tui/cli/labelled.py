"""Lines of a label and a text, in columns of a terminal."""

from collections.abc import Iterator, Sequence

from qwen_tui.cli.cells import cell_width, fitted

_INDENT = 2
_GAP = 2
_LEAST_CELLS = 20


def labelled(
    rows: Sequence[tuple[str, str]], *, width: int | None, label_cells: int = 0
) -> list[str]:
    """Return the rows as lines, the texts below each other.

    Args:
        rows: Label and text, made harmless.
        width: What the lines must fit; a longer text goes on below itself. None: no
            limit.
        label_cells: The least columns of the labels.
    """
    longest = max([label_cells, *(cell_width(label) for label, _text in rows)])
    lines: list[str] = []
    for label, text in rows:
        before = " " * _INDENT + fitted(label, longest) + " " * _GAP
        room = None if width is None else max(width - cell_width(before), _LEAST_CELLS)
        for part in wrapped(text, room):
            lines.append((before + part).rstrip())
            before = " " * cell_width(before)
    return lines


def wrapped(text: str, width: int | None) -> Iterator[str]:
    """Yield `text` in pieces of at most `width` columns, at blanks where it can be."""
    if width is None:
        yield text
        return
    while cell_width(text) > width:
        end, cells = 0, 0
        while cells + cell_width(text[end]) <= width:
            cells += cell_width(text[end])
            end += 1
        blank = text.rfind(" ", end // 2, end + 1)
        cut = blank if blank > 0 else end
        yield text[:cut].rstrip()
        text = text[cut:].lstrip()
    yield text
