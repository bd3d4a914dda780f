"""A conversation that is talked in."""

from qwen_tui.session.session import Session

__all__ = ["Session"]
