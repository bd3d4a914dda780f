r"""The signs of LaTeX that chat answers use, as Unicode.

Names and signs: the LaTeX Project's "Comprehensive LaTeX Symbol List" and the
character names of the Unicode Standard.
"""

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ",
    "varepsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ", "vartheta": "ϑ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "pi": "π", "varpi": "ϖ", "rho": "ρ", "varrho": "ϱ", "sigma": "σ",
    "varsigma": "ς", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
_SIGNS = {
    "times": "×", "cdot": "·", "div": "÷", "pm": "±", "mp": "∓", "ast": "∗",
    "star": "⋆", "circ": "∘", "bullet": "•", "oplus": "⊕", "ominus": "⊖",
    "otimes": "⊗", "odot": "⊙", "le": "≤", "leq": "≤", "leqslant": "≤", "ge": "≥",
    "geq": "≥", "geqslant": "≥", "ne": "≠", "neq": "≠", "approx": "≈",
    "equiv": "≡", "sim": "∼", "simeq": "≃", "cong": "≅", "propto": "∝",
    "ll": "≪", "gg": "≫", "prec": "≺", "succ": "≻", "perp": "⊥", "parallel": "∥",
    "mid": "|", "nmid": "∤", "in": "∈", "notin": "∉", "ni": "∋", "subset": "⊂",
    "subseteq": "⊆", "supset": "⊃", "supseteq": "⊇", "cup": "∪", "cap": "∩",
    "setminus": "∖", "emptyset": "∅", "varnothing": "∅", "forall": "∀",
    "exists": "∃", "nexists": "∄", "neg": "¬", "lnot": "¬", "land": "∧",
    "wedge": "∧", "lor": "∨", "vee": "∨", "to": "→", "rightarrow": "→",
    "longrightarrow": "⟶", "leftarrow": "←", "gets": "←", "leftrightarrow": "↔",
    "Rightarrow": "⇒", "Longrightarrow": "⟹", "implies": "⟹", "Leftarrow": "⇐",
    "Leftrightarrow": "⇔", "iff": "⟺", "mapsto": "↦", "uparrow": "↑",
    "downarrow": "↓", "infty": "∞", "partial": "∂", "nabla": "∇", "sum": "∑",
    "prod": "∏", "int": "∫", "iint": "∬", "iiint": "∭", "oint": "∮", "angle": "∠",
    "triangle": "△", "square": "□", "blacksquare": "■", "therefore": "∴",
    "because": "∵", "ldots": "…", "cdots": "⋯", "dots": "…", "vdots": "⋮",
    "ddots": "⋱", "prime": "′", "degree": "°", "hbar": "ℏ", "ell": "ℓ", "Re": "ℜ",
    "Im": "ℑ", "aleph": "ℵ", "langle": "⟨", "rangle": "⟩", "lfloor": "⌊",
    "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "lVert": "‖", "rVert": "‖",
    "Vert": "‖", "lvert": "|", "rvert": "|", "vert": "|", "models": "⊨",
    "vdash": "⊢", "top": "⊤", "bot": "⊥", "checkmark": "✓", "dagger": "†",
    "lbrace": "{", "rbrace": "}", "backslash": "\\", "quad": "  ", "qquad": "    ",
    "{": "{", "}": "}", "%": "%", "$": "$", "#": "#", "&": "&", "_": "_", "|": "‖",
    ",": " ", ";": " ", ":": " ", ">": " ", " ": " ", "!": "",
    "limits": "", "nolimits": "", "displaystyle": "", "textstyle": "", "left": "",
    "right": "", "big": "", "Big": "", "bigg": "", "Bigg": "", "bigl": "",
    "bigr": "", "Bigl": "", "Bigr": "", "middle": "", "nonumber": "", "notag": "",
    "hline": "",
}  # fmt: skip
_NAMES = (
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh",
    "cosh", "tanh", "log", "ln", "lg", "exp", "lim", "limsup", "liminf", "max",
    "min", "sup", "inf", "arg", "argmax", "argmin", "det", "dim", "ker", "gcd",
    "deg", "Pr", "mod", "bmod",
)  # fmt: skip
SYMBOLS = {**_GREEK, **_SIGNS, **{name: name for name in _NAMES}}
"""Commands without arguments."""
SPACED = {
    "le", "leq", "leqslant", "ge", "geq", "geqslant", "ne", "neq", "approx", "equiv",
    "sim", "simeq", "cong", "propto", "ll", "gg", "prec", "succ", "perp", "parallel",
    "in", "notin", "ni", "subset", "subseteq", "supset", "supseteq", "cup", "cap",
    "forall", "exists", "land", "wedge", "lor", "vee", "to", "rightarrow",
    "longrightarrow", "leftarrow", "gets", "leftrightarrow", "Rightarrow",
    "Longrightarrow", "implies", "Leftarrow", "Leftrightarrow", "iff", "mapsto",
    "times", "div", "pm", "mp", "oplus", "otimes", "therefore", "because", "models",
    "vdash",
}  # fmt: skip
"""Commands whose sign stands between spaces, whatever the source has."""
NAMES = frozenset(_NAMES)
"""Functions: a letter or digit after one needs a space."""
PLAIN = {
    "text", "textbf", "textit", "textrm", "textsf", "texttt", "mathrm", "mathbf",
    "mathit", "mathsf", "mathtt", "mathcal", "mathbb", "mathfrak", "mathscr",
    "boldsymbol", "bm", "pmb", "operatorname", "mbox", "boxed", "underline", "tilde",
    "widetilde", "bar", "overline", "hat", "widehat", "vec", "dot", "ddot", "pmod",
    "tag",
}  # fmt: skip
"""Commands of one argument that say how it looks; accents and frames below."""
TEXT = {"text", "mbox", "textrm", "textbf", "textit", "texttt", "textsf"}
"""Those whose argument is no math."""
FRAMES = {"pmod": " (mod {})", "tag": "  ({})", "boxed": "[ {} ]"}
BLACKBOARD = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))
ACCENTS = {
    "bar": "\u0304", "overline": "\u0305", "hat": "\u0302", "widehat": "\u0302",
    "tilde": "\u0303", "widetilde": "\u0303", "vec": "\u20d7", "dot": "\u0307",
    "ddot": "\u0308",
}  # fmt: skip
"""Combining marks for one letter."""
SUPERSCRIPTS = dict(
    zip(
        "0123456789+-=()nijkabcdefghlmoprstuvwxyzTABDEGHIJKLMNOPRUVW′*αβγδεθφχ",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱʲᵏᵃᵇᶜᵈᵉᶠᵍʰˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵁⱽᵂ′*ᵅᵝᵞᵟᵋᶿᵠᵡ",
        strict=True,
    )
)
SUBSCRIPTS = dict(
    zip(
        "0123456789+-=()aehijklmnoprstuvxβγρφχ",
        "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ",
        strict=True,
    )
)
FRACTIONS = {
    "1/2": "½", "1/3": "⅓", "2/3": "⅔", "1/4": "¼", "3/4": "¾", "1/5": "⅕",
    "1/6": "⅙", "1/8": "⅛",
}  # fmt: skip
