"""The engine process, `python -m qwen_tui.engine`: the only place of torch."""
