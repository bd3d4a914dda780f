"""A mark on the disk that a model is in use, for whoever would delete it."""

import fcntl
import logging
import os

_log = logging.getLogger(__name__)


class ModelHold:
    """A shared flock(2) on a model's folder or file; it ends with the process.

    Nothing is written, and other users of the model are not hindered: they share it.
    Without flock, as on some network filesystems, there is no mark.
    """

    def __init__(self) -> None:
        self._descriptor: int | None = None

    def take(self, path: str) -> None:
        """Mark the model at `path`, instead of the one before."""
        self.release()
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            _log.info("no mark that %s is in use: %s", path, error)
            self.release()

    def release(self) -> None:
        """Take the mark away, if there is one."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
