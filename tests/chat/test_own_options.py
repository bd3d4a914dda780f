"""What a person chose for one conversation is kept with it, and nothing else."""

import pytest

from qwen_tui.chat.choices import check_option, set_option
from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.own_options import (
    choose,
    chosen_names,
    keep_options,
    own_options,
    take_back_option,
)
from qwen_tui.chat.sampling import Presets, Sampling
from qwen_tui.chat.turn import TurnOptions
from qwen_tui.errors import UsageError


def defaults() -> TurnOptions:
    presets = Presets(Sampling(temperature=0.6), Sampling(temperature=0.7))
    return TurnOptions(presets, max_new_tokens=100)


def test_what_was_set_by_hand_comes_back_with_the_conversation() -> None:
    chat = Conversation()
    options = own_options(chat, defaults())
    for name, text in (("temperature", "0.25"), ("top_k", "5"), ("stop", "END"),
                       ("thinking_budget", "64"), ("loop_guard", "off")):  # fmt: skip
        set_option(options, name, text)
    options.thinking = False
    keep_options(chat, options, defaults())
    assert own_options(chat, defaults()) == options
    assert chosen_names(options, defaults()) == {
        *("temperature", "top_k", "stop", "thinking_budget", "loop_guard", "thinking")
    }


def test_what_was_not_chosen_follows_other_defaults() -> None:
    chat = Conversation()
    options = own_options(chat, defaults())
    set_option(options, "temperature", "0.25")
    keep_options(chat, options, defaults())
    later = defaults()
    later.max_new_tokens, later.thinking = 7, False
    assert own_options(chat, later).max_new_tokens == 7
    assert not own_options(chat, later).thinking
    assert own_options(chat, later).choice.temperature == 0.25


def test_a_choice_taken_back_is_kept_no_more() -> None:
    chat = Conversation(settings={"window": {"first_id": "a"}})
    options = own_options(chat, defaults())
    choose(options, {"temperature": 0.25, "max_new_tokens": 5})
    keep_options(chat, options, defaults())
    take_back_option(options, "temperature", defaults())
    take_back_option(options, "max_new_tokens", defaults())
    keep_options(chat, options, defaults())
    assert chat.settings == {"window": {"first_id": "a"}}


def test_two_conversations_do_not_share_choices() -> None:
    shared = defaults()
    first = own_options(Conversation(), shared)
    set_option(first, "temperature", "0.25")
    assert own_options(Conversation(), shared).choice.temperature is None


@pytest.mark.parametrize(
    "stored",
    [
        "text",
        {"temperature": "hot"},
        {"temperature": 1e9},
        {"top_k": True},
        {"thinking": 1},
        {"nonsense": 3, "presets": 1},
        {"stop": None},
    ],
)
def test_stored_nonsense_counts_as_not_chosen(stored: object) -> None:
    chat = Conversation(settings={"options": stored})
    assert own_options(chat, defaults()) == defaults()


def test_a_checked_value_has_its_options_type() -> None:
    assert check_option("top_k", 5) == 5
    assert check_option("stop", ["a", "b"]) == ("a", "b")
    assert check_option("thinking", value=False) is False
    for name, value in (("thinking", "no"), ("top_p", 2), ("nonsense", 1)):
        with pytest.raises(UsageError):
            check_option(name, value)
