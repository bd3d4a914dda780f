"""What a turn makes of the messages before it."""

from qwen_tui.chat.backend import PromptMessage
from qwen_tui.chat.conversation import ChatMessage, Conversation

_CUT_STATES = ("stopped", "interrupted", "failed")


def prompt_messages(
    conversation: Conversation, leaf_id: str | None
) -> list[PromptMessage]:
    """Return the prompt of the branch that ends with `leaf_id`; None: no branch.

    The system prompt comes first where there is one. Answers that failed with no
    content, or in which nothing came at all, are left out; what a person stopped
    or a crash cut stays.
    """
    branch = conversation.branch(leaf_id) if leaf_id is not None else []
    prompt = [
        PromptMessage(message.role, message.content, message.thinking)
        for message in branch
        if message.role == "user" or _says_something(message)
    ]
    if conversation.system_prompt:
        prompt.insert(0, PromptMessage("system", conversation.system_prompt))
    return prompt


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
