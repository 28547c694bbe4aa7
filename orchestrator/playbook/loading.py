"""The one module of this room that reads files: a playbook, and what it names beside itself."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.model.errors import Fault, PlaybookError
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.values import Table
from orchestrator.playbook.decoding import decoded
from orchestrator.playbook.reading import read_text
from orchestrator.playbook.tables.tables import DEFAULT_KEY, kept_text, path_beside, table_of

MAX_FILE_BYTES = 64 * 1024 * 1024

ReadFile = Callable[[Path], bytes]


def load_playbook(
    path: str | Path,
    variables: Mapping[str, str] | None = None,
    read_file: ReadFile = Path.read_bytes,
) -> tuple[Playbook, PlaybookSource]:
    """Read a playbook file and the files it names; give it with everything it was read from.

    Raises PlaybookError with all faults, also when the file itself cannot be read.
    """
    shown = str(path)
    try:
        text = _text(Path(path), read_file)
    except OSError as error:
        raise PlaybookError([Fault(shown, 1, 1, "", _sentence("the playbook", error))]) from error
    return load_text(shown, text, variables, read_file)


def load_text(
    path: str,
    text: str,
    variables: Mapping[str, str] | None = None,
    read_file: ReadFile = Path.read_bytes,
) -> tuple[Playbook, PlaybookSource]:
    """Read a playbook's text as if it stood in the file of this path, with the files beside that.

    Of a table's secret cells the source holds only that they have a value, and the digest of the
    whole. Raises PlaybookError with all faults.
    """
    variables = dict(variables or {})
    folder = Path(path).resolve().parent
    files: dict[str, str] = {}

    def beside(name: str) -> str:
        if name not in files:
            files[name] = _beside(folder, name, read_file)
        return files[name]

    playbook = read_text(path, text, variables, beside)
    digests: dict[str, str] = {}
    table = playbook.table
    if table is not None and table.secrets:
        whole = files[table.name]
        digests[table.name] = text_digest(whole)
        files[table.name] = kept_text(table, whole, path_beside(path, table.name))
    return playbook, PlaybookSource(path, text, variables, files, digests)


def text_digest(text: str) -> str:
    """Give the SHA-256 of a file's text, without its byte order mark, in hexadecimal digits."""
    return hashlib.sha256(text.removeprefix("\ufeff").encode()).hexdigest()


def load_table(
    path: str | Path,
    key: str = DEFAULT_KEY,
    *,
    is_written: bool = False,
    read_file: ReadFile = Path.read_bytes,
) -> Table:
    """Read a table that stands alone and check it whole; `is_written`: all of it goes into records.

    Raises PlaybookError with all faults, also when the file itself cannot be read.
    """
    shown = str(path)
    try:
        text = _text(Path(path), read_file)
    except OSError as error:
        raise PlaybookError([Fault(shown, 1, 1, "", _sentence("the table", error))]) from error
    return table_of(shown, text, key, is_written=is_written)


def _beside(folder: Path, name: str, read_file: ReadFile) -> str:
    target = (folder / name).resolve()
    if not target.is_relative_to(folder):
        raise PermissionError(f"{name!r} leads out of the playbook's folder")
    try:
        return _text(target, read_file)
    except OSError as error:
        raise OSError(_sentence(f"{name!r}, beside the playbook,", error)) from error


def _text(path: Path, read_file: ReadFile) -> str:
    # Asked before reading: a device or a pipe would never end, a huge file fill the memory.
    if path.exists() and not path.is_file():
        raise OSError("it is not a file")
    if path.exists() and path.stat().st_size > MAX_FILE_BYTES:
        raise OSError(f"it is larger than {MAX_FILE_BYTES // 1024 // 1024} MB")
    return decoded(read_file(path), is_table=path.suffix.lower() == ".csv")


def _sentence(what: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{what} does not exist"
    return f"{what} cannot be read: {error.strerror or error}"
