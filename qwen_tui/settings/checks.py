"""What each setting may be, and how a wrong value is told."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from qwen_tui.chat.sampling import LIMITS
from qwen_tui.errors import SettingsError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.settings.known import Known, Value

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("0", "false", "no", "off")
_TOLD_CHARS = 60
_SEPARATORS = {"downloads.token_hosts": ","}  # an address has colons of its own


@dataclass(frozen=True, slots=True)
class _Check:
    """A rule beyond the type."""

    holds: Callable[[Value], bool]
    allowed: Callable[[], str]
    """Says in the reader's language what may stand there."""
    choices: tuple[str, ...] = ()
    """All there are, where they are few."""


def _one_of(*choices: str) -> _Check:
    quoted = ", ".join(f'"{choice}"' for choice in choices)
    return _Check(
        lambda value: value in choices,
        lambda: _("one of {names}").format(names=quoted),
        choices,
    )


def _between(low: float, high: float) -> _Check:
    # Also false for nan.
    return _Check(
        lambda value: low <= cast(float, value) <= high,
        lambda: _("a number from {low} to {high}").format(low=low, high=high),
    )


def _at_least(low: int) -> _Check:
    return _Check(
        lambda value: cast(int, value) >= low,
        lambda: _("a whole number, {low} or more").format(low=low),
    )


def _is_device(value: Value) -> bool:
    return re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", str(value)) is not None


def _is_endpoint(value: Value) -> bool:
    text = str(value).strip()
    if text.lower() in ("official", "mirror"):
        return True
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname)
    except ValueError:  # "http://[half an IPv6 address"
        return False


def _are_hosts(value: Value) -> bool:
    return all(_is_host(text) for text in cast(list[str], value))


def _is_host(text: str) -> bool:
    """Whether it is "host", "host:port" or an origin with http(s) before it."""
    try:
        url = urlsplit(text if "://" in text else f"https://{text}")
        place = url._replace(scheme="", netloc="").geturl()
        is_whole = url.port is None or url.port > 0
    except ValueError:
        return False
    plain = text.isascii() and not any(c.isspace() or c in "@\\*" for c in text)
    return (
        url.scheme in ("http", "https")
        and bool(url.hostname)
        and place in ("", "/")
        and plain
        and is_whole
    )


_TEMPERATURE = _between(0, 10)
_SHARE = _between(0, 1)
_PENALTY = _between(*LIMITS["presence_penalty"])
_CHECKS = {
    "model.device": _Check(
        _is_device, lambda: _('"auto", "cpu", "mps", "cuda" or "cuda:<number>"')
    ),
    "model.dtype": _one_of("auto", "bfloat16", "float16", "float32"),
    "model.threads": _at_least(0),
    "model.context": _at_least(0),
    "model.yarn": _between(0, 64),
    "model.quantize": _one_of("", "int8", "int4"),
    "model.kv_quantize": _one_of("", "int8"),
    "model.kv_cache_mib": _at_least(0),
    "sampling.thinking.temperature": _TEMPERATURE,
    "sampling.thinking.top_p": _Check(
        lambda value: 0 < cast(float, value) <= 1,
        lambda: _("a number above 0, at most 1"),
    ),
    "sampling.thinking.top_k": _at_least(0),
    "sampling.thinking.min_p": _SHARE,
    "sampling.thinking.presence_penalty": _PENALTY,
    "sampling.thinking.frequency_penalty": _PENALTY,
    "sampling.thinking.repetition_penalty": _between(*LIMITS["repetition_penalty"]),
    "generation.max_new_tokens": _at_least(1),
    "generation.thinking_budget": _at_least(0),
    "context.overflow": _one_of("ask", "drop_oldest", "summarise"),
    "downloads.endpoint": _Check(
        _is_endpoint,
        lambda: _('"official", "mirror" or a URL that starts with https://'),
    ),
    "downloads.connections": _between(1, 16),
    "downloads.jobs_at_once": _between(1, 8),
    "downloads.token_hosts": _Check(
        _are_hosts,
        lambda: _("a list of hosts, each like {example}").format(
            example="hub.example.com"
        ),
    ),
    "server.connect_timeout_s": _between(0.1, 3600),
    "server.first_token_timeout_s": _between(0.1, 86400),
    "server.silence_timeout_s": _between(0.1, 86400),
    "server.retries": _between(0, 10),
    "ui.notify": _one_of("off", "bell", "osc9"),
    "ui.lang": _one_of("auto", "en", "zh"),
}


def checked(known: Known, value: object, origin: str) -> Value:
    """Return `value` as the setting's own type.

    Args:
        known: The setting.
        value: A typed value, as TOML or a program gives it.
        origin: Told to a person: the file, variable or option.

    Raises:
        SettingsError: the type or the value is not allowed.
    """
    fitting = _as_type_of(known.default, value)
    check = _check_of(known.key)
    if fitting is not None and (check is None or check.holds(fitting)):
        return fitting
    allowed = _type_name(known.default) if check is None else check.allowed()
    told = sanitize_line(repr(value))
    raise SettingsError(
        _("{origin}: {key} must be {allowed}, not {value}.").format(
            origin=origin,
            key=known.key,
            allowed=allowed,
            value=told if len(told) <= _TOLD_CHARS else told[:_TOLD_CHARS] + "…",
        )
    )


def checked_text(known: Known, text: str, origin: str) -> Value:
    """Return what a variable's text sets, as the setting's own type.

    Lists are separated as in PATH, lists of hosts by commas.

    Raises:
        SettingsError: the text is not allowed.
    """
    separator = _SEPARATORS.get(known.key, os.pathsep)
    return checked(known, _read_text(known.default, text, separator), origin)


def choices_of(key: str) -> tuple[str, ...]:
    """Return every value of a setting that has only a few; else nothing."""
    check = _check_of(key)
    return check.choices if check is not None else ()


def _check_of(key: str) -> _Check | None:
    return _CHECKS.get(key.replace("sampling.answer.", "sampling.thinking."))


def _read_text(default: Value, text: str, separator: str) -> object:
    """Return `text` as the type of `default`, or as it is where it cannot be."""
    if isinstance(default, bool):
        lower = text.strip().lower()
        return lower in _TRUE if lower in _TRUE + _FALSE else text
    if isinstance(default, list):
        return [part.strip() for part in text.split(separator) if part.strip()]
    try:
        return type(default)(text)
    except ValueError:
        return text


def _as_type_of(default: Value, value: object) -> Value | None:
    """Return `value` where its type fits the default's, else None."""
    if isinstance(default, bool) or isinstance(value, bool):
        fits = isinstance(default, bool) and isinstance(value, bool)
        return cast(Value, value) if fits else None
    if isinstance(default, float) and isinstance(value, int | float):
        return float(value)
    if isinstance(default, list) and isinstance(value, list | tuple):
        items = [_path_text(item) for item in cast(Sequence[object], value)]
        texts = [item for item in items if isinstance(item, str)]
        return texts if len(texts) == len(items) else None
    text_or_value = _path_text(value)
    fits = isinstance(text_or_value, type(default))
    return cast(Value, text_or_value) if fits else None


def _path_text(value: object) -> object:
    """Return a path as its text, anything else as it is."""
    return str(value) if isinstance(value, Path) else value


def _type_name(default: Value) -> str:
    if isinstance(default, bool):
        return _("true or false")
    if isinstance(default, int):
        return _("a whole number")
    if isinstance(default, float):
        return _("a number")
    return _("a text") if isinstance(default, str) else _("a list of texts")
