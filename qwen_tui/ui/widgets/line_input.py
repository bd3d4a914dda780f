"""One line to write in, in which nothing can hide."""

from textual.widgets import Input

from qwen_tui.sanitize import sanitize_line


class LineInput(Input):
    """An input that does not blink (it would send bytes all day) and stays visible."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, select_on_focus=False, compact=True)
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        """Clean what a program puts in, as a search that came with a command."""
        return sanitize_line(value)

    def replace(self, text: str, start: int, end: int) -> None:
        """Put in what was typed or pasted, with nothing a terminal would act on."""
        super().replace(sanitize_line(text), start, end)
