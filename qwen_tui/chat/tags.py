"""Tags of conversations: as people write them, and which of them are meant."""

import re
from collections.abc import Iterable, Sequence

_WRITTEN = re.compile(r'#*"([^"]+)"|#*([^\s#]\S*)')
_LOOKED_FOR = re.compile(r'#"([^"]+)"|#([^\s"]+)(?!\S)|"[^"]*"|\S+')


def read_tags(text: str) -> list[str]:
    """Return the tags that a person wrote: `work "two words"`, "#" before or not."""
    return named_tags(quoted or word for quoted, word in _WRITTEN.findall(text))


def named_tags(words: Iterable[str]) -> list[str]:
    """Return the tags that a program's arguments are, each a whole one."""
    first: dict[str, str] = {}
    for word in words:
        tag = " ".join(word.lstrip("# ").split())
        if tag:
            first.setdefault(tag.casefold(), tag)
    return list(first.values())


def write_tags(tags: Iterable[str]) -> str:
    """Return tags as they are shown, and as `read_tags` takes them."""
    plain = (tag.replace('"', "'") for tag in tags)
    return " ".join(f'#"{tag}"' if " " in tag else f"#{tag}" for tag in plain)


def toggled(tags: Sequence[str], named: Sequence[str]) -> list[str]:
    """Return `tags` without those named that are among them, and with the others."""
    return [*without_tags(tags, named), *without_tags(named, tags)]


def with_tags(tags: Sequence[str], named: Sequence[str]) -> list[str]:
    """Return `tags` and those named that are not among them."""
    return [*tags, *without_tags(named, tags)]


def without_tags(tags: Sequence[str], named: Sequence[str]) -> list[str]:
    """Return those of `tags` that are not named; in any case they are the same."""
    gone = {tag.casefold() for tag in named}
    return [tag for tag in tags if tag.casefold() not in gone]


def has_tags(tags: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether all that are wanted are among `tags`, in any case."""
    return {tag.casefold() for tag in wanted} <= {tag.casefold() for tag in tags}


def is_tagged(tags: Iterable[str], beginning: str) -> bool:
    """Whether one of `tags` begins like this, in any case."""
    return any(tag.casefold().startswith(beginning.casefold()) for tag in tags)


def split_query(query: str, known: Iterable[str]) -> tuple[str, set[str]]:
    """Return the words of a search, and the tags it asks for with a "#".

    A "#" before what is no tag is text, as in `#include`; so is all in quotes.

    Args:
        query: As the person wrote it.
        known: Every tag there is.

    Returns:
        The query without its tags, and those, casefolded.
    """
    there = {tag.casefold() for tag in known}
    words: list[str] = []
    tags: set[str] = set()
    for match in _LOOKED_FOR.finditer(query):
        name = (match.group(1) or match.group(2) or "").casefold()
        if name and name in there:
            tags.add(name)
        else:
            words.append(match.group())
    return " ".join(words), tags
