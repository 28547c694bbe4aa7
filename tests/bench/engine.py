"""The engine as `orchestrator run` starts it, watched from outside.

The plan is made through the real listing (not measured), then `bootstrap.start_run` does all the
rest with its own journal on disk. What is watched: a listener notes when which events were told,
and every fdatasync of the journal notes how many bytes were durable when.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from orchestrator import bootstrap, logging_setup, planner, settings
from orchestrator.adapters.runs.journal_reading import verify
from orchestrator.engine.choosing.watching import SHORTEST_INTERVAL
from orchestrator.model.events import Event, OperationAccepted, RunFinished, RunStarted
from orchestrator.model.plans import Plan
from orchestrator.report.summary import Summary
from tests.bench.durable import DurableBytes
from tests.bench.measuring import Stamp, peak_memory

PLAYBOOK = """\
playbook: bench
devices: {organization: 123}
steps:
  - operation: sync
guard: {%s}
requests: {delay: 0s, in_flight: %d, per_second: none}
"""

CAREFUL = "status: up, is_active: true, update_frequency: {at_least: 1}"
"""Only the full record has this field, so every device's record is read before its request."""

TRUSTING = "fresh_within: 10m"
"""The rows of the list that the plan was made from are fresh enough."""


@dataclass
class Witness:
    """Notes when a run began, when its last request was answered, and when it was over."""

    began: Stamp | None = None
    answered: Stamp | None = None
    ended: Stamp | None = None
    events: Counter[str] = field(default_factory=Counter)

    def hear(self, events: Sequence[Event]) -> None:
        self.events.update(type(event).__name__ for event in events)
        if isinstance(events[0], RunStarted):
            self.began = Stamp.now()
        if any(isinstance(event, OperationAccepted) for event in events):
            self.answered = Stamp.now()
        if isinstance(events[-1], RunFinished):
            self.ended = Stamp.now()


async def run(
    base_url: str,
    devices: int,
    in_flight: int,
    *,
    is_careful: bool,
    expected: float | None,
    folder: Path,
) -> dict[str, object]:
    """Carry the operation out on every device of the server, to its verdict.

    `expected` seconds after its start the last request is thought to be answered; None when
    nobody knows.
    """
    wanted = {
        "base_url": base_url,
        "token": "bench",
        "runs_dir": folder / "runs",
        "locks_dir": folder / "locks",
    }
    env_file = folder / "empty.env"  # or a .env of whoever measures would be read
    env_file.touch()
    told = settings.load(wanted, env_file=env_file)
    log = logging_setup.configure(file=folder / "orchestrator.log")
    playbook = folder / "bench.yaml"
    playbook.write_text(PLAYBOOK % (CAREFUL if is_careful else TRUSTING, in_flight))
    plan = await planner.make_plan(told, playbook, {})
    plan = replace(plan, read_at=beginning(plan.read_at, expected))
    witness, started = Witness(), Stamp.now()
    with DurableBytes().watching() as durable:
        outcome = await bootstrap.start_run(told, plan, run_id="bench", listeners=[witness])
    log.close()
    memory = peak_memory()
    journal = outcome.folder / "journal.jsonl"
    assert witness.began
    assert witness.answered
    assert witness.ended
    return {
        "started": started.at,
        "began": witness.began.at,
        "answered": witness.answered.at,
        "ended": witness.ended.at,
        "cpu": witness.ended.cpu - witness.began.cpu,
        "peak_memory": memory,
        "events": witness.events.total(),
        "syncs": len(durable.sizes),
        "intents": _intents(journal, durable),
        "faults": _faults(plan, outcome.summary, journal, devices),
    }


def beginning(now: float, expected: float | None) -> float:
    """Give the moment at which the run's clock begins, so that little time passes idle.

    A run never lives before its inventory was read; that moment is set a few seconds ahead. The
    next round of reading is due soon after the last answer is expected; where nothing is expected,
    as late as possible.
    """
    late = SHORTEST_INTERVAL - 0.1 if expected is None else expected + expected / 4 + 0.2
    return (now // SHORTEST_INTERVAL + 2) * SHORTEST_INTERVAL - late % SHORTEST_INTERVAL


def _intents(journal: Path, durable: DurableBytes) -> list[tuple[int, float]]:
    """Give for every intention the device and the moment from which it was durable."""
    found, end = [], 0
    with journal.open("rb") as lines:
        for line in lines:
            end += len(line)
            if b'"event":"OperationIntended"' in line:
                found.append((orjson.loads(line)["device"], durable.since(end)))
    return found


def _faults(plan: Plan, summary: Summary, journal: Path, devices: int) -> list[str]:
    faults = []
    if len(plan.devices) != devices:
        faults.append(f"the plan holds {len(plan.devices)} devices instead of {devices}")
    if summary.counts()["succeeded"] != devices:
        faults.append(f"not every device succeeded: {summary.counts()}")
    checked = verify(journal)
    if not checked.is_sound or checked.torn:
        faults.append(f"the journal is not sound: {checked.detail or checked.torn}")
    return faults
