"""The one module of this room that reads files: a playbook, and what it names beside itself."""

from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.model.errors import Fault, PlaybookError
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.playbook.reading import read_text

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
    variables = dict(variables or {})
    files: dict[str, str] = {}

    def beside(name: str) -> str:
        if name not in files:
            files[name] = _beside(Path(path), name, read_file)
        return files[name]

    playbook = read_text(shown, text, variables, beside)
    return playbook, PlaybookSource(shown, text, variables, files)


def _beside(playbook: Path, name: str, read_file: ReadFile) -> str:
    folder = playbook.resolve().parent
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
    raw = read_file(path)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise OSError(
            f"it is not UTF-8 text, line {line} has the byte {raw[error.start]:#04x}"
        ) from error


def _sentence(what: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{what} does not exist"
    return f"{what} cannot be read: {error.strerror or error}"
