"""Texts that want something of a terminal, and what may be sent to one."""

import re
from dataclasses import replace

from qwen_tui.chat.conversation import ChatMessage, Conversation

PAYLOADS = {
    "markup": "[/x]",
    "action": "[@click=app.quit]q[/]",
    "markup link": "[link=http://e.x]",
    "colour": "\x1b[5;35;46m",
    "clear": "\x1b[2J",
    "clipboard": "\x1b]52;c;aGk=\x07",
    "title": "\x1b]0;t\x07",
    "link": "\x1b]8;;http://e.x\x1b\\",
    "sixel": "\x1bP1q\x1b\\",
    "C1": "\x9b5m",
    "C1 title": "\x9d0;t\x9c",
    "end of paste": "\x1b[201~",
    "carriage return": "\rR",
    "controls": "\x00\x07\x08\x0b\x0e\x1a\x7f",
    "bidi": "\u202egnp\u202c",
    "isolate": "\u2066i\u2069",
    "invisible": "\u200b\u2060\ufeff\u00ad",
    "tags": "\U000e0041\U000e0042",
    "separator": "\u2028",
    "entity": "&#27;[36m&#x9b;&#x202e;",
    "address": "[l](http://e.x/%1b]0;t%07)",
    "script": "[j](javascript:%1b[2J)",
}
HOSTILE = "".join(PAYLOADS.values())
ONE_LINE = HOSTILE.replace("\r", "")
SHOWN = "[/x]"
"""What of it must be seen, as it stands, wherever it is shown at all."""
FILE_NAME = ONE_LINE.replace("/", "").replace("\x00", "")
"""Nearly all of it as the name of a file: 221 bytes of the 255 that may be."""
FILE_SHOWN = "[x]"

_OURS = re.compile(
    r"\x1b\[[0-9;]*[Hmr]"  # a place, colours, a region
    r"|\x1b\[[0-9]+[LM]"  # rows moved in it
    r"|\x1b\[\?(25|2026)[hl]"  # the cursor; a frame begins and ends
    r"|\x1b\]22;[a-z]+\x07"  # the shape of the mouse's pointer
    r"|\x1b\]52;c;[A-Za-z0-9+/=]+\x07"  # what a person copied
)
_ACTED_ON = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069"
    "\ufeff\u00ad\ud800-\udfff\U000e0000-\U000e007f]"
)


def acted_on(stream: str) -> list[str]:
    """Return what a terminal would do because of a payload, with what is around it."""
    hidden = [text for text in PAYLOADS.values() if _ACTED_ON.search(text)]
    found = [text for text in hidden if text in stream]
    rest = _OURS.sub("", stream)
    places = [match.start() for match in _ACTED_ON.finditer(rest)]
    return found + [rest[max(place - 30, 0) : place + 30] for place in places]


def hostile_chat() -> Conversation:
    """Return a talk in which every text is hostile."""
    chat = Conversation(title=HOSTILE, model=HOSTILE, system_prompt=HOSTILE)
    chat.tags = [HOSTILE]
    chat.put(ChatMessage("user", HOSTILE))
    texts = dict.fromkeys(("model", "revision", "thinking"), HOSTILE)
    answer = ChatMessage("assistant", HOSTILE, parent_id=chat.leaf_id, state="stopped")
    chat.put(replace(answer, **texts))
    return chat
