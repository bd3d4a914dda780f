"""Long pastes, folded into one line of the composer until they are sent."""

import re

from qwen_tui.i18n import _, ngettext

FOLD_CHARS = 2_000
FOLD_LINES = 20
LIMIT_BYTES = 1_000_000


def is_long(text: str) -> bool:
    """Say whether `text` would make a text area slow or push everything away."""
    return len(text) > FOLD_CHARS or text.count("\n") >= FOLD_LINES


def is_too_long(text: str) -> bool:
    """Say whether `text` is beyond what a prompt may hold."""
    return len(text.encode("utf-8", "surrogatepass")) > LIMIT_BYTES


class PastedTexts:
    """Placeholders and the texts they stand for."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._count = 0

    def fold(self, text: str) -> str:
        """Keep `text` and return the line that stands for it."""
        self._count += 1
        n_lines = text.count("\n") + 1
        placeholder = _("[pasted {n}: {lines}, {characters}]").format(
            n=self._count,
            lines=ngettext("{n} line", "{n} lines", n_lines).format(n=f"{n_lines:,}"),
            characters=ngettext("{n} character", "{n} characters", len(text)).format(
                n=f"{len(text):,}"
            ),
        )
        self._texts[placeholder] = text
        return placeholder

    def expand(self, text: str) -> str:
        """Return `text` with every whole placeholder replaced by what it stands for.

        One pass: a pasted text that holds another's placeholder stays as it is.
        """
        if not self._texts:
            return text
        placeholders = re.compile("|".join(map(re.escape, self._texts)))
        return placeholders.sub(lambda match: self._texts[match.group()], text)

    def ending_at(self, line: str, column: int) -> str:
        """Return the placeholder that ends at `column` of `line`, or nothing."""
        return next((p for p in self._texts if line[:column].endswith(p)), "")

    def starting_at(self, line: str, column: int) -> str:
        """Return the placeholder that starts at `column` of `line`, or nothing."""
        return next((p for p in self._texts if line[column:].startswith(p)), "")

    def clear(self) -> None:
        """Forget every text."""
        self._texts.clear()
        self._count = 0
