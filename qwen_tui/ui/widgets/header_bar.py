"""The top line: model, where it runs, context used, thinking on or off."""

from dataclasses import dataclass, replace
from typing import Any

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_SHORT_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
_ALARM = "bold $text-error"
_WIDE = 100
_NARROW = 60


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """What the header tells; empty or zero where it is not known."""

    model: str = ""
    dtype: str = ""
    device: str = ""
    used_tokens: int = 0
    context_tokens: int = 0
    thinking: bool = True
    thinking_kind: str = "switch"
    """What the model offers: "switch", "always" or "never"."""
    download: str = ""
    """What is being fetched, in a few words."""
    unsaved: bool = False
    """Not all of the conversation is on disk."""

    @property
    def thinks(self) -> bool:
        """Whether the next answer begins with thinking."""
        if self.thinking_kind == "switch":
            return self.thinking
        return self.thinking_kind == "always"


class HeaderBar(Static):
    """One line, shorter on narrow terminals."""

    def __init__(self) -> None:
        super().__init__(id="header", markup=False)
        self.facts = HeaderFacts()

    def change(self, **changes: Any) -> None:  # noqa: ANN401 - fields of HeaderFacts
        """Replace some of the facts and draw the line anew."""
        facts = replace(self.facts, **changes)
        if facts != self.facts:
            self.facts = facts
            self._draw()

    def relabel(self) -> None:
        """Draw the line in the active language."""
        self._draw()

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = self.size.width
        left, right = header_parts(self.facts, width)
        gap = max(1, width - cell_len(left) - cell_len(right))
        # always one line: a new layout would send the whole screen
        content = Content(left + " " * gap + right)
        if self.facts.unsaved:  # first on the right: see `header_parts`
            start = len(left) + gap
            content = content.stylize(_ALARM, start, start + len(unsaved_mark()))
        self.update(content, layout=False)


def header_parts(facts: HeaderFacts, width: int) -> tuple[str, str]:
    """Return the left and right half of the line for `width` cells."""
    model = sanitize_line(facts.model) or _("no model")
    place = [_SHORT_DTYPES.get(facts.dtype, facts.dtype), facts.device]
    where = " ".join(part for part in map(sanitize_line, place) if part)
    context = context_text(facts, exact=width >= _WIDE)
    think = _("think:on") if facts.thinks else _("think:off")
    download = sanitize_line(facts.download)
    unsaved = unsaved_mark() if facts.unsaved else ""
    if width < _NARROW:
        return model, unsaved or download or context
    right = "   ".join(part for part in (unsaved, download, context, think) if part)
    left = f"{model} {where}".rstrip()
    return (f"qwen-tui  {left}" if width >= _WIDE else left), right


def unsaved_mark() -> str:
    """Return what tells, without colours too, that text is not on disk."""
    return _("! not saved")


def context_text(facts: HeaderFacts, *, exact: bool) -> str:
    """Return "ctx 1,284/32,768 4%", or "ctx 4%"; nothing before a model is loaded."""
    if not facts.context_tokens:
        return ""
    percent = f"{facts.used_tokens / facts.context_tokens:.0%}"
    if exact:
        return f"ctx {facts.used_tokens:,}/{facts.context_tokens:,} {percent}"
    return f"ctx {percent}"
