"""Making room before a prompt would exceed the context; nothing goes silently."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from qwen_tui.chat.backend import Backend
from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.events import ContextCut, Failed, Finished, StreamEvent
from qwen_tui.chat.ledger import (
    Movable,
    Overflow,
    PromptTokens,
    answer_room,
    first_kept,
)
from qwen_tui.chat.request import Asked, ask
from qwen_tui.chat.summary import Summary, summary_tokens
from qwen_tui.chat.turn import TurnOptions, TurnPlan
from qwen_tui.chat.window import Window
from qwen_tui.i18n import _

_FILL = 0.75  # of the limit: the next turns fit too, and what was read stays read


class Fitting:
    """Brings one turn's prompt into the context.

    Attributes:
        asked: What is to be asked, once the events have ended without a failure.
        overflow: Set where the prompt does not fit and a person has to choose.
    """

    def __init__(
        self,
        backend: Backend,
        conversation: Conversation,
        plan: TurnPlan,
        options: TurnOptions,
    ) -> None:
        self.overflow: Overflow | None = None
        self._backend = backend
        self._conversation = conversation
        self._plan = plan
        self._options = options
        self._length = backend.loaded.context_length if backend.loaded else 0
        self._room = answer_room(self._length, options.max_new_tokens)
        self._limit = self._length - self._room
        self.asked = self._ask(None)

    async def events(self) -> AsyncGenerator[StreamEvent, None]:
        """Yield what is done to make room, mostly nothing.

        Ends with `Failed` where there is no room, and with `Finished` where a summary
        was stopped.
        """
        if not self._length:
            return
        branch = self._conversation.branch(self._plan.answer.parent_id)
        window = Window.of(self._conversation, branch)
        widened = await self._widened(window)
        if widened is not None:
            yield widened
            return
        tokens = await self._backend.measure(self.asked.request)
        if tokens is None or tokens.total <= self._limit:
            return
        async with aclosing(self._make_room(window, tokens)) as events:
            async for event in events:
                yield event

    async def _widened(self, window: Window) -> ContextCut | None:
        """Let everything in again where a longer context has room for it."""
        if not window.first_id or self._length <= window.context_length:
            return None
        everything = self._ask(Window())
        tokens = await self._backend.measure(everything.request)
        if tokens is None or tokens.total > self._limit:
            return None
        Window().keep_in(self._conversation)
        self.asked = everything
        return ContextCut((), tokens.total, tokens.total, self._length)

    async def _make_room(
        self, window: Window, tokens: PromptTokens
    ) -> AsyncGenerator[StreamEvent, None]:
        choice = self._plan.overflow or self._options.overflow
        place = self._place(tokens)
        if choice == "ask" or place is None:
            self.overflow = self._overflow(tokens, place)
            yield refusal(self.overflow)
            return
        summary = window.summary
        if choice == "summarise":
            place = self._place(tokens, extra=summary_tokens(self._length)) or place
            writing = Summary(self._backend, self.asked, place, self._options)
            async with aclosing(writing.events(self._length)) as events:
                async for event in events:
                    yield event
                    if isinstance(event, Failed | Finished):
                        return
            summary = writing.text
        yield await self._cut(place, tokens, summary)

    async def _cut(
        self, place: int, tokens: PromptTokens, summary: str
    ) -> ContextCut | Failed:
        """Let the prompt begin at one of its messages, or later if need be."""
        full = tokens.total
        while True:
            first = self.asked.sources[place]
            assert first is not None
            window = Window(first.id, self._length, summary)
            self.asked = self._ask(window)
            now = await self._backend.measure(self.asked.request)
            if now is None or now.total <= self._limit:
                break
            more = self._place(now)
            if more is None:
                self.overflow = self._overflow(now, None)
                return refusal(self.overflow)
            place = more
        window.keep_in(self._conversation)
        branch = self._conversation.branch(self._plan.answer.parent_id)
        outside = window.outside(branch)
        return ContextCut(
            outside=tuple(m.id for m in branch if m.id in outside),
            full_tokens=full,
            prompt_tokens=now.total if now is not None else 0,
            context_length=self._length,
            summary=summary,
        )

    def _place(self, tokens: PromptTokens, extra: int = 0) -> int | None:
        """Return where the prompt has to begin; None where that is not enough.

        Args:
            tokens: Of the prompt as it is.
            extra: Tokens that will be added to it.
        """
        messages = [
            Movable(
                tokens=cost.tokens,
                is_user=source is not None and source.role == "user",
                is_fixed=source is None or source.pinned,
            )
            for source, cost in zip(self.asked.sources, tokens.messages, strict=True)
        ]
        total = tokens.total + extra
        with_slack = first_kept(messages, total - int(_FILL * self._limit))
        if with_slack is not None:
            return with_slack
        return first_kept(messages, total - self._limit)

    def _overflow(self, tokens: PromptTokens, place: int | None) -> Overflow:
        pairs = zip(self.asked.sources, tokens.messages, strict=True)
        gone = [
            (source.id, cost.tokens)
            for source, cost in [*pairs][: place or 0]
            if source is not None and not source.pinned
        ]
        return Overflow(
            prompt_tokens=tokens.total,
            room=self._room,
            context_length=self._length,
            outside=tuple(message_id for message_id, _tokens in gone),
            outside_tokens=sum(n for _id, n in gone),
        )

    def _ask(self, window: Window | None) -> Asked:
        return ask(
            self._conversation, self._plan, self._options, self._backend.loaded, window
        )


def refusal(overflow: Overflow) -> Failed:
    """Return the failure of a turn whose prompt does not fit."""
    message = _(
        "The prompt takes {n} tokens, and its answer shall find {room}; the context "
        "has {limit}."
    ).format(
        n=f"{overflow.prompt_tokens:,}",
        room=f"{overflow.room:,}",
        limit=f"{overflow.context_length:,}",
    )
    if overflow.outside:
        hint = _("Leave the oldest messages out, sum them up, or raise the limit.")
    else:
        hint = _("Shorten the conversation, or start a new one.")
    return Failed("context_overflow", message, hint)
