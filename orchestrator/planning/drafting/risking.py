"""What the records of a device set let one fear, in a few sentences."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush

from orchestrator.engine.choosing.matching import printable
from orchestrator.engine.choosing.selecting import Rejection, rejection, row_of
from orchestrator.engine.walking.guarding import demands
from orchestrator.engine.walking.rendering import Rendered, blanked, rendered
from orchestrator.model import durations
from orchestrator.model.devices import Device, Status
from orchestrator.model.operations import Action, Operation
from orchestrator.model.plans import Limits, PlannedDevice
from orchestrator.model.playbooks import Playbook
from orchestrator.model.selections import Condition
from orchestrator.model.steps import RecordStep, RequestStep
from orchestrator.planning.drafting.warning import ahead_of
from orchestrator.planning.tallying import EXAMPLES, Tally, counted, some

LONG_AGO = 86_400.0
"""Seconds without a contact after which a device may be gone, where its update period is unknown."""

PERIODS = 3
"""Update periods without a contact after which it may be gone."""

SMALL = 3
"""Devices from which on a location is one that can be half touched."""

_PLACES = frozenset({"location", "location_name", "location_short_name"})


def location_risks(
    playbook: Playbook,
    limits: Limits,
    devices: Iterable[PlannedDevice],
    listed: Mapping[str, int],
) -> list[str]:
    """Warn of locations of whose listed devices more than half is disturbed.

    Who has nothing before it that takes a device out of service is not disturbed.
    """
    is_disturbed = [
        any(operation.is_disruptive for operation in ahead_of(playbook, step))
        for step in range(len(playbook.all_steps) + 1)
    ]
    touched = Counter(
        device.location
        for device in devices
        if device.location is not None and is_disturbed[device.begins_at]
    )
    most = [
        (printable(place), count, listed[place])
        for place, count in touched.most_common()
        if listed[place] >= SMALL and 2 * count > listed[place]
    ]
    if not most:
        return []
    grouped = any(not _PLACES.isdisjoint(limit.fields) for limit in limits.max_down_per)
    together = limits.max_down > 1 and not grouped
    hint = "; no max_down_per keeps them from being down together" if together else ""
    what = "more than half of the listed devices of"
    if len(most) == 1:
        ((place, count, of),) = most
        return [f"{what} {place} is in the set: {count} of {of}{hint}"]
    named = [f"{place} ({count} of {of})" for place, count, of in most[:EXAMPLES]]
    return [f"{what} each of {len(most)} locations is in the set: {some(named, len(most))}{hint}"]


def record_risks(playbook: Playbook, kept: Iterable[Device], now: float) -> list[str]:
    """Warn of records that are not what they were afterwards, of devices that the guard would skip,
    and of doubtful ones that it would let pass.
    """
    risks = RecordRisks(playbook, now)
    for device in kept:
        risks.see(device)
    return risks.warnings()


class RecordRisks:
    """Gathers what `record_risks` warns of, from devices that are seen one by one."""

    def __init__(self, playbook: Playbook, now: float) -> None:
        self._playbook = playbook
        self._now = now
        self._guard = _first_guard(playbook)
        self._seen = 0
        self._skipped: dict[str, Tally] = {}
        self._losses = _Losses(playbook)
        self._is_for_devices = any(_is_for_device(step) for step in _requests(playbook))
        self._down = None if playbook.selection.status is Status.DOWN else Tally()
        self._unsettled = _Unsettled()
        self._unseen = _Unseen(now)

    def see(self, device: Device) -> None:
        """Look at one device of the set."""
        self._seen += 1
        found = rejection(self._guard, device, self._now)
        if found is not None:
            self._skipped.setdefault(_why(found, device), Tally()).add(device)
            return
        self._losses.see(device)
        if not self._is_for_devices:
            return
        if self._down is not None and device.status is Status.DOWN:
            self._down.add(device)
            return
        self._unsettled.see(device)
        self._unseen.see(device)

    def warnings(self) -> list[str]:
        """Give the warnings."""
        risks = [*self._losses.warnings(), *_skipped(self._skipped, self._seen)]
        if not self._is_for_devices:
            return risks
        if self._down is not None and self._down.count:
            are = _are(self._down.count)
            risks.append(f"{are} Down already, which the guard lets pass: {self._down}")
        if self._playbook.is_disruptive:
            risks += self._unsettled.warnings()
        return [*risks, *self._unseen.warnings()]


def _first_guard(playbook: Playbook) -> tuple[Condition, ...]:
    steps = _requests(playbook)
    return demands(playbook.guard, steps[0]) if steps else ()


def _requests(playbook: Playbook) -> list[RequestStep]:
    return [step for step in playbook.steps if isinstance(step, RequestStep)]


def _is_for_device(step: RequestStep) -> bool:
    """Say whether the device itself has to do something, and not its record alone."""
    operation = step.operation
    return isinstance(operation, Operation) or operation.is_disruptive or step.proof.contact


def _why(found: Rejection, device: Device) -> str:
    if found.rule == "settings are pending":
        return "with settings pending"
    if device.status is Status.DOWN and found.rule.startswith("status "):
        return "Down"
    return f"because {found.rule}"


class _Crowd:
    """Counts devices, and those of them that are Up."""

    def __init__(self) -> None:
        self.all = Tally()
        self._up = Tally()

    def see(self, device: Device) -> None:
        self.all.add(device)
        if device.status is Status.UP:
            self._up.add(device)

    @property
    def of_them_up(self) -> str:
        up, count = self._up, self.all.count
        if not up.count:
            return f": {self.all}"
        if up.count == count:
            return f", {'which is' if count == 1 else 'all of them'} Up: {up}"
        return f", {up.count} of them Up: {up}"


class _Losses:
    """Finds what the steps take away for good, or out of service, on devices that the guard lets pass.

    What steps before may change of a record is left aside.
    """

    def __init__(self, playbook: Playbook) -> None:
        steps = [step for step in playbook.steps if isinstance(step, RecordStep)]
        self._playbook = playbook
        self._deletes = any(step.action is Action.DELETE for step in steps)
        self._writing = [step for step in steps if _may_cost(step, playbook)]
        self._deleted, self._deactivated, self._replaced = _Crowd(), _Crowd(), Tally()
        self._blanks: dict[str, None] = {}

    def see(self, device: Device) -> None:
        if self._deletes:
            self._deleted.see(device)
        if not self._writing:
            return
        lost: dict[str, None] = {}
        is_active: object = None
        for step, found in _written(self._playbook, self._writing, device):
            if step.action is Action.REPLACE:
                lost |= dict.fromkeys(blanked(found, device))
            is_active = found.fields.get("is_active", is_active)
        if lost:
            self._replaced.add(device)
            self._blanks |= lost
        if is_active is False and device.is_active is not False:
            self._deactivated.see(device)

    def warnings(self) -> Iterator[str]:
        deleted, deactivated = self._deleted, self._deactivated
        if count := deleted.all.count:
            told = "1 record is" if count == 1 else f"{count} records are"
            yield f"{told} deleted for good{deleted.of_them_up}"
        if self._replaced.count:
            what = counted(self._replaced.count, "replacement")
            fields = ", ".join(map(printable, self._blanks))
            yield f"{what} may blank what is not written: {fields} (of {self._replaced})"
        if deactivated.all.count and not self._playbook.deletes:
            yield f"{_are(deactivated.all.count)} deactivated{deactivated.of_them_up}"


def _may_cost(step: RecordStep, playbook: Playbook) -> bool:
    if step.action in (Action.CREATE, Action.DELETE):
        return False
    if step.action in (Action.REPLACE, Action.DEACTIVATE):
        return True
    rows = playbook.table.rows.values() if step.takes_row and playbook.table else ()
    return any(each.field == "is_active" for each in step.assignments) or any(
        "is_active" in row for row in rows
    )


def _written(
    playbook: Playbook, steps: Sequence[RecordStep], device: Device
) -> Iterator[tuple[RecordStep, Rendered]]:
    table = playbook.table
    row = row_of(table, device)
    for step in steps:
        yield step, rendered(step, device, row, table=table)


def _skipped(skipped: Mapping[str, Tally], devices: int) -> list[str]:
    if not skipped:
        return []
    count = sum(tally.count for tally in skipped.values())
    by_count = sorted(skipped.items(), key=lambda entry: -entry[1].count)
    reasons = ", ".join(f"{tally.count} {why} ({tally})" for why, tally in by_count)
    of = f"{count} of {counted(devices, 'device')}"
    return [f"the guard would skip {of} as they are now: {reasons}"]


class _Unsettled:
    """Finds devices of which something is pending."""

    def __init__(self) -> None:
        self._pending, self._firmware = Tally(), Tally()

    def see(self, device: Device) -> None:
        if device.firmware_is_pending:
            self._firmware.add(device)
        elif device.pending:
            self._pending.add(device, ", ".join(map(printable, device.pending)))

    def warnings(self) -> Iterator[str]:
        pending, firmware = self._pending, self._firmware
        if pending.count:
            who = counted(pending.count, "device")
            yield f"{who} with settings pending, which the guard lets pass: {pending}"
        if firmware.count:
            who = counted(firmware.count, "device")
            yield (
                f"{who} with firmware pending, proven back in service only once it is installed:"
                f" {firmware}"
            )


class _Unseen:
    """Finds devices that did not call for long; the guard may find them Up all the same."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._count = 0
        self._measures: set[str] = set()
        self._longest: list[tuple[float, int]] = []
        """The ages of the first to be named, with minus their ids; the least stands first."""

    def see(self, device: Device) -> None:
        if device.last_connection is None:
            return
        age, period = self._now - device.last_connection, device.update_frequency
        if age <= (LONG_AGO if period is None else PERIODS * period):
            return
        self._count += 1
        self._measures.add("a day" if period is None else f"{PERIODS} update periods")
        heappush(self._longest, (age, -device.id))
        if len(self._longest) > EXAMPLES:
            heappop(self._longest)

    def warnings(self) -> Iterator[str]:
        if not self._count:
            return
        ages = sorted(self._longest, reverse=True)
        named = [f"{-device} ({durations.as_text(age)})" for age, device in ages]
        long = " or ".join(sorted(self._measures, reverse=True))
        oldest = f"the longest {durations.as_text(ages[0][0])} ago"
        who = counted(self._count, "device")
        yield f"{who} last seen more than {long} ago, {oldest}: {some(named, self._count)}"


def _are(count: int) -> str:
    return "1 device is" if count == 1 else f"{count} devices are"
