"""A conversation that is talked in."""

from qwen_tui.session.session import Session
from qwen_tui.session.tree import Deletion

__all__ = ["Deletion", "Session"]
