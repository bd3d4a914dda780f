"""Options of the next turns, set by name as `/set` does."""

import pytest

from qwen_tui.chat.choices import (
    option_names,
    option_values,
    options_line,
    set_option,
)
from qwen_tui.chat.sampling import Presets, Sampling, SamplingChoice
from qwen_tui.chat.turn import TurnOptions
from qwen_tui.errors import UsageError


@pytest.fixture
def options() -> TurnOptions:
    preset = Sampling(temperature=0.6)
    return TurnOptions(Presets(preset, preset), max_new_tokens=1000)


def test_a_number_is_set_and_taken_back(options: TurnOptions) -> None:
    told = set_option(options, "Temperature", "0.2")
    assert options.choice == SamplingChoice(temperature=0.2)
    assert told == "temperature is 0.2 from the next message on."
    set_option(options, "top-k", "5")
    assert options.choice == SamplingChoice(temperature=0.2, top_k=5)
    assert set_option(options, "temperature", "default").startswith(
        "temperature is default"
    )
    assert options.choice == SamplingChoice(top_k=5)


def test_limits_stop_texts_and_the_guard_are_set(options: TurnOptions) -> None:
    set_option(options, "max_new_tokens", "64")
    set_option(options, "thinking_budget", "16")
    set_option(options, "stop", "END of it")
    set_option(options, "loop_guard", "off")
    set_option(options, "seed", "7")
    assert options.max_new_tokens == 64
    assert options.thinking_budget == 16
    assert options.choice == SamplingChoice(seed=7, stop=("END of it",))
    assert not options.loop_guard
    set_option(options, "thinking_budget", "off")
    assert options.thinking_budget is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("temperature", "hot"),
        ("temperature", "-1"),
        ("temperature", "nan"),
        ("top_k", "2.5"),
        ("top_p", "1.01"),
        ("repetition_penalty", "0"),
        ("seed", "-1"),
        ("max_new_tokens", "0"),
        ("max_new_tokens", "\N{SUPERSCRIPT TWO}"),
        ("thinking_budget", "many"),
        ("loop_guard", "maybe"),
    ],
)
def test_a_wrong_value_is_refused_and_changes_nothing(
    options: TurnOptions, name: str, text: str
) -> None:
    before = dict(option_values(options))
    with pytest.raises(UsageError, match=f"{name} must be"):
        set_option(options, name, text)
    assert option_values(options) == before


def test_an_unknown_name_is_told_with_the_real_ones(options: TurnOptions) -> None:
    with pytest.raises(UsageError, match="no option heat") as refused:
        set_option(options, "heat", "1")
    assert all(name in refused.value.hint for name in option_names())


def test_what_is_set_by_hand_fits_on_a_line(options: TurnOptions) -> None:
    set_option(options, "min_p", "0.1")
    set_option(options, "stop", "END")
    line = options_line(options)
    assert "min_p 0.1" in line
    assert "stop 'END'" in line
    assert "top_p" not in line
