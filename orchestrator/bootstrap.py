"""The door: the only module that knows every room; it puts the pieces together for the surfaces."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.model.events import RunInterrupted, RunStopped
from orchestrator.model.plans import Plan
from orchestrator.model.policies import RequestLimits
from orchestrator.ports import Clock, Controller, Listener
from orchestrator.report.summary import Summary
from orchestrator.settings import Settings


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How this process left a run."""

    run_id: str
    folder: Path
    summary: Summary
    head: str
    """The chain's last hash: keep it to see later whether the journal's tail was cut."""
    finished: bool
    interrupted: RunInterrupted | None
    stopped: RunStopped | None


@asynccontextmanager
async def connected(
    settings: Settings, limits: RequestLimits
) -> AsyncIterator[tuple[Controller, Clock]]:
    """Give a controller that keeps to these limits, and the clock of its world."""
    raise NotImplementedError
    yield


async def make_plan(settings: Settings, playbook: Path, variables: Mapping[str, str]) -> Plan:
    """Read the playbook and the inventory (GETs only) and freeze the device set."""
    raise NotImplementedError


async def start_run(
    settings: Settings, plan: Plan, *, run_id: str | None = None, listeners: Sequence[Listener] = ()
) -> RunOutcome:
    """Make a run of the plan and drive it until it is over or interrupted by a signal."""
    raise NotImplementedError


async def resume_run(
    settings: Settings, reference: str, *, listeners: Sequence[Listener] = ()
) -> RunOutcome:
    """Take a run over where its journal ends. The listeners hear the whole history first."""
    raise NotImplementedError
