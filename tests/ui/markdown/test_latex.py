"""LaTeX as a person would type it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.ui.markdown.latex import readable


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("x^2 + y_1 = z^{n+1}", "x² + y₁ = zⁿ⁺¹"),
        (r"\frac{a+b}{c}", "(a+b)/c"),
        (r"\frac{1}{2ab}", "1/(2ab)"),
        (r"\frac12", "½"),
        (r"\sqrt{x^2+1}", "√(x²+1)"),
        (r"\sqrt[3]{x}", "³√x"),
        (r"\alpha\leq\beta", "α ≤ β"),
        (r"3 \times 4 \cdot 5", "3 × 4 · 5"),
        (r"\sum_{i=1}^{n} x_i", "∑ᵢ₌₁ⁿ xᵢ"),
        (r"e^{-x^2}", "e^(-x²)"),
        (r"\text{速度} = \frac{\text{距离}}{\text{时间}}", "速度 = 距离/时间"),
        (r"\begin{aligned} a &= b \\ &= c \end{aligned}", "a = b\n= c"),
        (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", "(a b; c d)"),
        (r"\mathbb{R}^n", "ℝⁿ"),
        (r"\hat{y} = \mathbf{W}x", "y\u0302 = Wx"),
        (r"\left( a \right)", "( a )"),
        (r"90^\circ", "90°"),
        (r"\log_2 n", "log₂ n"),
        (r"f'(x)", "f′(x)"),
        (r"\foo{x} + 1", r"\foo{x} + 1"),
        (r"x_{\text{max}}", "xₘₐₓ"),
        (r"x_{a, b}", "x_(a, b)"),
    ],
)
def test_common_math_is_readable(source: str, seen: str) -> None:
    assert readable(source) == seen


COMMANDS = [
    "\\frac", "{", "}", "^", "_", "\\sqrt", "[", "]", "\\begin{cases}", "x", "\\\\",
    "&", "\\end{cases}", "\\left", "\\text", " ", "\\", "\\bar",
]  # fmt: skip


@given(st.lists(st.sampled_from(COMMANDS), max_size=30).map("".join))
def test_broken_math_is_shown_somehow(source: str) -> None:
    assert readable(source) or not source.strip()
