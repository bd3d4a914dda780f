"""The quantisations of a GGUF repo, of which a download takes one.

Such a repo holds one model many times over, packed to more or fewer bits: all of
them together are ten times what anybody loads.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Protocol

from qwen_tui.wire_hub import RemoteInfo

_SUFFIX = ".gguf"
_PART = re.compile(r"-\d{5}-of-\d{5}$")
# as llama.cpp names what a file is packed as, in its file names: Q4_K_M, IQ3_XXS, F16;
# UD- is what one publisher puts before its own mixtures
_NAME = re.compile(
    r"(?<![A-Za-z0-9])(?:UD-)?(?:[IT]?Q[1-8]\w*|BF16|FP?16|F32|MXFP4\w*)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
# llama.cpp's `-hf` takes Q4_K_M where nothing is said; then what is nearest above it
_PREFERRED = ("Q4_K_M", "Q4", "Q5", "Q6", "Q8")


class SizedFile(Protocol):
    """A file of a repo."""

    @property
    def path(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Quantisation:
    """One packing of the repo's model."""

    name: str
    """"Q4_K_M" where its file's name tells, else that name without ".gguf"."""
    paths: tuple[str, ...]
    """Several where the file is in parts."""
    size_bytes: int


def is_gguf(path: str) -> bool:
    """Whether a file of a repo is packed weights, or what belongs to such."""
    return path.endswith(_SUFFIX)


def quantisations(files: Iterable[SizedFile]) -> list[Quantisation]:
    """What a listing offers, the smallest first; vision projectors are none."""
    found: dict[str, list[SizedFile]] = {}
    for file in files:
        path = PurePosixPath(file.path)
        if is_gguf(file.path) and not path.name.startswith("mmproj"):
            whole = path.with_name(_PART.sub("", path.stem))
            found.setdefault(str(whole), []).append(file)
    names = {whole: _name(whole) for whole in found}
    plain = list(names.values())
    offers = [
        Quantisation(
            names[whole] if plain.count(names[whole]) == 1 else whole,
            tuple(sorted(file.path for file in parts)),
            sum(file.size_bytes for file in parts),
        )
        for whole, parts in found.items()
    ]
    return sorted(offers, key=lambda offer: (offer.size_bytes, offer.name))


def chosen(offers: Sequence[Quantisation], pattern: str) -> list[Quantisation]:
    """Those of a name or pattern ("q8_0", "Q4*"); of none the usual one, if any."""
    if pattern:
        wanted = pattern.lower()
        named = [o for o in offers if o.name.lower() == wanted]
        return named or [o for o in offers if fnmatchcase(o.name.lower(), wanted)]
    for start in _PREFERRED:
        for offer in offers:
            if offer.name.startswith(start):
                return [offer]
    return list(offers[:1])


def with_gguf(info: RemoteInfo, name: str) -> RemoteInfo:
    """Describe the same repo with another quantisation wanted."""
    offers = quantisations(info.files)
    every = {path for offer in offers for path in offer.paths}
    taken = {path for offer in chosen(offers, name) for path in offer.paths}
    files = tuple(
        replace(f, wanted=f.path in taken) if f.path in every else f for f in info.files
    )
    return replace(
        info,
        files=files,
        wanted_bytes=sum(file.size_bytes for file in files if file.wanted),
        weights_bytes=sum(file.size_bytes for file in files if file.path in taken),
    )


def _name(whole: str) -> str:
    found = _NAME.findall(PurePosixPath(whole).name)
    return found[-1].upper() if found else whole
