"""Failures a person can act on: a code, what happened, and what to do next.

Rooms raise these with text that is already translated. Across a process
boundary they travel as `chat.events.Failed` with the same three fields.
"""


class QwenTuiError(Exception):
    """A failure with one clear sentence and one hint.

    Attributes:
        code: Stable snake_case name for scripts; never translated.
        message: What happened, one sentence.
        hint: What to do next; may be empty.
        exit_status: What the command line exits with.
    """

    code = "failed"
    exit_status = 1

    def __init__(
        self, message: str, *, hint: str = "", code: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code


class UsageError(QwenTuiError):
    """The command line or a setting asks for something that cannot be."""

    code = "usage"
    exit_status = 2


class SettingsError(UsageError):
    """A settings file or variable holds a wrong key or value."""

    code = "settings"


class ModelNotFound(QwenTuiError):
    """The name fits no folder, file, cached repo or catalogue alias."""

    code = "model_not_found"


class NotAModel(QwenTuiError):
    """The path exists but holds no model we can load."""

    code = "not_a_model"


class ModelIncomplete(QwenTuiError):
    """A shard or another needed file is missing or cut short."""

    code = "model_incomplete"


class ModelCorrupt(QwenTuiError):
    """A file of the model cannot be read as what it claims to be."""

    code = "model_corrupt"


class RemoteCodeNeeded(QwenTuiError):
    """The model brings Python code of its own, which is off by default."""

    code = "remote_code_needed"


class OutOfMemory(QwenTuiError):
    """The device or the machine has no memory left for this."""

    code = "out_of_memory"


class ContextOverflow(QwenTuiError):
    """The prompt does not fit the model's context."""

    code = "context_overflow"


class EngineDied(QwenTuiError):
    """The engine process ended without being asked to."""

    code = "engine_died"


class ChatNotFound(QwenTuiError):
    """No saved conversation has this id or title."""

    code = "chat_not_found"


class StoreError(QwenTuiError):
    """The conversations file cannot be read or written."""

    code = "store"


class FileError(QwenTuiError):
    """A file that a person named cannot be read or written."""

    code = "file"


class TransferError(QwenTuiError):
    """A file of conversations cannot be read or written.

    `code` tells which: "import_unreadable", "import_format", "export_exists",
    "export_unwritable".
    """

    code = "transfer"


class HubError(QwenTuiError):
    """A hub or mirror refused, failed or could not be reached.

    `code` tells which: "unreachable", "not_found", "gated", "unauthorized",
    "rate_limited", "server_error", "captive_portal", "bad_reply", "stalled",
    "redirected".
    """

    code = "hub"


class ServerError(QwenTuiError):
    """A server that speaks the OpenAI protocol refused, failed or is not there.

    `code` tells which: "server_unreachable", "server_timeout", "server_tls",
    "server_key", "server_not_found", "not_openai", "server_redirect",
    "server_no_model", "server_busy", "server_error", "server_refused",
    "server_reply", "server_cut", "context_overflow".
    """

    code = "server"


class DownloadError(QwenTuiError):
    """A download cannot go on.

    `code` tells which: "hash_mismatch", "size_mismatch", "unsafe_path",
    "download" for a folder that cannot be written.
    """

    code = "download"


class DiskFull(QwenTuiError):
    """The disk has less free space than the files need."""

    code = "disk_full"


class TerminalError(UsageError):
    """The terminal cannot show the program."""

    code = "terminal"


class WebError(QwenTuiError):
    """The screen cannot be served to a browser.

    `code` tells which: "web_missing" for packages, "web_port".
    """

    code = "web"
