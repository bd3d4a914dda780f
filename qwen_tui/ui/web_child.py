"""`python -m qwen_tui.ui.web_child`: the program on a terminal made for it.

A terminal belongs to a session only when its first process asks for it. Done here, and
not between fork and exec in the server, which has threads.
"""

import fcntl
import runpy
import termios


def main() -> None:
    """Take the terminal on the standard input for this session, and be qwen-tui."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    runpy.run_module("qwen_tui", run_name="__main__")


if __name__ == "__main__":
    main()
