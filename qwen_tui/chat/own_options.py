"""What a person chose for one conversation, kept with it."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, cast

from qwen_tui.chat.choices import check_option
from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.sampling import SamplingChoice
from qwen_tui.chat.turn import OWN_KEY, TurnOptions
from qwen_tui.errors import UsageError

_PLAIN = ("thinking", "thinking_budget", "max_new_tokens", "loop_guard")


def own_options(conversation: Conversation, defaults: TurnOptions) -> TurnOptions:
    """Return `defaults` with what was chosen for this conversation over it.

    What is stored may come from another version or an import: what is no such value
    counts as not chosen.
    """
    options = replace(defaults)
    stored = conversation.settings.get(OWN_KEY)
    if not isinstance(stored, Mapping):
        return options
    for name, value in cast(Mapping[str, Any], stored).items():
        _take(options, str(name), value)
    return options


def keep_options(
    conversation: Conversation, options: TurnOptions, defaults: TurnOptions
) -> None:
    """Note in the conversation's settings what differs from `defaults`."""
    own = {
        name: value
        for name, value in asdict(options.choice).items()
        if value is not None and value != getattr(defaults.choice, name)
    }
    for name in _PLAIN:
        if getattr(options, name) != getattr(defaults, name):
            own[name] = getattr(options, name)
    if "stop" in own:
        own["stop"] = list(own["stop"])  # as it is on disk
    if own:
        conversation.settings[OWN_KEY] = own
    else:
        conversation.settings.pop(OWN_KEY, None)


def chosen_names(options: TurnOptions, defaults: TurnOptions) -> frozenset[str]:
    """Return the names of what was set by hand; "thinking" is one of them."""
    chosen = {f.name for f in fields(SamplingChoice)
              if getattr(options.choice, f.name)
              != getattr(defaults.choice, f.name)}  # fmt: skip
    chosen |= {n for n in _PLAIN if getattr(options, n) != getattr(defaults, n)}
    return frozenset(chosen)


def take_back_option(options: TurnOptions, name: str, defaults: TurnOptions) -> None:
    """Let what held before hold again."""
    if name in _PLAIN:
        setattr(options, name, getattr(defaults, name))
    else:
        value = getattr(defaults.choice, name)
        options.choice = replace(options.choice, **{name: value})


def choose(options: TurnOptions, values: Mapping[str, object]) -> None:
    """Let checked values hold; see `choices.check_option`."""
    for name, value in values.items():
        if name in _PLAIN:
            setattr(options, name, value)
        else:
            options.choice = replace(options.choice, **{name: value})


def _take(options: TurnOptions, name: str, value: object) -> None:
    """Take one stored value over, if it is one that could have been set by hand."""
    if name == "thinking_budget" and value is None:
        options.thinking_budget = None
        return
    try:
        choose(options, {name: check_option(name, value)})
    except UsageError:
        return
