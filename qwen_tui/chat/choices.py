"""The options of the next turns, set by name: what `/set` does."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from qwen_tui.chat.sampling import LIMITS
from qwen_tui.chat.turn import TurnOptions
from qwen_tui.errors import UsageError
from qwen_tui.i18n import _

_TRUE = ("on", "true", "yes", "1")
_FALSE = ("off", "false", "no", "0")
_RESET = ("default", "auto")
_WHOLE = ("top_k",)


def set_option(options: TurnOptions, name: str, text: str) -> str:
    """Set one option of the next turns; return what to tell the person.

    Args:
        options: Changed in place.
        name: See `option_names`.
        text: The value as it was written; "default" takes a choice back.

    Raises:
        UsageError: no such option, or no such value.
    """
    name = name.lower().replace("-", "_")
    if name in LIMITS or name in ("seed", "stop"):
        _choose(options, name, text)
    elif name in _OTHERS:
        _OTHERS[name](options, text)
    else:
        raise _no_option(name)
    return _("{name} is {value} from the next message on.").format(
        name=name, value=shown_value(option_values(options)[name])
    )


def check_option(name: str, value: object) -> object:
    """Return `value` as an option holds it, "thinking" included.

    Raises:
        UsageError: no such option, or a value of another type or out of range.
    """
    if name not in ("thinking", *option_names()):
        raise _no_option(name)
    if name in ("thinking", "loop_guard"):
        if isinstance(value, bool):
            return value
        raise _not_on_off(name, str(value))
    if name == "stop":
        return _texts(name, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        low, high = LIMITS.get(name, (1, 2**63 - 1))
        raise _out_of_range(name, str(value), low, high)
    if name in LIMITS or name == "seed":
        return _number(name, str(value))
    return _count(name, str(value))


def option_names() -> tuple[str, ...]:
    """Return the names that `set_option` knows."""
    return (*LIMITS, "seed", "stop", *_OTHERS)


def option_values(options: TurnOptions) -> Mapping[str, Any]:
    """Return each option's value; None where the preset or no limit holds."""
    chosen = {name: getattr(options.choice, name) for name in (*LIMITS, "seed", "stop")}
    return chosen | {name: getattr(options, name) for name in _OTHERS}


def options_line(options: TurnOptions) -> str:
    """Return what was set by hand, on one line; empty for nothing."""
    values = option_values(options).items()
    return "  ".join(f"{name} {shown_value(v)}" for name, v in values if v is not None)


def _texts(name: str, value: object) -> tuple[str, ...]:
    texts = cast(list[object], value) if isinstance(value, list) else [value]
    if not all(isinstance(text, str) and text for text in texts):
        raise UsageError(_("{name} must be a text or several.").format(name=name))
    return tuple(str(text) for text in texts)


def _no_option(name: str) -> UsageError:
    return UsageError(
        _("There is no option {name}.").format(name=name),
        hint=_("Options: {names}.").format(names=", ".join(option_names())),
    )


def _choose(options: TurnOptions, name: str, text: str) -> None:
    value: object = None
    if text.lower() not in _RESET:
        value = (text,) if name == "stop" else _number(name, text)
    options.choice = replace(options.choice, **{name: value})


def _number(name: str, text: str) -> float | int:
    is_whole = name in _WHOLE or name == "seed"
    low, high = LIMITS.get(name, (0, 2**63 - 1))
    try:
        value = int(text) if is_whole else float(text)
    except ValueError as error:
        raise _out_of_range(name, text, low, high) from error
    if not low <= value <= high:  # false for nan, too
        raise _out_of_range(name, text, low, high)
    return value


def _out_of_range(name: str, text: str, low: float, high: float) -> UsageError:
    return UsageError(
        _("{name} must be a number from {low} to {high}, not {value}.").format(
            name=name, low=low, high=high, value=text
        )
    )


def _count(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(
            _("{name} must be a whole number, 1 or more, not {value}.").format(
                name=name, value=text
            )
        )
    return int(text)


def _not_on_off(name: str, text: str) -> UsageError:
    return UsageError(
        _("{name} must be on or off, not {value}.").format(name=name, value=text)
    )


def _set_limit(options: TurnOptions, text: str) -> None:
    options.max_new_tokens = _count("max_new_tokens", text)


def _set_budget(options: TurnOptions, text: str) -> None:
    is_off = text.lower() in (*_RESET, *_FALSE)
    options.thinking_budget = None if is_off else _count("thinking_budget", text)


def _set_guard(options: TurnOptions, text: str) -> None:
    if text.lower() not in _TRUE + _FALSE + _RESET:
        raise _not_on_off("loop_guard", text)
    options.loop_guard = text.lower() not in _FALSE


_OTHERS: Mapping[str, Callable[[TurnOptions, str], None]] = {
    "max_new_tokens": _set_limit,
    "thinking_budget": _set_budget,
    "loop_guard": _set_guard,
}


def shown_value(value: object) -> str:
    """Return a value as it is told to a person, and may be written by one."""
    match value:
        case None:
            return _("default")
        case bool():
            return _("on") if value else _("off")
        case (str() as text,):
            return repr(text)
        case _:
            return str(value)
