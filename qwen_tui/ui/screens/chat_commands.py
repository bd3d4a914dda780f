"""Slash commands: every key action as a word."""

from dataclasses import dataclass

from qwen_tui.i18n import N_, _


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One command there is."""

    word: str
    action: str
    """Named as an action of the chat screen, or of the app after "app."."""
    meaning: str
    """What it does, marked for the catalogue."""
    takes: str = ""
    """What may stand behind it, as it is shown; empty for those that take nothing."""
    takes_lines: bool = False
    """What stands behind it may have several lines."""


COMMANDS = (
    CommandSpec("/new", "new_chat", N_("new chat")),
    CommandSpec("/models", "models", N_("choose a model")),
    CommandSpec(
        "/think",
        "toggle_thinking",
        N_("thinking on or off from the next message"),
        takes="on|off|N",
    ),
    CommandSpec(
        "/set", "set_option", N_("set how the next answers are made"), "NAME VALUE"
    ),
    CommandSpec("/options", "options", N_("what this conversation is asked with")),
    CommandSpec(
        "/system",
        "system",
        N_("the system prompt of this conversation"),
        "TEXT|off",
        takes_lines=True,
    ),
    CommandSpec(
        "/persona",
        "persona",
        N_("a system prompt from your library"),
        "NAME|off|edit",
    ),
    CommandSpec("/fold", "fold", N_("open or fold the thinking")),
    CommandSpec(
        "/source",
        "source",
        N_("the messages as they were written, or drawn as Markdown"),
    ),
    CommandSpec(
        "/retry", "retry_chosen", N_("answer again; also starts the engine again")
    ),
    CommandSpec("/continue", "go_on", N_("go on inside an answer that was cut")),
    CommandSpec("/edit", "edit", N_("change an earlier message and send it again")),
    CommandSpec(
        "/branch", "branch", N_("show another branch of a message"), "next|prev|N"
    ),
    CommandSpec("/pin", "pin", N_("keep a message in every prompt, or no more")),
    CommandSpec("/fork", "fork", N_("go on from a message in a new conversation")),
    CommandSpec("/delete", "delete_message", N_("delete a message")),
    CommandSpec("/undo", "undo", N_("take the last deletion back")),
    CommandSpec("/answer", "answer_now", N_("answer now, while the model thinks")),
    CommandSpec(
        "/copy", "copy", N_("copy the last answer, or its code block N"), takes="N"
    ),
    CommandSpec(
        "/save", "save", N_("save the last answer, or its code block N"), "FILE N"
    ),
    CommandSpec("/search", "search", N_("search all chats"), takes="TEXT"),
    CommandSpec(
        "/export", "export", N_("write the chat to a file"), "md|json|openai FILE"
    ),
    CommandSpec("/import", "import", N_("bring in the chats of a file"), "FILE"),
    CommandSpec("/rename", "rename", N_("give the chat a title"), "TITLE"),
    CommandSpec(
        "/chat", "chat", N_("pin, archive or delete the chat"), "pin|archive|delete"
    ),
    CommandSpec(
        "/tag", "tag", N_("give the chat tags, or take them away"), takes="TAG TAG"
    ),
    CommandSpec("/bare", "app.bare", N_("the mouse to your terminal; and back")),
    CommandSpec("/info", "info", N_("what made the last answer, and its cost")),
    CommandSpec("/context", "context", N_("what the next prompt takes")),
    CommandSpec(
        "/summary",
        "summary",
        N_("change the summary of what is outside the context"),
        "TEXT",
        takes_lines=True,
    ),
    CommandSpec(
        "/device", "device", N_("the devices; load the model on another"), "NAME"
    ),
    CommandSpec(
        "/server",
        "server",
        N_("the servers and their models; let one answer, or none"),
        "NAME|URL|off MODEL",
    ),
    CommandSpec("/settings", "settings", N_("every setting, to be changed")),
    CommandSpec("/lang", "speak", N_("speak the other language"), "en|zh"),
    CommandSpec("/theme", "theme", N_("change the colours"), "NAME"),
    CommandSpec(
        "/attach", "attach_file", N_("attach a text file, as @ and its name do"), "PATH"
    ),
    CommandSpec("/editor", "edit_outside", N_("write the message in your editor")),
    CommandSpec("/help", "help", N_("show the keys")),
    CommandSpec("/quit", "app.ask_quit", N_("quit")),
)
"""Every command, in the order in which they are offered."""

_BY_WORD = {spec.word: spec for spec in COMMANDS}
_SOFT_SWITCHES = ("/think", "/no_think")


@dataclass(frozen=True, slots=True)
class Command:
    """A command, as it was written."""

    spec: CommandSpec
    argument: str = ""
    """What stood behind it, for those that take something."""


@dataclass(frozen=True, slots=True)
class NotACommand:
    """A line that starts like a command and is none; `reason` is translated."""

    reason: str


def is_command(text: str) -> bool:
    """Say whether a prompt is meant as a command: one line, one slash, a word.

    A path such as /usr/bin is not: its first word holds a second slash. Nor is a
    message that begins with one of Qwen3's soft switches, /think and /no_think.
    """
    first, _space, rest = text.strip().partition(" ")
    if first.lower() in _SOFT_SWITCHES and not _is_thinking_command(first, rest):
        return False
    first = first.partition("\n")[0]
    return (
        ("\n" not in text or _takes_lines(first.lower()))
        and first.startswith("/")
        and "/" not in first[1:]
        and len(first) > 1
    )


def _takes_lines(word: str) -> bool:
    return word in _BY_WORD and _BY_WORD[word].takes_lines


def _is_thinking_command(word: str, argument: str) -> bool:
    argument = argument.strip().lower()
    if word.lower() == "/no_think":
        return not argument
    return argument in ("", "on", "off") or argument.isdecimal()


def parse_command(text: str) -> Command | NotACommand:
    """Read a line for which `is_command` holds."""
    word, *rest = text.strip().split(maxsplit=1)
    argument = rest[0] if rest else ""
    if word.lower() == "/no_think":
        return Command(_BY_WORD["/think"], "off")
    spec = _BY_WORD.get(word.lower())
    if spec is None:
        return NotACommand(
            _("There is no command {word}. Commands: {commands}").format(
                word=word, commands=" ".join(_BY_WORD)
            )
        )
    if argument and not spec.takes:
        return NotACommand(_("{word} takes nothing after it").format(word=word))
    return Command(spec, argument)
