"""Read a file of conversations of any format we know; write one, whole or not at all.

Nothing here touches the store: a file is read to its end and checked before anything
of it is saved.
"""

import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, cast

from qwen_tui import paths
from qwen_tui.errors import TransferError
from qwen_tui.i18n import _
from qwen_tui.store.transfer.chatgpt import read_chatgpt
from qwen_tui.store.transfer.foreign import Foreign
from qwen_tui.store.transfer.native import FORMAT, read_document
from qwen_tui.store.transfer.open_webui import read_open_webui
from qwen_tui.store.transfer.openai import read_messages
from qwen_tui.store.transfer.parts import Part

_MOST_BYTES = 2 << 30
"""Of one file, unpacked: what is larger is refused before it fills the memory."""
_Reader = Callable[[Part], Foreign]


def read_conversations(file: Path) -> list[Foreign]:
    """Return the conversations in a file: ours, OpenAI's, ChatGPT's or Open WebUI's.

    Raises:
        TransferError: it cannot be read, is of no known format, or is wrong
            somewhere, which is told with the place.
    """
    found: list[Foreign] = []
    for text in _texts(file):
        for root in _documents(file, text):
            found += _read(file, root)
    return found


def write_text(file: Path, text: str, *, overwrite: bool = False) -> None:
    """Write a file for this user only (0600), whole or not at all.

    Raises:
        TransferError: it exists (`export_exists`), or cannot be written.
    """
    try:
        with (
            NamedTemporaryFile(  # 0600, as mkstemp makes it
                "wb", dir=file.parent, prefix=f".{file.name[:50]}.", delete=False
            ) as out
        ):
            part = Path(out.name)
            try:
                out.write(text.encode("utf-8", "replace"))
                out.flush()
                os.fsync(out.fileno())
                _name(part, file, overwrite=overwrite)
            except BaseException:
                with suppress(FileNotFoundError):
                    part.unlink()
                raise
    except FileExistsError as error:
        raise exists_error(file) from error
    except OSError as error:
        raise _unwritable(file, error) from error


def make_folder(folder: Path) -> None:
    """Create a folder for this user only, where there is none.

    Raises:
        TransferError: something else has its name, or it cannot be made.
    """
    try:
        paths.private_folder(folder)
    except FileExistsError as error:
        raise exists_error(folder) from error
    except OSError as error:
        raise _unwritable(folder, error) from error


def exists_error(file: Path) -> TransferError:
    """Return the refusal to write over a file."""
    return TransferError(
        _("{path} exists.").format(path=file),
        hint=_("Choose another name, or overwrite it with --force."),
        code="export_exists",
    )


def _name(part: Path, file: Path, *, overwrite: bool) -> None:
    if overwrite:
        part.replace(file)
        return
    try:
        file.hardlink_to(part)  # unlike a rename, it never replaces anything
    except FileExistsError:
        raise
    except OSError:  # no links on this drive
        with file.open("xb"):
            pass
        part.replace(file)
    else:
        part.unlink()


def _texts(file: Path) -> Iterator[bytes]:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise _too_large(file)
        if not zipfile.is_zipfile(file):
            yield file.read_bytes()
            return
        with zipfile.ZipFile(file) as archive:
            members = [m for m in archive.infolist() if _is_conversations(m.filename)]
            if not members:
                raise _unknown(file)
            if sum(member.file_size for member in members) > _MOST_BYTES:
                raise _too_large(file)
            for member in members:
                yield archive.read(member)
    # a zip may be cut, encrypted (RuntimeError), or packed in an unknown way
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise TransferError(
            _("{path} cannot be read: {reason}.").format(
                path=file, reason=getattr(error, "strerror", None) or error
            ),
            hint=_("Check the name and who owns the file."),
            code="import_unreadable",
        ) from error


def _is_conversations(name: str) -> bool:
    """Tell whether a member of ChatGPT's zip holds conversations."""
    last = name.rpartition("/")[2]
    return last.startswith("conversations") and last.endswith(".json")


def _documents(file: Path, text: bytes) -> list[Part]:
    """Return the JSON documents in a text: one, or one a line."""
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_json(file, _("byte {n} is no UTF-8").format(n=error.start)) from error
    try:
        return [Part(json.loads(decoded))]
    except json.JSONDecodeError as error:
        lines = decoded.splitlines()
        if error.msg != "Extra data" or not _is_json(lines[0]):
            place = _("line {line}, column {column}").format(
                line=error.lineno, column=error.colno
            )
            raise _no_json(file, f"{place}: {error.msg}") from error
        return _lines(file, lines)
    except (RecursionError, ValueError) as error:  # a number of 5,000 digits
        raise _no_json(
            file, _("it is nested too deeply or a number too long")
        ) from error


def _lines(file: Path, lines: list[str]) -> list[Part]:
    parts: list[Part] = []
    for number, line in enumerate(lines, 1):
        place = _("line {line}").format(line=number)
        try:
            if line.strip():
                parts.append(Part(json.loads(line), place))
        except (RecursionError, ValueError) as error:
            raise _no_json(file, place) from error
    return parts


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (RecursionError, ValueError):
        return False
    return True


def _read(file: Path, root: Part) -> list[Foreign]:
    """Return the conversations of a document, by what it looks like."""
    if isinstance(root.value, dict):
        if cast(dict[str, Any], root.value).get("format") == FORMAT:
            return [Foreign(chat) for chat in read_document(root)]
        reader = _reader(root)
        if reader is not None:
            return [reader(root)]
    elif isinstance(root.value, list) and root.value:
        items = root.items()
        if items[0].has("role"):
            return [read_messages(root)]
        readers = [_reader(item) for item in items]
        if all(readers):
            return [r(i) for r, i in zip(readers, items, strict=True) if r is not None]
    raise _unknown(file)


def _reader(part: Part) -> _Reader | None:
    keys: dict[str, _Reader] = {
        "mapping": read_chatgpt,
        "chat": read_open_webui,
        "messages": read_messages,
    }
    return next((reader for key, reader in keys.items() if part.has(key)), None)


def _unknown(file: Path) -> TransferError:
    return TransferError(
        _("{path} holds no conversations of a format that is known.").format(path=file),
        hint=_(
            "Known are exports of qwen-tui, ChatGPT and Open WebUI, and OpenAI's "
            "messages."
        ),
        code="import_format",
    )


def _no_json(file: Path, reason: str) -> TransferError:
    return TransferError(
        _("{path} is no JSON: {reason}.").format(path=file, reason=reason),
        hint=_("Nothing was imported."),
        code="import_format",
    )


def _unwritable(file: Path, error: OSError) -> TransferError:
    return TransferError(
        _("{path} cannot be written: {reason}.").format(
            path=file, reason=error.strerror or error
        ),
        hint=_("Check the folder and who owns it, or choose another place."),
        code="export_unwritable",
    )


def _too_large(file: Path) -> TransferError:
    return TransferError(
        _("{path} is larger than 2 GiB.").format(path=file),
        hint=_("Import it in parts."),
        code="import_unreadable",
    )
