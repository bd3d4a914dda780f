"""A small app under the product's own driver, signals and ending.

Usage: python -m tests.e2e.tiny FOLDER [crash]. FOLDER gets events.jsonl (what
keys and pastes arrived), saved (once saved), child (the id of a child process).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from qwen_tui.ui.launch import choose_driver, prepare_environment
from qwen_tui.ui.terminal import check_terminal

prepare_environment(os.environ)

from textual import events  # noqa: E402 - it reads the environment when imported
from textual.app import App, ComposeResult  # noqa: E402
from textual.widgets import Static  # noqa: E402

from qwen_tui.ui.life import run_to_the_end  # noqa: E402


class TinyApp(App[int]):
    """Writes down what reaches it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.child = subprocess.Popen(
            ["sleep", "600"], start_new_session=True, stdout=subprocess.DEVNULL
        )
        (folder / "child").write_text(str(self.child.pid))

    def compose(self) -> ComposeResult:
        yield Static("tiny is ready", markup=False)

    def on_key(self, event: events.Key) -> None:
        self.note("key", event.key, event.character)
        if event.key == "f5":
            raise RuntimeError("a bug we planted")
        if event.key == "f6":
            self.set_interval(0.01, self.repaint)
        if event.key == "f7":
            self.exit(0)

    def on_paste(self, event: events.Paste) -> None:
        self.note("paste", event.text)

    def repaint(self) -> None:
        self.query_one(Static).update(os.urandom(2000).hex())

    def note(self, *what: str | None) -> None:
        with (self.folder / "events.jsonl").open("a") as out:
            out.write(json.dumps(what) + "\n")

    def save_now(self) -> None:
        (self.folder / "saved").write_text("saved")
        if (self.folder / "hang").exists():
            while True:  # a save that never returns
                os.read(os.pipe()[0], 1)

    def kill_children(self) -> None:
        self.child.kill()


if __name__ == "__main__":
    check_terminal(stdin=sys.stdin, stdout=sys.stdout, environ=os.environ)
    app = TinyApp(Path(sys.argv[1]))
    app.driver_class = choose_driver() or app.driver_class
    sys.exit(run_to_the_end(app, log_dir=Path(sys.argv[1]) / "log"))
