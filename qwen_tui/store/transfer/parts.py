"""Look into JSON from anywhere; what is wrong is told with its place."""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

from qwen_tui.errors import TransferError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_SHOWN = 40
_MOST = 2.0**53  # beyond it a float no longer counts by ones
_LAST_SECOND = 253_402_300_799.0  # of the year 9999, the last that can be shown


@dataclass(frozen=True, slots=True)
class Part:
    """A value of a JSON document."""

    value: Any
    place: str = ""
    """How it is reached: `conversations[2].title`."""

    def wrong(self, wanted: str) -> TransferError:
        """Return the failure of a part that is not what is `wanted`."""
        shown = sanitize_line(repr(self.value))
        if len(shown) > _MOST_SHOWN:
            shown = shown[: _MOST_SHOWN - 1] + "\N{HORIZONTAL ELLIPSIS}"
        return TransferError(
            _("{place} must be {wanted}, not {value}.").format(
                place=sanitize_line(self.place) or _("The file"),
                wanted=wanted,
                value=shown,
            ),
            hint=_("Nothing was imported."),
            code="import_format",
        )

    def has(self, name: str) -> bool:
        """Tell whether this is an object with a value of this name that is not null."""
        if not isinstance(self.value, dict):
            return False
        return cast(dict[str, Any], self.value).get(name) is not None

    def at(self, name: str) -> "Part":
        """Return the value of this name, None where the object has none.

        Raises:
            TransferError: this is no object.
        """
        if not isinstance(self.value, dict):
            raise self.wrong(_("an object"))
        value = cast(dict[str, Any], self.value).get(name)
        return Part(value, f"{self.place}.{name}" if self.place else name)

    def members(self) -> "dict[str, Part]":
        """Return the values of an object by name.

        Raises:
            TransferError: this is no object.
        """
        if not isinstance(self.value, dict):
            raise self.wrong(_("an object"))
        return {name: self.at(name) for name in cast(dict[str, Any], self.value)}

    def items(self) -> "list[Part]":
        """Return the values of a list.

        Raises:
            TransferError: this is no list.
        """
        if not isinstance(self.value, list):
            raise self.wrong(_("a list"))
        values = cast(list[Any], self.value)
        return [Part(item, f"{self.place}[{n}]") for n, item in enumerate(values)]

    def text(self, default: str | None = None) -> str:
        """Return a text, or `default` for null.

        Raises:
            TransferError: this is something else.
        """
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, str):
            raise self.wrong(_("a text"))
        return self.value

    def one_of(self, names: Collection[str]) -> str:
        """Return one of these names.

        Raises:
            TransferError: this is something else.
        """
        if not isinstance(self.value, str) or self.value not in names:
            raise self.wrong(_("one of {names}").format(names=", ".join(sorted(names))))
        return self.value

    def identity(self) -> str:
        """Return an id: up to 64 letters, digits, "-" and "_".

        Raises:
            TransferError: this is something else.
        """
        if not isinstance(self.value, str) or _ID.fullmatch(self.value) is None:
            raise self.wrong(_("an id of letters, digits, - and _"))
        return self.value

    def flag(self, default: bool | None = None) -> bool:
        """Return true or false, or `default` for null.

        Raises:
            TransferError: this is something else.
        """
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, bool):
            raise self.wrong(_("true or false"))
        return self.value

    def check_number(self) -> None:
        """Check that this is a number a program can count with.

        Raises:
            TransferError: this is something else.
        """
        value = self.value
        if not isinstance(value, int | float) or not abs(value) < _MOST:
            raise self.wrong(_("a number"))

    def time(self, default: float | None = None) -> float:
        """Return seconds since the epoch, or `default` for null.

        Raises:
            TransferError: this is no number, or no time that can be shown.
        """
        if self.value is None and default is not None:
            return default
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            seconds = float(self.value) if abs(self.value) < _LAST_SECOND else math.inf
            if 0 <= seconds <= _LAST_SECOND:
                return seconds
        raise self.wrong(_("a time in seconds since 1970"))

    def mapping(self) -> dict[str, Any]:
        """Return an object as it is; empty for null.

        Raises:
            TransferError: this is something else.
        """
        if self.value is None:
            return {}
        return {name: part.value for name, part in self.members().items()}
