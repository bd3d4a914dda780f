"""The colours in which a terminal writes: only what changes of them is sent."""

from functools import lru_cache
from typing import NamedTuple

_FRONT = {*range(30, 40), *range(90, 98)}
_BACK = {*range(40, 50), *range(100, 108)}
_OWN_FRONT, _OWN_BACK = 39, 49  # the terminal's
_LONG = {38, 48}
_OFF = {"3": "23", "4": "24", "7": "27", "9": "29"}  # 22 ends both bold and dim
_LENGTHS = {"5": 3, "2": 5}  # a colour of the palette, and one of red, green and blue


class Pen(NamedTuple):
    """What an SGR sequence sets, as its numbers."""

    attributes: frozenset[str]
    front: str
    """The colour of the text, "" for the terminal's own."""
    back: str


@lru_cache(maxsize=4096)
def pen_change(old: str | None, new: str) -> str:
    """Return the shortest sequence from one set of SGR codes to another.

    Args:
        old: What is in force; None where that is not known.
        new: What is to be, "" for plain text.
    """
    whole = f"\x1b[0;{new}m" if new else "\x1b[0m"
    if old is None:
        return whole
    before, after = _pen(old), _pen(new)
    gone = before.attributes - after.attributes
    if gone - _OFF.keys():
        return whole
    codes = [_OFF[code] for code in sorted(gone)]
    codes += sorted(after.attributes - before.attributes)
    if before.front != after.front:
        codes.append(after.front or str(_OWN_FRONT))
    if before.back != after.back:
        codes.append(after.back or str(_OWN_BACK))
    change = f"\x1b[{';'.join(codes)}m" if codes else ""
    return min(change, whole, key=len)


def _pen(codes: str) -> Pen:
    numbers = codes.split(";") if codes else []
    attributes: set[str] = set()
    front = back = ""
    while numbers:
        first = int(numbers[0])
        size = _LENGTHS.get(numbers[1], 1) if first in _LONG else 1
        code, numbers = ";".join(numbers[:size]), numbers[size:]
        if first in _FRONT:
            front = "" if first == _OWN_FRONT else code
        elif first in _BACK:
            back = "" if first == _OWN_BACK else code
        else:
            attributes.add(code)
    return Pen(frozenset(attributes), front, back)
