"""Long texts and files, each in one line of the composer until they are sent."""

import re
from dataclasses import dataclass

from rich.cells import cell_len

from qwen_tui.chat.counting import estimate_tokens
from qwen_tui.i18n import _, ngettext
from qwen_tui.ui.widgets.line_text import fit_middle

FOLD_CHARS = 2_000
FOLD_LINES = 20
LIMIT_BYTES = 1_000_000
_NAME_CELLS = 40


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A text file that goes with a prompt."""

    name: str
    """Without its folder; no control characters."""
    block: str
    """As the model reads it, fenced under its name."""
    tokens: int
    is_estimate: bool


def is_long(text: str) -> bool:
    """Say whether `text` would make a text area slow or push everything away."""
    return len(text) > FOLD_CHARS or text.count("\n") >= FOLD_LINES


def is_too_long(text: str) -> bool:
    """Say whether `text` is beyond what a prompt may hold."""
    return len(text.encode("utf-8", "surrogatepass")) > LIMIT_BYTES


class PastedTexts:
    """Placeholders and what they stand for."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._files: dict[str, AttachedFile] = {}
        self._tokens: dict[str, int] = {}

    def fold(self, text: str) -> str:
        """Keep `text` and return the line that stands for it."""
        for placeholder, kept in self._texts.items():
            if kept == text:
                return placeholder
        n_lines = text.count("\n") + 1
        placeholder = _("[pasted {n}: {lines}, {characters}]").format(
            n=len(self._texts) + 1,
            lines=ngettext("{n} line", "{n} lines", n_lines).format(n=f"{n_lines:,}"),
            characters=ngettext("{n} character", "{n} characters", len(text)).format(
                n=f"{len(text):,}"
            ),
        )
        self._texts[placeholder] = text
        self._tokens[placeholder] = estimate_tokens(text)
        return placeholder

    def attach(self, file: AttachedFile) -> str:
        """Keep a file and return what stands for it; two of one name are told apart."""
        tokens = ("~" if file.is_estimate else "") + f"{file.tokens:,}"
        name = fit_middle(file.name, min(cell_len(file.name), _NAME_CELLS))
        placeholder = _("[@ {name} {n} tok]").format(name=name, n=tokens)
        number = 1
        while self._files.get(placeholder, file).block != file.block:
            number += 1
            numbered = f"{name} ({number})"
            placeholder = _("[@ {name} {n} tok]").format(name=numbered, n=tokens)
        self._files[placeholder] = file
        self._tokens[placeholder] = file.tokens
        return placeholder

    def expand(self, text: str) -> str:
        """Return `text` with every whole placeholder replaced by what it stands for.

        One pass: a pasted text that holds another's placeholder stays as it is. Files
        are named where they stand, and follow below, each once.
        """
        if not self._tokens:
            return text
        found: dict[str, AttachedFile] = {}

        def replace(match: re.Match[str]) -> str:
            placeholder = match.group()
            if placeholder in self._texts:
                return self._texts[placeholder]
            found[placeholder] = self._files[placeholder]
            return self._files[placeholder].name

        expanded = self._pattern().sub(replace, text)
        if not found:
            return expanded
        is_more = self._pattern().sub("", text).strip()  # than files alone
        said = [expanded.strip()] if is_more else []
        return "\n\n".join([*said, *(file.block for file in found.values())])

    def unfold(self, text: str) -> str:
        """Return `text` with pasted texts in full; files stay as they are."""
        for placeholder, kept in self._texts.items():
            text = text.replace(placeholder, kept)
        return text

    def estimate(self, text: str) -> int:
        """Return about how many tokens `text` has once it is expanded."""
        tokens = 0
        for placeholder, n in self._tokens.items():
            if placeholder in text:
                tokens += n * text.count(placeholder)
                text = text.replace(placeholder, "")
        return tokens + estimate_tokens(text)

    def told_size(self, text: str) -> str:
        """Return in words how much `text` is once it is expanded."""
        if not text:
            return ""
        tokens = _("~{n} tok").format(n=f"{self.estimate(text):,}")
        n_lines = text.count("\n") + 1
        if n_lines == 1:
            return tokens
        lines = ngettext("{n} line", "{n} lines", n_lines).format(n=n_lines)
        return f"{lines}, {tokens}"

    def ending_at(self, line: str, column: int) -> str:
        """Return the placeholder that ends at `column` of `line`, or nothing."""
        return next((p for p in self._tokens if line.endswith(p, 0, column)), "")

    def starting_at(self, line: str, column: int) -> str:
        """Return the placeholder that starts at `column` of `line`, or nothing."""
        return next((p for p in self._tokens if line.startswith(p, column)), "")

    def clear(self) -> None:
        """Forget everything."""
        self._texts.clear()
        self._files.clear()
        self._tokens.clear()

    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self._tokens)))
