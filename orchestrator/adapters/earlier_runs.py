"""What operations took in earlier runs of a playbook, read from their folders."""

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from orchestrator.adapters import plan_file
from orchestrator.adapters.journal_reading import read_records, trust_in
from orchestrator.adapters.run_folder import RunFolder
from orchestrator.model.errors import JournalError, RunError
from orchestrator.model.events import Event, RunStarted
from orchestrator.model.operations import Operation
from orchestrator.planning.expecting import measured

MOST_EVENTS = 200_000
"""Events that are read in all."""

MOST_RUNS = 200
"""Runs whose first line is looked at, the newest first."""

LARGEST_PLAN = 64_000_000
"""Bytes of a plan beyond which a run is passed over: reading it would hold up the new one."""


def measured_durations(
    runs_dir: Path,
    playbook_name: str,
    key: bytes | None,
    newest: int = 5,
    *,
    controller: str | None = None,
) -> dict[Operation, list[float]]:
    """Give the seconds operations took in the newest runs of a playbook, one a device run.

    With a controller only runs against it count: a simulated fleet tells nothing of a real one.
    With a key, journals that were chained with it are checked. A run that is damaged or odd in
    any way tells nothing and is passed over. The work is bounded however many runs there are.
    """
    found: dict[Operation, list[float]] = {}
    left = MOST_EVENTS
    same = (run for run in _newest(runs_dir) if _is_of(run, playbook_name, controller))
    for run in islice(same, newest):
        counted = _Counted(left)
        for operation, seconds in _durations(run, key, counted).items():
            found.setdefault(operation, []).extend(seconds)
        left = counted.left
    return found


class _Counted:
    """Lets so many events through, and knows how many more it would."""

    def __init__(self, left: int) -> None:
        self.left = left

    def over(self, events: Iterable[Event]) -> Iterator[Event]:
        for event in islice(events, self.left):
            self.left -= 1
            yield event


def _newest(runs_dir: Path) -> list[RunFolder]:
    try:
        folders = [RunFolder(path) for path in runs_dir.iterdir()]
    except OSError:
        return []
    return heapq.nlargest(MOST_RUNS, folders, key=_written_at)


def _written_at(run: RunFolder) -> tuple[float, str]:
    try:
        return run.journal_path.stat().st_mtime, run.run_id
    except OSError:
        return 0.0, run.run_id


def _is_of(run: RunFolder, playbook_name: str, controller: str | None) -> bool:
    try:
        first = next(read_records(run.journal_path, believed=True), None)
    except JournalError:
        return False
    begun = first.event if first else None
    if not isinstance(begun, RunStarted) or begun.playbook != playbook_name:
        return False
    return controller in (None, begun.controller)


def _durations(
    run: RunFolder, key: bytes | None, counted: _Counted
) -> dict[Operation, list[float]]:
    try:
        if run.plan_path.stat().st_size > LARGEST_PLAN:
            return {}
        steps = plan_file.read_plan(run.plan_path).playbook.all_steps
        trust = trust_in(run.journal_path, key)
        records = read_records(run.journal_path, trust.key, believed=trust.believed)
        return measured(counted.over(record.event for record in records), steps)
    except (RunError, JournalError, OSError):
        return {}
