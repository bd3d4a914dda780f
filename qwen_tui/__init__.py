"""qwen-tui: a terminal chat client for Qwen models on the user's own machine."""

__version__ = "0.1.0"
