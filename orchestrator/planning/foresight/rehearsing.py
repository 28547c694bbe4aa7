"""Drive a run over the simulated world in virtual time: the same brain, no sockets, no waiting.

The runtime's loop in its plainest form: every answer is an entry in one heap of things to come.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop, heappush

from msgspec.structs import replace

from orchestrator.engine.choosing.selecting import (
    belongs_to_census,
    census_filters_of,
    lasting_filters_of,
)
from orchestrator.engine.choosing.watching import by_listing
from orchestrator.engine.run import Run, replayed, resuming
from orchestrator.model import events
from orchestrator.model.answering import event_of, failure_of
from orchestrator.model.commands import (
    AskWitnesses,
    Command,
    FindDevice,
    HoldDevices,
    PrepareDevice,
    ProbeController,
    ReadDevice,
    ReadDevices,
    ReleaseDevices,
    SaveSnapshot,
    SendChange,
    SendNotice,
    SendOperation,
    TakeCensus,
)
from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.errors import ControllerError
from orchestrator.model.events import Event
from orchestrator.model.orders import Order
from orchestrator.model.plans import Plan
from orchestrator.model.readings import (
    Census,
    DeviceFilter,
    DevicesHeld,
    Found,
    Observation,
    Page,
    Reading,
    Testimony,
)
from orchestrator.model.snapshots import Extras
from orchestrator.simulator.answering import (
    perform_change,
    perform_operation,
    perform_page,
    perform_probe,
    perform_read,
)
from orchestrator.simulator.world import World

ROUND_TRIP = 0.02
"""Seconds a request and its answer are on the way, beside what the controller itself takes."""

_MADE_UP = "rehearsed"
"""Stands for every secret value: none is made, fetched or stored."""


class Rehearsal:
    """One campaign in virtual time; `journal` is what a real run would have recorded."""

    def __init__(
        self,
        plan: Plan,
        world: World,
        now: float,
        chance: Callable[[], float],
        *,
        page_size: int = 500,
        journal: Sequence[Event] = (),
    ) -> None:
        self.plan = plan
        self.world = world
        self.now = now
        self.chance = chance
        self.page_size = page_size
        self.journal: list[Event] = list(journal)
        self.requests = 0
        self._coming: list[tuple[float, int, Event | Observation]] = []
        self._order = 0
        pages = max(1, math.ceil(len(world.population) / page_size))
        if journal:
            self.run = replayed(plan, journal)
            self.run.waits.pages = pages
            self._record(resuming(self.run, now, by="rehearsal", host="nowhere"))
        else:
            self.run = Run(plan, pages=pages)
            self._record([_beginning(plan, now)])

    def to_the_end(self, *, until: float = math.inf) -> Run:
        """Go on until the run is over or the moment has come; raises RuntimeError if it stands still."""
        while not self.run.is_over and self.now < until:
            self.turn()
        return self.run

    def turn(self) -> None:
        """One turn of the loop: believe what has come, decide, perform, and let time pass."""
        news: list[Event] = []
        while self._coming and self._coming[0][0] <= self.now:
            item = heappop(self._coming)[2]
            if isinstance(item, Event):
                news.append(item)
            else:
                self.run.observe(item, self.now)
        self._record(news)
        decision = self.run.decide(self.now, self.chance)
        self._record(decision.events)
        self.now = max(self.now, self.run.last_at)  # a decision's moment is rounded up
        for command in decision.commands:
            self._perform(command)
        if not decision.events and not self.run.is_over:
            self._wait()

    def obey(self, order: Order) -> list[Event]:
        """Let the run obey an order now; raises OrderRefusedError, and then nothing has changed."""
        happened = self.run.obey(order, self.now)
        self._record(happened)
        self.now = max(self.now, self.run.last_at)
        return happened

    def _wakes(self) -> Iterator[float]:
        """Give the moments at which something is going to happen."""
        if self._coming:
            yield self._coming[0][0]
        wake = self.run.next_wake()
        if wake is not None:
            yield wake

    def _wait(self) -> None:
        moments = list(self._wakes())
        if not moments:
            raise RuntimeError(f"the run stands still at {self.now}: nobody will ever wake it")
        self.now = max(self.now, min(moments))

    def _record(self, happened: Iterable[Event]) -> None:
        for event in happened:
            self.journal.append(event)
            self.run.after(event)

    def _comes(self, delay: float, item: Event | Observation) -> None:
        self._order += 1
        heappush(self._coming, (self.now + delay + ROUND_TRIP, self._order, item))

    def _perform(self, command: Command) -> None:
        match command:
            case SendOperation():
                self.requests += 1
                answer, delay = perform_operation(
                    self.world, command.address, command.operation, self.now
                )
                at = round(self.now + delay + ROUND_TRIP, 6)
                self._comes(delay, event_of(command, answer, at))
            case SendChange():
                self._change(command)
            case PrepareDevice() | FindDevice() | AskWitnesses():
                self._look(command)
            case ReadDevice():
                self._read(command.device, update_status=command.update_status)
            case ReadDevices():
                self._read_all(command.devices)
            case ProbeController():
                self.requests += 1
                probed, delay = perform_probe(self.world, self.now)
                self._comes(delay, probed)
            case HoldDevices():
                self.run.observe(DevicesHeld(self.now, command.devices), self.now)
            case TakeCensus():
                self._take_census()
            case ReleaseDevices() | SendNotice() | SaveSnapshot():
                pass

    def _change(self, command: SendChange) -> None:
        self.requests += 1
        made_up = dict.fromkeys(command.secrets, _MADE_UP)
        answer, delay = perform_change(self.world, command, made_up, self.now)
        self._comes(delay, event_of(command, answer, round(self.now + delay + ROUND_TRIP, 6)))

    def _look(self, command: PrepareDevice | FindDevice | AskWitnesses) -> None:
        """Read one device closely; this controller offers nothing beside the documents."""
        found, delay = self._closely(command)
        if isinstance(found, ControllerError):
            self._comes(delay, failure_of((command.device,), found))
            return
        match command:
            case PrepareDevice():
                prints = dict.fromkeys((each.field for each in command.secrets), _MADE_UP)
                self._comes(
                    delay,
                    replace(
                        found,
                        device_id=command.device,
                        step=command.step,
                        extras=Extras() if command.deep else None,
                        fingerprints=prints,
                    ),
                )
            case FindDevice():
                self._comes(delay, Found(command.device, replace(found, device_id=command.device)))
            case AskWitnesses():
                self._comes(delay, replace(found, testimony=Testimony()))

    def _closely(
        self, command: PrepareDevice | FindDevice | AskWitnesses
    ) -> tuple[Reading | ControllerError, float]:
        if isinstance(command, FindDevice):
            return self._find(command.serial_number)
        record = command.record if isinstance(command, PrepareDevice) else command.device
        if record is None:
            assert isinstance(command, PrepareDevice)
            return self._find(command.serial_number or "")
        self.requests += 1
        return perform_read(self.world, record, False, self.now)

    def _find(self, serial_number: str) -> tuple[Reading | ControllerError, float]:
        """Look for a device page by page; its reading has no device when there is none."""
        delay, server_at = 0.0, self.now
        for wanted in lasting_filters_of(self.plan.playbook.selection):
            for page, delay in self._pages(wanted):
                if isinstance(page, ControllerError):
                    return page, delay
                server_at = page.server_at
                for device in page.devices:
                    if device.serial_number == serial_number:
                        self.requests += 1
                        return perform_read(self.world, device.id, False, self.now)
        return Reading(DeviceId(0), None, self.now, server_at), delay

    def _read(self, device: DeviceId, *, update_status: bool = False) -> None:
        self.requests += 1
        found, delay = perform_read(self.world, device, update_status, self.now)
        self._comes(
            delay, failure_of((device,), found) if isinstance(found, ControllerError) else found
        )

    def _read_all(self, due: tuple[DeviceId, ...]) -> None:
        missing = list(due)
        if by_listing(len(due), self.run.waits.pages):
            seen = set()
            for lasting in lasting_filters_of(self.plan.playbook.selection):
                seen |= self._read_pages(lasting, due)
            missing = [device for device in due if device not in seen]
        for device in missing:
            self._read(device)

    def _take_census(self) -> None:
        selection = self.plan.playbook.selection
        down: list[Device] = []
        asked_at, delay = self.now, 0.0
        for wanted in census_filters_of(selection):
            for page, delay in self._pages(wanted):
                if isinstance(page, ControllerError):
                    self._comes(delay, Census(asked_at, None, failure_of((), page)))
                    return
                down += [each for each in page.devices if belongs_to_census(selection, each)]
        self._comes(delay, Census(asked_at, tuple(down)))

    def _read_pages(self, wanted: DeviceFilter, due: tuple[DeviceId, ...]) -> set[DeviceId]:
        seen: set[DeviceId] = set()
        for page, delay in self._pages(wanted):
            if isinstance(page, ControllerError):
                self._comes(delay, failure_of(tuple(d for d in due if d not in seen), page))
                return set(due)
            for device in page.devices:
                reading = Reading(device.id, device, page.asked_at, page.server_at, is_detail=False)
                self._comes(delay, reading)
                seen.add(device.id)
        return seen

    def _pages(self, wanted: DeviceFilter) -> Iterator[tuple[Page | ControllerError, float]]:
        """Ask for page after page of a listing; an error is the last that comes."""
        offset, more = 0, True
        while more:
            self.requests += 1
            page, delay = perform_page(self.world, wanted, offset, self.page_size, self.now)
            yield page, delay
            if isinstance(page, ControllerError):
                return
            offset += page.rows
            more = page.has_next and page.rows > 0


def _beginning(plan: Plan, now: float) -> Event:
    return events.RunStarted(
        at=round(now, 6),
        playbook=plan.playbook.name,
        plan_digest="",
        playbook_digest="",
        version="rehearsal",
        started_by="rehearsal",
        host="nowhere",
        controller=plan.controller,
        devices=len(plan.devices),
    )
