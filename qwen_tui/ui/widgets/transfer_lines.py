"""The lines that tell how far a download is, in all and in one."""

from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.widgets.line_text import (
    GAP,
    bar_text,
    duration_text,
    fit,
    fit_end,
    long_size,
    percent_of,
    share_text,
    speed_text,
)
from qwen_tui.ui.widgets.model_detail import FileLine, TransferView
from qwen_tui.ui.widgets.tones import Line, wrap

_BAR = 32


def transfer_lines(transfer: TransferView, width: int) -> list[Line]:
    """Return everything that is told of it but its files."""
    head = _("Download")
    if not transfer.bytes_per_s:
        head = _("Download {state}").format(state=transfer.state)
    lines: list[Line] = [[(fit(f"{head}{GAP}{_share(transfer)}", width), "plain")]]
    share = transfer.done_bytes / transfer.total_bytes if transfer.total_bytes else 0.0
    lines.append([("  " + bar_text(share, min(width - 2, _BAR)), "busy")])
    speed = GAP.join(_speed(transfer))
    if speed:
        lines.append([("  " + fit(speed, width - 2), "plain")])
    lines.append([("  " + fit(GAP.join(_counts(transfer)), width - 2), "dim")])
    if transfer.source:
        source = _("from {source}").format(source=transfer.source)
        lines.append([("  " + fit(source, width - 2), "dim")])
    if transfer.target:
        target = _("into {folder}").format(folder=transfer.target)
        lines.append([("  " + fit_end(target, width - 2), "dim")])
    lines += _trouble_lines(transfer, width)
    return lines


def short_transfer(transfer: TransferView, width: int) -> Line:
    """Return state, bar, share, speed and time in one line."""
    bar_cells = min(_BAR, max(width - 58, 0))
    share = transfer.done_bytes / transfer.total_bytes if transfer.total_bytes else 0.0
    bar = bar_text(share, bar_cells) if bar_cells else ""
    parts = [transfer.state, bar, _share(transfer), *_speed(transfer)]
    text = GAP.join(part for part in parts if part)
    return [(fit(text, width), "busy")]


def at_hand(transfer: TransferView, width: int) -> Line:
    """Return why nothing moves, else which file is being fetched."""
    trouble = transfer.waiting or f"{transfer.failure} {transfer.hint}".strip()
    if trouble:
        return [(fit(trouble, width), "error" if transfer.failure else "warning")]
    now = [f for f in transfer.files if 0 < f.have_bytes < f.size_bytes]
    text = GAP.join(_counts(transfer) + [_file_text(f) for f in now[:2]])
    return [(fit(text, width), "dim")]


def brief_progress(transfer: TransferView) -> str:
    """Return share, speed, time and bytes: what matters most comes first."""
    if not transfer.total_bytes:
        return _("asking what there is")
    parts = [f"{percent_of(transfer.done_bytes, transfer.total_bytes)}%"]
    if transfer.bytes_per_s:
        parts.append(speed_text(transfer.bytes_per_s))
        parts += _speed(transfer)[1:]
    parts.append(share_text(transfer.done_bytes, transfer.total_bytes))
    return GAP.join(parts)


def _share(transfer: TransferView) -> str:
    if not transfer.total_bytes:
        return _("asking what there is")
    percent = percent_of(transfer.done_bytes, transfer.total_bytes)
    return f"{percent}%{GAP}{share_text(transfer.done_bytes, transfer.total_bytes)}"


def _speed(transfer: TransferView) -> list[str]:
    if not transfer.bytes_per_s:
        return []
    parts = [f"{long_size(transfer.bytes_per_s)}/s"]
    if transfer.eta_s is not None:
        parts.append(_("{time} left").format(time=duration_text(transfer.eta_s)))
    return parts


def _trouble_lines(transfer: TransferView, width: int) -> list[Line]:
    """Why nothing moves, and what to do."""
    lines = wrap(transfer.waiting, width - 2, "warning")
    lines += wrap(transfer.failure, width - 2, "error")
    lines += wrap(transfer.hint, width - 2, "dim")
    return [[("  ", "plain"), *pieces] for pieces in lines]


def _counts(transfer: TransferView) -> list[str]:
    """Shard n of m, files that are here and verified, retries."""
    here, shards = transfer.shards
    parts: list[str] = []
    if shards:
        parts.append(
            _("shard {n}/{total}").format(n=min(here + 1, shards), total=shards)
        )
    verified = sum(f.is_here and not f.checking for f in transfer.files)
    if transfer.files:
        parts.append(
            _("verified {n}/{total}").format(n=verified, total=len(transfer.files))
        )
    if transfer.retries:
        n = transfer.retries
        parts.append(ngettext("{n} retry", "{n} retries", n).format(n=n))
    return parts


def _file_text(file: FileLine) -> str:
    name = file.path.rpartition("/")[2]
    percent = percent_of(file.have_bytes, file.size_bytes)
    return f"{sanitize_line(name)} {percent}%"
