"""What a turn makes of the messages before it."""

from dataclasses import dataclass

from qwen_tui.chat.backend import PromptMessage
from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.window import Window

_CUT_STATES = ("stopped", "interrupted", "failed")


@dataclass(frozen=True, slots=True)
class History:
    """The messages of a prompt, and the conversation's messages they are made of."""

    prompt: tuple[PromptMessage, ...]
    sources: tuple[ChatMessage | None, ...]
    """As many; None for the system prompt."""


def prompt_history(
    conversation: Conversation, leaf_id: str | None, window: Window | None = None
) -> History:
    """Return the history that ends with `leaf_id`; None: no branch.

    The system prompt comes first where there is one. Answers that failed with no
    content, or in which nothing came at all, are left out, and so is what lies
    outside the window; what a person stopped or a crash cut stays.
    """
    branch = conversation.branch(leaf_id) if leaf_id is not None else []
    window = window if window is not None else Window.of(conversation, branch)
    outside = window.outside(branch)
    inside = [
        message
        for message in branch
        if message.id not in outside
        and (message.role == "user" or _says_something(message))
    ]
    prompt = [PromptMessage(m.role, m.content, m.thinking) for m in inside]
    sources: list[ChatMessage | None] = [*inside]
    system = window.system_prompt(conversation.system_prompt)
    if system:
        prompt.insert(0, PromptMessage("system", system))
        sources.insert(0, None)
    return History(tuple(prompt), tuple(sources))


def _says_something(answer: ChatMessage) -> bool:
    if answer.state == "failed":
        return bool(answer.content)
    return bool(answer.content or answer.thinking)


def cut_answer(conversation: Conversation) -> ChatMessage | None:
    """Return the last answer of the shown branch where it can be gone on in."""
    leaf = conversation.messages.get(conversation.leaf_id or "")
    if leaf is None or leaf.role != "assistant":
        return None
    is_cut = leaf.state in _CUT_STATES or leaf.usage.get("finish_reason") == "length"
    return leaf if is_cut and (leaf.content or leaf.thinking) else None
