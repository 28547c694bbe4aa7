"""What earlier runs teach of the next one, read from their folders."""

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.runs.journal_reading import check_run, read_records, trust_in
from orchestrator.adapters.runs.run_folder import RunFolder
from orchestrator.model.errors import JournalError, RunError
from orchestrator.model.events import Event, RunStarted
from orchestrator.model.plans import Plan
from orchestrator.model.steps import RequestStep
from orchestrator.planning.foresight.experiencing import ENOUGH, Experience
from orchestrator.planning.foresight.learning import Lesson, learn, put_together
from orchestrator.planning.timing import Timed, timed

MOST_EVENTS = 200_000
"""Events that are read in all."""

MOST_RUNS = 200
"""Runs whose first line is looked at, the newest first."""

PLENTY = 200
"""Device runs of an operation from which on no more runs of other playbooks are looked into: a few
odd ones must not stand for all."""

MOST_TAUGHT = 10
"""Runs of the same playbook that are learnt from, and again so many of others."""

MOST_PLAN_BYTES = 64_000_000
"""Bytes of plans that are read in all; a plan beyond them would hold up the new run."""


def experience(
    runs_dir: Path,
    playbook_name: str,
    key: bytes | None,
    *,
    controller: str | None,
    operations: Collection[Timed],
) -> Experience:
    """Give what the newest runs of a playbook teach, and of `operations` that they hold too little
    of, what the newest runs of other playbooks do.

    With a controller only runs against it count: a simulated fleet tells nothing of a real one.
    With a key, journals that were chained with it are checked. A run that is damaged or odd in
    any way tells nothing and is passed over. The work is bounded however many runs there are.
    """
    begun = list(_begun(runs_dir, controller))
    reader = _Reader(key)
    lessons = _lessons_of((run for run, playbook in begun if playbook == playbook_name), reader)
    tried: Counter[Timed] = Counter()
    for told in lessons.values():
        tried += _tried(told)
    others = [(run, playbook) for run, playbook in begun if playbook != playbook_name]
    lessons |= _lessons_of_others(others, reader, operations, tried)
    return put_together({r.run_id: lessons[r.run_id] for r, _ in begun if r.run_id in lessons})


def _lessons_of(runs: Iterable[RunFolder], reader: "_Reader") -> dict[str, Lesson]:
    lessons: dict[str, Lesson] = {}
    for run in runs:
        if len(lessons) == MOST_TAUGHT or not reader.may_go_on:
            break
        plan = reader.plan_of(run)
        told = reader.lesson_of(run, plan) if plan is not None else None
        if told is not None and told.tells:
            lessons[run.run_id] = told
    return lessons


def _lessons_of_others(
    runs: Iterable[tuple[RunFolder, str]],
    reader: "_Reader",
    operations: Collection[Timed],
    tried: Counter[Timed],
) -> dict[str, Lesson]:
    """Learn of operations that were not tried often enough; `tried` counts on.

    A playbook in which none of them was found once is not looked into again.
    """
    lessons: dict[str, Lesson] = {}
    without: set[str] = set()
    lacking = {each for each in operations if tried[each] < ENOUGH}
    for run, playbook in runs:
        wanted = {each for each in lacking if tried[each] < PLENTY}
        if not wanted or len(lessons) == MOST_TAUGHT or not reader.may_go_on:
            break
        plan = reader.plan_of(run) if playbook not in without else None
        if plan is None:
            continue
        if wanted.isdisjoint(_operations(plan)):
            without.add(playbook)
            continue
        told = reader.lesson_of(run, plan)
        of_these = told.only(wanted) if told is not None else None
        if of_these is not None and of_these.tells:
            lessons[run.run_id] = of_these
            tried += _tried(of_these)
    return lessons


def _operations(plan: Plan) -> set[Timed]:
    steps = plan.playbook.all_steps
    return {timed(step) for step in steps if isinstance(step, RequestStep)}


def _tried(told: Lesson) -> Counter[Timed]:
    return Counter(
        {operation: each.tried for (operation, kind), each in told.by_kind.items() if kind is None}
    )


class _Reader:
    """Reads runs as long as it is worth the wait for the new one; odd ones give nothing."""

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        self._events_left = MOST_EVENTS
        self._bytes_left = MOST_PLAN_BYTES

    @property
    def may_go_on(self) -> bool:
        """Say whether any more events may be read."""
        return self._events_left > 0

    def plan_of(self, run: RunFolder) -> Plan | None:
        """Give a run's plan."""
        try:
            size = run.plan_path.stat().st_size
            if size > self._bytes_left:
                return None
            self._bytes_left -= size
            return plan_file.read_plan(run.plan_path)
        except (RunError, OSError):
            return None

    def lesson_of(self, run: RunFolder, plan: Plan) -> Lesson | None:
        """Give what a run's journal teaches, as far as it may be read."""
        try:
            check_run(run.journal_path, run.run_id)
            trust = trust_in(run.journal_path, self._key)
            records = read_records(run.journal_path, trust.key, believed=trust.believed)
            return learn(self._bounded(record.event for record in records), plan)
        except (JournalError, OSError, TypeError, ValueError):
            return None

    def _bounded(self, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            self._events_left -= 1
            yield event
            if self._events_left <= 0:
                return


def _begun(runs_dir: Path, controller: str | None) -> Iterator[tuple[RunFolder, str]]:
    """Give the newest runs against a controller, and the playbook of each."""
    try:
        folders = [RunFolder(path) for path in runs_dir.iterdir()]
    except OSError:
        return
    for run in heapq.nlargest(MOST_RUNS, folders, key=_written_at):
        started = _started(run)
        if started is not None and controller in (None, started.controller):
            yield run, started.playbook


def _written_at(run: RunFolder) -> tuple[float, str]:
    try:
        return run.journal_path.stat().st_mtime, run.run_id
    except OSError:
        return 0.0, run.run_id


def _started(run: RunFolder) -> RunStarted | None:
    try:
        first = next(read_records(run.journal_path, believed=True), None)
    except JournalError:
        return None
    return first.event if first and isinstance(first.event, RunStarted) else None
