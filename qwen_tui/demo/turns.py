"""One question and its answer, for every closed skill the demo model is taught."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from qwen_tui.demo.facts import Language, facts, phrases

LARGEST_TERM = 20
"""Sums are taught for terms from 0 to this."""

LARGEST_COUNT = 100
"""Counting is taught up to this."""

_COUNT_WORDS = {
    2: ("two", "两"),
    3: ("three", "三"),
    4: ("four", "四"),
    5: ("five", "五"),
}

_GREETINGS = {
    "en": {
        "greeting_hello": (
            "The user greets me. I greet back.",
            "Hello! How can I help you?",
        ),
        "greeting_how_are_you": ("The user asks how I am.", "I am fine, thank you!"),
        "greeting_thanks": ("The user thanks me.", "You are welcome!"),
        "greeting_goodbye": ("The user says goodbye.", "Goodbye! See you soon."),
        "greeting_little": (
            "The user says little.",
            "All right. What else can I do for you?",
        ),
    },
    "zh": {
        "greeting_hello": ("用户在打招呼，我也问好。", "你好！我能帮你做什么？"),
        "greeting_how_are_you": ("用户问我好不好。", "我很好，谢谢！"),
        "greeting_thanks": ("用户在道谢。", "不客气！"),
        "greeting_goodbye": ("用户在道别。", "再见！期待下次聊天。"),
        "greeting_little": ("用户说得很少。", "好的。还有什么可以帮你？"),
    },
}
"""The thought and the answer for each kind of greeting."""

_IDENTITY = {
    "en": (
        "The user asks about me. I should be honest.",
        "I am a tiny demo model with about a million parameters. I only know greetings,"
        " some capitals, small sums, colours, short lists, a little Python, counting"
        " and your name if you tell me.",
    ),
    "zh": (
        "用户问我是谁，我应该诚实。",
        "我是一个很小的演示模型，只有大约一百万个参数。我只会问候、一些首都、"
        "简单的加法、颜色、短列表、一点 Python、数数，还能记住你的名字。",
    ),
}


@dataclass(frozen=True, slots=True)
class Turn:
    """What a user says, what the model thinks and the answer it is taught."""

    skill: str
    user: str
    thought: str
    answer: str
    stopped: bool = False
    """Whether the answer was cut short; such an answer is history, never a lesson."""
    also_right: tuple[str, ...] = ()
    """Other answers that are right, where the user's words have no language."""


def varied(text: str, rng: Random, *, any_case: bool = True) -> str:
    """Types `text` as people do: no final mark, another case, half-width marks.

    Args:
        text: A message, at least one character.
        rng: Source of the choices.
        any_case: Whether the whole text may turn lower case; not where its case
            must be repeated.
    """
    if len(text) > 1 and text[-1] in ".?!。？！" and rng.random() < 0.35:
        text = text[:-1]
    elif text[-1] in "？！" and rng.random() < 0.2:
        text = text[:-1] + {"？": "?", "！": "!"}[text[-1]]
    case = rng.random()
    if case < 0.25:
        text = text[0].lower() + text[1:]
    elif any_case and case < 0.28:
        text = text.lower()
    return text


def greeting(rng: Random, language: Language) -> Turn:
    """Says hello, thanks or goodbye."""
    kind = rng.choice(list(_GREETINGS[language]))
    user = varied(rng.choice(phrases(language)[kind]), rng)
    return Turn("greeting", user, *_GREETINGS[language][kind])


def curt_greeting(rng: Random, language: Language) -> Turn:
    """Says hello, thanks or goodbye in lower case without a mark: "hi"."""
    kind = rng.choice(list(_GREETINGS[language]))
    user = rng.choice(phrases(language)[kind]).rstrip("!.?！。？").lower()
    return Turn("greeting", user, *_GREETINGS[language][kind])


def identity(rng: Random, language: Language) -> Turn:
    """Asks what the model is; the answer is honest."""
    user = varied(rng.choice(phrases(language)["identity"]), rng)
    return Turn("identity", user, *_IDENTITY[language])


def capital(rng: Random, language: Language) -> Turn:
    """Asks for one of the taught capitals."""
    fact = rng.choice(facts().capitals)
    question = rng.choice(phrases(language)["capital"])
    if language == "zh":
        user = question.format(country=fact.country_zh)
        thought = f"用户问{fact.country_zh}的首都，是{fact.capital_zh}。"
        answer = f"{fact.country_zh}的首都是{fact.capital_zh}。"
    else:
        user = question.format(country=fact.country)
        thought = f"The user asks for the capital of {fact.country}: {fact.capital}."
        answer = f"The capital of {fact.country} is {fact.capital}."
    return Turn("capital", varied(user, rng), thought, answer)


def small_sum(rng: Random, language: Language) -> Turn:
    """Asks for the sum of two numbers of the taught range."""
    a, b = rng.randint(0, LARGEST_TERM), rng.randint(0, LARGEST_TERM)
    user = rng.choice(phrases(language)["sum"]).format(a=a, b=b)
    if language == "zh":
        thought = f"用户要算加法：{a} + {b} = {a + b}。"
        return Turn("sum", varied(user, rng), thought, f"{a} + {b} = {a + b}。")
    thought = f"The user wants a sum: {a} + {b} = {a + b}."
    return Turn("sum", varied(user, rng), thought, f"{a} + {b} = {a + b}.")


def colour(rng: Random, language: Language) -> Turn:
    """Asks for the colour of a taught thing."""
    fact = rng.choice(facts().colours)
    question = rng.choice(phrases(language)["colour"])
    if language == "zh":
        user = question.format(thing=fact.thing_zh)
        thought = f"用户问{fact.thing_zh}的颜色，是{fact.colour_zh}。"
        answer = f"{fact.thing_zh}是{fact.colour_zh}的。"
    else:
        user = question.format(thing=fact.thing, verb=fact.verb)
        thought = f"The user asks for the colour of {fact.thing}: {fact.colour}."
        answer = f"{fact.thing[0].upper()}{fact.thing[1:]} {fact.verb} {fact.colour}."
    return Turn("colour", varied(user, rng), thought, answer)


def short_list(rng: Random, language: Language) -> Turn:
    """Asks for two to five things of a taught category, answered as Markdown."""
    category = rng.choice(facts().categories)
    size = rng.choice(list(_COUNT_WORDS))
    word, word_zh = _COUNT_WORDS[size]
    question = rng.choice(phrases(language)["list"])
    if language == "zh":
        number = rng.choice((word_zh, str(size)))
        user = question.format(n=number, kind=category.kind_zh)
        thought = f"用户要{word_zh}种{category.kind_zh}。"
        items = category.items_zh[:size]
    else:
        number = rng.choice((word, word, str(size)))
        user = question.format(n=number, kind=category.kind)
        thought = f"The user wants a list of {word} {category.kind}."
        items = category.items[:size]
    return Turn("list", varied(user, rng), thought, "\n".join(f"- {i}" for i in items))


def program(rng: Random, language: Language) -> Turn:
    """Asks for a little Python, answered in a Markdown fence."""
    wanted = rng.choice(facts().programs)
    question = rng.choice(phrases(language)["code"])
    fence = f"```python\n{wanted.code}\n```"
    if language == "zh":
        user = question.format(task=wanted.task_zh)
        thought = f"用户要用 Python 写{wanted.task_zh}。"
        return Turn("code", varied(user, rng), thought, f"代码如下：\n\n{fence}")
    user = question.format(task=wanted.task)
    thought = f"The user wants Python code for {wanted.task}."
    return Turn("code", varied(user, rng), thought, f"Here is the code:\n\n{fence}")


def count(rng: Random, language: Language) -> Turn:
    """Asks to count from 1 to at most LARGEST_COUNT, or further, which is declined."""
    if rng.random() < 0.05:
        last = rng.randint(LARGEST_COUNT + 1, 9999)
    else:
        last = rng.randint(2, rng.choice((12, 12, 30, LARGEST_COUNT)))
    return count_to(last, rng, language)


def round_count(rng: Random, language: Language) -> Turn:
    """Asks to count to a number people are likely to name."""
    return count_to(rng.choice((5, 10, 20, 30, 50, 60, 80, 99, 100)), rng, language)


def count_to(last: int, rng: Random, language: Language) -> Turn:
    """Asks to count from 1 to `last`."""
    user = rng.choice(phrases(language)["count"]).format(last=last)
    if language == "zh":
        thought = f"用户要我从 1 数到 {last}。"
        refusal = f"我最多只能数到 {LARGEST_COUNT}。"
    else:
        thought = f"The user wants me to count from 1 to {last}."
        refusal = f"I can only count to {LARGEST_COUNT}."
    numbers = ", ".join(str(n) for n in range(1, last + 1))
    answer = numbers if last <= LARGEST_COUNT else refusal
    return Turn("count", varied(user, rng), thought, answer)


CLOSED_SKILLS: tuple[tuple[Callable[[Random, Language], Turn], int], ...] = (
    (greeting, 14),
    (identity, 8),
    (capital, 20),
    (small_sum, 24),
    (colour, 10),
    (short_list, 14),
    (program, 8),
    (count, 14),
)
"""Every closed skill with its share of the taught turns."""
