"""What makes a run's secrets its own, whatever other run had its id once: a salt in its folder."""

import os
from contextlib import suppress
from pathlib import Path

from orchestrator.adapters.machine.durable_folders import sync_folder
from orchestrator.adapters.runs.journal_reading import why
from orchestrator.adapters.vault.vault_key import derived
from orchestrator.model.errors import SecretError, UnrecordedError

_BYTES = 32
_MARK = 12
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class RunSalt:
    """The salt of one run, the same in every process that drives it; it never shows."""

    __slots__ = ("_run_id", "_salt")

    def __init__(self, run_id: str, salt: bytes) -> None:
        self._run_id = run_id
        self._salt = salt

    @classmethod
    def of(cls, folder: Path) -> "RunSalt":
        """Read the salt of the run in this folder; the first time it is made, for its owner's eyes only.

        Raises UnrecordedError when it can be neither made nor read.
        """
        path = folder / "salt"
        try:
            return cls(folder.name, _salt_in(path) or _new_salt(path))
        except OSError as error:
            raise UnrecordedError(f"{path} cannot be written: {why(error)}") from error

    @property
    def fingerprint_key(self) -> bytes:
        """Give the key of the run's fingerprints where no vault has one."""
        return derived(self._salt, "fingerprints", self._run_id.encode())

    @property
    def name(self) -> str:
        """Give the run's id with a mark that no other run has, were it of the same id."""
        return f"{self._run_id}#{derived(self._salt, 'run', b'').hex()[:_MARK]}"


def check_vault(folder: Path, identity: str | None, vault: Path) -> None:
    """Return only if the run in this folder was begun with the vault and key of this identity.

    The first time that a run has one it is kept beside the salt. Raises SecretError in one sentence
    for another vault or key, or where there is none any more; UnrecordedError when it can be neither
    kept nor read.
    """
    path = folder / "salt.vault"
    try:
        kept = _bytes_in(path)
        if kept is None and identity is not None:
            _write_new(path, identity.encode())
    except OSError as error:
        raise UnrecordedError(f"{path} cannot be written: {why(error)}") from error
    if kept is None or (identity is not None and kept == identity.encode()):
        return
    found = f"there is no vault {vault}" if identity is None else f"{vault} or its key is another"
    raise SecretError(
        f"run {folder.name} was begun with a vault, and {found}:"
        " go on with the vault and the key that it was begun with"
    )


def _bytes_in(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _salt_in(path: Path) -> bytes | None:
    salt = _bytes_in(path)
    return salt if salt is not None and len(salt) == _BYTES else None


def _new_salt(path: Path) -> bytes:
    salt = os.urandom(_BYTES)
    _write_new(path, salt)
    return salt


def _write_new(path: Path, data: bytes) -> None:
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, _NEW, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)
