"""Plans that were carried out: a plan becomes a run once, whoever asks and however often.

What counts in the end is the first line of a run's journal, which names its plan by digest. A mark
in the folder for locks, written before that line, lets processes that know nothing of each other's
runs meet: it is locked for as long as the process lives, so of two only one gets it. If that one
dies before its journal begins, the mark names a run that never began, and the next takes it over.

Of the plans that go on after the same run each device is taken up once as well: what counts is
again the journals, and the plans kept beside them. A gate in the folder for locks lets one such
plan at a time become a run; it opens as soon as that run's first event is durable.
"""

import fcntl
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from orchestrator.adapters.machine.durable_folders import sync_folder
from orchestrator.adapters.machine.os_user import host_name, user_name
from orchestrator.adapters.machine.shared_folder import (
    explained,
    find_file,
    flocked,
    open_file,
    open_folder,
)
from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.runs import kept_outcome
from orchestrator.adapters.runs.journal_reading import read_records
from orchestrator.adapters.runs.run_folder import Listed, RunFolder, RunsFolder
from orchestrator.model import moments
from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import JournalError, RunError, RunLockedError
from orchestrator.model.events import Event, RunFinished, RunStarted
from orchestrator.model.plans import Plan

_FACTS = 4096
_LONGEST_WORD = 1000
_TRIES = 10
_TRIES_AT_THE_GATE = 300
"""Whoever stands in it writes a plan and one event, and goes."""

_CLOCKS_DIFFER = 3600.0
_HEAD_ENDS = b'"devices": ['
_GOES_ON_AFTER = b'"goes_on_after": '


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


@dataclass(frozen=True, slots=True)
class Following:
    """That a plan goes on after a run, and with which of its devices."""

    run: str
    controller: str
    devices: DeviceSet

    @classmethod
    def of(cls, plan: Plan) -> "Following | None":
        """Give what a plan goes on with; None when it goes on after no run."""
        if plan.goes_on_after is None:
            return None
        return cls(plan.goes_on_after, plan.controller, plan.devices)


class TakenPlan:
    """A plan that this process has taken; hears of the run's first event, and marks that it began."""

    def __init__(self, descriptor: int, mine: Taker, gate: ExitStack) -> None:
        self._descriptor = descriptor
        self._mine = mine
        self._gate = gate

    def hear(self, events: Sequence[Event]) -> None:
        """Mark the plan as carried out for good, even if the run's folder is removed some day."""
        if self._mine.began or not any(isinstance(event, RunStarted) for event in events):
            return
        self._gate.close()
        self._mine = replace(self._mine, began=True)
        with suppress(OSError):  # the journal says it too
            _write(self._descriptor, self._mine)


def check_untaken(
    locks_dir: Path,
    runs: RunsFolder,
    digest: str,
    *,
    what: str = "the plan",
    following: Following | None = None,
) -> None:
    """Return only if nobody has carried the plan out, nor is about to; leaves no trace.

    Its messages call the plan `what`. One that goes on after a run is refused too when another run
    has taken up a device of it. Raises RunLockedError while another process carries it out, RunError
    when a run of it, or of such a device, began.
    """
    with explained(locks_dir):
        descriptor = find_file(locks_dir / _mark(digest))
    if descriptor is None:
        _check_runs(runs, digest, what, following)
        return
    try:
        _lock(descriptor, fcntl.LOCK_SH, what)
        _check_mark(descriptor, runs, digest, what, following)
        _check_runs(runs, digest, what, following)
    finally:
        os.close(descriptor)


@contextmanager
def taking(
    locks_dir: Path,
    runs: RunsFolder,
    digest: str,
    run_id: str,
    now: float,
    *,
    following: Following | None = None,
) -> Iterator[TakenPlan]:
    """Take the plan for a run that begins now, against every other process, while the block runs.

    Of two plans that go on after the same run, as `following` says, the second waits until the first
    is a run, and is refused if that took up a device of it. Raises RunLockedError while another
    process has it, RunError when a run of it began or the folder for locks cannot be used,
    UnrecordedError when the mark cannot be written.
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
    with ExitStack() as closing, ExitStack() as gate:
        with explained(locks_dir):
            folder = open_folder(locks_dir)
            closing.callback(os.close, folder)
            descriptor = _locked_mark(folder, digest, what)
            closing.callback(os.close, descriptor)  # which gives up the lock
            if following is not None:
                gate.callback(os.close, _entered_gate(folder, following))
        # Dead from here on, the mark is empty or names a run without a journal: the next takes it.
        _check_mark(descriptor, runs, digest, what, following)
        _check_runs(runs, digest, what, following)
        with explained(locks_dir):
            _write(descriptor, mine)
            sync_folder(locks_dir)
        yield TakenPlan(descriptor, mine, gate)


def taken_up_after(runs: RunsFolder, run_id: str, controller: str) -> dict[DeviceId, RunFolder]:
    """Give the devices of a run that runs which go on after it have taken up, with the newest such.

    Only runs that began against the same controller, and not before it, are asked; a device counts
    whatever became of it there. Raises RunError when such a run's plan cannot be read.
    """
    listed = runs.listed()
    began = [run.started.at for run in listed if run.started and run.folder.run_id == run_id]
    since = min(began, default=0.0) - _CLOCKS_DIFFER
    found: dict[DeviceId, RunFolder] = {}
    for run in listed:
        if run.folder.run_id == run_id or not _may_follow(run, controller, since):
            continue
        for device in _taken_up_by(run, run_id):
            found.setdefault(device, run.folder)
    return found


def where_to_go_on(runs: RunsFolder, folder: RunFolder) -> str:
    """Say in a few words how to go on with what a run took up."""
    if folder.holder() is not None:
        return "wait for it, or cancel it"
    command = "retry" if _is_over(folder) else "resume"
    there = folder.path.absolute().parent
    elsewhere = "" if there == runs.path.absolute() else f" --runs-dir {_clipped(str(there))}"
    return f"go on with `orchestrator {command} {folder.run_id}{elsewhere}`"


def _may_follow(run: Listed, controller: str, since: float) -> bool:
    """Tell whether a run can go on after another; of one whose first line is damaged nobody knows."""
    if run.started is None:
        return bool(run.damage) and run.folder.has_begun
    return run.started.controller == controller and run.started.at >= since


def _taken_up_by(run: Listed, before: str) -> list[DeviceId]:
    """Give the devices that a run took up of the one before; none when it does not go on after it."""
    folder = run.folder
    if _went_on_after(folder.plan_path) != before:
        return []
    what = f"run {folder.run_id} goes on after run {before}, and with which devices cannot be told"
    try:
        stored = plan_file.read_stored(folder.plan_path)
    except RunError as error:
        raise RunError(f"{what}: {error}") from error
    if run.started is not None and run.started.plan_digest != stored.digest:
        raise RunError(f"{what}: its plan is not the one its journal was begun with")
    return list(stored.plan.devices.ids())


def _went_on_after(path: Path) -> str | None:
    """Give the run that a kept plan goes on after, from the lines before its devices.

    None when it says none, as a plan does that is of an older version or cannot be read at all.
    """
    try:
        with path.open("rb") as file:
            for line in file:
                if line.startswith(_HEAD_ENDS):
                    return None
                if line.startswith(_GOES_ON_AFTER):
                    told = orjson.loads(line[len(_GOES_ON_AFTER) :].rstrip(b",\n"))
                    return told if isinstance(told, str) else None
    except (OSError, orjson.JSONDecodeError):
        return None
    return None


def _is_over(folder: RunFolder) -> bool:
    """Tell whether a run came to its end; one whose journal cannot be read did not."""
    outcome = kept_outcome.kept(folder, None)
    if outcome is not None:
        return outcome.is_over
    try:
        records = read_records(folder.journal_path, believed=True)
        return any(isinstance(record.event, RunFinished) for record in records)
    except (JournalError, OSError):
        return False


def _entered_gate(folder: int, following: Following) -> int:
    """Stand alone among those whose plans go on after the same run."""
    name = hashlib.sha256(f"{following.controller}\n{following.run}".encode()).hexdigest()[:32]
    busy = (
        f"another plan that goes on after run {following.run} is just becoming a run;"
        " try again in a moment"
    )
    return _locked_file(folder, f"{name}.after", lambda descriptor: _stand(descriptor, busy))


def _stand(descriptor: int, busy: str) -> None:
    if not _try_lock(descriptor, fcntl.LOCK_EX, _TRIES_AT_THE_GATE):
        raise RunLockedError(busy)


def _locked_mark(folder: int, digest: str, what: str) -> int:
    return _locked_file(
        folder, _mark(digest), lambda descriptor: _lock(descriptor, fcntl.LOCK_EX, what)
    )


def _locked_file(folder: int, name: str, lock: Callable[[int], None]) -> int:
    while True:
        descriptor = open_file(folder, name)
        try:
            lock(descriptor)
            if _is_there(descriptor, folder, name):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # a cleaner of old files was faster


def _lock(descriptor: int, kind: int, what: str) -> None:
    """Wait a moment only: whoever merely asks about the plan lets go of it at once."""
    if _try_lock(descriptor, kind, _TRIES):
        return
    taker = _read(descriptor)
    who = f"run {taker.run} (process {taker.pid}, {taker.user})" if taker else "another process"
    raise RunLockedError(f"{what} is being carried out by {who}; a plan is carried out once")


def _try_lock(descriptor: int, kind: int, tries: int) -> bool:
    for more in range(tries, -1, -1):
        if flocked(descriptor, kind):
            return True
        if more:
            time.sleep(0.01)
    return False


def _is_there(descriptor: int, folder: int, name: str) -> bool:
    try:
        there = os.stat(name, dir_fd=folder, follow_symlinks=False)
        ours = os.fstat(descriptor)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _check_mark(
    descriptor: int, runs: RunsFolder, digest: str, what: str, following: Following | None
) -> None:
    taker = _read(descriptor)
    if taker is None:
        return
    folder = RunFolder(Path(taker.folder))
    if _is_of(folder, digest):
        raise _carried_out(what, str(taker), runs, folder, following)
    if taker.began or _has_begun(folder, digest):
        raise _used_up(what, str(taker))


def _has_begun(folder: RunFolder, digest: str) -> bool:
    """Tell whether a run of this plan began there; what cannot be read is taken to have begun."""
    try:
        return folder.journal_path.exists() and _began_with(folder) == digest
    except (JournalError, OSError):
        return True


def _is_of(folder: RunFolder, digest: str) -> bool:
    """Tell whether a run of this plan can be read there."""
    try:
        return _began_with(folder) == digest
    except (JournalError, OSError):
        return False


def _began_with(folder: RunFolder) -> str | None:
    first = next(read_records(folder.journal_path, believed=True), None)
    started = first and first.event
    return started.plan_digest if isinstance(started, RunStarted) else None


def _check_runs(runs: RunsFolder, digest: str, what: str, following: Following | None) -> None:
    """Ask the journals, which outlive every mark."""
    for run in runs.listed():
        started = run.started
        if started is not None and started.plan_digest == digest:
            who = f"run {run.folder.run_id} ({started.started_by})"
            by = f"{who}, begun {moments.as_short_text(started.at)}"
            raise _carried_out(what, by, runs, run.folder, following)
    if following is not None:
        _check_devices(runs, what, following)


def _check_devices(runs: RunsFolder, what: str, following: Following) -> None:
    found = taken_up_after(runs, following.run, following.controller)
    takers = Counter(
        folder.run_id
        for device, folder in found.items()
        if following.devices.place(device) is not None
    )
    if not takers:
        return
    [(first, count), *others] = takers.most_common()
    total = len(following.devices)
    taken = f"run {first} has taken up {count} of its {total} {_devices(total)} already"
    if others:
        taken += ", and " + " and ".join(f"run {run} {more}" for run, more in others)
    go_on = where_to_go_on(runs, RunFolder(runs.path / first))
    rest = ""
    if takers.total() < total:
        rest = f"; for the others make it again with `orchestrator retry {following.run}`"
    raise RunError(f"{what} goes on after run {following.run}, and {taken}; {go_on}{rest}")


def _devices(count: int) -> str:
    return "device" if count == 1 else "devices"


def _carried_out(
    what: str, by: str, runs: RunsFolder, folder: RunFolder, following: Following | None
) -> RunError:
    """Say that a plan is used up; a run that is not over is not done again but gone on with."""
    if folder.holder() is not None:
        return RunLockedError(f"{what} is being carried out by {by}; a plan is carried out once")
    if not _is_over(folder):
        go_on = where_to_go_on(runs, folder)
        return RunError(f"{what} was taken by {by}, which is not over; {go_on}")
    hint = "make a new plan" if following is None else where_to_go_on(runs, folder)
    return _used_up(what, by, hint)


def _used_up(what: str, by: str, hint: str = "make a new plan") -> RunError:
    return RunError(f"{what} was carried out already by {by}; {hint}")


def _mark(digest: str) -> str:
    return f"{digest[:32]}.plan"


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
