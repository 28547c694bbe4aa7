"""A whole campaign as the program carries it out, but in virtual time against a world in here.

The playbook is read from a file, the inventory is listed, and `bootstrap.start_run` does the rest:
run folder, journal on the real disk with every sync, leases, snapshots, orders, log.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator import bootstrap, logging_setup, planner, settings
from orchestrator.model.plans import Plan
from orchestrator.model.policies import RequestLimits
from orchestrator.ports import Clock, Controller, Listener
from orchestrator.report.summary import Summary
from orchestrator.settings import Settings
from tests.bench.measuring import Stamp
from tests.bench.virtual import jumping
from tests.bench.virtual.counting import Counted, Looks
from tests.bench.virtual.jumping import START, JumpClock

BASE_URL = "https://control.test/api/v1"


@dataclass
class Staging:
    """Where a campaign takes place, and who looks on."""

    folder: Path
    controller: Callable[[Clock], Controller]
    """Gives the controller of a world that lives by this clock."""
    listeners: Sequence[Listener] = ()
    looks: Looks | None = None
    """Filled with when each device was looked at, where given."""
    page_size: int = 500
    at_stage: Callable[[str], None] = lambda _: None
    """Told `planned` and `run` when that is done."""
    connections: list[Counted] = field(default_factory=list)
    """Filled with one for the planning and one for the run."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What a campaign came to."""

    plan: Plan
    summary: Summary
    journal: Path
    planned: Counter[str]
    """Requests by kind until the plan was made."""
    requests: Counter[str]
    """Requests by kind from then to the end."""
    stamps: tuple[Stamp, Stamp, Stamp]
    """Before the listing, when the plan was made, and at the end."""
    virtual_seconds: float


def carried_out(playbook: str, staging: Staging) -> Campaign:
    """List, plan and run it to its end."""
    log = logging_setup.configure(file=staging.folder / "orchestrator.log")
    with closing(log), _connected_to(staging):
        return jumping.run(_carried_out(playbook, staging))


async def _carried_out(playbook: str, staging: Staging) -> Campaign:
    told = _settings(staging)
    path = staging.folder / "bench.yaml"
    path.write_text(playbook)
    begun = Stamp.now()
    plan = await planner.make_plan(told, path, {})
    planned = Stamp.now()
    staging.at_stage("planned")
    outcome = await bootstrap.start_run(told, plan, run_id="bench", listeners=staging.listeners)
    ended = Stamp.now()
    staging.at_stage("run")
    return Campaign(
        plan=plan,
        summary=outcome.summary,
        journal=outcome.folder / "journal.jsonl",
        planned=staging.connections[0].requests,
        requests=staging.connections[1].requests,
        stamps=(begun, planned, ended),
        virtual_seconds=JumpClock().now() - START,
    )


def _settings(staging: Staging) -> Settings:
    folder = staging.folder
    env_file = folder / "empty.env"  # or a .env of whoever measures would be read
    env_file.touch()
    wanted = {
        "base_url": BASE_URL,
        "token": "bench",
        "runs_dir": folder / "runs",
        "locks_dir": folder / "locks",
        "page_size": str(staging.page_size),
    }
    return settings.load(wanted, env_file=env_file)


@contextmanager
def _connected_to(staging: Staging) -> Iterator[None]:
    """Have planner and runner reach this world instead of a controller over HTTP."""
    clock = JumpClock()
    controller = staging.controller(clock)

    @asynccontextmanager
    async def connected(
        _: Settings, limits: RequestLimits, *, not_before: float = 0.0
    ) -> AsyncIterator[tuple[Controller, Clock]]:
        assert clock.now() >= not_before
        staging.connections.append(Counted(controller, clock, limits, staging.looks))
        yield staging.connections[-1], clock

    real = bootstrap.connected
    planner.connected = bootstrap.connected = connected
    try:
        yield
    finally:
        planner.connected = bootstrap.connected = real
