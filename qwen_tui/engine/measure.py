"""What each message of a prompt takes, counted in the prompt's own tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from qwen_tui.chat.backend import TurnRequest
from qwen_tui.chat.ledger import MessageTokens, PromptTokens
from qwen_tui.engine.controls import ControlTokens
from qwen_tui.engine.holes import Holes, TemplateTurn
from qwen_tui.engine.prompt import PromptBuilder


def measure(prompts: PromptBuilder, request: TurnRequest) -> PromptTokens:
    """Return what the prompt of a turn is made of, without computing anything.

    The template runs with a mark in the place of each text, which tells where one
    message ends and the next begins. Counts are exact where messages are divided by
    control tokens, as in ChatML; elsewhere what joins at the borders is counted as
    the template's own, so that the parts always add up to the prompt.

    Raises:
        QwenTuiError: the template refuses the messages (code "template").
    """
    total = len(
        prompts.build(
            request.messages,
            thinking=request.thinking,
            continue_last=request.continue_last,
        )
    )
    turns = [TemplateTurn.of(message) for message in request.messages]
    marks = _AllTexts(turns, prompts.controls)
    rendered = prompts.render(
        turns, marks, thinking=request.thinking, continue_last=request.continue_last
    )
    pieces = marks.cut(rendered)
    closer = _closer(prompts, turns, request.thinking)
    blocks = _Blocks([[] for _turn in turns])
    blocks.divide(pieces, marks, closer)

    def count(block: list[tuple[str, bool]]) -> int:
        return len(prompts.encode(block, forged=marks.forged))

    shown = {piece for piece in pieces if isinstance(piece, int)}
    dropped = [0] * len(turns)
    for number in marks.thoughts - shown:
        text, _outside = marks.text_of(number)
        dropped[marks.owners[number]] += count([(text, True)])
    counts = [count(block) for block in blocks.messages]
    generation = count(blocks.generation)
    return PromptTokens(
        messages=tuple(map(MessageTokens, counts, dropped)),
        template_tokens=total - sum(counts) - generation,
        generation_tokens=generation,
    )


class _AllTexts(Holes):
    """Marks for every text, each with the message it belongs to."""

    def __init__(self, turns: Sequence[TemplateTurn], controls: ControlTokens) -> None:
        super().__init__(turns, controls)
        self.owners: list[int] = []
        """The place of the message that each mark stands in."""
        self.thoughts: set[int] = set()
        """The marks that stand for thinking."""
        self._place = 0

    def hide_turn(self, turn: TemplateTurn) -> TemplateTurn:
        core = turn.content.strip()
        content = self.hide(turn.content) if core else self.mark(turn.content)
        if turn.thinking.strip():
            self.thoughts.add(len(self.owners))
        thinking = self.hide(turn.thinking)
        self._place += 1
        return TemplateTurn(turn.role, content, thinking)

    def hide(self, text: str) -> str:
        core = text.strip()
        if not core:  # templates ask whether there is any
            return text
        head, _core, tail = text.partition(core)
        return head + self.mark(core) + tail

    def mark(self, text: str) -> str:
        self.owners.append(self._place)
        return super().mark(text)


Block = list[tuple[str, bool]]


@dataclass(slots=True)
class _Blocks:
    """A rendered prompt, message by message."""

    messages: list[Block]
    generation: Block = field(default_factory=Block)

    def divide(
        self, pieces: Sequence[str | int], marks: _AllTexts, closer: str
    ) -> None:
        """Give each piece to the message that it belongs to."""
        place: int | None = None  # of the message that the last mark stands in
        coming = [*pieces[1:], None]
        for piece, following in zip(pieces, coming, strict=True):
            if isinstance(piece, int):
                place = marks.owners[piece]
                self.messages[place].append(marks.text_of(piece))
                continue
            owner = marks.owners[following] if isinstance(following, int) else None
            if owner is not None and owner == place:
                self.messages[owner].append((piece, False))
                continue
            end = _end_of(piece, closer, is_first=place is None)
            if place is not None:
                self.messages[place].append((piece[:end], False))
            rest = self.generation if owner is None else self.messages[owner]
            rest.append((piece[end:], False))


def _closer(
    prompts: PromptBuilder, turns: Sequence[TemplateTurn], thinking: bool
) -> str:
    """Return what the template writes after a message's text."""
    marks = _AllTexts(turns, prompts.controls)
    shown = [marks.hide_turn(turn) for turn in turns]
    rendered = prompts.apply_template(shown, thinking=thinking, generate=False)
    last = marks.cut(rendered)[-1]
    return last.lstrip() if isinstance(last, str) and last.strip() else ""


def _end_of(glue: str, closer: str, *, is_first: bool) -> int:
    """Return where in the template's text between two messages the first one ends.

    What stands before the first message belongs to it from the last complete message
    of the template's own on.
    """
    if not closer:
        return 0
    at = glue.rfind(closer) if is_first else glue.find(closer)
    return at + len(closer) if at >= 0 else 0
