"""What a turn asks of the model, made of the conversation and the options."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from qwen_tui.chat.backend import PromptMessage, TurnRequest
from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.events import Loaded
from qwen_tui.chat.history import prompt_history
from qwen_tui.chat.thinking import SoftSwitch, ThinkingMode, thinking_mode
from qwen_tui.chat.turn import TurnOptions, TurnPlan
from qwen_tui.chat.window import Window


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn's request, and how it came about."""

    request: TurnRequest
    sources: tuple[ChatMessage | None, ...]
    """What each of its messages is made of; None for the system prompt."""
    soft_switch: SoftSwitch = ""
    """What in the conversation switched thinking on or off for this turn."""

    def settings(self) -> dict[str, Any]:
        """Return what the answer keeps of what made it; see `ChatMessage.sampling`."""
        request = self.request
        settings = {
            **asdict(request.sampling),
            "stop": list(request.sampling.stop),  # as it is on disk
            "thinking": request.thinking,
            "thinking_budget": request.thinking_budget,
            "max_new_tokens": request.max_new_tokens,
        }
        if self.soft_switch:
            settings["soft_switch"] = self.soft_switch
        return settings


def ask(
    conversation: Conversation,
    plan: TurnPlan,
    options: TurnOptions,
    loaded: Loaded | None,
    window: Window | None = None,
) -> Asked:
    """Return what a turn asks.

    What a person set by hand holds in both modes, all else follows the preset of the
    mode this turn is in.

    Args:
        conversation: Its messages are the prompt.
        plan: Where in it the answer comes.
        options: What is asked for.
        loaded: Tells how the model thinks, once it is known.
        window: What goes into the prompt; None takes the conversation's own.
    """
    start = plan.answer
    history = prompt_history(conversation, start.parent_id, window)
    prompt, sources = history.prompt, history.sources
    mode = _mode(plan, prompt, options, loaded)
    if plan.is_cut:
        cut = PromptMessage("assistant", start.content, start.thinking)
        prompt, sources = (*prompt, cut), (*sources, start)
    request = TurnRequest(
        messages=prompt,
        sampling=options.presets.choose(options.choice, thinking=mode.on),
        max_new_tokens=options.max_new_tokens,
        thinking=mode.on,
        thinking_budget=options.thinking_budget,
        continue_last=plan.is_cut,
        conversation_id=conversation.id,
        loop_guard=options.loop_guard,
    )
    return Asked(request, sources, mode.switch)


def _mode(
    plan: TurnPlan,
    prompt: Sequence[PromptMessage],
    options: TurnOptions,
    loaded: Loaded | None,
) -> ThinkingMode:
    if plan.is_cut and "thinking" in plan.answer.sampling:  # it goes on as it began
        return ThinkingMode(bool(plan.answer.sampling["thinking"]))
    return thinking_mode(
        wanted=options.thinking,
        kind=loaded.thinking if loaded is not None else "switch",
        texts=[message.content for message in prompt if message.role != "assistant"],
    )
