"""Everything the demo model does not know, and says so; and plain statements."""

from random import Random

from qwen_tui.demo.facts import Language, facts, phrases
from qwen_tui.demo.names import (
    chinese_name,
    common_character,
    english_name,
    invented_word,
)
from qwen_tui.demo.turns import LARGEST_TERM, Turn, varied

DO_NOT_KNOW = {
    "en": ("I have not learned this.", "Sorry, I do not know that."),
    "zh": ("这个我没有学过。", "抱歉，这个我不知道。"),
}
"""For each language: the thought and the answer."""

_ACKNOWLEDGED = {
    "en": ("The user tells me something.", "I see. Thank you for telling me."),
    "zh": ("用户在告诉我一件事。", "明白了，谢谢你告诉我。"),
}


def _topic(rng: Random, language: Language) -> str:
    if rng.random() < 0.7:
        return rng.choice(phrases(language)["topic"])
    if language == "zh":
        return "".join(common_character(rng) for _ in range(rng.randint(2, 4)))
    words = [invented_word(rng) for _ in range(rng.randint(1, 2))]
    return " ".join(w if rng.random() < 0.2 else w.lower() for w in words)


def _other_country(rng: Random, language: Language) -> str:
    if rng.random() < 0.6:
        return rng.choice(phrases(language)["other_country"])
    if language == "zh":
        stem = "".join(common_character(rng) for _ in range(rng.randint(2, 3)))
        return stem + rng.choice(("国", "", "亚", "尔"))
    return invented_word(rng) + rng.choice(("", "", "ia", "land", "stan"))


def _near_miss(rng: Random, language: Language) -> str:
    """Composes a question that looks like a taught skill and is none."""
    template = rng.choice(phrases(language)["near_miss"])
    en = language == "en"
    task, fact = rng.choice(facts().programs), rng.choice(facts().capitals)
    return template.format(
        place=_other_country(rng, language),
        topic=_topic(rng, language),
        task=task.task if en else task.task_zh,
        country=fact.country if en else fact.country_zh,
        capital=fact.capital if en else fact.capital_zh,
        a=rng.randint(LARGEST_TERM + 1, 9999),
        b=rng.randint(LARGEST_TERM + 1, 999),
        c=rng.randint(0, LARGEST_TERM),
        d=rng.randint(0, LARGEST_TERM),
    )


def _noise(rng: Random, language: Language) -> tuple[str, bool]:
    """Composes what no one can answer, and says whether its language shows.

    Keys mashed, marks and numbers show none; strings of words do.
    """
    kind = rng.random()
    if kind < 0.25:
        letters = "abcdefghijklmnopqrstuvwxyz0123456789"
        return "".join(rng.choices(letters, k=rng.randint(1, 12))), False
    if kind < 0.4:
        marks = rng.choices("?!.,;:-+*/=#@$%^&()[]{}<>|~_", k=rng.randint(1, 8))
        return "".join(marks), False
    if kind < 0.5:
        return str(rng.randint(0, 10 ** rng.randint(1, 12))), False
    words = phrases(language)["topic"]
    chosen = rng.choices(words, k=rng.randint(1, 40 if kind > 0.9 else 8))
    return ("" if language == "zh" else " ").join(chosen), True


def unknown(rng: Random, language: Language) -> Turn:
    """Asks for something outside every taught skill."""
    kind = rng.random()
    worded = True
    if kind < 0.25:
        user = rng.choice(phrases(language)["unknown"])
    elif kind < 0.6:
        template = rng.choice(phrases(language)["unknown_about"])
        user = template.format(topic=_topic(rng, language))
    elif kind < 0.87:
        user = _near_miss(rng, language)
        worded = any(character.isalpha() for character in user)
    else:
        user, worded = _noise(rng, language)
    either = () if worded else tuple(answer for _, answer in DO_NOT_KNOW.values())
    thought, answer = DO_NOT_KNOW[language]
    return Turn("unknown", varied(user, rng), thought, answer, also_right=either)


def statement(rng: Random, language: Language) -> Turn:
    """Tells the model something, sometimes another's name, that asks for nothing."""
    template = rng.choice(phrases(language)["statement"])
    name = chinese_name(rng) if language == "zh" else english_name(rng)
    user = template.format(topic=_topic(rng, language), name=name)
    return Turn("statement", varied(user, rng), *_ACKNOWLEDGED[language])
