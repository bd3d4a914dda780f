"""Drawing up the ledger of a conversation."""

from dataclasses import replace

from qwen_tui.chat.backend import Backend, PromptMessage
from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.ledger import Ledger, LedgerRow
from qwen_tui.chat.request import ask
from qwen_tui.chat.turn import TurnOptions, TurnPlan, empty_answer
from qwen_tui.chat.window import Window


async def draw_up(
    backend: Backend, conversation: Conversation, options: TurnOptions
) -> Ledger | None:
    """Return what each message of the shown branch takes in the next prompt.

    The next message stands in it as an empty one. None where the backend cannot tell.
    """
    if backend.loaded is None:
        return None
    plan = TurnPlan(empty_answer(conversation.leaf_id))
    asked = ask(conversation, plan, options, backend.loaded)
    messages = (*asked.request.messages, PromptMessage("user", ""))
    tokens = await backend.measure(replace(asked.request, messages=messages))
    if tokens is None:
        return None
    branch = conversation.branch()
    window = Window.of(conversation, branch)
    costs = {
        source.id if source is not None else "": cost
        for source, cost in zip(asked.sources, tokens.messages, strict=False)
    }
    rows = [
        LedgerRow(m.id, m.role, m.content, costs.get(m.id), is_pinned=m.pinned)
        for m in branch
    ]
    if "" in costs:
        rows.insert(0, LedgerRow("", "system", conversation.system_prompt, costs[""]))
    length = backend.loaded.context_length
    return Ledger(tuple(rows), tokens, length, window.summary)
