"""What the context holds, on one screen, and what to do when it is full."""

from collections.abc import Callable, Mapping

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from qwen_tui.chat.ledger import Ledger, LedgerRow
from qwen_tui.chat.window import OverflowChoice
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import N_, _
from qwen_tui.sanitize import sanitize, sanitize_line
from qwen_tui.ui.screens.chat_turns import ChatTurns
from qwen_tui.ui.widgets.composer import Composer

_ROLES = {"system": N_("system prompt"), "user": N_("You"), "assistant": N_("Model")}
_TEXT_CELLS = 12  # the least that is shown of a message; longer lines wrap


class ContextScreen(ModalScreen[None]):
    """Esc, q or Enter closes it."""

    BINDINGS = [
        Binding("escape,q,enter,ctrl+c", "dismiss", show=False),
    ]

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield _LedgerText(self._ledger)

    def on_mount(self) -> None:
        self.query_one("#help", VerticalScroll).focus()


class _LedgerText(Static):
    """Sets its lines to the width it is given."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(id="help-text", markup=False)
        self._ledger = ledger

    def on_resize(self, event: events.Resize) -> None:
        self._draw(event.size.width)

    def relabel(self) -> None:
        """Tell everything in the active language."""
        self._draw(self.size.width)

    def _draw(self, width: int) -> None:
        self.update(Content(_ledger_text(self._ledger, width)))


def _ledger_text(ledger: Ledger, cells: int) -> str:
    """Return one line for each message, and what the next turn will take."""
    names = [_(_ROLES[row.role]) for row in ledger.rows]
    width = max(map(cell_len, names), default=0)
    lines = [_("What the next prompt takes, in tokens"), ""]
    if ledger.prompt.is_estimate:
        lines[1:] = [_("An estimate: the server does not count."), ""]
    for name, row in zip(names, ledger.rows, strict=True):
        row_text = _row_text(row, cells - width - 2)
        lines.append(f"{set_cell_size(name, width)}  {row_text}")
    prompt = ledger.prompt
    total = _("{n} of {limit} tokens before your next message; {room} are left.")
    if not ledger.context_length:
        total = _("{n} tokens before your next message; the server tells no limit.")
    lines += [
        "",
        _("the template's own text: {n}").format(n=f"{prompt.template_tokens:,}"),
        _("the beginning of the answer: {n}").format(n=f"{prompt.generation_tokens:,}"),
        total.format(
            n=f"{prompt.total:,}",
            limit=f"{ledger.context_length:,}",
            room=f"{max(0, ledger.room):,}",
        ),
    ]
    if ledger.summary:
        summary = _("The summary of what is outside (/summary changes it):")
        lines += ["", summary, sanitize(ledger.summary)]
    return "\n".join([*lines, "", _("Esc closes this.")])


def _row_text(row: LedgerRow, cells: int) -> str:
    cost = "-" if row.cost is None else f"{row.cost.tokens:,}"
    marks: list[str] = []
    if row.cost is None:
        marks.append(_("outside the context"))
    elif row.is_pinned:
        marks.append(_("pinned"))
    if row.cost is not None and row.cost.dropped_tokens:
        told = _("{n} of thinking left out by the template")
        marks.append(told.format(n=f"{row.cost.dropped_tokens:,}"))
    text = sanitize_line(row.text.strip().partition("\n")[0])
    room = cells - cell_len("  ".join([f"{cost:>8}", "", *marks]))
    if cell_len(text) > max(room, _TEXT_CELLS):
        text = set_cell_size(text, max(room, _TEXT_CELLS) - 1) + "~"
    return "  ".join([f"{cost:>8}", text, *marks]).rstrip()


Question = tuple[str, Mapping[str, Callable[[], object]]]
"""What is asked on the bottom line, and what each key does."""


class ContextActions:
    """What a person does about the context of the open conversation."""

    def __init__(self, turns: ChatTurns, composer: Composer) -> None:
        self._turns = turns
        self._composer = composer
        self.longer_context: Callable[[], int] = lambda: 0
        """Tells the tokens that another load would give; 0 for no more."""

    async def ledger_screen(self) -> ContextScreen | None:
        """Return what shows what each message takes; None where nobody can tell."""
        session = self._turns.session
        ledger = await session.ledger() if session is not None else None
        return ContextScreen(ledger) if ledger is not None else None

    async def summarise(self, text: str) -> str:
        """Change the summary of what is outside, or bring it to the composer.

        Returns:
            What to tell.
        """
        session = self._turns.session
        if session is None or not session.outside:
            return _("No message is outside the context: there is no summary.")
        if not text:
            self._composer.write(f"/summary {session.summary}")
            return _("Change the summary and press Enter.")
        try:
            await session.change_summary(text)
        except QwenTuiError as error:
            return f"{error.message} {error.hint}"
        return _("The summary holds from the next message on.")

    def question(
        self,
        choose: Callable[[OverflowChoice], object],
        load_longer: Callable[[], object],
    ) -> Question | None:
        """Return what to ask where the last prompt did not fit.

        Args:
            choose: Does the turn with messages left out or summed up.
            load_longer: Does it after loading the model with a longer context.
        """
        session = self._turns.session
        overflow = session.overflow if session is not None else None
        longer = self.longer_context()
        if overflow is None or not (overflow.outside or longer):
            return None
        numbers = _("{n} of {limit} tokens.")
        ways = [
            numbers.format(
                n=f"{overflow.prompt_tokens:,}", limit=f"{overflow.context_length:,}"
            )
        ]
        keys: dict[str, Callable[[], object]] = {}
        if overflow.outside:
            drop = _("d leave out the {k} oldest messages ({gone} tokens)")
            gone = f"{overflow.outside_tokens:,}"
            ways += [
                drop.format(k=len(overflow.outside), gone=gone),
                _("s sum them up"),
            ]
            keys["d"] = lambda: choose("drop_oldest")
            keys["s"] = lambda: choose("summarise")
        if longer:
            ways.append(_("r load with {n} tokens").format(n=f"{longer:,}"))
            keys["r"] = load_longer
        return "  ".join([*ways, _("any other key: nothing")]), keys
