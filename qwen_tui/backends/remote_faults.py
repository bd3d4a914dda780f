"""What can go wrong with a server, each in clear words and with the next step."""

import json
import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, cast

from qwen_tui.backends.remote_server import Server
from qwen_tui.errors import ServerError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_TOLD_CHARS = 300
_LONGER_THAN_CONTEXT = (
    "maximum context length",  # vLLM
    "longer than the model's context length",  # SGLang
    "exceed_context_size",  # llama.cpp
    "exceeds the available context size",  # llama.cpp
)
RETRYABLE = frozenset(("server_unreachable", "server_busy", "server_cut"))
"""Codes of failures that another try may not meet."""


class FieldRefused(ServerError):
    """The server does not take the request as it is; `told` is what it says."""

    code = "server_refused"
    told = ""


def unreachable(server: Server, error: BaseException) -> ServerError:
    """Return why no connection came about, or why it broke."""
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return ServerError(
                    _("The certificate of {server} does not verify: {reason}.").format(
                        server=server.label, reason=cause.verify_message
                    ),
                    hint=_(
                        "Use the name that the certificate is for; for an authority "
                        "of your own set SSL_CERT_FILE to its certificate."
                    ),
                    code="server_tls",
                )
            case ssl.SSLError():
                return ServerError(
                    _("{server} does not speak TLS: {reason}.").format(
                        server=server.label, reason=cause.reason or _("no handshake")
                    ),
                    hint=_("Try its address with http:// instead of https://."),
                    code="server_tls",
                )
            case ConnectionRefusedError():
                return ServerError(
                    _("Nothing answers at {server}.").format(server=server.url),
                    hint=_("Is the server running, and is the port right?"),
                    code="server_unreachable",
                )
            case socket.gaierror():
                return ServerError(
                    _("There is no host {server}.").format(server=server.url),
                    hint=_(
                        "Check the name, among the saved servers too, and the network."
                    ),
                    code="server_unreachable",
                )
            case _:
                pass
    reason = sanitize_line(str(error)) or type(error).__name__
    return ServerError(
        _("{server} cannot be reached: {reason}.").format(
            server=server.url, reason=reason
        ),
        hint=_("Check the address, the network and the proxy settings."),
        code="server_unreachable",
    )


def timed_out(server: Server, seconds: float) -> ServerError:
    """Return that a server took longer than it may."""
    return ServerError(
        _("{server} did not answer within {seconds} s.").format(
            server=server.label, seconds=f"{seconds:g}"
        ),
        hint=_("It may be busy. The waiting times are settings: [server]."),
        code="server_timeout",
    )


def silent(server: Server, seconds: float) -> ServerError:
    """Return that an answer stopped coming."""
    return ServerError(
        _("{server} fell silent for {seconds} s in mid-answer.").format(
            server=server.label, seconds=f"{seconds:g}"
        ),
        code="server_timeout",
    )


def cut(server: Server) -> ServerError:
    """Return that an answer ended before its end."""
    return ServerError(
        _("The connection to {server} ended in mid-answer.").format(
            server=server.label
        ),
        code="server_cut",
    )


def bad_reply(server: Server, reason: str) -> ServerError:
    """Return that what came is no part of an answer."""
    return ServerError(
        _("{server} sent something that is no answer: {reason}.").format(
            server=server.label, reason=sanitize_line(reason)[:_TOLD_CHARS]
        ),
        code="server_reply",
    )


def not_openai(server: Server) -> ServerError:
    """Return that something else answers there."""
    return ServerError(
        _("{server} is no server that speaks the OpenAI protocol.").format(
            server=server.url
        ),
        hint=_("The address is what stands before /v1/chat/completions."),
        code="not_openai",
    )


def redirected(server: Server, target: str) -> ServerError:
    """Return that the server sends us elsewhere, where neither text nor key goes."""
    return ServerError(
        _("{server} redirects to {target}; nothing was sent there.").format(
            server=server.url, target=sanitize_line(target)[:_TOLD_CHARS]
        ),
        hint=_("If you trust it, use that address."),
        code="server_redirect",
    )


def no_model(server: Server, wanted: str, models: tuple[str, ...]) -> ServerError:
    """Return that a server has not, or has not only, the model that is asked."""
    names = ", ".join(sanitize_line(name) for name in models[:20])
    if wanted:
        text = _("{server} has no model {model}.").format(
            server=server.label, model=sanitize_line(wanted)
        )
    elif models:
        text = _("{server} has several models.").format(server=server.label)
    else:
        text = _("{server} has no model.").format(server=server.label)
    hint = _("Name one with --model or /server: {names}.").format(names=names)
    return ServerError(text, hint=hint if names else "", code="server_no_model")


def refusal(server: Server, status: int, told: str, *, has_key: bool) -> ServerError:
    """Return what a status that is no success means.

    Args:
        server: Who answered.
        status: 400 or more.
        told: What its body says; see `told_by`.
        has_key: Whether a key was sent.
    """
    if status in (401, 403):
        return _key_wanted(server, status, has_key=has_key)
    told = f": {told}".rstrip(".") if told else ""
    if any(words in told for words in _LONGER_THAN_CONTEXT):
        return ServerError(
            _("The prompt does not fit the context of {server}{told}.").format(
                server=server.label, told=told
            ),
            hint=_("Shorten the conversation, or start a new one."),
            code="context_overflow",
        )
    match status:
        case 404:
            code, hint = "server_not_found", _("Is the model there, and the address?")
        case 429 | 502 | 503 | 504:  # a proxy, or a server that starts
            code, hint = "server_busy", _("Try again later.")
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            code, hint = "server_error", _("The server's own log tells more.")
        case _:
            code, hint = "server_refused", ""
    return ServerError(
        _("{server} refuses the request with status {status}{told}.").format(
            server=server.label, status=status, told=told
        ),
        hint=hint,
        code=code,
    )


def _key_wanted(server: Server, status: int, *, has_key: bool) -> ServerError:
    if has_key:
        text = _("{server} does not accept the key (status {status}).")
        hint = _("Check the key that the variable or the keyring holds.")
    else:
        text = _("{server} wants a key (status {status}).")
        hint = _("Put it into a variable and name that: --api-key-env NAME.")
    text = text.format(server=server.label, status=status)
    return ServerError(text, hint=hint, code="server_key")


def told_by(body: str) -> str:
    """Return what the body of a refusal says, on one line."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        value = "" if body.lstrip().startswith("<") else body
    told = sanitize_line(error_text(value)).strip()
    return told if len(told) <= _TOLD_CHARS else told[:_TOLD_CHARS] + "…"


def error_text(value: object) -> str:
    """Return the sentence in an error object, of whichever server."""
    if isinstance(value, dict):
        known = cast(dict[str, object], value)
        for name in ("error", "message", "detail", "msg"):
            if known.get(name):
                return error_text(known[name])
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, map(error_text, cast(list[object], value))))
    return "" if value is None else str(value)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that lie behind it, those of groups too."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            group = cast("BaseExceptionGroup[BaseException]", one)
            pending += group.exceptions
        pending += [one.__cause__, one.__context__]
