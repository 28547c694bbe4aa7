"""Plans that were carried out: a plan becomes a run once, whoever asks and however often.

What counts in the end is the first line of a run's journal, which names its plan by digest. A mark
in the folder for locks, written before that line, lets processes that know nothing of each other's
runs meet: it is locked for as long as the process lives, so of two only one gets it. If that one
dies before its journal begins, the mark names a run that never began, and the next takes it over.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from orchestrator.adapters.durable_folders import sync_folder
from orchestrator.adapters.journal_reading import read_records, why
from orchestrator.adapters.os_user import host_name, user_name
from orchestrator.adapters.run_folder import RunFolder, RunsFolder
from orchestrator.model import moments
from orchestrator.model.errors import JournalError, RunError, RunLockedError, UnrecordedError
from orchestrator.model.events import Event, RunStarted

_OPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FACTS = 4096
_LONGEST_WORD = 1000
_TRIES = 10
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Taker:
    """The run that took a plan."""

    run: str
    folder: str
    pid: int
    user: str
    host: str
    since: float
    began: bool = False
    """True once the run's first event is durable; before that its journal has to be asked."""

    def __str__(self) -> str:
        """Name it as a message does."""
        away = "" if self.host == host_name() else f" on {self.host}"
        return f"run {self.run} ({self.user}{away}), begun {moments.as_short_text(self.since)}"


class TakenPlan:
    """A plan that this process has taken; hears of the run's first event, and marks that it began."""

    def __init__(self, descriptor: int, mine: Taker) -> None:
        self._descriptor = descriptor
        self._mine = mine

    def hear(self, events: Sequence[Event]) -> None:
        """Mark the plan as carried out for good, even if the run's folder is removed some day."""
        if self._mine.began or not any(isinstance(event, RunStarted) for event in events):
            return
        self._mine = replace(self._mine, began=True)
        with suppress(OSError):  # the journal says it too
            _write(self._descriptor, self._mine)


def check_untaken(
    locks_dir: Path, runs: RunsFolder, digest: str, *, what: str = "the plan"
) -> None:
    """Return only if nobody has carried the plan out, nor is about to; leaves no trace.

    Its messages call the plan `what`. Raises RunLockedError while another process does, RunError
    when a run of it began.
    """
    try:
        descriptor = _ours(os.open(_mark(locks_dir, digest), _OPEN))
    except (FileNotFoundError, NotADirectoryError):
        _check_runs(runs, digest, what)
        return
    except OSError as error:
        raise _unusable(locks_dir, error) from error
    try:
        _lock(descriptor, fcntl.LOCK_SH, what)
        _check_mark(descriptor, digest, what)
        _check_runs(runs, digest, what)
    finally:
        os.close(descriptor)


@contextmanager
def taking(
    locks_dir: Path, runs: RunsFolder, digest: str, run_id: str, now: float
) -> Iterator[TakenPlan]:
    """Take the plan for a run that begins now, against every other process, while the block runs.

    Raises RunLockedError while another process has it, RunError when a run of it began or the
    folder for locks cannot be used, UnrecordedError when the mark cannot be written.
    """
    what = "the plan"
    mine = Taker(
        run=run_id,
        folder=str((runs.path / run_id).absolute()),
        pid=os.getpid(),
        user=user_name(),
        host=host_name(),
        since=now,
    )
    try:
        descriptor = _locked_mark(locks_dir, digest, what)
    except OSError as error:
        raise _unusable(locks_dir, error) from error
    try:
        # Dead from here on, the mark is empty or names a run without a journal: the next takes it.
        _check_mark(descriptor, digest, what)
        _check_runs(runs, digest, what)
        try:
            _write(descriptor, mine)
            sync_folder(locks_dir)
        except OSError as error:
            raise _unusable(locks_dir, error) from error
        yield TakenPlan(descriptor, mine)
    finally:
        os.close(descriptor)  # which gives up the lock


def _locked_mark(locks_dir: Path, digest: str, what: str) -> int:
    _make_folder(locks_dir)
    path = _mark(locks_dir, digest)
    while True:
        descriptor = _opened(path)
        try:
            _lock(descriptor, fcntl.LOCK_EX, what)
            if _is_there(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # a cleaner of old files was faster


def _make_folder(path: Path) -> None:
    """Make the folder if need be for every user; nobody may take away others' files in it."""
    with suppress(FileExistsError):
        path.mkdir(parents=True)
        path.chmod(0o1777)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "it is a link or no folder")
    if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
        raise PermissionError(
            errno.EPERM, f"everybody may remove everybody's files in it; say `chmod 1777 {path}`"
        )


def _opened(path: Path) -> int:
    # Not with O_CREAT alone: in a folder of mode 1777 Linux refuses that for other users' files.
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            return _ours(os.open(path, _OPEN))
        with suppress(FileExistsError):
            descriptor = os.open(path, _OPEN | os.O_CREAT | os.O_EXCL, 0o666)
            os.fchmod(descriptor, 0o666)
            return descriptor
    raise OSError(errno.EBUSY, "it changes all the time")


def _ours(descriptor: int) -> int:
    """Refuse what somebody put there to have other files of ours written to."""
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_nlink <= 1:
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "a mark in it is no plain file")


def _lock(descriptor: int, kind: int, what: str) -> None:
    """Wait a moment only: whoever merely asks about the plan lets go of it at once."""
    for more in range(_TRIES, -1, -1):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return
        if more:
            time.sleep(0.01)
    taker = _read(descriptor)
    who = f"run {taker.run} (process {taker.pid}, {taker.user})" if taker else "another process"
    raise RunLockedError(f"{what} is being carried out by {who}; a plan is carried out once")


def _is_there(descriptor: int, path: Path) -> bool:
    try:
        there, ours = path.lstat(), os.fstat(descriptor)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _check_mark(descriptor: int, digest: str, what: str) -> None:
    taker = _read(descriptor)
    if taker is not None and (taker.began or _has_begun(RunFolder(Path(taker.folder)), digest)):
        raise _carried_out(what, str(taker))


def _has_begun(folder: RunFolder, digest: str) -> bool:
    """Tell whether a run of this plan began there; what cannot be read is taken to have begun."""
    try:
        if not folder.journal_path.exists():
            return False
        first = next(read_records(folder.journal_path, believed=True), None)
    except (JournalError, OSError):
        return True
    started = first and first.event
    return isinstance(started, RunStarted) and started.plan_digest == digest


def _check_runs(runs: RunsFolder, digest: str, what: str) -> None:
    """Ask the journals, which outlive every mark."""
    for run in runs.listed():
        started = run.started
        if started is not None and started.plan_digest == digest:
            who = f"run {run.folder.run_id} ({started.started_by})"
            raise _carried_out(what, f"{who}, begun {moments.as_short_text(started.at)}")


def _carried_out(what: str, by: str) -> RunError:
    return RunError(f"{what} was carried out already by {by}; make a new plan")


def _unusable(locks_dir: Path, error: OSError) -> RunError:
    kind = UnrecordedError if error.errno in _FULL else RunError
    return kind(
        f"the folder for locks, {locks_dir}, cannot be used: {why(error)};"
        " ORCHESTRATOR_LOCKS_DIR can name another, the same for all runs of this machine"
    )


def _mark(locks_dir: Path, digest: str) -> Path:
    return locks_dir / f"{digest[:32]}.plan"


def _read(descriptor: int) -> Taker | None:
    """Read who took a plan; anybody may have written it, so nothing of it is taken as it stands."""
    try:
        facts = orjson.loads(os.pread(descriptor, _FACTS, 0))
        return Taker(
            run=_clipped(str(facts["run"])),
            folder=str(facts["folder"]),
            pid=int(facts["pid"]),
            user=_clipped(str(facts["user"])),
            host=_clipped(str(facts["host"])),
            since=float(facts["since"]),
            began=facts["began"] is True,
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(descriptor: int, taker: Taker) -> None:
    # In one write, always as long as before: whoever reads meanwhile finds a whole one.
    os.pwrite(descriptor, orjson.dumps(asdict(taker)).ljust(_FACTS), 0)
    os.fsync(descriptor)


def _clipped(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text[:_LONGEST_WORD]) or "?"
