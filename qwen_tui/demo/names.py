"""Names to tell and to recall: listed ones, and composed ones nobody has heard."""

from random import Random

from qwen_tui.demo.facts import name_parts

_GB2312_COMMON_ROWS = (0xB0, 0xD6)
"""First and last full row of GB 2312's 3,755 most common characters."""


def invented_word(rng: Random) -> str:
    """Composes a pronounceable word of two or three syllables, capitalised."""
    parts = name_parts()
    word = rng.choice(parts["starts"]) + rng.choice(parts["vowels"])
    for _ in range(rng.randint(1, 2)):
        word += rng.choice(parts["middles"]) + rng.choice(parts["vowels"])
    return word + rng.choice(parts["ends"])


def common_character(rng: Random) -> str:
    """Draws one of GB 2312's most common Chinese characters."""
    row = rng.randint(*_GB2312_COMMON_ROWS)
    return bytes((row, rng.randint(0xA1, 0xFE))).decode("gb2312")


def english_name(rng: Random) -> str:
    """Draws a Latin-script name; about half are composed."""
    listed = name_parts()["english"]
    kind = rng.random()
    if kind < 0.45:
        name = rng.choice(listed)
    elif kind < 0.85:
        name = invented_word(rng)
    elif kind < 0.95:
        name = f"{rng.choice(listed)} {invented_word(rng)}"
    else:
        name = f"{rng.choice(listed)} {rng.choice(listed)}"
    return name.lower() if rng.random() < 0.1 else name


def chinese_name(rng: Random) -> str:
    """Draws a Chinese name: 小明, 阿芳, 王芳, 李子涵, or of any common characters."""
    parts = name_parts()
    kind = rng.random()
    if kind < 0.2:
        return rng.choice("小阿老") + rng.choice(parts["given"])
    if kind < 0.75:
        given = "".join(rng.choices(parts["given"], k=rng.randint(1, 2)))
        return rng.choice(parts["surnames"]) + given
    return "".join(common_character(rng) for _ in range(rng.randint(2, 3)))
