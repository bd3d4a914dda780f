"""Chat messages to token ids, by the model's own template, with nothing forged.

A control token that a person typed or pasted, or that a model wrote as text, must
stay text: otherwise a pasted log could open a system turn. Texts with such a
literal are rendered as a placeholder and tokenised by a second tokenizer that
knows no control tokens; all others go whole, so that their ids are the plain ones.
"""

from collections.abc import Sequence
from typing import cast

import jinja2
from transformers import PreTrainedTokenizerBase

from qwen_tui.chat.backend import PromptMessage
from qwen_tui.chat.thinking import OPEN_TAG
from qwen_tui.engine.controls import ControlTokens
from qwen_tui.engine.holes import Holes, TemplateTurn
from qwen_tui.engine.thinking import ThinkTags, opened_by
from qwen_tui.errors import NotAModel, QwenTuiError
from qwen_tui.i18n import _


class PromptBuilder:
    """Builds the prompts of one model."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Take a tokenizer with a chat template.

        Raises:
            NotAModel: it has none (code "no_chat_template").
        """
        if not tokenizer.chat_template:
            raise NotAModel(
                _("This model has no chat template, so it cannot chat."),
                hint=_("Choose an instruct or chat version of it."),
                code="no_chat_template",
            )
        self._tokenizer = tokenizer
        self.controls = ControlTokens(tokenizer)

    def build(
        self,
        messages: Sequence[PromptMessage],
        *,
        thinking: bool,
        continue_last: bool = False,
    ) -> list[int]:
        """Return the prompt's token ids.

        Args:
            messages: The conversation, roles as the template knows them.
            thinking: What the template gets as `enable_thinking`.
            continue_last: End inside the last message, an assistant's, so that the
                model goes on with it; inside its thinking where it was cut there.

        Raises:
            QwenTuiError: the template refuses these messages (code "template").
        """
        turns = [TemplateTurn.of(message) for message in messages]
        holes = Holes(turns, self.controls)
        rendered = self.render(
            turns, holes, thinking=thinking, continue_last=continue_last
        )
        return self.encode(holes.split(rendered), forged=holes.forged)

    def render(
        self,
        turns: list[TemplateTurn],
        holes: Holes,
        *,
        thinking: bool,
        continue_last: bool = False,
    ) -> str:
        """Return the prompt's text with marks for what `holes` hides; see `build`."""
        if continue_last:
            return self._render_open(turns, holes, thinking=thinking)
        shown = [holes.hide_turn(turn) for turn in turns]
        return self.apply_template(shown, thinking=thinking, generate=True)

    def encode(self, parts: Sequence[tuple[str, bool]], *, forged: bool) -> list[int]:
        """Return the ids of texts that stand one after the other.

        Args:
            parts: Each with whether it is an outside one.
            forged: Some outside text contains what would become a control token.
        """
        if forged:
            return self.controls.encode(parts)
        return self.encode_text("".join(text for text, _outside in parts))

    def thinking_kind(self, tags: ThinkTags | None) -> str:
        """Return "switch", "always" or "never": what the template offers."""
        if "enable_thinking" in str(self._tokenizer.chat_template):
            return "switch"
        prompt = self.build([PromptMessage("user", "?")], thinking=True)
        return "always" if opened_by(prompt, tags) else "never"

    def encode_text(self, text: str) -> list[int]:
        """Return the ids of a text, control tokens in it taken as such."""
        return self._tokenizer.encode(text, add_special_tokens=False)

    def _render_open(
        self, turns: list[TemplateTurn], holes: Holes, *, thinking: bool
    ) -> str:
        """Render a prompt that ends where the last message's own text ends."""
        *earlier, last = turns
        shown = [holes.hide_turn(turn) for turn in earlier]
        in_thinking = thinking and bool(last.thinking) and not last.content
        mark = holes.hide_all(last.thinking if in_thinking else last.content)
        if in_thinking:
            open_turn = TemplateTurn(last.role, content="", thinking=mark)
        else:
            past = holes.hide(last.thinking)
            open_turn = TemplateTurn(last.role, content=mark, thinking=past)
        closed = self.apply_template(
            [*shown, open_turn], thinking=thinking, generate=False
        )
        head, found, _tail = closed.partition(mark)
        if found:
            return head + mark
        # a template that leaves thoughts out, or knows finished turns only
        head = self.apply_template(shown, thinking=thinking, generate=True)
        if not in_thinking:
            return head + mark
        if OPEN_TAG not in self._tokenizer.get_vocab():
            return head
        opened = head.rstrip().endswith(OPEN_TAG)
        return head + mark if opened else head + OPEN_TAG + "\n" + mark

    def apply_template(
        self, turns: Sequence[TemplateTurn], *, thinking: bool, generate: bool
    ) -> str:
        """Return what the model's template makes of some turns.

        Raises:
            QwenTuiError: it refuses them (code "template").
        """
        try:
            rendered = self._tokenizer.apply_chat_template(
                [turn.for_template() for turn in turns],
                tokenize=False,
                add_generation_prompt=generate,
                enable_thinking=thinking,
            )
        except jinja2.TemplateError as error:
            raise QwenTuiError(
                _(
                    "The model's chat template refuses this conversation: {error}"
                ).format(error=error),
                hint=_("Some models know no system prompt; try without it."),
                code="template",
            ) from error
        return cast(str, rendered)
