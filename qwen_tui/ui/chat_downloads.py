"""What the chat tells of downloads: in its header, and when one ends."""

from collections.abc import Generator
from contextlib import contextmanager

from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.i18n import _
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.chat import ChatScreen
from qwen_tui.ui.screens.model_status import download_text


class ChatDownloads:
    """Keeps the chat's header true; `covered` while another screen tells more."""

    def __init__(self, desk: ModelDesk, chat: ChatScreen) -> None:
        self._desk = desk
        self._chat = chat
        self._is_covered = False
        desk.listen(self._note)
        chat.renew_header = self._show

    @contextmanager
    def covered(self) -> Generator[None]:
        """Leave the chat as it is meanwhile.

        What changes on a screen below another one makes Textual 8.2.8 send the upper
        one whole: some twenty kilobytes a time.
        """
        self._is_covered = True
        try:
            yield
        finally:
            self._is_covered = False
            self._show()

    def _note(self, job: DownloadJob | None) -> None:
        if self._is_covered:
            return
        self._show()
        if job is not None and job.state == "done":
            text = _("{name} is here: Ctrl+O, then Enter loads it.")
            self._chat.tell(text.format(name=job.repo))
        elif job is not None and job.state == "failed":
            self._chat.tell(f"{job.message} {job.hint}".strip(), "error")

    def _show(self) -> None:
        self._chat.header.change(download=download_text(self._desk.queue.jobs))
