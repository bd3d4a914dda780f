"""Texts of one line: cut to cells, spread over a line, sizes, times, bars."""

from pathlib import Path

from rich.cells import cell_len, set_cell_size

from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_UNITS = ("B", "K", "M", "G", "T")
_STEP = 1024
_ONE_DECIMAL_BELOW = 100
_HOUR_MIN = 60
_JUST_NOW_S = 60
_DAY_H = 48  # until then hours tell more
GAP = "  "
_CUT = "..."


def size_text(size_bytes: float) -> str:
    """Return a size in at most six cells: 512B, 1.8M, 15.3G."""
    return "".join(_scaled(size_bytes))


def long_size(size_bytes: float) -> str:
    """Return a size with its unit spelled out: 512 B, 1.8 MiB, 15.3 GiB."""
    number, unit = _scaled(size_bytes)
    return f"{number} {unit}" if unit == "B" else f"{number} {unit}iB"


def speed_text(bytes_per_s: float) -> str:
    """Return a speed in at most six cells: 84K/s, 9.8M/s, 112M/s."""
    number, unit = _scaled(bytes_per_s)
    short = f"{float(number):.0f}" if len(number) > len("9.9") else number
    return f"{short}{unit}/s"


def share_text(done_bytes: int, total_bytes: int) -> str:
    """Return "21.6/56.9 GiB": both in the unit of the whole."""
    number, unit = _scaled(total_bytes)
    done = done_bytes / _STEP ** _UNITS.index(unit)
    decimals = len(number.partition(".")[2])
    return f"{done:.{decimals}f}/{number} {unit if unit == 'B' else unit + 'iB'}"


def percent_of(done: int, total: int) -> int:
    """Return whole percent, 100 only when nothing is left; 0 of nothing."""
    return 100 * done // total if total else 0


def duration_text(seconds: float) -> str:
    """Return a time to wait, in its largest unit: 40 s, 5 min, 3.2 h, 4 d."""
    minutes = seconds / 60
    hours = minutes / _HOUR_MIN
    if minutes < 1:
        return _("{n} s").format(n=round(seconds))
    if minutes < _HOUR_MIN:
        return _("{n} min").format(n=round(minutes))
    if hours < _DAY_H:
        return _("{n} h").format(n=f"{hours:.1f}")
    return _("{n} days").format(n=round(hours / 24))


def age_text(seconds: float) -> str:
    """Return how long ago something was."""
    if seconds < _JUST_NOW_S:
        return _("just now")
    return _("{time} ago").format(time=duration_text(seconds))


def bar_text(share: float, cells: int) -> str:
    """Return a bar of exactly `cells` cells: [####....]."""
    inner = max(cells - 2, 1)
    full = round(min(max(share, 0.0), 1.0) * inner)
    return f"[{'#' * full}{'.' * (inner - full)}]"


def spread(left: str, right: str, width: int) -> str:
    """Return two texts at the ends of one line; the right one goes if it must."""
    gap = width - cell_len(left) - cell_len(right)
    return f"{left}{' ' * gap}{right}" if gap >= len(GAP) else fit(left, width)


def two_lines(text: str, hint: str) -> str:
    """Return what happened and below it what to do next, both made harmless."""
    return "\n".join(sanitize_line(line) for line in (text, hint) if line)


def hints_line(hints: list[tuple[str, str]], width: int) -> str:
    """Return as many "key label" pairs as the line holds, the first ones first."""
    line = ""
    for key, label in hints:
        longer = f"{line}{GAP}{key} {label}" if line else f"{key} {label}"
        if cell_len(longer) > width:
            break
        line = longer
    return line


def fit(text: str, width: int) -> str:
    """Return `text` made harmless, in exactly `width` cells, cut at the end."""
    text = sanitize_line(text)
    if cell_len(text) > width > len(_CUT):
        return set_cell_size(text, width - len(_CUT)) + _CUT
    return set_cell_size(text, max(width, 0))


def fit_middle(text: str, width: int) -> str:
    """Return `text` made harmless, in exactly `width` cells, cut in the middle.

    The ends of a model's name tell more than its middle: -Instruct-2507.
    """
    text = sanitize_line(text)
    if cell_len(text) <= width or width <= len(_CUT) + 2:
        return fit(text, width)
    room = width - len(_CUT)
    head, tail = set_cell_size(text, room // 2).rstrip(), text
    while tail and cell_len(head) + cell_len(tail) > room:
        tail = tail[1:]
    return set_cell_size(f"{head}{_CUT}{tail}", width)


def fit_end(text: str, width: int) -> str:
    """Return `text` made harmless, in at most `width` cells, cut at the beginning."""
    text = sanitize_line(text)
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - len(_CUT):
        text = text[1:]
    return _CUT + text


def home_short(path: str) -> str:
    """Return a path with the home folder as "~"."""
    home = str(Path.home())
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}/") else path


def _scaled(size_bytes: float) -> tuple[str, str]:
    """Split a size into its number and the letter of its unit."""
    unit = 0
    while size_bytes >= _STEP and unit < len(_UNITS) - 1:
        size_bytes /= _STEP
        unit += 1
    decimals = 1 if unit and size_bytes < _ONE_DECIMAL_BELOW else 0
    return f"{size_bytes:.{decimals}f}", _UNITS[unit]
