"""How models and downloads read on the screen, in a given number of cells."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.cells import cell_len, set_cell_size

from qwen_tui.hub.cache import LocalModel
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.wire import Download

_UNITS = ("B", "K", "M", "G", "T")
_STEP = 1024
_ONE_DECIMAL_BELOW = 100
_SIZE_CELLS = 8
_NARROW = 60
_GAP = "  "
_CUT = "..."


@dataclass(slots=True)
class Transfer:
    """A download as it is shown."""

    request: Download
    phase: Literal["running", "paused"] = "running"
    done_bytes: int = 0
    total_bytes: int = 0
    """0 until the hub told what there is to fetch."""
    bytes_per_s: float = 0.0

    @property
    def percent(self) -> int:
        """Whole percent of the bytes that are here."""
        return 100 * self.done_bytes // self.total_bytes if self.total_bytes else 0


def source_text(endpoint: str) -> str:
    """Return the name of "official", "mirror" or a URL as it is shown."""
    names = {"official": _("official"), "mirror": _("mirror")}
    return names.get(endpoint, sanitize_line(endpoint))


def size_text(size_bytes: float) -> str:
    """Return a size in at most six cells: 512B, 1.8M, 15.3G."""
    unit = 0
    while size_bytes >= _STEP and unit < len(_UNITS) - 1:
        size_bytes /= _STEP
        unit += 1
    decimals = 1 if unit and size_bytes < _ONE_DECIMAL_BELOW else 0
    return f"{size_bytes:.{decimals}f}{_UNITS[unit]}"


def model_row(model: LocalModel, width: int) -> str:
    """Return a model's row: mark, name, size, state with its reason."""
    narrow = width < _NARROW
    state = state_text(model, short=narrow)
    state_cells = cell_len(state) if narrow else width * 2 // 5
    mark = "  " if model.complete else "! "
    name_cells = width - len(mark) - _SIZE_CELLS - len(_GAP) - state_cells
    name = fit(model.source.name, max(name_cells, 0))
    size = size_text(model.size_bytes).rjust(_SIZE_CELLS)
    return fit(f"{mark}{name}{size}{_GAP}{state}", width)


def state_text(model: LocalModel, *, short: bool = False) -> str:
    """Return "ready", or why a model cannot be loaded."""
    if model.complete:
        return _("ready")
    return _("broken") if short else reason_text(model)


def reason_text(model: LocalModel) -> str:
    """Return why a model cannot be loaded, without the long path of its folder."""
    folder = model.source.path
    reason = model.reason.replace(f"{folder}/", "").replace(folder, Path(folder).name)
    return sanitize_line(reason)


def model_detail(model: LocalModel, width: int) -> str:
    """Return what the row has no room for: the reason, else the path."""
    if not model.complete:
        return fit(reason_text(model), width)
    return fit_end(home_short(model.source.path), width)


def transfer_text(transfer: Transfer, width: int) -> str:
    """Return the progress line of a download."""
    share = f"{transfer.percent}%"
    amount = f"{size_text(transfer.done_bytes)}/{size_text(transfer.total_bytes)}"
    if not transfer.total_bytes:
        amount = _("asking what there is")
    parts = [share, amount]
    if transfer.phase == "paused":
        parts.append(_("paused"))
    elif transfer.bytes_per_s > 0:
        parts.append(f"{size_text(transfer.bytes_per_s)}/s")
        left_s = (transfer.total_bytes - transfer.done_bytes) / transfer.bytes_per_s
        parts.append(_("{time} left").format(time=duration_text(left_s)))
    text = _GAP.join(parts)
    repo = sanitize_line(transfer.request.repo)
    longer = f"{repo}{_GAP}{text}"
    return longer if cell_len(longer) <= width else fit(text, width)


def duration_text(seconds: float) -> str:
    """Return a time to wait, in its largest unit: 40 s, 5 min, 3.2 h."""
    minutes = seconds / 60
    if minutes < 1:
        return _("{n} s").format(n=round(seconds))
    if minutes < 60:  # noqa: PLR2004 - an hour
        return _("{n} min").format(n=round(minutes))
    return _("{n} h").format(n=f"{minutes / 60:.1f}")


def spread(left: str, right: str, width: int) -> str:
    """Return two texts at the ends of one line; the right one goes if it must."""
    gap = width - cell_len(left) - cell_len(right)
    return f"{left}{' ' * gap}{right}" if gap >= len(_GAP) else fit(left, width)


def two_lines(text: str, hint: str) -> str:
    """Return what happened and below it what to do next, both made harmless."""
    return "\n".join(sanitize_line(line) for line in (text, hint) if line)


def hints_line(hints: list[tuple[str, str]], width: int) -> str:
    """Return as many "key label" pairs as the line holds, the first ones first."""
    line = ""
    for key, label in hints:
        longer = f"{line}{_GAP}{key} {label}" if line else f"{key} {label}"
        if cell_len(longer) > width:
            break
        line = longer
    return line


def fit(text: str, width: int) -> str:
    """Return `text` made harmless, in exactly `width` cells, cut at the end."""
    text = sanitize_line(text)
    if cell_len(text) > width > len(_CUT):
        return set_cell_size(text, width - len(_CUT)) + _CUT
    return set_cell_size(text, width)


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
