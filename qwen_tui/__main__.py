"""`python -m qwen_tui` and the console script."""

import sys

from qwen_tui.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
