"""How often one device had an operation already, over all runs, and who has had its share of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Generic, TypeVar

import msgspec

from orchestrator.model import durations, moments
from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import (
    DeliverySeen,
    DeviceFound,
    DeviceReturned,
    DoubtResolved,
    Event,
    NotificationSent,
    OperationAccepted,
    OperationIntended,
    OperationRefused,
    OperationUnsent,
    OutageSeen,
    StepSucceeded,
)
from orchestrator.model.operations import Operation
from orchestrator.model.plans import Plan
from orchestrator.model.policies import Allowance
from orchestrator.model.steps import EscalateStep
from orchestrator.planning import handed


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
    run: str | None = None
    """The run that asked for it."""
    is_delivered: bool = False
    """The device was seen to take it, and it did not only wait for the device."""


def uses_in(events: Iterable[Event], operations: Iterable[str]) -> Iterator[Use]:
    """Give each request of these operations that was not refused, unsent or found not to be applied:
    one that nobody answered counts.
    """
    wanted = frozenset(operations)
    found: dict[tuple[int, int, int], Use] = {}
    attempts: dict[tuple[int, int], int] = {}
    ids: dict[int, int] = {}
    for event in events:
        match event:
            case OperationIntended() if event.operation in wanted:
                record = DeviceId(ids.get(event.device, event.device))
                key = event.device, event.step, event.attempt
                attempts[event.device, event.step] = event.attempt
                found[key] = Use(record, event.operation, event.at, DeviceId(event.device))
            case OperationRefused() | OperationUnsent() | DoubtResolved(applied=False):
                found.pop((event.device, event.step, event.attempt), None)
            case DeliverySeen() | OutageSeen() | DeviceReturned() | StepSucceeded():
                key = event.device, event.step, attempts.get((event.device, event.step), 0)
                if key in found:
                    found[key] = replace(found[key], is_delivered=True)
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
    """Give the devices that a run handed to a person without asking anything of them, as far as a
    message about them was delivered.
    """
    exhausted = {device.id: device for device in plan.devices if device.exhausted is not None}
    escalating = {
        index
        for index, step in enumerate(plan.playbook.all_steps)
        if isinstance(step, EscalateStep)
    }
    for event in events if exhausted and escalating else ():
        named = handed.devices_in(event.about) if isinstance(event, NotificationSent) else None
        if named is None or named[0] not in escalating:
            continue
        for each in named[1]:
            device = exhausted.pop(each, None)
            if device is not None:
                yield Handing(device.id, event.at, device.exhausted or "", device.serial_number)


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
        for allowance, had in self._had(device, serial_number, now):
            if had and len(had) >= allowance.at_most:
                at_most = f"at most {allowance.at_most} {_per(allowance.per)}"
                return f"{_told_of(allowance.operation, had)}, {at_most}"
        return None

    def uses(self, device: DeviceId, serial_number: str | None, now: float) -> tuple[int, ...]:
        """Count how often a device had the operation of each allowance within its period."""
        return tuple(len(had) for _, had in self._had(device, serial_number, now))

    def _had(
        self, device: DeviceId, serial_number: str | None, now: float
    ) -> Iterator[tuple[Allowance, list[Use]]]:
        mine = self._uses.of(device, serial_number)
        for allowance in self._allowances:
            yield (
                allowance,
                [
                    use
                    for use in mine
                    if use.operation == allowance.operation and use.at >= now - allowance.per
                ],
            )

    def handed_over(self, device: DeviceId, serial_number: str | None, now: float) -> str | None:
        """Say why nobody has to be told again: a person was told of the very share it has had; else None."""
        share = self.exhausted(device, serial_number, now)
        told = [each.at for each in self._handed.of(device, serial_number) if each.why == share]
        if not told:
            return None
        return f"{share}: handed to a person at {moments.as_short_text(min(told))}"


def remembered(plan: Plan, memory: Memory | None, now: float | None = None) -> Plan:
    """Give the plan with what every device had of each operation until now, and those marked that had
    their share of one; without a moment, until the plan was made.
    """
    if memory is None:
        return plan
    until = plan.made_at if now is None else now
    devices = (
        msgspec.structs.replace(
            each,
            exhausted=memory.exhausted(each.id, each.serial_number, until),
            uses=_unless_none(memory.uses(each.id, each.serial_number, until)),
        )
        for each in plan.devices
    )
    return replace(plan, devices=DeviceSet(devices))


def _unless_none(uses: tuple[int, ...]) -> tuple[int, ...]:
    return uses if any(uses) else ()


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


def _told_of(operation: Operation, had: Sequence[Use]) -> str:
    """Say how often a device had an operation, and when, and in which runs the last ones were.

    What never reached the device was only asked for.
    """
    delivered = sum(use.is_delivered for use in had)
    asked, done = _WORDS[operation]
    if delivered == len(had):
        told = f"{done} {_times(delivered)}"
    else:
        told = f"{asked} {_times(len(had))}"
        told += f", {done} {_times(delivered)}" if delivered else ""
    last = sorted(had, key=lambda use: use.at)[-_LISTED:]
    which = f"the last {_LISTED}: " if len(had) > _LISTED else ""
    return f"{told} ({which}{'; '.join(_occasions(last))})"


def _occasions(uses: Sequence[Use]) -> Iterator[str]:
    day = ""
    for run, same in groupby(uses, key=lambda use: use.run):
        times = []
        for use in same:
            before, (day, time) = day, moments.as_short_text(use.at).split(" ")
            minute = f"{time[:5]}Z"
            times.append(minute if day == before else f"{day} {minute}")
        yield " and ".join(times) + (f" in run {run}" if run else "")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


_LISTED = 3
_WORDS: Mapping[Operation, tuple[str, str]] = {
    Operation.REBOOT: ("asked to reboot", "rebooted"),
    Operation.FACTORY: ("asked to reset to factory defaults", "reset to factory defaults"),
    Operation.DEVICE_FACTORY: (
        "asked to reset to its delivery state",
        "reset to its delivery state",
    ),
    Operation.SYNC: ("asked to sync", "synced"),
    Operation.RECONF: ("asked to take its configuration", "reconfigured"),
}
_PERIODS = {3600.0: "an hour", 86_400.0: "a day", 604_800.0: "a week"}


def _per(seconds: float) -> str:
    return _PERIODS.get(seconds) or f"in {durations.as_text(seconds)}"
