"""What is chosen for one conversation: system prompt, persona, options."""

import asyncio
import os
from pathlib import Path

from textual import work
from textual.app import SuspendNotSupported
from textual.binding import Binding

from qwen_tui.chat.own_options import choose
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.session import Session
from qwen_tui.settings.personas import Personas, library_text, read_personas
from qwen_tui.settings.write import write_private
from qwen_tui.ui.editor import edit_text, editor_command, keys_for_the_editor
from qwen_tui.ui.screens.chat_frame import ChatFrame
from qwen_tui.ui.screens.chat_options import set_by_line, switch_thinking

_PERSONA = "persona"


class OwnActions(ChatFrame):
    """Thinking, sampling, system prompt and personas; all kept with the chat."""

    BINDINGS = [
        Binding("ctrl+t", "toggle_thinking", show=False, id="chat.thinking"),
        # before the text area, which would select a line by it
        Binding("f6", "options", show=False, priority=True, id="chat.options"),
    ]

    personas_file = Path()
    """The user's library of personas; set by the app."""

    def action_toggle_thinking(self, wish: str = "") -> None:
        self.tell(switch_thinking(self.turns.session, self.header, wish))
        self._keep_choices()

    def action_set_option(self, argument: str = "") -> None:
        self.tell(*set_by_line(self.turns.session, argument))
        self._keep_choices()

    def action_system(self, text: str = "") -> None:
        """Give the model another system prompt, or bring it to be changed."""
        session = self.turns.session
        if session is None:
            return
        if not text:
            self.composer.write(f"/system {session.conversation.system_prompt}")
            self.tell(_("Change it and press Enter; /system off takes it away."))
            return
        is_off = text.strip().lower() == "off"
        session.conversation.system_prompt = "" if is_off else text.strip()
        session.conversation.settings.pop(_PERSONA, None)
        self.tell(
            _("There is no system prompt from the next message on.")
            if is_off
            else _("The system prompt holds from the next message on.")
        )
        self._keep_choices()

    async def action_persona(self, name: str = "") -> None:
        """Put a persona on, tell which there are, or open their file."""
        if name.strip().lower() == "edit":
            self._edit_personas()
            return
        personas = await asyncio.to_thread(read_personas, self.personas_file)
        if not name.strip():
            self._tell_personas(personas)
            return
        try:
            told = await self._put_on(name.strip(), personas)
            await self.keep_choices()
        except QwenTuiError as error:
            self.tell(f"{error.message} {error.hint}".strip(), "error")
            return
        self.tell(told)

    @work(group="options")
    async def action_options(self) -> None:
        """Show everything that this conversation is asked with."""
        from qwen_tui.ui.screens.chat_options_panel import OptionsScreen

        session = self.turns.session
        if session is None:
            return
        personas = await asyncio.to_thread(read_personas, self.personas_file)
        panel = OptionsScreen(
            session,
            self.header,
            personas,
            keep=self.keep_choices,
            put_on=lambda name: self._put_on(name, personas),
            write_system=self.action_system,
        )
        await self.app.push_screen_wait(panel)
        if personas.notices:
            self.tell("\n".join(personas.notices), "warning")

    async def keep_choices(self) -> None:
        """Save what was chosen with the conversation.

        Raises:
            StoreError: it could not be saved; it holds all the same.
        """
        if self.turns.session is not None:
            await self.turns.session.keep_choices()

    @work(group="keep")
    async def _keep_choices(self) -> None:
        try:
            await self.keep_choices()
        except QwenTuiError as error:
            self.tell(f"{error.message} {error.hint}".strip(), "error")

    async def _put_on(self, name: str, personas: Personas) -> str:
        session = self.turns.session
        if session is None:
            return ""
        if name.lower() == "off":
            return self._take_off(session)
        persona = personas.find(name)
        if persona is None:
            text = _("There is no persona {name}; did you mean {nearest}?")
            near = personas.nearest(name) or "off"
            return text.format(name=name, nearest=near)
        self._take_off(session)
        chat = session.conversation
        chat.system_prompt = persona.system_prompt
        chat.settings[_PERSONA] = persona.name
        choose(session.options, persona.options)
        self.header.change(thinking=session.options.thinking)
        return _("{name} answers from the next message on.").format(name=persona.name)

    def _take_off(self, session: Session) -> str:
        """Take a persona's prompt and options off again."""
        chat = session.conversation
        if not chat.settings.pop(_PERSONA, None):
            return _("No persona is on.")
        chat.system_prompt = ""
        if session.defaults is not None:
            for name in ("thinking", "thinking_budget"):
                setattr(session.options, name, getattr(session.defaults, name))
            session.options.choice = session.defaults.choice
        self.header.change(thinking=session.options.thinking)
        return _("The persona is off from the next message on.")

    def _tell_personas(self, personas: Personas) -> None:
        names = ", ".join(sanitize_line(name) for name in personas.known)
        text = _("Personas: {names}. They stand in {file}.").format(
            names=names, file=sanitize_line(str(self.personas_file))
        )
        tone = "warning" if personas.notices else "plain"
        self.tell("\n".join([*personas.notices, text]), tone)

    @work(exclusive=True, group="editor")
    async def _edit_personas(self) -> None:
        """Open the library in the person's editor, and tell what it then holds."""
        file = self.personas_file
        try:
            command = editor_command(os.environ)
            text = await asyncio.to_thread(library_text, file)
            with self.app.batch_update(), self.app.suspend(), keys_for_the_editor():
                edited = await asyncio.to_thread(edit_text, text, command)
            data = (edited + "\n").encode("utf-8")
            await asyncio.to_thread(write_private, file, data)
        except SuspendNotSupported:
            self.tell(_("This terminal cannot be given to an editor."), "warning")
        except QwenTuiError as error:
            self.tell(f"{error.message} {error.hint}".strip(), "error")
        else:
            self._tell_personas(await asyncio.to_thread(read_personas, file))
