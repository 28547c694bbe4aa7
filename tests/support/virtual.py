"""Campaigns in virtual time: the real runtime, a world in this process, a clock that jumps."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio

from orchestrator.adapters.memory.memory_journal import MemoryJournal
from orchestrator.adapters.simulated.simulated_controller import SimulatedController
from orchestrator.engine.run import Run
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import Event, RunStarted
from orchestrator.model.operations import Operation
from orchestrator.model.plans import Limits, Plan, PlannedDevice
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.policies import GroupLimit, RequestLimits, Rollout
from orchestrator.model.selections import Selection
from orchestrator.model.steps import OperationStep, Step, default_proof
from orchestrator.ports import Controller, Leases, Listener, Messenger, Orders
from orchestrator.report.notices import Notices
from orchestrator.runtime.driving import Drive
from orchestrator.runtime.heralding import Herald
from orchestrator.runtime.inbox import Inbox
from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START


class LoopClock:
    """The loop's own time, moved to the start of the simulated worlds."""

    speed = 1.0

    def now(self) -> float:
        return START + asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(max(0.0, seconds))

    def steady(self) -> float:
        return asyncio.get_running_loop().time()


def operation(which: str, attempts: int = 4) -> OperationStep:
    kind = Operation(which)
    return OperationStep(kind, default_proof(kind), attempts)


def plan_for(
    devices: Sequence[int],
    *steps: Step,
    max_down: int = 10,
    requests: RequestLimits | None = None,
    listed: int | None = None,
    max_down_per: tuple[GroupLimit, ...] = (),
    **changes,
) -> Plan:
    requests = requests or RequestLimits(delay=0.2, in_flight=4, per_second=None)
    playbook = Playbook(
        "test",
        "",
        Selection(everything=True),
        steps or (operation("factory"), operation("reconf")),
        rollout=Rollout(max_down, max_down_per),
        requests=requests,
        **changes,
    )
    return Plan(
        playbook=playbook,
        source=PlaybookSource("test.yaml", ""),
        controller="https://control.test/api/v1",
        created_at=START,
        devices=tuple(
            PlannedDevice(DeviceId(device), None, None, ("somewhere",) * len(max_down_per))
            for device in devices
        ),
        limits=Limits(
            len(devices),
            max_down,
            requests.in_flight,
            requests.delay,
            requests.per_second,
            max_down_per,
        ),
        listed=len(devices) if listed is None else listed,
    )


def fleet_ids(count: int) -> range:
    return range(FIRST, FIRST + count)


def beginning(plan: Plan) -> Event:
    return RunStarted(START, "test", "", "", "test", "me", "here", plan.controller, 1)


@dataclass
class Campaign:
    """Everything of one drive that a test may look at."""

    plan: Plan
    world: World
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    clock: LoopClock = field(default_factory=LoopClock)
    listeners: Sequence[Listener] = ()
    controller: Controller | None = None
    leases: Leases | None = None
    orders: Orders | None = None
    messenger: Messenger | None = None

    def __post_init__(self) -> None:
        self.run = Run(self.plan)
        self.inbox = Inbox(self.clock)
        self.drive = Drive(
            self.run,
            journal=self.journal,
            controller=self.controller or SimulatedController(self.world, self.clock),
            clock=self.clock,
            chance=random.Random(7).random,
            listeners=self.listeners,
            leases=self.leases,
            orders=self.orders,
            herald=None if self.messenger is None else self._herald(self.messenger),
            inbox=self.inbox,
        )

    def _herald(self, messenger: Messenger) -> Herald:
        notices = Notices(self.plan, "night-1")
        return Herald(self.plan, notices, messenger, self.clock, self.inbox.put)

    async def to_the_end(self) -> "Campaign":
        await self.drive.record([beginning(self.plan)])
        await self.drive.to_the_end()
        return self

    @property
    def verdicts(self) -> dict[str, int]:
        return {verdict.value: count for verdict, count in self.run.verdicts.items()}
