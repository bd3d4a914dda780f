"""Whole dialogues for the demo model: closed skills, names told and recalled.

Everything is drawn from a `random.Random`, so one seed gives one stream of dialogues.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from qwen_tui.demo.facts import Language, phrases
from qwen_tui.demo.names import chinese_name, english_name
from qwen_tui.demo.turns import CLOSED_SKILLS, Turn, curt_greeting, round_count, varied
from qwen_tui.demo.unknown import statement, unknown

_OPEN_SKILLS = ((unknown, 34), (statement, 8))
_SKILLS, _SHARES = zip(*CLOSED_SKILLS, *_OPEN_SKILLS, strict=True)

_NOT_TOLD = {
    "en": (
        "The user asks for the name, but it was not told.",
        "You have not told me your name yet.",
    ),
    "zh": ("用户问自己的名字，但是没有说过。", "你还没有告诉我你的名字。"),
}
"""The thought and the answer while no name is known."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Turns of one conversation; the last one is to be thought about and answered."""

    system: str | None
    turns: tuple[Turn, ...]
    thinking: bool
    """Whether the last answer may think; past thoughts are never shown."""
    ending: Literal["plain", "no_think", "cut"] = "plain"
    """How thinking ends: by itself, not begun because the user's last message says
    `/no_think`, or cut short from outside so that the answer comes at once."""


@dataclass(frozen=True, slots=True)
class _KnownName:
    name: str
    space: str
    """What stood between the Chinese verb and the name: "" or " "."""


def any_language(rng: Random) -> Language:
    """Draws the language a dialogue is mostly in."""
    return "zh" if rng.random() < 0.5 else "en"


def _language(rng: Random, main: Language) -> Language:
    if rng.random() < 0.9:
        return main
    return "zh" if main == "en" else "en"


def other_turn(rng: Random, language: Language) -> Turn:
    """Draws a turn that has nothing to do with the user's name."""
    skill = rng.choices(_SKILLS, weights=_SHARES)[0]
    return skill(rng, language)


def _is_latin(name: str) -> bool:
    return name[0] < "\u2e80"


def tell_name(rng: Random, language: Language) -> tuple[Turn, _KnownName]:
    """The user tells a name, new to the model about half of the time."""
    native = rng.random() < 0.9
    name = chinese_name(rng) if native == (language == "zh") else english_name(rng)
    if language == "en":
        user = rng.choice(phrases("en")["tell_name"]).format(name=name)
        user = varied(user, rng, any_case=False)
        thought = f"The user's name is {name}."
        answer = f"Nice to meet you, {name}!"
        return Turn("tell", user, thought, answer), _KnownName(name, " ")
    space = " " if _is_latin(name) and rng.random() < 0.6 else ""
    user = rng.choice(phrases("zh")["tell_name"]).format(name=space + name)
    thought = f"用户叫{space}{name}。"
    user = varied(user, rng, any_case=False)
    answer = f"你好，你叫{space}{name}，我记住了！"
    return Turn("tell", user, thought, answer), _KnownName(name, space)


def ask_name(rng: Random, language: Language, known: _KnownName | None) -> Turn:
    """The user asks for the name; without `known` the model must say it has none."""
    user = varied(rng.choice(phrases(language)["ask_name"]), rng)
    if known is None:
        return Turn("no_name", user, *_NOT_TOLD[language])
    if language == "en":
        thought = f"The user asks for the name. It is {known.name}."
        return Turn("name", user, thought, f"Your name is {known.name}.")
    thought = f"用户问自己的名字。用户叫{known.space}{known.name}。"
    return Turn("name", user, thought, f"你叫{known.space}{known.name}。")


def tell_and_ask(rng: Random, language: Language) -> tuple[Turn, _KnownName]:
    """The user tells the name and asks for it in one message."""
    told, known = tell_name(rng, language)
    asked = ask_name(rng, language, known)
    joint = " " if language == "en" else ""
    ended = (
        told.user if told.user[-1] in ".!。！" else told.user + "，."[language == "en"]
    )
    return replace(asked, user=ended + joint + asked.user), known


def _asking_language(rng: Random, language: Language, known: _KnownName) -> Language:
    """Mostly stays; a name written without a space is not asked for in English.

    Its tokens differ with and without a space before it, and a model of this size
    cannot translate between the two.
    """
    asked = _language(rng, language)
    return "zh" if not known.space and _is_latin(known.name) else asked


def recall_turns(rng: Random, language: Language, between: int) -> tuple[Turn, ...]:
    """A name is told, `between` other turns follow, then the name is asked for.

    Some of the other turns are themselves questions for the name, and now and then
    the user changes the name, after which only the newer one counts.
    """
    turns: list[Turn] = []
    if rng.random() < 0.12:
        turns.append(ask_name(rng, _language(rng, language), None))
    opening = tell_and_ask if rng.random() < 0.06 else tell_name
    told, known = opening(rng, language)
    turns.append(told)
    for _ in range(between):
        kind = rng.random()
        if kind < 0.2:
            asked = _asking_language(rng, language, known)
            turns.append(ask_name(rng, asked, known))
        elif kind < 0.25:
            told, known = tell_name(rng, language)
            turns.append(told)
        else:
            turns.append(other_turn(rng, _language(rng, language)))
    turns.append(ask_name(rng, _asking_language(rng, language, known), known))
    return tuple(turns)


def system_prompt(rng: Random) -> str | None:
    """Draws a system prompt, or none for half of the dialogues."""
    if rng.random() < 0.5:
        return None
    if rng.random() < 0.5:
        return rng.choice(("You are terse.", "You are a helpful assistant.", ""))
    language = rng.choice(("en", "zh"))
    parts = rng.choices(phrases(language)["system"], k=rng.randint(1, 3))
    return (" " if language == "en" else "").join(parts)


def _with_stopped_answers(turns: tuple[Turn, ...], rng: Random) -> tuple[Turn, ...]:
    """Cuts some past answers short, as a user who stops the model does."""
    history: list[Turn] = []
    for turn in turns[:-1]:
        if rng.random() < 0.3:
            kept = turn.answer[: rng.randint(0, len(turn.answer))]
            turn = replace(turn, answer=kept, stopped=True)
        history.append(turn)
    return (*history, turns[-1])


def draw_turns(rng: Random) -> tuple[Turn, ...]:
    """Draws the turns of one dialogue: a name to recall, or skills in any order."""
    language = any_language(rng)
    if rng.random() < 0.36:
        between = rng.choice((0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8))
        turns = recall_turns(rng, language, between)
        return turns[: rng.randint(1, len(turns))] if rng.random() < 0.35 else turns
    length = rng.choice((1, 1, 1, 1, 1, 2, 2, 3, 4, 6))
    turns = tuple(other_turn(rng, _language(rng, language)) for _ in range(length))
    if rng.random() < 0.1:
        return (*turns[:-1], ask_name(rng, language, None))
    return turns


def rehearsal_turns(rng: Random) -> tuple[Turn, ...]:
    """Draws what people are likeliest to try: a name recalled, "hi", "Count to 100"."""
    language = any_language(rng)
    kind = rng.random()
    if kind < 0.6:
        return recall_turns(rng, language, rng.randint(1, 6))
    turn = curt_greeting if kind < 0.8 else round_count
    before = rng.choice((0, 0, 1, 2))
    history = (other_turn(rng, _language(rng, language)) for _ in range(before))
    return (*history, turn(rng, language))


def draw_dialogue(rng: Random, thinking: bool, rehearsal: float = 0.0) -> Dialogue:
    """Draws one dialogue as it is trained on.

    Args:
        rng: Source of every choice.
        thinking: Whether the last answer is to be thought about first.
        rehearsal: Share of dialogues drawn by `rehearsal_turns`, from 0 to 1.
    """
    rehearsing = rehearsal > 0 and rng.random() < rehearsal
    turns = rehearsal_turns(rng) if rehearsing else draw_turns(rng)
    if rng.random() < 0.06:
        turns = _with_stopped_answers(turns, rng)
    dialogue = Dialogue(system_prompt(rng), turns, thinking)
    kind = rng.random()
    if not thinking or kind > 0.08:
        return dialogue
    if kind > 0.04:
        return replace(dialogue, ending="cut")
    asked = replace(turns[-1], user=f"{turns[-1].user} /no_think")
    return replace(dialogue, turns=(*turns[:-1], asked), ending="no_think")
