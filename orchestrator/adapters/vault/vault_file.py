"""The vault in one file: encrypted, private to its owner, durable before anything is sent.

What it says when the process dies, for a device whose password is being changed:

* after `prepare`, before the request: the present value and the prepared one. The device has the
  present one; a resumed run sends the prepared one.
* after the request was sent: the same two. The device has one of them, and neither is lost.
* after the proof, before it was heard: the same two. A resumed run hears its whole history and makes
  the prepared one the present one.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from orchestrator.adapters.machine.durable_folders import sync_folder
from orchestrator.adapters.runs.journal_reading import why
from orchestrator.adapters.vault.vault_entries import Book, Entry
from orchestrator.adapters.vault.vault_key import VaultKey
from orchestrator.adapters.vault.vault_lines import Chain, Header, WrongKeyError
from orchestrator.model.errors import SecretError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_MINE = 0o600


@dataclass(slots=True)
class _Known:
    """What was read of the file so far."""

    inode: tuple[int, int]
    end: int
    header: Header
    chain: Chain
    book: Book


class VaultFile:
    """A vault that several processes may use at once: whoever writes reads first what others wrote.

    Every method raises SecretError in one sentence when the file cannot be read, written or believed.
    """

    def __init__(self, path: Path, key: VaultKey) -> None:
        self._path = path
        self._key = key
        self._known: _Known | None = None
        self._book = Book()
        self._turn = Lock()  # threads of this process; the lock of the file is for other processes

    @classmethod
    def create(cls, path: Path, key: VaultKey) -> "VaultFile":
        """Make an empty vault, unless there is a file of this name; never replaces one."""
        draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_new(draft, Header.new(key).line())
            os.link(draft, path)  # unlike a rename it spares what is there already
            sync_folder(path.parent)
        except FileExistsError:
            raise SecretError(f"there is a file {path} already; it was left as it is") from None
        except OSError as error:
            raise SecretError(f"the vault {path} cannot be made: {why(error)}") from error
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        return cls(path, key)

    @classmethod
    def open(cls, path: Path, key: VaultKey) -> "VaultFile":
        """Open a vault and read it whole."""
        vault = cls(path, key)
        vault.read()
        return vault

    @property
    def key(self) -> VaultKey:
        """What it was opened with."""
        return self._key

    @property
    def fingerprint_key(self) -> bytes:
        """Give the key of fingerprints: the same secret has the same one in all runs of this vault."""
        return self._key.derived("fingerprints")

    def identity(self) -> str:
        """Give what tells this vault and key from any other; the same after `compact`."""
        with self._turn, self._explained("read"), self._opened(os.O_RDONLY) as descriptor:
            return self._caught_up(descriptor).header.identity(self._key)

    def read(self) -> Book:
        """Give all that the vault holds now."""
        with self._turn, self._explained("read"), self._opened(os.O_RDONLY) as descriptor:
            return self._caught_up(descriptor).book

    def made_in(self, run: str, device: int, step: int) -> Mapping[str, Entry]:
        """Give the values that were made for this step, by field, as far as this process has read."""
        return dict(self._book.made_in(run, device, step))

    def store(
        self, wanted: Callable[[Book], Sequence[Entry]], *, durable: bool = True, wait: bool = True
    ) -> bool:
        """Add the entries that are wanted in view of what is there, and return once they are on disk.

        Without `durable` they are only handed to the system: what a resumed run would store again.
        Without `wait` nothing happens while somebody else writes, and the answer is False.
        """
        if not self._turn.acquire(blocking=wait):
            return False
        try:
            with (
                self._explained("written"),
                self._locked(wait=wait),
                self._opened(os.O_RDWR) as file,
            ):
                known = self._caught_up(file)
                entries = wanted(known.book)
                data, chain = known.chain.encrypted(entries)
                if data:
                    _append(file, data, known.end, durable=durable)
                known.chain, known.end = chain, known.end + len(data)
                for entry in entries:
                    known.book.add(entry)
        except BlockingIOError:
            return False
        finally:
            self._turn.release()
        return True

    def compact(self) -> tuple[int, int]:
        """Write the vault anew without what is no longer needed; give its lines before and after.

        Of each field of a device there remain the present value, the one before and what was prepared
        since. The file is replaced at once or not at all.
        """
        draft = self._path.with_name(f".{self._path.name}.draft")
        with self._turn, self._explained("written"), self._locked():
            with self._opened(os.O_RDONLY) as descriptor:
                known = self._caught_up(descriptor)
            header = Header.new(self._key, known.header.origin)
            data, chain = Chain.of(header, self._key).encrypted(known.book.entries())
            try:
                draft.unlink(missing_ok=True)
                _write_new(draft, header.line() + data)
                draft.replace(self._path)
                sync_folder(self._path.parent)
            finally:
                with suppress(OSError):
                    draft.unlink(missing_ok=True)
            self._known = None
            return known.chain.lines, chain.lines

    def _caught_up(self, file: int) -> _Known:
        """Read what was written since the last time; from the beginning if the file is another one."""
        found = os.fstat(file)
        inode = (found.st_dev, found.st_ino)
        known, self._known = self._known, None
        if known is not None and known.inode == inode and known.end <= found.st_size:
            # Not acknowledged lines may have been taken back since: then the whole file decides.
            with suppress(SecretError):
                self._known = self._read_on(file, known, found.st_size)
        if self._known is None:
            self._known = self._read_on(file, self._begun(file, inode), found.st_size)
        self._book = self._known.book
        return self._known

    def _read_on(self, file: int, known: _Known, size: int) -> _Known:
        for line in _read(file, known.end, size).splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break  # torn: it was never acknowledged, and the next writer cuts it off
            try:
                entry = known.chain.decrypted(line[:-1])
            except ValueError as error:
                place = f"line {known.chain.lines + 2}"
                raise SecretError(
                    f"the vault {self._path} cannot be believed: {place}: {error}"
                ) from None
            known.book.add(entry)
            known.end += len(line)
        return known

    def _begun(self, descriptor: int, inode: tuple[int, int]) -> _Known:
        line = _read(descriptor, 0, 4096).partition(b"\n")[0]
        try:
            header = Header.from_line(line)
        except ValueError:
            raise SecretError(
                f"the vault {self._path} cannot be opened: the file is no vault"
            ) from None
        try:
            chain = Chain.of(header, self._key)
        except WrongKeyError as error:
            raise SecretError(f"the vault {self._path} cannot be opened: {error}") from None
        return _Known(inode, len(header.line()), header, chain, Book())

    @contextmanager
    def _locked(self, *, wait: bool = True) -> Iterator[None]:
        """Wait until no other process writes; the system lets go when a process dies.

        Without `wait` it raises BlockingIOError while one does.
        """
        path = self._path.with_name(self._path.name + ".lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MINE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _opened(self, flags: int) -> Iterator[int]:
        descriptor = os.open(self._path, flags | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            raise
        except FileNotFoundError:
            raise SecretError(
                f"there is no vault {self._path}: make one with `orchestrator vault init`"
            ) from None
        except OSError as error:
            raise SecretError(f"the vault {self._path} cannot be {what}: {why(error)}") from error


def is_there(path: Path) -> bool:
    """Tell whether there is a file of this name; raises SecretError when nobody may know."""
    try:
        return path.exists()
    except OSError as error:
        raise SecretError(f"the vault {path} cannot be read: {why(error)}") from error


def _append(descriptor: int, data: bytes, end: int, *, durable: bool) -> None:
    """Write behind the last whole line; what cannot be written whole is taken back."""
    os.ftruncate(descriptor, end)
    try:
        view, place = memoryview(data), end
        while view:
            written = os.pwrite(descriptor, view, place)
            view, place = view[written:], place + written
        if durable:
            os.fsync(descriptor)
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, end)
        raise


def _write_new(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, _NEW, _MINE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read(descriptor: int, start: int, end: int) -> bytes:
    pieces = []
    while start < end and (piece := os.pread(descriptor, end - start, start)):
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)
