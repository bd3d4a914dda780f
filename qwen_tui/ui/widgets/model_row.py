"""One model as a row of the table: plain values, and the text of each cell."""

from dataclasses import dataclass
from typing import Literal

from qwen_tui.i18n import N_, _
from qwen_tui.ui.widgets.line_text import fit, fit_middle, size_text, speed_text
from qwen_tui.ui.widgets.tones import Line, Tone

State = Literal[
    "in_use",
    "ready",
    "downloading",
    "queued",
    "waiting",
    "paused",
    "failed",
    "incomplete",
    "corrupt",
    "remote",
]
Fit = Literal["fits", "tight", "too_big", "unknown"]
Columns = Literal["models", "found", "medium", "compact"]

_NARROW, _MEDIUM = 52, 70
_DTYPE, _SIZE, _STATE, _FIT = 6, 7, 20, 8
_SHORT_STATE, _MEDIUM_STATE = 12, 16
_DOWNLOADS, _DATE, _FOUND_STATE = 9, 11, 16
_MARK = 2

STATES: dict[State, tuple[str, Tone]] = {
    "in_use": (N_("in use"), "good"),
    "ready": (N_("ready"), "good"),
    "downloading": (N_("fetching"), "busy"),
    "queued": (N_("queued"), "busy"),
    "waiting": (N_("waiting"), "warning"),
    "paused": (N_("paused"), "warning"),
    "failed": (N_("failed"), "error"),
    "incomplete": (N_("incomplete"), "warning"),
    "corrupt": (N_("corrupt"), "error"),
    "remote": (N_("remote"), "dim"),
}
FITS: dict[Fit, tuple[str, Tone]] = {
    "fits": (N_("fits"), "good"),
    "tight": (N_("tight"), "warning"),
    "too_big": (N_("too big"), "error"),
    "unknown": ("-", "dim"),
}
_MARKS: dict[State, str] = {
    "in_use": "*",
    "corrupt": "!",
    "failed": "!",
    "incomplete": "!",
}


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What the table tells of one model."""

    key: str
    """What tells it from every other row: a repo id or a path."""
    name: str
    dtype: str = ""
    size_bytes: int = 0
    """0: not known."""
    state: State = "remote"
    reason: str = ""
    """Why it waits, failed, or cannot be loaded; translated."""
    percent: int | None = None
    """Of a download, running or not."""
    bytes_per_s: float = 0.0
    fit: Fit = "unknown"
    downloads: int = 0
    updated: str = ""
    """A date: 2025-04-28."""
    gated: bool = False


def columns_for(width: int, *, found: bool) -> Columns:
    """Return which columns `width` cells have room for."""
    if width < _NARROW:
        return "compact"
    if found:
        return "found"
    return "medium" if width < _MEDIUM else "models"


def head_cells(columns: Columns, width: int, sorted_by: str) -> Line:
    """Return the heads of the columns; the one that is sorted by carries a mark."""
    heads = {
        "compact": [("size", _("Size"), _SIZE), ("state", _("State"), _SHORT_STATE)],
        "medium": [
            ("size", _("Size"), _SIZE),
            ("state", _("State"), _MEDIUM_STATE),
            ("fit", _("Fit"), _FIT),
        ],
        "found": [
            ("size", _("Size"), _SIZE),
            ("downloads", _("Loads"), _DOWNLOADS),
            ("date", _("Updated"), _DATE),
            ("state", _("State"), _FOUND_STATE),
        ],
        "models": [
            ("dtype", _("Type"), _DTYPE),
            ("size", _("Size"), _SIZE),
            ("state", _("State"), _STATE),
            ("fit", _("Fit"), _FIT),
        ],
    }[columns]
    named = [("name", _("Model"), _name_cells(columns, width)), *heads]
    return [
        (" " * _MARK, "dim"),
        *(
            (fit(f"{label} v" if key == sorted_by else label, cells), "dim")
            for key, label, cells in named
        ),
    ]


def row_cells(row: ModelRow, columns: Columns, width: int) -> Line:
    """Return a row's cells, together exactly `width` cells wide."""
    tone = STATES[row.state][1]
    size = size_text(row.size_bytes) if row.size_bytes else "-"
    first: Line = [
        (fit(_MARKS.get(row.state, ""), _MARK), tone),
        (fit_middle(row.name, _name_cells(columns, width) - 1) + " ", "plain"),
    ]
    sized: tuple[str, Tone] = (fit(size, _SIZE), "plain")
    if columns == "compact":
        return [*first, sized, (fit(short_state(row), _SHORT_STATE), tone)]
    if columns == "found":
        state = state_text(row)
        if row.gated and row.state == "remote":
            state, tone = _("gated"), "warning"
        return [
            *first,
            sized,
            (fit(count_text(row.downloads), _DOWNLOADS), "plain"),
            (fit(row.updated, _DATE), "dim"),
            (fit(state, _FOUND_STATE), tone),
        ]
    fit_word, fit_tone = FITS[row.fit]
    fits: Line = [(fit(_(fit_word), _FIT), fit_tone)]
    if columns == "medium":
        return [*first, sized, (fit(short_state(row), _MEDIUM_STATE), tone), *fits]
    return [
        *first,
        (fit(row.dtype, _DTYPE), "dim"),
        sized,
        (fit(state_text(row), _STATE - 1) + " ", tone),
        *fits,
    ]


def state_text(row: ModelRow) -> str:
    """Return a state with what belongs to it: share and speed, or the reason."""
    word = _(STATES[row.state][0])
    if row.state == "downloading":
        speed = f" {speed_text(row.bytes_per_s)}" if row.bytes_per_s else ""
        return f"{word} {row.percent or 0}%{speed}"
    if row.reason and row.state in ("waiting", "incomplete", "failed"):
        return f"{word}: {row.reason}"
    return word if row.percent is None else f"{word} {row.percent}%"


def short_state(row: ModelRow) -> str:
    """Return a state for a narrow table: a word, and a share where there is one."""
    word = _(STATES[row.state][0])
    if row.percent is None:
        return word
    return f"{row.percent}%" if row.state == "downloading" else f"{word} {row.percent}%"


def count_text(count: int) -> str:
    """Return a count in at most five cells: 812, 94K, 1.2M; "-" for none."""
    if count < 1000:  # noqa: PLR2004 - thousands
        return str(count) if count else "-"
    thousands = count / 1000
    if thousands < 1000:  # noqa: PLR2004 - thousands
        return f"{thousands:.0f}K"
    return f"{thousands / 1000:.1f}M"


def _name_cells(columns: Columns, width: int) -> int:
    others = {
        "compact": _SIZE + _SHORT_STATE,
        "medium": _SIZE + _MEDIUM_STATE + _FIT,
        "found": _SIZE + _DOWNLOADS + _DATE + _FOUND_STATE,
        "models": _DTYPE + _SIZE + _STATE + _FIT,
    }[columns]
    return max(width - _MARK - others, 4)
