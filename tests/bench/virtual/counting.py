"""A controller in this process behind the process's own gate, with every request counted by kind."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from orchestrator.adapters.controller.request_gate import RequestGate
from orchestrator.engine.choosing.watching import SHORTEST_INTERVAL
from orchestrator.model.answers import OperationAnswer
from orchestrator.model.commands import SendChange
from orchestrator.model.devices import DeviceId
from orchestrator.model.operations import Operation
from orchestrator.model.policies import RequestLimits
from orchestrator.model.readings import DeviceFilter, Page, Probed, Reading, Testimony
from orchestrator.model.steps import Witness
from orchestrator.ports import Clock, Controller, Offers

T = TypeVar("T")

Looks = dict[int, tuple[float, float]]
"""For each device the moments of its last record and of the one in the round before."""

SAME_ROUND = SHORTEST_INTERVAL / 2
"""Seconds below which two looks belong to one round: a device may stand on two of its pages."""


class Counted:
    """Passes everything on at the limits' pace, as the controller over HTTP does, and counts it."""

    def __init__(
        self, controller: Controller, clock: Clock, limits: RequestLimits, looks: Looks | None
    ) -> None:
        """Keep in `looks`, where it is given, when each device was looked at."""
        self._controller = controller
        self._gate = RequestGate(clock, limits)
        self._looks = looks
        self.requests: Counter[str] = Counter()
        """What was asked, by kind."""
        offers = controller.offers
        self._offers = None if offers is None else _CountedOffers(offers, self)

    @property
    def offers(self) -> Offers | None:
        return self._offers

    async def list_devices(self, wanted: DeviceFilter, *, offset: int, limit: int) -> Page:
        page = await self.read(
            "list page", lambda: self._controller.list_devices(wanted, offset=offset, limit=limit)
        )
        if self._looks is not None:
            for device in page.devices:
                self._saw(self._looks, device.id, page.asked_at)
        return page

    async def read_device(self, device: DeviceId, *, update_status: bool = False) -> Reading:
        kind = "record, with update_status" if update_status else "record"
        reading = await self.read(
            kind, lambda: self._controller.read_device(device, update_status=update_status)
        )
        if self._looks is not None:
            self._saw(self._looks, device, reading.asked_at)
        return reading

    async def probe(self) -> Probed:
        return await self.read("probe", self._controller.probe)

    async def start_operation(
        self, device: DeviceId, operation: Operation, *, intended: float
    ) -> OperationAnswer:
        await self._gate.enter(is_operation=True)
        self.requests[operation.value] += 1
        try:
            return await self._controller.start_operation(device, operation, intended=intended)
        finally:
            self._gate.leave(is_operation=True)

    async def send_change(
        self, change: SendChange, secrets: Mapping[str, str], *, intended: float
    ) -> OperationAnswer:
        await self._gate.enter(is_operation=True)
        self.requests[change.action.value] += 1
        try:
            return await self._controller.send_change(change, secrets, intended=intended)
        finally:
            self._gate.leave(is_operation=True)

    async def read(self, kind: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Count one read of this kind, and ask when the gate lets it through."""
        await self._gate.enter(is_operation=False)
        self.requests[kind] += 1
        try:
            return await ask()
        finally:
            self._gate.leave(is_operation=False)

    @staticmethod
    def _saw(looks: Looks, device: int, at: float) -> None:
        last, before = looks.get(device, (at, at))
        looks[device] = (at, before if at - last < SAME_ROUND else last)


class _CountedOffers:
    """What the controller offers beside the documents, counted with the rest."""

    def __init__(self, offers: Offers, counted: Counted) -> None:
        self._offers = offers
        self._counted = counted

    async def find_by_serial(self, serial_number: str) -> Reading | None:
        return await self._counted.read(
            "record by serial number", lambda: self._offers.find_by_serial(serial_number)
        )

    async def find_by_name(self, name: str) -> Reading | None:
        return await self._counted.read("record by name", lambda: self._offers.find_by_name(name))

    async def read_settings(self, device: DeviceId) -> Mapping[str, object] | None:
        return await self._counted.read("settings", lambda: self._offers.read_settings(device))

    async def read_variables(
        self, device: DeviceId, names: Sequence[str] = (), *, refresh: bool = False
    ) -> Mapping[str, object] | None:
        return await self._counted.read(
            "variables", lambda: self._offers.read_variables(device, names, refresh=refresh)
        )

    async def read_testimony(
        self, device: DeviceId, witnesses: Sequence[Witness], *, since_at: float
    ) -> Testimony | None:
        return await self._counted.read(
            "testimony",
            lambda: self._offers.read_testimony(device, witnesses, since_at=since_at),
        )

    async def list_types(self) -> Mapping[str, int] | None:
        return await self._counted.read("types", self._offers.list_types)
