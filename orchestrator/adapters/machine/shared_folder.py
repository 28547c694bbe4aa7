"""The folder for locks, which all users of a machine share, and the files in it.

Everybody may make files there and write to them, and nobody may take away another's. What somebody
put there to have other files of ours written to, a link for instance, is refused.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrator.adapters.runs.journal_reading import why
from orchestrator.model.errors import RunError, UnrecordedError

_OPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
_NO_FOLDER = (errno.ELOOP, errno.ENOTDIR)


def open_folder(path: Path) -> int:
    """Open the folder, made if need be for every user; nobody may take away others' files in it.

    Raises OSError, and RunError when everybody may remove everybody's files.
    """
    with suppress(FileExistsError):
        path.mkdir(parents=True)
        path.chmod(0o1777)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in _NO_FOLDER:
            raise
        raise OSError(errno.EINVAL, "it is a link or no folder") from error
    mode = os.fstat(descriptor).st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        os.close(descriptor)
        raise RunError(
            f"in the folder for locks, {path}, everybody may remove everybody's files;"
            f" say `chmod 1777 {path}` or name another in ORCHESTRATOR_LOCKS_DIR"
        )
    with suppress(OSError):
        flocked(descriptor, fcntl.LOCK_SH)  # systemd-tmpfiles keeps its hands off a locked folder
    return descriptor


def open_file(folder: int, name: str) -> int:
    """Open a file of the folder for reading and writing, made if need be for every user.

    Not with O_CREAT alone: in a folder of mode 1777 Linux refuses that for other users' files.
    """
    for last in (False, False, False, False, True):
        try:
            return _ours(_opened(folder, name), name)
        except (FileExistsError, PermissionError):
            if last:
                raise
        time.sleep(0.01)  # somebody makes it at this very moment and opens it to all next
    raise AssertionError


def find_file(path: Path) -> int | None:
    """Open a file of the folder if it is there; makes nothing."""
    try:
        return _ours(os.open(path, _OPEN), path.name)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _opened(folder: int, name: str) -> int:
    with suppress(FileNotFoundError):
        return os.open(name, _OPEN, dir_fd=folder)
    descriptor = os.open(name, _OPEN | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder)
    os.fchmod(descriptor, 0o666)
    return descriptor


def _ours(descriptor: int, name: str) -> int:
    """Refuse what somebody put there to have other files of ours written to."""
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_nlink <= 1:
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, f"{name} in it is no plain file")


def flocked(descriptor: int, kind: int) -> bool:
    """Lock a whole file, or a folder, without waiting; False when somebody else's is in the way."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say in one sentence which folder cannot be used and which setting names it."""
    try:
        yield
    except OSError as error:
        kind = UnrecordedError if error.errno in _FULL else RunError
        reason = why(error)
        if error.errno in _NO_FOLDER:
            reason = "it or something in it is a link or no folder"
        raise kind(
            f"the folder for locks, {path}, cannot be used: {reason};"
            " ORCHESTRATOR_LOCKS_DIR can name another, the same for all runs of this machine"
        ) from error
