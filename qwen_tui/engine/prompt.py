"""Chat messages to token ids, by the model's own template, with nothing forged.

A control token that a person typed or pasted, or that a model wrote as text, must
stay text: otherwise a pasted log could open a system turn. Texts with such a
literal are rendered as a placeholder and tokenised by a second tokenizer that
knows no control tokens; all others go whole, so that their ids are the plain ones.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import jinja2
from transformers import PreTrainedTokenizerBase

from qwen_tui.chat.backend import PromptMessage
from qwen_tui.chat.thinking import CLOSE_TAG, OPEN_TAG, split_finished
from qwen_tui.engine.controls import ControlTokens
from qwen_tui.engine.thinking import ThinkTags, opened_by
from qwen_tui.errors import NotAModel, QwenTuiError
from qwen_tui.i18n import _

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


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
        self._controls = ControlTokens(tokenizer)

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
        turns = [_Turn.of(message) for message in messages]
        holes = _Holes(turns, self._controls)
        if continue_last:
            rendered = self._render_open(turns, holes, thinking=thinking)
        else:
            shown = [holes.hide_turn(turn) for turn in turns]
            rendered = self._render(shown, thinking=thinking, generate=True)
        if not holes.forged:
            return self._encode(holes.fill(rendered))
        return self._controls.encode(holes.split(rendered))

    def thinking_kind(self, tags: ThinkTags | None) -> str:
        """Return "switch", "always" or "never": what the template offers."""
        if "enable_thinking" in str(self._tokenizer.chat_template):
            return "switch"
        prompt = self.build([PromptMessage("user", "?")], thinking=True)
        return "always" if opened_by(prompt, tags) else "never"

    def encode_text(self, text: str) -> list[int]:
        """Return the ids of a text of our own, without control tokens."""
        return self._encode(text)

    def _render_open(
        self, turns: "list[_Turn]", holes: "_Holes", *, thinking: bool
    ) -> str:
        """Render a prompt that ends where the last message's own text ends."""
        *earlier, last = turns
        shown = [holes.hide_turn(turn) for turn in earlier]
        in_thinking = thinking and bool(last.thinking) and not last.content
        mark = holes.hide_all(last.thinking if in_thinking else last.content)
        if in_thinking:
            open_turn = _Turn(last.role, content="", thinking=mark)
        else:
            past = holes.hide(last.thinking)
            open_turn = _Turn(last.role, content=mark, thinking=past)
        closed = self._render([*shown, open_turn], thinking=thinking, generate=False)
        head, found, _tail = closed.partition(mark)
        if found:
            return head + mark
        # a template that leaves thoughts out, or knows finished turns only
        head = self._render(shown, thinking=thinking, generate=True)
        if not in_thinking:
            return head + mark
        if OPEN_TAG not in self._tokenizer.get_vocab():
            return head
        opened = head.rstrip().endswith(OPEN_TAG)
        return head + mark if opened else head + OPEN_TAG + "\n" + mark

    def _render(
        self, turns: "Sequence[_Turn]", *, thinking: bool, generate: bool
    ) -> str:
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

    def _encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A message as the template gets it."""

    role: str
    content: str
    thinking: str

    @classmethod
    def of(cls, message: PromptMessage) -> "_Turn":
        content = _LONE_SURROGATES.sub("\ufffd", message.content)
        thinking = _LONE_SURROGATES.sub("\ufffd", message.thinking)
        inline = content.lstrip().startswith(OPEN_TAG) and CLOSE_TAG in content
        if message.role == "assistant" and inline and not thinking:
            # a history from elsewhere keeps its thinking inside the content
            thinking, content, _cut = split_finished(content)
        return cls(message.role, content, thinking)

    def for_template(self) -> dict[str, str]:
        body = {"role": self.role, "content": self.content}
        if self.role == "assistant":
            # always, even empty: without it Qwen3's template cuts a content that
            # speaks of </think>
            body["reasoning_content"] = self.thinking
        return body


class _Holes:
    """Placeholders that stand for texts while a template runs."""

    def __init__(self, turns: Sequence[_Turn], controls: ControlTokens) -> None:
        self._controls = controls
        self._texts: list[str] = []
        everything = "".join(turn.content + turn.thinking for turn in turns)
        self._open = "\ue000"  # private use; doubled until no text contains it
        while self._open in everything:
            self._open += "\ue000"
        self._marks = re.compile(f"{self._open}([0-9]+)\ue001")
        self.forged = False
        """Some text contains what would become a control token."""

    def hide_turn(self, turn: _Turn) -> _Turn:
        return _Turn(turn.role, self.hide(turn.content), self.hide(turn.thinking))

    def hide(self, text: str) -> str:
        """Return the text, or a mark for it where it contains a control token.

        Blanks at its ends stay outside, for templates that trim.
        """
        if not self._controls.occur_in(text):
            return text
        core = text.strip()
        head, _core, tail = text.partition(core)
        return head + self._mark(core) + tail

    def hide_all(self, text: str) -> str:
        """Return a mark for the text, whatever it contains, up to its very end."""
        return self._mark(text.lstrip("\n"))

    def fill(self, rendered: str) -> str:
        """Return the rendered prompt with the texts in place of their marks."""
        return self._marks.sub(lambda mark: self._texts[int(mark[1])], rendered)

    def split(self, rendered: str) -> list[tuple[str, bool]]:
        """Return the rendered prompt in parts: a text, and if it is an outside one."""
        parts = self._marks.split(rendered)  # template, number, template, number, ...
        return [
            (self._texts[int(part)] if i % 2 else part, bool(i % 2))
            for i, part in enumerate(parts)
        ]

    def _mark(self, text: str) -> str:
        self.forged = self.forged or self._controls.occur_in(text)
        self._texts.append(text)
        return f"{self._open}{len(self._texts) - 1}\ue001"
