"""Two themes of our own, and how themes are named.

Their colours keep their order of brightness where a terminal has 256 or 16 of them:
muted text stays readable on every background, and red, yellow and green stay apart.
"""

import difflib
from collections.abc import Mapping

from textual.theme import Theme

DEFAULT = "qwen-dark"

DARK = Theme(
    name="qwen-dark",
    primary="#8c7bff",
    secondary="#5fafd7",
    accent="#d7afff",
    warning="#d7af5f",
    error="#ff5f5f",
    success="#5fd787",
    foreground="#e4e4e4",
    background="#121218",
    surface="#1c1c26",
    panel="#2a2a3a",
    dark=True,
    variables={
        "border": "#8c7bff",
        "border-blurred": "#5a5a72",
        "block-cursor-background": "#5f5fd7",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#3a3a5a",
        "input-selection-background": "#5f5fd7 60%",
        "scrollbar": "#4e4e6e",
        "scrollbar-background": "#1c1c26",
        "foreground-muted": "#a8a8b4",
        "text-muted": "#a8a8b4",
        "text-primary": "#b0a6ff",
        "text-secondary": "#87d7ff",
        "text-accent": "#d7afff",
        "text-warning": "#ffd787",
        "text-error": "#ff8787",
        "text-success": "#87d7af",
    },
)

LIGHT = Theme(
    name="qwen-light",
    primary="#4b39c8",
    secondary="#005f87",
    accent="#8700af",
    warning="#875f00",
    error="#af0000",
    success="#005f00",
    foreground="#1c1c1c",
    background="#fbfaff",
    surface="#efedf7",
    panel="#dedaf0",
    dark=False,
    variables={
        "border": "#4b39c8",
        "border-blurred": "#a8a4bc",
        "block-cursor-background": "#4b39c8",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#cfc9ec",
        "input-selection-background": "#4b39c8 35%",
        "scrollbar": "#a8a4c8",
        "scrollbar-background": "#efedf7",
        "foreground-muted": "#5c5a66",
        "text-muted": "#5c5a66",
        "text-primary": "#3d2db5",
        "text-secondary": "#005f87",
        "text-accent": "#8700af",
        "text-warning": "#875f00",
        "text-error": "#af0000",
        "text-success": "#005f00",
    },
)

OWN = (DARK, LIGHT)


def nearest(name: str, available: Mapping[str, Theme]) -> str:
    """Return the theme of that name, else the one most like it, else our own."""
    if name in available:
        return name
    close = difflib.get_close_matches(name, available, n=1)
    return close[0] if close else DEFAULT
