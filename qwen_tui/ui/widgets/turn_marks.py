"""What the head of a message tells beside whose it is."""

from dataclasses import dataclass

from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.tree import Place, places
from qwen_tui.i18n import _


@dataclass(frozen=True, slots=True)
class TurnMarks:
    """The marks of one message; mostly there are none."""

    place: Place | None = None
    """Among its siblings; None where it has none."""
    is_pinned: bool = False
    is_outside: bool = False
    """The model does not see it any more."""

    @property
    def text(self) -> str:
        """Return "2/3  pinned", or nothing."""
        place = f"{self.place.number}/{self.place.count}" if self.place else ""
        pinned = _("pinned") if self.is_pinned else ""
        outside = _("outside the context") if self.is_outside else ""
        return "  ".join(part for part in (place, pinned, outside) if part)


NO_MARKS = TurnMarks()


def marks_of(
    conversation: Conversation, outside: frozenset[str]
) -> dict[str, TurnMarks]:
    """Return the marks of the shown branch, by the ids of those that have any."""
    placed = places(conversation)
    marks: dict[str, TurnMarks] = {}
    for message in conversation.branch():
        key = message.id
        if message.pinned or key in placed or key in outside:
            marks[key] = TurnMarks(placed.get(key), message.pinned, key in outside)
    return marks
