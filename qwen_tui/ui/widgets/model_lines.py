"""The lines that tell of one model: everything, four of them, or one."""

from collections.abc import Sequence

from rich.cells import cell_len

from qwen_tui.i18n import _, ngettext
from qwen_tui.ui.widgets.line_text import (
    GAP,
    bar_text,
    fit,
    fit_end,
    fit_middle,
    long_size,
    size_text,
)
from qwen_tui.ui.widgets.model_detail import FileLine, MemoryView, ModelDetail
from qwen_tui.ui.widgets.model_row import FITS, State
from qwen_tui.ui.widgets.tones import Line, Tone, cut, line, wrap
from qwen_tui.ui.widgets.transfer_lines import (
    at_hand,
    brief_progress,
    short_transfer,
    transfer_lines,
)

_LABEL = 10
_NUMBER = 10
_BAR = 32
_K = 1024


def full_lines(detail: ModelDetail, width: int) -> list[Line]:
    """Return everything, one fact a line, for a pane of `width` cells."""
    lines: list[Line] = [[(fit_middle(detail.title, width), "strong")], []]
    for label, value in detail.facts:
        lines += _fact_lines(label, value, width)
    if detail.note:
        lines += [[], *_note_lines(detail, width)]
    if detail.memory is not None:
        lines += [[], *_memory_lines(detail, detail.memory, width)]
    if detail.transfer is not None:
        lines += [[], *transfer_lines(detail.transfer, width)]
    if detail.keys:
        lines += [[], *_key_lines(detail.keys, width)]
    files = detail.transfer.files if detail.transfer else detail.files
    if files:
        lines += [[], *_file_lines(files, width)]
    return [cut(pieces, width) for pieces in lines]


def short_lines(detail: ModelDetail, width: int) -> list[Line]:
    """Return four lines: what it is, memory, the download, the file at hand."""
    lines: list[Line] = [[(fit(f"{detail.title}{GAP}{detail.brief}", width), "strong")]]
    if detail.memory is not None:
        lines.append(_short_memory(detail, detail.memory, width))
    transfer = detail.transfer
    if transfer is not None:
        lines += [short_transfer(transfer, width), at_hand(transfer, width)]
    elif detail.note:
        lines += _note_lines(detail, width)[:2]
    else:
        lines.append([(fit_end(_place(detail), width), "dim")])
    return lines


def one_line(detail: ModelDetail, width: int) -> Line:
    """Return the one line that a narrow terminal has room for."""
    transfer = detail.transfer
    parts = [detail.row.name.rpartition("/")[2]]
    if transfer is not None:
        parts = [transfer.waiting or transfer.failure or brief_progress(transfer)]
    elif detail.note:
        parts = [detail.note]
    else:
        if detail.row.size_bytes:
            parts.append(size_text(detail.row.size_bytes))
        parts.append(_(FITS[detail.row.fit][0]))
    return [(fit(GAP.join(parts), width), "dim")]


def context_text(tokens: int) -> str:
    """Return a context length: 32k for 32,768."""
    return f"{tokens // _K}k" if tokens >= _K else str(tokens)


def _place(detail: ModelDetail) -> str:
    """The last fact that names where it lies."""
    return next((v for label, v in detail.facts if label == _("path")), "")


def _fact_lines(label: str, value: str, width: int) -> list[Line]:
    """One fact; a long path goes on below."""
    first, *rest = wrap(value, width - _LABEL, "plain") or [[]]
    indent = " " * _LABEL
    lines: list[Line] = [[(fit(label, _LABEL), "dim"), *first]]
    return lines + [[(indent, "plain"), *more] for more in rest]


def _note_lines(detail: ModelDetail, width: int) -> list[Line]:
    tones: dict[State, Tone] = {"corrupt": "error", "incomplete": "warning"}
    return wrap(detail.note, width, tones.get(detail.row.state, "dim"))


def _memory_lines(detail: ModelDetail, memory: MemoryView, width: int) -> list[Line]:
    word, tone = FITS[detail.row.fit]
    title = _("Memory ({place}, {free} free)").format(
        place=memory.place, free=long_size(memory.free_bytes)
    )
    rows = [(_("weights"), memory.weights_bytes)]
    kv = _("KV at {context}").format(context=context_text(memory.context))
    rows.append((kv, memory.kv_bytes))
    if memory.overhead_bytes:
        rows.append((_("overhead"), memory.overhead_bytes))
    rows.append((_("needed"), memory.need_bytes))
    label_cells = max(cell_len(label) for label, _bytes in rows) + 2
    lines: list[Line] = [[(fit(title, width), "plain")]]
    for label, size in rows:
        name = line("  " + fit(label, label_cells), "dim")
        lines.append([*name, (long_size(size).rjust(_NUMBER), "plain")])
    share = memory.need_bytes / memory.free_bytes if memory.free_bytes else 1.0
    lines[-1] += line(f"  {_(word)}", tone)
    lines.append([("  " + bar_text(share, min(width - 2, _BAR)), tone)])
    return lines


def _short_memory(detail: ModelDetail, memory: MemoryView, width: int) -> Line:
    word, tone = FITS[detail.row.fit]
    text = _("weights {weights} + KV at {context} {kv} / free {free}").format(
        weights=long_size(memory.weights_bytes),
        context=context_text(memory.context),
        kv=long_size(memory.kv_bytes),
        free=long_size(memory.free_bytes),
    )
    end = f" => {_(word)}"
    return [
        (fit(text, min(cell_len(text), width - cell_len(end))), "dim"),
        (end, tone),
    ]


def _file_lines(files: Sequence[FileLine], width: int) -> list[Line]:
    """What is under way first, then what is missing, then what is here."""
    ordered = sorted(files, key=lambda f: (f.is_here, f.have_bytes == 0, f.path))
    total = sum(f.size_bytes for f in files)
    title = ngettext("{n} file, {size}", "{n} files, {size}", len(files))
    lines: list[Line] = [
        [(fit(title.format(n=len(files), size=long_size(total)), width), "plain")]
    ]
    amount_cells = 12
    for file in ordered:
        if file.checking:
            amount, tone = _("checking"), "busy"
        elif file.is_here:
            amount, tone = size_text(file.size_bytes), "good"
        elif file.have_bytes:
            amount = f"{size_text(file.have_bytes)}/{size_text(file.size_bytes)}"
            tone = "busy"
        else:
            amount, tone = size_text(file.size_bytes), "dim"
        # without its ending a shard's number has room in the pane
        path = file.path.removesuffix(".safetensors")
        name = fit_middle(path, max(width - amount_cells - 3, 1))
        lines.append(
            [("  " + name, "dim"), (amount.rjust(amount_cells + 1), tone)],
        )
    return lines


def _key_lines(keys: Sequence[tuple[str, str]], width: int) -> list[Line]:
    """The keys that do something here, two in a line where there is room."""
    shown = [f"[{key}] {label}" for key, label in keys]
    cells = max(cell_len(text) for text in shown) + len(GAP)
    if cells * 2 > width:
        return [[(fit(text, width), "dim")] for text in shown]
    pairs = [shown[i : i + 2] for i in range(0, len(shown), 2)]
    return [[("".join(fit(text, cells) for text in pair), "dim")] for pair in pairs]
