"""A conversation's title, written by the model that answers in it."""

import re

from qwen_tui.chat.backend import PromptMessage, TurnRequest
from qwen_tui.chat.conversation import Conversation, title_from
from qwen_tui.chat.events import Loaded
from qwen_tui.chat.turn import TurnOptions

MOST_CHARACTERS = 40
_TOKENS = 32
_READ = 600
"""Characters that are read of the question and of the answer."""
_MOST_MESSAGES = 6
# to the model, not to a person: in one language, and it answers in the talk's own
_TASK = (
    "Write a title for this conversation: at most six words, in its own language, "
    "without quotes. Answer with the title alone.\n\n"
    "User: {question}\n\nAssistant: {answer}"
)
_LABEL = re.compile(r"^(?:title|\u6807\u9898)\s*[:\uff1a]\s*", re.IGNORECASE)
_EDGES = " \t\"'`*#_\u201c\u201d\u2018\u2019\u300a\u300b\u300c\u300d"
_ENDS = ".\u3002:\uff1a,\uff0c;\uff1b"


def wants_title(conversation: Conversation, loaded: Loaded) -> bool:
    """Whether the title is still the first line of the talk, and the talk is young.

    A model that always thinks is not asked: its title would cost too much.
    """
    branch = conversation.branch()
    return (
        loaded.thinking != "always"
        and 1 < len(branch) <= _MOST_MESSAGES
        and branch[1].state == "complete"
        and bool(branch[1].content)
        and conversation.title == title_from(branch[0].content)
    )


def title_request(conversation: Conversation, options: TurnOptions) -> TurnRequest:
    """Return what asks for a title.

    It is a talk of its own, and short, so that what the model has read of the
    conversation stays in its KV cache.
    """
    question, answer = conversation.branch()[:2]
    task = _TASK.format(
        question=question.content[:_READ], answer=answer.content[:_READ]
    )
    return TurnRequest(
        messages=[PromptMessage("user", task)],
        sampling=options.presets.choose(options.choice, thinking=False),
        max_new_tokens=_TOKENS,
        thinking=False,
        conversation_id=f"title of {conversation.id}",
    )


def clean_title(text: str) -> str:
    """Return a title out of what the model wrote; empty where there is none in it."""
    lines = (line.strip(_EDGES) for line in text.strip().splitlines())
    first = next((line for line in lines if line), "")
    title = _LABEL.sub("", first).strip(_EDGES).rstrip(_ENDS).strip(_EDGES)
    return title if len(title) <= MOST_CHARACTERS else title_from(title)
