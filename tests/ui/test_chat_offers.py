"""Which commands and arguments are offered for a line."""

import pytest

from qwen_tui.ui.screens.chat_commands import COMMANDS
from qwen_tui.ui.screens.chat_offers import command_offers, named_offers


def texts(line: str) -> list[str]:
    offers, _marked = command_offers(line)
    return [offer.text for offer in offers]


def marked(line: str) -> str:
    offers, index = command_offers(line)
    return offers[index].text if index >= 0 else ""


def test_a_slash_offers_every_command_in_its_order() -> None:
    assert [t.strip() for t in texts("/")] == [spec.word for spec in COMMANDS]


def test_words_that_begin_so_come_before_words_that_hold_it() -> None:
    words = [text.strip() for text in texts("/et")]
    assert "/set" in words  # begins with none of it
    words = [text.strip() for text in texts("/in")]
    assert words[0] == "/info"
    assert all("in" in word for word in words)
    assert marked("/MOD") == "/models"


def test_a_whole_command_is_not_marked_so_that_enter_sends_it() -> None:
    assert marked("/think") == ""
    assert texts("/think") == ["/think "]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("/think ", ["/think on", "/think off"]),
        ("/think of", ["/think off"]),
        ("/think of course", []),
        ("/think 5", []),
        ("/set loop_guard ", ["/set loop_guard on", "/set loop_guard off"]),
        ("/set temp", ["/set temperature "]),
        ("/set temperature ", []),
        ("/new ", []),
        ("/no_such ", []),
        ("/usr/bin", []),
        ("/export ", ["/export md", "/export json", "/export openai"]),
        ("/export o", ["/export openai"]),
        ("/lang z", ["/lang zh"]),
    ],
)
def test_arguments_where_there_is_a_closed_list(line: str, offered: list[str]) -> None:
    assert texts(line) == offered


def test_what_ends_a_command_can_be_sent_at_once() -> None:
    whole = {offer.text: offer.is_whole for offer in command_offers("/")[0]}
    assert whole["/new"]
    assert not whole["/set "]
    assert command_offers("/think o")[0][0].is_whole
    assert not command_offers("/set temp")[0][0].is_whole


NAMES = ("Chinese teacher", "editor", "off", "edit")


@pytest.mark.parametrize(
    ("line", "offered", "is_marked"),
    [
        ("/persona ", [*NAMES], False),
        ("/persona chinese t", ["Chinese teacher"], True),
        ("/persona TEACH", ["Chinese teacher"], True),
        ("/persona edit", ["editor", "edit"], False),
        ("/persona nobody", [], False),
    ],
)
def test_names_are_found_whatever_their_case_and_blanks(
    line: str, offered: list[str], is_marked: bool
) -> None:
    offers, index = named_offers(line, NAMES)
    assert [offer.text for offer in offers] == [f"/persona {n}" for n in offered]
    assert all(offer.is_whole for offer in offers)
    assert (index == 0) is is_marked
