"""What is in force: the mode's preset, with what was set by hand on top."""

from dataclasses import fields

import pytest

from qwen_tui.chat.sampling import Presets, Sampling, SamplingChoice

# The Qwen3 model card's presets.
PRESETS = Presets(
    thinking=Sampling(temperature=0.6, top_p=0.95, top_k=20),
    answer=Sampling(temperature=0.7, top_p=0.8, top_k=20),
)


@pytest.mark.parametrize("thinking", [True, False])
def test_without_a_choice_the_modes_preset_holds(thinking: bool) -> None:
    wanted = PRESETS.thinking if thinking else PRESETS.answer
    assert PRESETS.choose(SamplingChoice(), thinking=thinking) == wanted


def test_what_was_set_by_hand_wins_in_both_modes() -> None:
    choice = SamplingChoice(top_p=0.5, seed=7)
    thinking = PRESETS.choose(choice, thinking=True)
    assert thinking == Sampling(temperature=0.6, top_p=0.5, top_k=20, seed=7)
    answer = PRESETS.choose(choice, thinking=False)
    assert answer == Sampling(temperature=0.7, top_p=0.5, top_k=20, seed=7)


def test_zero_is_a_choice() -> None:
    choice = SamplingChoice(temperature=0.0, top_k=0, seed=0)
    chosen = PRESETS.choose(choice, thinking=True)
    assert (chosen.temperature, chosen.top_k, chosen.seed) == (0.0, 0, 0)


def test_every_setting_can_be_chosen() -> None:
    assert [f.name for f in fields(SamplingChoice)] == [
        f.name for f in fields(Sampling)
    ]
