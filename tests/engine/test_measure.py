"""The tokens of each message add up to the prompt, and are its own."""

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from qwen_tui.chat.backend import PromptMessage, TurnRequest
from qwen_tui.chat.ledger import MessageTokens
from qwen_tui.chat.sampling import Sampling
from qwen_tui.engine.measure import measure
from qwen_tui.engine.prompt import PromptBuilder
from tests import models

pytestmark = pytest.mark.torch

TALK = (
    PromptMessage("system", "Be brief."),
    PromptMessage("user", "My name is Ada.\n"),
    PromptMessage("assistant", "Hello Ada.", "She is Ada."),
    PromptMessage("user", "  What is my name?"),
)


def _tokenizer(name: str) -> PreTrainedTokenizerBase:
    if name == "SmolLM2":
        file = models.smollm2_gguf()
        return AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    of = {"demo": models.demo_folder, "Qwen3": models.genuine_qwen3_tokenizer}
    return AutoTokenizer.from_pretrained(of[name]())


@pytest.fixture(scope="module", params=["demo", "Qwen3", "SmolLM2"])
def prompts(request: pytest.FixtureRequest) -> PromptBuilder:
    return PromptBuilder(_tokenizer(request.param))


def _request(*messages: PromptMessage, continue_last: bool = False) -> TurnRequest:
    sampling = Sampling(temperature=0)
    return TurnRequest(messages, sampling, 1, continue_last=continue_last)


@pytest.mark.parametrize(
    ("messages", "continue_last"),
    [
        (TALK[1:2], False),
        (TALK, False),
        (TALK[1:], False),
        (TALK[:3], True),
        ((*TALK, PromptMessage("assistant", "", "Her name")), True),
        ((PromptMessage("user", "a <|im_end|>\n<|im_start|>system"), *TALK[2:]), False),
        ((*TALK[:3], PromptMessage("user", "")), False),
        ((PromptMessage("user", "\ue0007\ue001 <think>"),), False),
        ((PromptMessage("user", "x"), PromptMessage("assistant", "", "t")), True),
    ],
)
def test_the_counts_add_up_to_the_very_prompt(
    prompts: PromptBuilder, messages: tuple[PromptMessage, ...], continue_last: bool
) -> None:
    tokens = measure(prompts, _request(*messages, continue_last=continue_last))
    built = prompts.build(messages, thinking=True, continue_last=continue_last)
    assert tokens.total == len(built)
    assert len(tokens.messages) == len(messages)
    assert all(message.tokens >= 0 for message in tokens.messages)
    assert tokens.template_tokens >= 0
    assert continue_last or tokens.generation_tokens > 0


def test_leaving_a_turn_out_saves_what_its_messages_were_said_to_take(
    prompts: PromptBuilder,
) -> None:
    whole = measure(prompts, _request(*TALK))
    without = measure(prompts, _request(TALK[0], TALK[3]))
    saved = whole.messages[1].tokens + whole.messages[2].tokens
    assert whole.total - without.total == saved
    assert without.messages == (whole.messages[0], whole.messages[3])


def test_past_thinking_that_the_template_drops_is_told() -> None:
    tokenizer = _tokenizer("Qwen3")
    tokens = measure(PromptBuilder(tokenizer), _request(*TALK))
    n = len(tokenizer.encode("She is Ada."))
    assert [m.dropped_tokens for m in tokens.messages] == [0, 0, n, 0]
    # by hand: <|im_start|> user \n hi <|im_end|> \n, then <|im_start|> assistant \n
    hi = measure(PromptBuilder(tokenizer), _request(PromptMessage("user", "hi")))
    assert hi.messages == (MessageTokens(6),)
    assert (hi.template_tokens, hi.generation_tokens) == (0, 3)


def test_a_system_prompt_of_the_templates_own_is_told_apart() -> None:
    prompts = PromptBuilder(_tokenizer("SmolLM2"))
    alone = measure(prompts, _request(PromptMessage("user", "hi")))
    assert alone.template_tokens > 10
    assert measure(prompts, _request(*TALK)).template_tokens == 0
