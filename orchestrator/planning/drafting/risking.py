"""What the records of a device set let one fear, in a few sentences."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

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


def record_risks(playbook: Playbook, kept: Sequence[Device], now: float) -> list[str]:
    """Warn of records that are not what they were afterwards, of devices that the guard would skip,
    and of doubtful ones that it would let pass.
    """
    guard = _first_guard(playbook)
    skipped: dict[str, Tally] = {}
    passing: list[Device] = []
    for device in kept:
        found = rejection(guard, device, now)
        if found is None:
            passing.append(device)
        else:
            skipped.setdefault(_why(found, device), Tally()).add(device)
    risks = [*_losses(playbook, passing), *_skipped(skipped, len(kept))]
    if not any(_is_for_device(step) for step in _requests(playbook)):
        return risks
    down = [device for device in passing if device.status is Status.DOWN]
    if down and playbook.selection.status is not Status.DOWN:
        risks.append(f"{_are(len(down))} Down already, which the guard lets pass: {Tally.of(down)}")
        passing = [device for device in passing if device.status is not Status.DOWN]
    if playbook.is_disruptive:
        risks += _unsettled(passing)
    return risks + _unseen(passing, now)


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


def _losses(playbook: Playbook, devices: Sequence[Device]) -> Iterator[str]:
    """Warn of what the steps take away for good, or out of service, on devices that the guard lets pass.

    What steps before may change of a record is left aside.
    """
    steps = [step for step in playbook.steps if isinstance(step, RecordStep)]
    if any(step.action is Action.DELETE for step in steps) and devices:
        told = "1 record is" if len(devices) == 1 else f"{len(devices)} records are"
        yield f"{told} deleted for good{_of_them_up(devices)}"
    writing = [step for step in steps if _may_cost(step, playbook)]
    blanks: dict[str, None] = {}
    replaced, deactivated = Tally(), list[Device]()
    for device in devices if writing else ():
        lost: dict[str, None] = {}
        is_active: object = None
        for step, found in _written(playbook, writing, device):
            if step.action is Action.REPLACE:
                lost |= dict.fromkeys(blanked(found, device))
            is_active = found.fields.get("is_active", is_active)
        if lost:
            replaced.add(device)
            blanks |= lost
        if is_active is False and device.is_active is not False:
            deactivated.append(device)
    if replaced.count:
        what = counted(replaced.count, "replacement")
        fields = ", ".join(map(printable, blanks))
        yield f"{what} may blank what is not written: {fields} (of {replaced})"
    if deactivated and not playbook.deletes:
        yield f"{_are(len(deactivated))} deactivated{_of_them_up(deactivated)}"


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


def _of_them_up(devices: Sequence[Device]) -> str:
    up = [device for device in devices if device.status is Status.UP]
    if not up:
        return f": {Tally.of(devices)}"
    if len(up) == len(devices):
        return f", {'which is' if len(up) == 1 else 'all of them'} Up: {Tally.of(up)}"
    return f", {len(up)} of them Up: {Tally.of(up)}"


def _skipped(skipped: Mapping[str, Tally], devices: int) -> list[str]:
    if not skipped:
        return []
    count = sum(tally.count for tally in skipped.values())
    by_count = sorted(skipped.items(), key=lambda entry: -entry[1].count)
    reasons = ", ".join(f"{tally.count} {why} ({tally})" for why, tally in by_count)
    of = f"{count} of {counted(devices, 'device')}"
    return [f"the guard would skip {of} as they are now: {reasons}"]


def _unsettled(devices: Sequence[Device]) -> list[str]:
    pending, firmware = Tally(), Tally()
    for device in devices:
        if device.firmware_is_pending:
            firmware.add(device)
        elif device.pending:
            pending.add(device, ", ".join(map(printable, device.pending)))
    risks = []
    if pending.count:
        who = counted(pending.count, "device")
        risks.append(f"{who} with settings pending, which the guard lets pass: {pending}")
    if firmware.count:
        who = counted(firmware.count, "device")
        risks.append(
            f"{who} with firmware pending, proven back in service only once it is installed:"
            f" {firmware}"
        )
    return risks


def _unseen(devices: Sequence[Device], now: float) -> list[str]:
    """Warn of devices that did not call for long; the guard may find them Up all the same."""
    ages: list[tuple[float, Device]] = []
    measures = set()
    for device in devices:
        if device.last_connection is None:
            continue
        age, period = now - device.last_connection, device.update_frequency
        if age > (LONG_AGO if period is None else PERIODS * period):
            ages.append((age, device))
            measures.add("a day" if period is None else f"{PERIODS} update periods")
    if not ages:
        return []
    ages.sort(key=lambda aged: (-aged[0], aged[1].id))
    named = [f"{device.id} ({durations.as_text(age)})" for age, device in ages[:EXAMPLES]]
    long = " or ".join(sorted(measures, reverse=True))
    oldest = f"the longest {durations.as_text(ages[0][0])} ago"
    who = counted(len(ages), "device")
    return [f"{who} last seen more than {long} ago, {oldest}: {some(named, len(ages))}"]


def _are(count: int) -> str:
    return "1 device is" if count == 1 else f"{count} devices are"
