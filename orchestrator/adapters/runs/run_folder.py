"""Where runs live on disk: one folder each, locked by the process that drives it."""

import difflib
import errno
import fcntl
import os
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from orchestrator.adapters.machine import os_user
from orchestrator.adapters.machine.durable_folders import sync_folder
from orchestrator.adapters.runs.journal_reading import check_run, read_records, why
from orchestrator.model import moments
from orchestrator.model.errors import JournalError, RunError, RunLockedError, UnrecordedError
from orchestrator.model.events import RunStarted

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
_EXAMPLES = 5

LAST = "last"
"""What a user writes for the newest run."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that drives a run."""

    pid: int
    host: str
    since: float | None

    def __str__(self) -> str:
        """Name it as a message does."""
        since = "" if self.since is None else f" since {moments.as_short_text(self.since)}"
        return f"process {self.pid} on {self.host}{since}"


class RunFolder:
    """The files of one run; nothing is read or made until it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def run_id(self) -> str:
        """Name the run."""
        return self.path.name

    @property
    def plan_path(self) -> Path:
        """Give the place of the plan."""
        return self.path / "plan.json"

    @property
    def journal_path(self) -> Path:
        """Give the place of the journal."""
        return self.path / "journal.jsonl"

    @property
    def report_path(self) -> Path:
        """Give the place of the report."""
        return self.path / "report.html"

    @property
    def outcome_path(self) -> Path:
        """Give the place of what the run came to, kept for lists once it is over."""
        return self.path / "outcome.json"

    def read_plan(self) -> bytes:
        """Give the plan as it was saved; raises RunError when there is none."""
        try:
            return self.plan_path.read_bytes()
        except FileNotFoundError as error:
            what = f"run {self.run_id} has no plan in {self.path}: it never began"
            raise RunError(what) from error
        except PermissionError as error:
            raise _denied(self.path, f"{self.plan_path} cannot be read", error) from error
        except OSError as error:
            raise RunError(f"{self.plan_path} cannot be read: {why(error)}") from error

    def save(self, path: Path, data: bytes) -> None:
        """Put a whole file into the folder, durable on return and never seen half-written."""
        draft = path.with_name(path.name + ".draft")
        try:
            with os.fdopen(os.open(draft, _WRITING, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            sync_folder(self.path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise RunError(f"{path} cannot be written: {why(error)}") from error

    def require_journal(self) -> Path:
        """Give the journal's place.

        Raises RunError when nothing was ever recorded or the run is another user's, JournalError
        when the journal is another run's.
        """
        try:
            if not self.journal_path.is_file():
                raise RunError(f"run {self.run_id} has no journal in {self.path}: it never began")
            check_run(self.journal_path, self.run_id)
        except PermissionError as error:
            raise _denied(self.path, f"{self.journal_path} cannot be read", error) from error
        except JournalError as error:
            if isinstance(error.__cause__, PermissionError):
                raise _denied(
                    self.path, f"{self.journal_path} cannot be read", error.__cause__
                ) from error
            raise
        return self.journal_path

    @property
    def has_begun(self) -> bool:
        """True unless it is certain that no event was ever committed."""
        try:
            if not self.journal_path.exists():
                return False
            return next(read_records(self.journal_path, believed=True), None) is not None
        except (JournalError, OSError):
            return True

    def make_way(self) -> None:
        """Take away what a run that never began left of a journal; to be called under the lock.

        Raises RunError when the run did begin, UnrecordedError when nothing can be removed here.
        """
        if self.has_begun:
            raise _taken(self.run_id)
        try:
            self.journal_path.unlink(missing_ok=True)
        except OSError as error:
            what = f"{self.journal_path} cannot be removed: {why(error)}"
            raise UnrecordedError(what) from error

    @contextmanager
    def locked(self, *, now: float) -> Iterator[None]:
        """Keep every other process from driving the run; raises RunLockedError naming who does.

        The system lets go of the lock when the process dies, however it dies.
        """
        descriptor = self._open_lock()
        try:
            self._take_lock(descriptor)
            _write_holder(descriptor, Holder(os.getpid(), socket.gethostname(), now))
            try:
                yield
            finally:
                with suppress(OSError):
                    os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def _open_lock(self) -> int:
        try:
            return os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise _denied(self.path, f"{self.path} cannot be locked", error) from error
        except OSError as error:
            raise _unwritable(error)(f"{self.path} cannot be locked: {why(error)}") from error

    def _take_lock(self, descriptor: int) -> None:
        for more in (True, True, True, False):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if more:  # whoever lists the runs looks at the lock for an instant
                    time.sleep(0.01)
                    continue
                holder = _holder_in(descriptor)
                who = f"by {holder}" if holder else "by another process"
                what = f"run {self.run_id} is being driven {who}; wait for it or stop it first"
                raise RunLockedError(what) from error
            except OSError as error:
                raise RunError(f"{self.path} cannot be locked: {why(error)}") from error
            return

    def holder(self) -> Holder | None:
        """Tell which process drives the run now; None when nobody does."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _holder_in(descriptor) or Holder(0, "an unknown host", None)
        finally:
            os.close(descriptor)
        return None


@dataclass(frozen=True, slots=True)
class Listed:
    """One run as a list shows it; `damage` says why more cannot be told."""

    folder: RunFolder
    created_at: float
    started: RunStarted | None
    holder: Holder | None
    damage: str = ""


class RunsFolder:
    """All runs of this installation."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, run_id: str | None, *, playbook: str, now: float) -> RunFolder:
        """Make the folder of a new run; without an id a readable, sortable one is made.

        The folder of a run that never began, and that nobody drives, is taken over: what it left
        is taken away by `make_way`, under the lock.

        Raises RunError when the id cannot be a name, is taken, or the folder cannot be made.
        """
        if run_id is not None:
            return self._make(check_id(run_id))
        for _ in range(100):
            made = new_id(playbook, now=now, suffix=secrets.token_hex(1))
            if not self._exists(made):
                return self._make(made)
        return self._make(new_id(playbook, now=now, suffix=secrets.token_hex(4)))

    def _make(self, run_id: str) -> RunFolder:
        path = self.path / run_id
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.mkdir(mode=0o700)
            sync_folder(self.path)
        except FileExistsError as error:
            if not self.path.is_dir():
                what = f"the folder for runs, {self.path}, is a file"
                raise RunError(what) from error
            if self.is_taken(run_id):
                raise _taken(run_id) from error
        except PermissionError as error:
            raise _runs_denied(self.path, f"the folder {path} cannot be made", error) from error
        except OSError as error:
            what = f"the folder {path} cannot be made: {why(error)}"
            raise _unwritable(error)(what) from error
        return RunFolder(path)

    def is_taken(self, run_id: str) -> bool:
        """True when no new run can have this id: one with it began, or is about to.

        Raises RunError when the folder cannot be read.
        """
        folder = RunFolder(self.path / run_id)
        if not self._exists(run_id):
            return False
        return not folder.path.is_dir() or folder.has_begun or folder.holder() is not None

    def _exists(self, run_id: str) -> bool:
        try:
            return (self.path / run_id).exists()
        except PermissionError as error:
            raise _runs_denied(self.path, f"{self.path} cannot be read", error) from error

    def names(self) -> list[str]:
        """Give the ids of all runs, in order; raises RunError when the folder cannot be read."""
        try:
            return sorted(entry.name for entry in self.path.iterdir() if entry.is_dir())
        except FileNotFoundError:
            return []
        except PermissionError as error:
            raise _runs_denied(self.path, f"{self.path} cannot be read", error) from error
        except OSError as error:
            raise RunError(f"{self.path} cannot be read: {why(error)}") from error

    def listed(self) -> list[Listed]:
        """Give all runs, the newest first; a damaged one stands in the list and says so."""
        found = [_listed(RunFolder(self.path / name)) for name in self.names()]
        return sorted(found, key=lambda run: (run.created_at, run.folder.run_id), reverse=True)

    def find(self, wanted: str) -> RunFolder:
        """Find a run by its id, by the beginning of only one id, or as `last`.

        Raises RunError naming the nearest ids when there is no such run.
        """
        names = self.names()
        if not names:
            raise RunError(f"there are no runs in {self.path} yet")
        if wanted in names:
            return RunFolder(self.path / wanted)
        if wanted == LAST:
            return self.listed()[0].folder
        beginning = [name for name in names if wanted and name.startswith(wanted)]
        if len(beginning) == 1:
            return RunFolder(self.path / beginning[0])
        if beginning:
            some = ", ".join(beginning[:_EXAMPLES])
            if len(beginning) > _EXAMPLES:
                some += ", ..."
            raise RunError(f"{len(beginning)} runs begin with {wanted!r}: {some}")
        nearest = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(nearest)}?" if nearest else "see `orchestrator runs`"
        raise RunError(f"there is no run {wanted!r} in {self.path}; {hint}")


def check_id(run_id: str) -> str:
    """Give back an id that can safely name a folder; raises RunError otherwise."""
    if run_id == LAST:
        raise RunError(f"a run cannot be named {LAST!r}: that word stands for the newest run")
    if _NAME.fullmatch(run_id) is None:
        what = (
            f"{run_id!r} cannot name a run: use up to 80 letters, digits, '.', '_' and '-',"
            " beginning with a letter or digit"
        )
        raise RunError(what)
    return run_id


def _taken(run_id: str) -> RunError:
    return RunError(f"there is a run {run_id} already; resume it or choose another --id")


def _denied(folder: Path, what: str, error: PermissionError) -> RunError:
    """Say whose a run is; what is denied although it is ours is said as it is."""
    owner = _other_owner(folder)
    if owner is None:
        return RunError(f"{what}: {why(error)}")
    told = f"run {folder.name} belongs to {owner}; answer as {owner} or through sudo"
    return RunError(told)


def _runs_denied(folder: Path, what: str, error: PermissionError) -> RunError:
    """Say the same of all runs."""
    owner = _other_owner(folder)
    if owner is None:
        return RunError(f"{what}: {why(error)}")
    return RunError(
        f"the runs in {folder} belong to {owner};"
        f" ask as {owner} or through sudo, or choose another folder"
    )


def _other_owner(path: Path) -> str | None:
    """Name the owner; None when it is who asks, or nobody can tell."""
    try:
        uid = path.stat().st_uid
    except OSError:
        return None
    return None if uid == os.geteuid() else os_user.user_name(uid=uid, environment={})


def _unwritable(error: OSError) -> type[RunError]:
    """A disk that takes nothing keeps a run from being recorded; all else is a wrong folder."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
    return UnrecordedError if full else RunError


def new_id(playbook: str, *, now: float, suffix: str) -> str:
    """Make an id that sorts by time and says what the run is about."""
    stamp = moments.as_text(now)
    words = re.sub(r"[^a-z0-9]+", "-", playbook.lower()).strip("-")[:40].rstrip("-") or "run"
    return f"{stamp[:10]}-{stamp[11:13]}{stamp[14:16]}-{words}-{suffix}"


def _listed(folder: RunFolder) -> Listed:
    started = None
    damage = ""
    try:
        created_at = folder.path.stat().st_mtime
        if not folder.journal_path.exists():
            damage = "" if folder.plan_path.exists() else "it has neither a plan nor a journal"
        else:
            first = next(read_records(folder.journal_path, believed=True), None)
            if first is not None and isinstance(first.event, RunStarted):
                started = first.event
                created_at = started.at
            check_run(folder.journal_path, folder.run_id)
    except JournalError as error:
        damage = str(error)
    except PermissionError as error:
        denied = _denied(folder.path, f"{folder.path} cannot be read", error)
        return Listed(folder, 0.0, None, None, str(denied))
    except OSError as error:
        return Listed(folder, 0.0, None, None, f"{folder.path} cannot be read: {why(error)}")
    return Listed(folder, created_at, started, folder.holder(), damage)


def _holder_in(descriptor: int) -> Holder | None:
    try:
        facts = orjson.loads(os.pread(descriptor, 4096, 0))
        return Holder(int(facts["pid"]), str(facts["host"]), moments.from_text(facts["since"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write_holder(descriptor: int, holder: Holder) -> None:
    since = None if holder.since is None else moments.as_text(holder.since)
    facts = {"pid": holder.pid, "host": holder.host, "since": since}
    with suppress(OSError):  # it only tells others who holds the lock
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, orjson.dumps(facts) + b"\n", 0)
