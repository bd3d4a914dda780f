"""The lines around the table: title, place, hints, and the keys on the help screen."""

from rich.cells import cell_len

from qwen_tui.i18n import N_, _
from qwen_tui.paths import config_file
from qwen_tui.settings import Settings
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.model_status import machine_text, source_text
from qwen_tui.ui.widgets.line_text import (
    GAP,
    fit,
    fit_end,
    hints_line,
    home_short,
    long_size,
    spread,
)

_WIDE = 100
_NARROW = 60
_HINTS = (
    ("Enter", N_("load")),
    ("d", N_("download")),
    ("Esc", N_("back")),
    ("F1", N_("help")),
    ("g", N_("search the hub")),
    ("m", N_("source")),
    ("p", N_("pause")),
    ("x", N_("delete")),
    ("/", N_("filter")),
    ("s", N_("sort")),
    ("h", N_("HF_HOME")),
)
_ANSWER_HINTS = (("Enter", N_("choose")), ("Esc", N_("back")))
_CONFIRM_HINTS = (
    ("Enter", N_("download")),
    ("f", N_("into a folder")),
    ("Esc", N_("back")),
)

MODEL_KEYS = (
    ("Enter", N_("load the model; download it where it is not here")),
    ("d", N_("download: any repo id or alias, into the cache or a folder")),
    ("p", N_("pause or resume a download")),
    ("x", N_("cancel a download; delete a model, or a revision in its list")),
    ("v", N_("verify the hash of every file; Esc stops it")),
    ("r", N_("revisions that are here")),
    ("o", N_("unfinished files, ours and other tools'")),
    ("y, Ctrl+C", N_("copy the id")),
    ("i", N_("everything about the model, on the whole screen")),
    ("g", N_("search the hub")),
    ("m", N_("next source; a running download goes on from there")),
    ("b", N_("try the sources: latency, speed, who serves the bytes")),
    ("u", N_("a source of your own")),
    ("h", N_("another HF_HOME")),
    ("/", N_("filter")),
    ("s", N_("sort by the next column")),
    ("Left, Right, t", N_("all, local, those that fit, those found")),
    ("+, -", N_("more or less context in the estimate of memory")),
    ("Tab, Shift+Tab", N_("table, details, filter")),
    ("F5", N_("look at the disk again")),
    ("F9", N_("the mouse to your terminal, without borders; and back")),
    ("Esc", N_("back; downloads go on")),
)


def title_text(desk: ModelDesk, width: int) -> str:
    """Return the first line: what it is, memory and disk."""
    title = _("Models")
    if desk.is_offline:
        title += GAP + _("offline")
    short = width < _WIDE
    right = machine_text(desk.machine, short=short)
    if desk.disk_free is not None and width >= _NARROW:
        free = _("disk {free} free").format(free=long_size(desk.disk_free))
        right = f"{right}{GAP} {free}" if right else free
    return spread(title, right, width)


def place_text(desk: ModelDesk, width: int) -> str:
    """Return the second line: where models come from and go to."""
    source = _("Source: {source}").format(source=source_text(desk.source))
    if width < _NARROW:
        return fit(source, width)
    room = width - cell_len(source) - 3
    return f"{source}   {fit_end(_home_text(desk.settings), room)}"


def _home_text(settings: Settings) -> str:
    """Name the folder, and who decides that it is this one."""
    origin = settings.origins.get("hf_cache", "")
    if origin == str(config_file()) or "/" in origin:
        origin = "config.toml"
    if settings.hf_cache == settings.hf_home / "hub":
        name, path = "HF_HOME", settings.hf_home
    else:
        name, path = _("cache"), settings.hf_cache
    return f"{name}: {home_short(str(path))} ({_(origin)})"


def hints_text(width: int, *, step: str) -> str:
    """Return the last line: the keys that matter now, the first ones first."""
    hints = {"table": _HINTS, "confirm": _CONFIRM_HINTS}.get(step, _ANSWER_HINTS)
    return hints_line([(key, _(label)) for key, label in hints], width)
