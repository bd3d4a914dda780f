"""A conversation's title, written by the model that answers in it."""

import re
from unicodedata import east_asian_width

from qwen_tui.chat.backend import PromptMessage, TurnRequest
from qwen_tui.chat.conversation import Conversation, title_from
from qwen_tui.chat.events import Loaded
from qwen_tui.chat.sampling import Sampling

MOST_CHARACTERS = 40
_MOST_CELLS = 60
"""What is wider is a sentence, no title."""
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
_NO_TEXT = re.compile(r"</?think|<\||```|^\s*[{\[]", re.IGNORECASE)
"""A tag, a control token, code or JSON: whatever follows, it is no title."""
_SENTENCES = re.compile(  # "vs. X" and "No. 5" are none
    "\\w{3,}[.!?]\\s+\\S|[\u3002\uff01\uff1f]\\s*\\S|[!?\uff01\uff1f]$"
)
"""More than one sentence, or one that calls or asks."""
_SAID = re.compile(
    r"(?:i'm|i (?:am|can|can't|cannot|do|don't|have|know|will)|you|your|you're|my name|"
    r"nice to|glad to|of course|here is|here's|here are|as an ai|yes|no|sure|sorry|"
    r"thanks?|hello|hi|hey|okay|ok)\b|"
    r"我(?:是|叫|可以|会|能|很|不)|你好|您好|你是|好的|当然|很高兴|抱歉|对不起|谢谢|是的|不是",
    re.IGNORECASE,
)
"""How one begins to speak to somebody."""
_ENTRY = re.compile(
    r"\d+[.)]\s|[-\u2022]\s|(?:user|assistant|用户|助手)\s*[:\uff1a]", re.I
)
"""How a list begins, or a talk that goes on."""
_STOPS = (".", "\u3002")
_SHORT_CELLS = 20
"""What is shorter is no sentence, though a full stop stands inside its quotes."""
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
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


def title_request(conversation: Conversation) -> TurnRequest:
    """Return what asks for a title; the same talk is given the same one.

    It is a talk of its own, and short, so that what the model has read of the
    conversation stays in its KV cache.
    """
    question, answer = conversation.branch()[:2]
    task = _TASK.format(
        question=question.content[:_READ], answer=answer.content[:_READ]
    )
    return TurnRequest(
        messages=[PromptMessage("user", task)],
        sampling=Sampling(temperature=0.0),
        max_new_tokens=_TOKENS,
        thinking=False,
        conversation_id=f"title of {conversation.id}",
    )


def read_title(text: str, answer: str) -> str:
    """Return the title in what the model wrote; empty where it wrote something else.

    A very small model answers the question again, greets, or explains. What reads
    like that is no title, and the first words of the question tell more.

    Args:
        text: What the model wrote for a title.
        answer: What it had answered in the talk.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or _NO_TEXT.search(text):
        return ""
    bare = lines[0].strip(_EDGES)
    is_marked = bare != lines[0] or _LABEL.match(bare) is not None
    if len(lines) > 1 and not is_marked:  # only what is marked has ended as a title
        return ""
    whole = _LABEL.sub("", bare).strip(_EDGES)
    title = whole.rstrip(_ENDS).strip(_EDGES)
    is_sentence = whole.endswith(_STOPS) and (
        not is_marked or _cells(title) > _SHORT_CELLS
    )
    if is_sentence or _is_talk(title) or _repeats(title, answer):
        return ""
    return title if len(title) <= MOST_CHARACTERS else title_from(title)


def _is_talk(title: str) -> bool:
    """Whether it is said as an answer is."""
    return (
        _cells(title) > _MOST_CELLS
        or _SENTENCES.search(title) is not None
        or any(pattern.match(title) for pattern in (_SAID, _ENTRY))
    )


def _repeats(title: str, answer: str) -> bool:
    """Whether the title and the answer begin with the same words."""
    words, said = _words(title), _words(answer)
    n = min(len(words), len(said))
    return not words or (n > 0 and words[:n] == said[:n])


def _words(text: str) -> list[str]:
    """Return letters and digits in a row; each character of Chinese is a word."""
    return _WORD.findall(text.casefold())


def _cells(text: str) -> int:
    """Return how wide a text is where Chinese characters take two cells."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
