"""Everything that one conversation is asked with, on one screen."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from typing import cast

from qwen_tui.chat.choices import option_values, set_option, shown_value
from qwen_tui.chat.own_options import chosen_names, take_back_option
from qwen_tui.chat.sampling import Sampling
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import N_, _
from qwen_tui.session import Session
from qwen_tui.settings.personas import Personas
from qwen_tui.ui.screens.edit_rows import EditRow, EditRowsScreen
from qwen_tui.ui.widgets.header_bar import HeaderBar

PERSONA = "persona"
SYSTEM = "system_prompt"
_ON_OFF = ("on", "off")
_ABOUT = {
    PERSONA: N_("a system prompt with a name, from personas.toml beside config.toml"),
    SYSTEM: N_("what the model is told first; Enter brings it to the message box"),
    "thinking": N_("whether the model thinks before it answers"),
    "thinking_budget": N_("the most tokens to think before answering"),
    "temperature": N_("how freely tokens are drawn; 0 always takes the likeliest"),
    "top_p": N_("keep the likeliest tokens that together reach this probability"),
    "top_k": N_("keep this many of the likeliest tokens; 0 keeps all"),
    "min_p": N_("drop tokens less likely than this share of the likeliest"),
    "presence_penalty": N_(
        "push tokens down that were used already; up to 2 against repetition"
    ),
    "frequency_penalty": N_("push tokens down further each time they were used"),
    "repetition_penalty": N_(
        "weaken every token of prompt and answer; "
        "1 leaves them alone, 1.1 is already felt"
    ),
    "seed": N_(
        "the same seed draws the same tokens; by itself each answer has its own"
    ),
    "stop": N_("a text that ends an answer"),
    "max_new_tokens": N_("the most tokens of one answer, thinking included"),
    "loop_guard": N_("stop an answer that repeats itself word for word"),
}


class OptionsScreen(EditRowsScreen):
    """Persona, system prompt, thinking and sampling of the open conversation."""

    def __init__(
        self,
        session: Session,
        header: HeaderBar,
        personas: Personas,
        *,
        keep: Callable[[], Awaitable[None]],
        put_on: Callable[[str], Awaitable[str]],
        write_system: Callable[[], None],
    ) -> None:
        """Show and change what `session` is asked with.

        Args:
            session: The open conversation.
            header: Knows what the model offers, and shows what holds.
            personas: The library.
            keep: Saves what changed.
            put_on: Puts a persona on, "off" for none; returns what to tell.
            write_system: Brings the system prompt to the message box.
        """
        super().__init__()
        self._session = session
        self._header = header
        self._personas = personas
        self._keep = keep
        self._put_on = put_on
        self._write_system = write_system

    def title_parts(self) -> tuple[str, str]:
        """Name the screen and the model."""
        return _("Options of this conversation"), self._header.facts.model

    async def read_rows(self) -> Sequence[EditRow]:
        """Return a row for everything that can be chosen."""
        chat, options = self._session.conversation, self._session.options
        defaults = self._session.defaults or options
        chosen = chosen_names(options, defaults)
        persona = str(chat.settings.get(PERSONA) or "")
        known = tuple(self._personas.known)
        rows = [
            EditRow(
                key=PERSONA,
                name=_("persona"),
                value=persona or _("none"),
                is_chosen=bool(persona),
                about=_(_ABOUT[PERSONA]),
                choices=(*known, "off"),
                written=persona or "off",
            ),
            EditRow(
                key=SYSTEM,
                name=_("system prompt"),
                value=" ".join(chat.system_prompt.split()) or _("none"),
                is_chosen=bool(chat.system_prompt),
                about=_(_ABOUT[SYSTEM]),
                written=chat.system_prompt,
            ),
        ]
        return rows + [self._row(name, name in chosen) for name in self._names()]

    def _names(self) -> list[str]:
        limits = ("thinking_budget", "max_new_tokens", "loop_guard")
        sampling = [f.name for f in fields(Sampling)]
        return ["thinking", limits[0], *sampling, *limits[1:]]

    def _row(self, name: str, is_chosen: bool) -> EditRow:
        options = self._session.options
        thinks = self._header.facts.thinks
        value = self._in_force(name)
        if is_chosen:
            origin = _("set by hand")
        elif hasattr(options.choice, name) and name not in ("seed", "stop"):
            origin = _("preset, thinking") if thinks else _("preset, not thinking")
        else:
            origin = _("default")
        label = _NAMES.get(name, name)
        is_switch = name in ("thinking", "loop_guard")
        switched = "on" if value else "off"
        return EditRow(
            key=name,
            name=_(label),
            value=_(switched) if is_switch else _shown(name, value),
            origin=origin,
            is_chosen=is_chosen,
            about=_(_ABOUT[name]),
            choices=_ON_OFF if is_switch else (),
            written=switched if is_switch else _written(value),
        )

    def _in_force(self, name: str) -> object:
        options = self._session.options
        if name == "thinking":
            return self._header.facts.thinks
        if hasattr(options.choice, name):
            sampling = options.presets.choose(
                options.choice, thinking=self._header.facts.thinks
            )
            return getattr(sampling, name)
        return option_values(options)[name]

    async def change(self, row: EditRow, text: str) -> None:
        """Choose for this conversation."""
        session = self._session
        try:
            match row.key:
                case "persona":
                    told = await self._put_on(text)
                case "thinking":
                    told = self._switch_thinking(text == "on")
                case name:
                    told = set_option(session.options, name, text)
            await self._keep()
        except QwenTuiError as error:
            self.tell(f"{error.message} {error.hint}".strip(), "error")
            return
        self.tell(told)

    def begin_writing(self, row: EditRow) -> None:
        """Write on the line; the system prompt where there is room for it."""
        if row.key == SYSTEM:
            self.dismiss()
            self._write_system()
        else:
            super().begin_writing(row)

    async def take_back(self, row: EditRow) -> None:
        """Let the preset, or the default, hold again."""
        session = self._session
        if row.key == PERSONA:
            await self._put_on("off")
        elif row.key == SYSTEM:
            session.conversation.system_prompt = ""
        else:
            defaults = session.defaults or session.options
            take_back_option(session.options, row.key, defaults)
            self._header.change(thinking=session.options.thinking)
        await self._keep()
        self.tell(_("Taken back: {name}").format(name=row.name))

    def _switch_thinking(self, wanted: bool) -> str:
        match self._header.facts.thinking_kind:
            case "always":
                return _("This model always thinks.")
            case "never":
                return _("This model cannot think.")
            case _:
                self._session.options.thinking = wanted
                self._header.change(thinking=wanted)
                return ""


_NAMES = {
    "thinking": N_("thinking"),
    "thinking_budget": N_("thinking budget"),
    "stop": N_("stop text"),
    "max_new_tokens": N_("most new tokens"),
    "loop_guard": N_("loop guard"),
}


def _shown(name: str, value: object) -> str:
    if name == "thinking_budget" and value is None:
        return _("no limit")
    if name == "seed" and value is None:
        return _("a new one for each answer")
    if name == "stop" and not value:
        return _("none")
    return shown_value(value)


def _written(value: object) -> str:
    match value:
        case None | ():
            return ""
        case tuple():
            return str(cast(tuple[object, ...], value)[0])
        case _:
            return str(value)
