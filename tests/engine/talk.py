"""A conversation with branches, whose turns are answered with and without reuse."""

from collections.abc import Callable
from typing import Any, cast

from qwen_tui.chat.answer import GrowingAnswer
from qwen_tui.chat.backend import PromptMessage, TurnRequest
from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.events import (
    AnswerDelta,
    Finished,
    PrefillProgress,
    StreamEvent,
    ThinkingDelta,
)
from qwen_tui.chat.history import prompt_history
from qwen_tui.chat.sampling import Sampling
from qwen_tui.chat.turn import empty_answer
from qwen_tui.engine.generate import Parent, generate
from qwen_tui.engine.model import LoadedModel
from qwen_tui.engine.prefill import PromptReader
from qwen_tui.engine.warm import warm

Stop = Callable[[list[StreamEvent]], bool]


def never(_events: list[StreamEvent]) -> bool:
    return False


class Talk:
    """Talks with a model; each answer is made twice and must be the same twice."""

    def __init__(
        self,
        model: LoadedModel,
        reader: PromptReader,
        sampling: Sampling,
        *,
        limit: int = 40,
        system_prompt: str = "",
    ) -> None:
        self.model = model
        self.reader = reader
        self.chat = Conversation(system_prompt=system_prompt)
        self.finished: list[Finished] = []
        """How each turn ended, with reuse."""
        self._sampling = sampling
        self._limit = limit

    def ask(self, text: str, **options: Any) -> ChatMessage:
        """Ask at the end of the shown branch."""
        user = ChatMessage("user", text, parent_id=self.chat.leaf_id)
        self.chat.put(user)
        return self._answer(empty_answer(user.id), **options)

    def retry(self, **options: Any) -> ChatMessage:
        """Answer the last question again."""
        leaf = self.chat.messages[cast(str, self.chat.leaf_id)]
        return self._answer(empty_answer(leaf.parent_id), **options)

    def edit(self, question: ChatMessage, text: str, **options: Any) -> ChatMessage:
        """Ask something else in the place of an earlier question."""
        user = ChatMessage("user", text, parent_id=question.parent_id)
        self.chat.put(user)
        return self._answer(empty_answer(user.id), **options)

    def show(self, leaf: ChatMessage) -> None:
        """Go to the branch that ends with `leaf`."""
        self.chat.leaf_id = leaf.id

    def go_on(self, **options: Any) -> ChatMessage:
        """Go on inside the last answer, which was cut."""
        leaf = self.chat.messages[cast(str, self.chat.leaf_id)]
        return self._answer(leaf, continue_last=True, **options)

    def questions(self) -> list[ChatMessage]:
        """Return the questions of the shown branch."""
        return [m for m in self.chat.branch() if m.role == "user"]

    def request(self, answer: ChatMessage, **options: Any) -> TurnRequest:
        """Return what the session would ask for."""
        messages = [*prompt_history(self.chat, answer.parent_id).prompt]
        if options.get("continue_last"):
            messages.append(PromptMessage("assistant", answer.content, answer.thinking))
        options.setdefault("max_new_tokens", self._limit)
        return TurnRequest(
            tuple(messages),
            self._sampling,
            conversation_id=self.chat.id,
            **options,
        )

    def warm(self, is_unwanted: Callable[[], bool] = lambda: False) -> Finished:
        """Read ahead, before the next question."""
        messages = [*prompt_history(self.chat, self.chat.leaf_id).prompt]
        request = TurnRequest(
            tuple(messages),
            self._sampling,
            self._limit,
            conversation_id=self.chat.id,
        )
        return warm(self.model, request, self.reader, is_unwanted)

    def _answer(self, answer: ChatMessage, **options: Any) -> ChatMessage:
        stop: Stop = options.pop("stop_when", never)
        request = self.request(answer, **options)
        told, finished = run(self.model, request, self.reader, stop)
        again, plain = run(self.model, request, None, stop)
        if stop is never:
            assert texts(told) == texts(again)
            assert finished.reason == plain.reason
            assert finished.usage.answer_tokens == plain.usage.answer_tokens
        else:  # it stops when the parent was told, which depends on the clock
            pairs = zip(texts(told), texts(again), strict=True)
            assert all(a.startswith(b) or b.startswith(a) for a, b in pairs)
        assert finished.usage.prompt_tokens == plain.usage.prompt_tokens
        assert plain.usage.cached_tokens == 0
        self.finished.append(finished)
        growing = GrowingAnswer(answer)
        for event in told:
            if isinstance(event, ThinkingDelta | AnswerDelta):
                growing.add(event)
        growing.end(finished)
        self.chat.put(growing.message)
        return growing.message


def run(
    model: LoadedModel,
    request: TurnRequest,
    reader: PromptReader | None,
    stop_when: Stop = never,
) -> tuple[list[StreamEvent], Finished]:
    """Answer one turn, keeping what was read in `reader`, or nothing."""
    events: list[StreamEvent] = []
    parent = Parent(
        tell=events.append,
        is_cancelled=lambda: stop_when(events),
        wants_answer=lambda: False,
    )
    return events, generate(model, request, parent, reader)


def texts(events: list[StreamEvent]) -> tuple[str, str]:
    """Return the thinking and the answer that were told."""
    thoughts = [e.text for e in events if isinstance(e, ThinkingDelta)]
    answers = [e.text for e in events if isinstance(e, AnswerDelta)]
    return "".join(thoughts), "".join(answers)


def told_prefill(events: list[StreamEvent]) -> list[PrefillProgress]:
    """Return what was told of the prompt."""
    return [e for e in events if isinstance(e, PrefillProgress)]
