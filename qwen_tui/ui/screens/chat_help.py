"""The keys of a screen, on one of their own."""

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from qwen_tui.i18n import N_, _
from qwen_tui.ui.keymap import effective
from qwen_tui.ui.screens.chat_commands import COMMANDS
from qwen_tui.ui.widgets.tones import wrap

Keys = Sequence[tuple[str, str]]
"""Keys and what they do, marked for the catalogue."""

_KEYS = (
    ("Enter", N_("send the message")),
    ("Ctrl+J, Shift+Enter, Alt+Enter, \\ Enter", N_("new line")),
    ("Esc", N_("stop the answer or the loading; never quits")),
    ("Up, Down", N_("earlier prompts, those that begin with what is typed")),
    ("Ctrl+G", N_("write the message in your editor")),
    ("/ @", N_("begin a command; attach a text file by its name")),
    ("PgUp, PgDn", N_("scroll the messages")),
    ("Tab, Shift+Tab", N_("message box, messages, chats")),
    ("Home, End", N_("in the messages: first line; the end, and follow it")),
    ("Ctrl+N", N_("new chat")),
    ("Ctrl+O", N_("choose a model")),
    ("F2", N_("show or hide the chats; Tab goes there, and its keys are told")),
    ("Ctrl+F", N_("search all chats; Enter goes to the message")),
    ("Ctrl+T", N_("thinking on or off from the next message")),
    ("F3", N_("open or fold the thinking")),
    ("F4", N_("the messages as they were written, or drawn as Markdown")),
    ("F6", N_("what this conversation is asked with")),
    ("F10", N_("every setting, to be changed")),
    ("F5", N_("answer now, while the model thinks")),
    ("Ctrl+R", N_("answer again; also starts the engine again")),
    ("Ctrl+C", N_("copy what is selected; else stop; twice when idle quits")),
    ("y, c", N_("in the messages: copy the message; its code blocks, one by one")),
    ("F9", N_("the mouse to your terminal, without borders; and back")),
    (
        "j, k",
        N_("in the messages: select the next, the one before; a click selects, too"),
    ),
    ("e, r, g", N_("there: edit and send again, answer again, go on if it was cut")),
    ("[, ]", N_("there: the branch before, the next one")),
    ("p, f, d, u", N_("there: pin, fork, delete, undo")),
    ("Space, i", N_("there: fold the thinking; what made an answer, and its cost")),
    ("Ctrl+L", N_("draw the screen anew")),
    ("Ctrl+P", N_("all commands")),
    ("Ctrl+Q", N_("quit")),
)
_COMMANDS = tuple((f"{c.word} {c.takes}".rstrip(), c.meaning) for c in COMMANDS)
_KEY_CELLS = 28  # longer lists of keys get a line of their own
_LEAST_MEANING = 24
_GAP = 2


class HelpScreen(ModalScreen[None]):
    """Esc, F1, q or Enter closes it."""

    HORIZONTAL_BREAKPOINTS = [(0, "-compact"), (60, "-normal")]
    BINDINGS = [
        Binding("escape,f1,q,enter,ctrl+c", "dismiss", show=False),
    ]

    def __init__(
        self, keys: Keys | None = None, mapped: Mapping[str, str] | None = None
    ) -> None:
        """Show keys and what they do.

        Args:
            keys: Those of a screen; None for the chat's, and its commands.
            mapped: What to show in the place of keys that were mapped away.
        """
        super().__init__()
        rows = _KEYS if keys is None else keys
        self._keys = [(effective(label, mapped or {}), told) for label, told in rows]
        if keys is None:
            self._keys += [("", N_("Commands, written as a message")), *_COMMANDS]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(id="help-text", markup=False)

    def on_mount(self) -> None:
        self.query_one("#help", VerticalScroll).focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def relabel(self) -> None:
        """Tell everything in the active language."""
        self._draw()

    def _draw(self) -> None:
        box = self.query_one("#help", VerticalScroll)
        width = max(box.scrollable_content_region.width, 1)
        text = keys_text(self._keys, width)
        self.query_one("#help-text", Static).update(Content(text))


def keys_text(keys: Keys, width: int) -> str:
    """Return keys and meanings beside each other, below each other where it must be."""
    cells = [cell_len(names) for names, _meaning in keys]
    column = max(n for n in cells if n <= _KEY_CELLS) + _GAP
    beside = width - column >= _LEAST_MEANING
    indent = " " * (column if beside else 2 * _GAP)
    lines = [f"{_('Keys')}  {_('Esc closes this.')}", ""]
    for (names, meaning), n in zip(keys, cells, strict=True):
        if not names:  # a heading
            lines += ["", _(meaning), ""]
            continue
        told = [text for line in wrap(_(meaning), width - len(indent), "plain")
                for text, _tone in line]  # fmt: skip
        if beside and n < column:
            lines.append(names + " " * (column - n) + told.pop(0))
        else:
            lines.append(names)
        lines += [indent + text for text in told]
    return "\n".join(lines)
