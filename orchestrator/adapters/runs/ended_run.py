"""A run that is over, read for whoever goes on after it: its plan, and where it left each device."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.runs.journal_reading import read_records, trust_in
from orchestrator.adapters.runs.run_folder import RunFolder
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import RunError, RunLockedError
from orchestrator.model.events import Event, RunFinished, RunStarted
from orchestrator.model.plans import Plan
from orchestrator.planning.drafting.following import Stop, stops


@dataclass(frozen=True, slots=True)
class EndedRun:
    """What a run that is over leaves to be done."""

    run_id: str
    plan: Plan
    left: Mapping[DeviceId, Stop]
    note: str
    """What a reader should know of how its journal was checked; empty when all is as it should be."""


def read_ended(folder: RunFolder, key: bytes | None) -> EndedRun:
    """Read a run to its end.

    Raises RunError when it never began, is not over, is being driven, or its plan is not the one it
    began with, JournalError when its journal cannot be believed.
    """
    path = folder.require_journal()
    holder = folder.holder()
    if holder is not None:
        what = f"run {folder.run_id} is being driven by {holder}; wait for it or cancel it first"
        raise RunLockedError(what)
    stored = plan_file.read_stored(folder.plan_path)
    trust = trust_in(path, key)
    records = read_records(path, trust.key, believed=trust.believed)
    course = _Course(record.event for record in records)
    left = stops(stored.plan, course)
    if course.started is None:
        raise RunError(f"run {folder.run_id} never began: there is nothing to go on after")
    if course.started.plan_digest != stored.digest:
        what = f"the plan of run {folder.run_id} is not the one its journal was begun with"
        raise RunError(what)
    if not course.is_over:
        what = f"run {folder.run_id} is not over: take it up with `resume`, or cancel it, first"
        raise RunError(what)
    return EndedRun(folder.run_id, stored.plan, left, trust.note)


class _Course:
    """Gives a run's events on, and remembers how it began and whether it ended."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self.started: RunStarted | None = None
        self.is_over = False

    def __iter__(self) -> Iterator[Event]:
        for event in self._events:
            if isinstance(event, RunStarted):
                self.started = event
            elif isinstance(event, RunFinished):
                self.is_over = True
            yield event
