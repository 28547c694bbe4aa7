"""How often one device had an operation already, over all runs, and who has had its share of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from orchestrator.model import durations, moments
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import (
    DeviceFound,
    DoubtResolved,
    Event,
    OperationAccepted,
    OperationIntended,
    OperationRefused,
    OperationUnsent,
    StepSucceeded,
)
from orchestrator.model.operations import Operation
from orchestrator.model.plans import Plan
from orchestrator.model.policies import Allowance
from orchestrator.model.steps import EscalateStep


@dataclass(frozen=True, slots=True)
class Use:
    """One request of an earlier run that was applied, or may have been."""

    device: DeviceId
    """The id of its record then."""
    operation: str
    at: float
    """When it was intended."""
    planned: DeviceId | None = None
    """What its run calls the device."""
    serial_number: str | None = None


def uses_in(events: Iterable[Event], operations: Iterable[str]) -> Iterator[Use]:
    """Give each request of these operations that was not refused, unsent or found not to be applied:
    one that nobody answered counts.
    """
    wanted = frozenset(operations)
    found: dict[tuple[int, int, int], Use] = {}
    ids: dict[int, int] = {}
    for event in events:
        match event:
            case OperationIntended() if event.operation in wanted:
                record = DeviceId(ids.get(event.device, event.device))
                key = event.device, event.step, event.attempt
                found[key] = Use(record, event.operation, event.at, DeviceId(event.device))
            case OperationRefused() | OperationUnsent() | DoubtResolved(applied=False):
                found.pop((event.device, event.step, event.attempt), None)
            case DeviceFound() | OperationAccepted() if event.record is not None:
                ids[event.device] = event.record
            case _:
                pass
    yield from found.values()


@dataclass(frozen=True, slots=True)
class Handing:
    """A device that an earlier run handed to a person because it had had its share already."""

    device: DeviceId
    at: float
    why: str
    """The share it had had, in words."""
    serial_number: str | None = None


def handings_in(plan: Plan, events: Iterable[Event]) -> Iterator[Handing]:
    """Give the devices that a run handed to a person without asking anything of them."""
    exhausted = {device.id: device for device in plan.devices if device.exhausted is not None}
    escalating = {
        index
        for index, step in enumerate(plan.playbook.all_steps)
        if isinstance(step, EscalateStep)
    }
    for event in events if exhausted and escalating else ():
        if isinstance(event, StepSucceeded) and event.step in escalating:
            device = exhausted.get(DeviceId(event.device))
            if device is not None:
                why = device.exhausted or ""
                yield Handing(device.id, event.at, why, device.serial_number)


class Memory:
    """Knows of each device whether it had its share, by what earlier runs did to it."""

    def __init__(
        self, allowances: Sequence[Allowance], uses: Iterable[Use], handed: Iterable[Handing] = ()
    ) -> None:
        self._allowances = tuple(allowances)
        self._uses = _Shelf(uses)
        self._handed = _Shelf(handed)

    def exhausted(self, device: DeviceId, serial_number: str | None, now: float) -> str | None:
        """Say which share a device has had; None while it may have more."""
        mine = self._uses.of(device, serial_number)
        for allowance in self._allowances:
            had = [
                use.at
                for use in mine
                if use.operation == allowance.operation and use.at >= now - allowance.per
            ]
            if had and len(had) >= allowance.at_most:
                times = "once" if len(had) == 1 else f"{len(had)} times"
                done = f"{_DONE[allowance.operation]} {times}"
                since = moments.as_short_text(min(had))
                at_most = f"at most {allowance.at_most} {_per(allowance.per)}"
                return f"{done} since {since}, {at_most}: handed to a person"
        return None

    def handed_over(self, device: DeviceId, serial_number: str | None, now: float) -> str | None:
        """Say why nobody has to be told again: a person was told of the very share it has had; else None."""
        share = self.exhausted(device, serial_number, now)
        told = [each.at for each in self._handed.of(device, serial_number) if each.why == share]
        return f"{share} at {moments.as_short_text(min(told))}" if told else None


def remembered(plan: Plan, memory: Memory | None) -> Plan:
    """Give the plan with every device marked that had its share of an operation already."""
    if memory is None:
        return plan
    devices = tuple(
        replace(each, exhausted=memory.exhausted(each.id, each.serial_number, plan.made_at))
        for each in plan.devices
    )
    return replace(plan, devices=devices)


_Told = TypeVar("_Told", Use, Handing)


class _Shelf(Generic[_Told]):
    """Finds what was told of a device: by its serial number, or by its id where one of them is not known.

    A record that went to another device does not count, nor does one that was made anew count less.
    """

    def __init__(self, told: Iterable[_Told]) -> None:
        self._by_serial: defaultdict[str, list[_Told]] = defaultdict(list)
        self._by_id: defaultdict[DeviceId, list[_Told]] = defaultdict(list)
        for each in told:
            self._by_id[each.device].append(each)
            if each.serial_number is not None:
                self._by_serial[each.serial_number].append(each)

    def of(self, device: DeviceId, serial_number: str | None) -> list[_Told]:
        """Give what was told of this device."""
        same = self._by_id.get(device, ())
        if serial_number is None:
            return list(same)
        found = [each for each in same if each.serial_number in (serial_number, None)]
        others = self._by_serial.get(serial_number, ())
        return found + [each for each in others if each.device != device]


_DONE: Mapping[Operation, str] = {
    Operation.REBOOT: "rebooted",
    Operation.FACTORY: "reset to factory defaults",
    Operation.DEVICE_FACTORY: "reset to its delivery state",
    Operation.SYNC: "synced",
    Operation.RECONF: "reconfigured",
}
_PERIODS = {3600.0: "an hour", 86_400.0: "a day", 604_800.0: "a week"}


def _per(seconds: float) -> str:
    return _PERIODS.get(seconds) or f"in {durations.as_text(seconds)}"
