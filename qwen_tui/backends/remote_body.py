"""A turn as a request to a server, and what of it the server does not take."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from qwen_tui.backends.remote_dialects import Dialect
from qwen_tui.chat.backend import PromptMessage, TurnRequest
from qwen_tui.chat.sampling import Sampling
from qwen_tui.chat.thinking import CLOSE_TAG
from qwen_tui.errors import ServerError
from qwen_tui.i18n import _

_NEUTRAL: Mapping[str, Any] = {
    **asdict(Sampling(temperature=-1.0)),
    "temperature": None,
}
"""The value of each field that changes nothing; None: there is none."""


@dataclass(slots=True)
class TurnBody:
    """A request for one answer.

    Attributes:
        fields: What is sent.
        left_out: Names, as `/set` spells them, of what was asked for and is not sent.
    """

    fields: dict[str, Any]
    left_out: list[str] = field(default_factory=list[str])
    _optional: dict[str, str] = field(init=False, default_factory=dict[str, str])

    def add(self, field_name: str, value: object, name: str) -> None:
        """Send a field that the server may refuse; `name` is what it stands for."""
        self.fields[field_name] = value
        self._optional[field_name] = name

    def leave_out(self, name: str) -> None:
        """Note that something that was asked for is not sent."""
        self.left_out.append(name)

    def refused(self, told: str, *, any_of_it: bool) -> set[str]:
        """Return which fields a server's refusal means.

        Args:
            told: What it said.
            any_of_it: Where it names none of them, it may mean each.
        """
        named = {name for name in self._optional if name in told}
        return named or (set(self._optional) if any_of_it else set())

    def drop(self, field_names: set[str]) -> None:
        """Take out fields that the server refuses."""
        for field_name in field_names & self._optional.keys():
            self.left_out.append(self._optional.pop(field_name))
            del self.fields[field_name]


def turn_body(
    request: TurnRequest,
    dialect: Dialect,
    model: str,
    *,
    context_length: int,
    prompt_tokens: int,
) -> TurnBody:
    """Return what asks a server for an answer.

    Args:
        request: The turn.
        dialect: The server's kind.
        model: Its model; empty leaves the choice to the server.
        context_length: Tokens, 0 where nobody knows.
        prompt_tokens: Of the prompt, as far as it is known.

    Raises:
        ServerError: an answer that was cut cannot go on at this server.
    """
    fields: dict[str, Any] = {"messages": messages(request, dialect), "stream": True}
    if model:
        fields["model"] = model
    if dialect.tells_usage:
        fields["stream_options"] = {"include_usage": True}
    body = TurnBody(fields)
    _limit(body, request, dialect, context_length - prompt_tokens)
    _sample(body, request.sampling, dialect)
    _think(body, request, dialect)
    if request.continue_last:
        _go_on(body, request.messages[-1], dialect)
    return body


def messages(request: TurnRequest, dialect: Dialect) -> list[dict[str, str]]:
    """Return a prompt's messages as a server takes them."""
    return [_message(message, dialect) for message in request.messages]


def template_options(request: TurnRequest, dialect: Dialect) -> dict[str, Any]:
    """Return what the chat template is told, beside the messages."""
    if dialect.thinking != "template":
        return {}
    return {"chat_template_kwargs": {"enable_thinking": request.thinking}}


def _message(message: PromptMessage, dialect: Dialect) -> dict[str, str]:
    told = {"role": message.role, "content": message.content}
    # Qwen's template cuts an answer at a </think> in its text where no thinking
    # comes beside it
    has_tag = CLOSE_TAG in message.content
    is_answer = message.role == "assistant" and dialect.takes_thoughts
    if is_answer and (message.thinking or has_tag):
        told["reasoning_content"] = message.thinking
    return told


def _limit(body: TurnBody, request: TurnRequest, dialect: Dialect, room: int) -> None:
    """Say how long the answer may get; some refuse a limit beyond the context."""
    limit = request.max_new_tokens
    if room > 0 and limit >= room:
        if dialect.fills_context:
            return
        limit = room
    body.fields["max_tokens"] = limit


def _sample(body: TurnBody, sampling: Sampling, dialect: Dialect) -> None:
    for name, value in asdict(sampling).items():
        if name in dialect.sampling:
            told = _as_told(name, value, dialect)
            if told is not None:
                body.add(dialect.sampling[name], told, name)
        elif value != _NEUTRAL[name]:
            body.leave_out(name)


def _as_told(name: str, value: Any, dialect: Dialect) -> object:  # noqa: ANN401 - any field
    """Return a sampling value in the server's words; None sends nothing.

    Neutral values are sent too: a server has defaults of its own.
    """
    if name == "stop":
        return list(value) or None
    if name == "top_k" and not value:
        return dialect.every_top_k
    if dialect.sampling[name] == "frequency_penalty" != name:
        return round(value - 1.0, 6)
    return value


def _think(body: TurnBody, request: TurnRequest, dialect: Dialect) -> None:
    if dialect.thinking == "template":
        options = template_options(request, dialect)["chat_template_kwargs"]
        body.add("chat_template_kwargs", options, "thinking")
    elif not request.thinking:
        body.add("reasoning_effort", "none", "thinking")
    if not request.thinking:
        return
    if dialect.budget == "control":
        body.add("reasoning_control", value=True, name="thinking_budget")
    elif request.thinking_budget is None:
        return
    elif dialect.budget == "field":
        budget = request.thinking_budget
        body.add("thinking_token_budget", budget, "thinking_budget")
    else:
        body.leave_out("thinking_budget")


def _go_on(body: TurnBody, cut: PromptMessage, dialect: Dialect) -> None:
    """Ask to go on inside the last message.

    Raises:
        ServerError: this kind of server cannot, or not inside thinking: templates
            write thinking only as a whole.
    """
    if not dialect.goes_on or not cut.content:
        raise ServerError(
            _("This server cannot go on inside an answer.")
            if cut.content
            else _("A server cannot go on inside thinking that was cut."),
            hint=_("Ctrl+R answers again."),
            code="server_cannot_go_on",
        )
    if dialect.goes_on == "field":
        body.fields |= {"continue_final_message": True, "add_generation_prompt": False}
