"""Go on after a run: which devices it did not bring through, where each stopped, and the plan for them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import msgspec

from orchestrator.engine.choosing.matching import printable
from orchestrator.engine.choosing.selecting import Chooser
from orchestrator.engine.walking.chaining import NO_CHAIN, chain_ends
from orchestrator.model.amounts import Amount, at_most
from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.devices import Device, DeviceId, device_from_record
from orchestrator.model.errors import SelectionError
from orchestrator.model.events import (
    DeviceFinished,
    DeviceFound,
    DoubtResolved,
    Event,
    OperationAccepted,
    OperationIntended,
    OperationRefused,
    OperationUnsent,
    StepFailed,
    StepForgiven,
    StepSucceeded,
)
from orchestrator.model.operations import Operation, Request
from orchestrator.model.plans import LeftOut, Limits, Plan, PlannedDevice
from orchestrator.model.playbooks import Playbook
from orchestrator.model.steps import RequestStep
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.drafting.costing import reading_requests
from orchestrator.planning.drafting.expecting import Measured, expectations
from orchestrator.planning.drafting.fitting import Zones, check_window, expiry_warnings, good_until
from orchestrator.planning.drafting.freezing import DAY, attributes_of, planned_devices
from orchestrator.planning.drafting.limiting import resolve_limits
from orchestrator.planning.drafting.portioning import spread
from orchestrator.planning.drafting.risking import record_risks
from orchestrator.planning.drafting.tabling import name_of
from orchestrator.planning.drafting.warning import (
    group_warnings,
    identity_warnings,
    operations_of,
    playbook_warnings,
    wave_warnings,
)
from orchestrator.planning.tallying import EXAMPLES, Tally, counted, some


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a run left one device."""

    verdict: Verdict
    step: int
    """The step of the playbook, never of its rescue, at which its walk is to be taken up."""
    unproven: bool = False
    """A destructive request was sent, or may have been; neither it nor a later `reconf` or `sync`
    was proven."""
    record: DeviceId | None = None
    """Its record's id since then, where the run made that record or found the device under another."""


@dataclass(slots=True)
class _Walk:
    failed: int | None = None
    """The step that ended its walk for good."""
    forgiven: int | None = None
    """The first step without success with which it was let go on."""
    wiping: int | None = None
    """The destructive step that was sent and is not proven, or `_EARLIER`."""
    record: int | None = None
    """The id of the record that was made for it, or found."""


_EARLIER = -1
"""Stands for the destructive step of the run before."""


def stops(plan: Plan, events: Iterable[Event]) -> dict[DeviceId, Stop]:
    """Give where a run left each of its devices that has a verdict, in the plan's order.

    A device stopped at the step that ended its walk for good, the rescue left aside; one that went
    to the end and was forgiven a step on the way stopped at that one.
    """
    steps, main = plan.playbook.all_steps, len(plan.playbook.steps)
    walks: dict[int, _Walk] = {}
    before = {device.id for device in plan.devices if device.unproven}
    ended: dict[int, Stop] = {}
    begun: dict[int, int] = {device.id: device.begins_at for device in plan.devices}
    for event in events:
        if not isinstance(event, _TOLD):
            continue
        walk = walks.get(event.device)
        if walk is None:
            wiped = _EARLIER if event.device in before else None
            walk = walks[event.device] = _Walk(wiping=wiped)
        step = steps[event.step] if 0 <= event.step < len(steps) else None
        operation = step.operation if isinstance(step, RequestStep) else None
        match event:
            case DeviceFound() | OperationAccepted():
                walk.record = walk.record if event.record is None else event.record
            case DeviceFinished() if event.device in begun:
                ended[event.device] = _stop(walk, event, begun[event.device], main)
                del walks[event.device]
            case StepFailed() if event.step < main:
                walk.failed = event.step
            case StepForgiven() if event.step < main:
                walk.failed = None
                walk.forgiven = event.step if walk.forgiven is None else walk.forgiven
            case _:
                _follow_wiping(walk, event, operation)
    return {device.id: ended[device.id] for device in plan.devices if device.id in ended}


_Told = (
    OperationIntended
    | OperationAccepted
    | DeviceFound
    | OperationRefused
    | OperationUnsent
    | DoubtResolved
    | StepSucceeded
    | StepFailed
    | StepForgiven
    | DeviceFinished
)
_TOLD = get_args(_Told)
_RESTORING = (Operation.RECONF, Operation.SYNC)


def _follow_wiping(walk: _Walk, event: _Told, operation: Request | None) -> None:
    """Know whether a destructive request is out whose end nobody saw."""
    match event:
        case OperationIntended() if operation is not None and operation.is_destructive:
            walk.wiping = event.step
        case OperationRefused() | OperationUnsent() | DoubtResolved(applied=False):
            walk.wiping = None if walk.wiping == event.step else walk.wiping
        case StepSucceeded() if walk.wiping == event.step or operation in _RESTORING:
            walk.wiping = None
        case _:
            pass


def _stop(walk: _Walk, event: DeviceFinished, begun_at: int, main: int) -> Stop:
    verdict = Verdict(event.verdict)
    step = event.step
    if walk.failed is not None:
        step = walk.failed
    elif walk.forgiven is not None:
        step = walk.forgiven
    record = None if walk.record is None else DeviceId(walk.record)
    return Stop(verdict, min(max(step, begun_at), main - 1), walk.wiping is not None, record)


def chosen(
    plan: Plan, left: Mapping[DeviceId, Stop], verdicts: Collection[Verdict]
) -> list[DeviceId]:
    """Give the devices that the run left with one of these verdicts, in its order."""
    found = []
    for device in plan.devices:
        stop = left.get(device.id)
        if stop is not None and stop.verdict in verdicts:
            found.append(device.id)
    return found


def records_of(
    plan: Plan, left: Mapping[DeviceId, Stop], devices: Iterable[DeviceId]
) -> list[DeviceId]:
    """Give the ids of the records that these devices have by now; one still to be created has none."""
    planned = {device.id: device for device in plan.devices}
    found = []
    for device in devices:
        record = left[device].record
        if record is not None or not planned[device].is_new:
            found.append(device if record is None else record)
    return found


@dataclass(frozen=True, slots=True)
class Now:
    """What is read now, for a plan that goes on after a run."""

    records: Mapping[DeviceId, Device]
    """The records of the devices to be taken up, by the records' ids; one that is not there is gone."""
    server_at: float
    """The controller's clock when they were read."""
    asked_at: float
    """Ours when they were asked for."""


def follow(
    before: Plan,
    run_id: str,
    left: Mapping[DeviceId, Stop],
    verdicts: Collection[Verdict],
    now: Now,
    *,
    measured: Measured | None = None,
    lifetime: float = DAY,
) -> Plan:
    """Make the plan that takes up the devices which a run left with these verdicts.

    Each begins at the step at which it stopped; limits and waves are reckoned anew for the set.
    Devices that are gone, or whose record is another device's by now, are left out. Raises
    SelectionError when the playbook's waves or window cannot serve what is left.
    """
    playbook, ours = before.playbook, now.asked_at
    parted = _kept(before, run_id, left, verdicts, now.records)
    kept, new, left_out = parted.kept, parted.new, parted.left_out
    served, lowered = _served(playbook, len(kept))
    limits = resolve_limits(served, len(kept))
    kept, unspread = _spread(playbook, kept, limits)
    stops = {device.id: left[parted.origins[device.id]] for device in kept}
    expected, expected_from = expectations(playbook, measured or {})
    zones, attributes = Zones(playbook.window), attributes_of(playbook.selection)
    devices = tuple(
        msgspec.structs.replace(
            device, begins_at=stops[device.id].step, unproven=stops[device.id].unproven
        )
        for device in (
            new.get(each.id, each) for each in planned_devices(playbook, attributes, kept, zones)
        )
    )
    if before.source.is_made:
        attributes, devices = _held_as_before(before, devices, parted.origins)
    there = [device for device in kept if device.id not in new]
    shortest = _from(playbook, max((device.begins_at for device in devices), default=0))
    if devices:
        _check_window(run_id, shortest, expected, zones, ours)
    openings = zones.openings(now=ours)
    behind = expected[len(expected) - len(shortest.all_steps) :]
    expires_at = good_until(shortest, openings, behind, now=ours, lifetime=lifetime)
    return Plan(
        playbook=playbook,
        source=before.source,
        controller=before.controller,
        created_at=round(now.server_at, 6),
        devices=DeviceSet(devices),
        limits=limits,
        left_out=left_out,
        warnings=(
            *_stop_warnings(playbook, stops),
            *_abandoned_warnings(playbook, left, verdicts),
            *lowered,
            *unspread,
            *playbook_warnings(playbook, limits, devices),
            *_record_warnings(playbook, there, stops, now.server_at),
            *zones.warnings(now=ours),
            *wave_warnings(playbook, limits),
            *identity_warnings(kept),
            *group_warnings(playbook, kept),
            *expiry_warnings(expires_at, now=ours),
        ),
        operation_requests=operation_requests(playbook, devices),
        reading_requests=_reads(before, limits, devices),
        listed=len(before.devices),
        expected=expected,
        expected_from=expected_from,
        attributes=attributes,
        made_at=round(ours, 6),
        expires_at=round(expires_at, 6),
        openings=openings,
        goes_on_after=run_id,
        records={device.id: device for device in there},
        read_at=ours,
    )


def operation_requests(playbook: Playbook, devices: Iterable[PlannedDevice]) -> int:
    """Count the requests when every step succeeds at once, each device's from where it begins."""
    return sum(
        len(operations_of(_from(playbook, step))) * count for step, count in _groups(devices)
    )


def _reads(before: Plan, limits: Limits, devices: Iterable[PlannedDevice]) -> int:
    return sum(
        reading_requests(
            _from(before.playbook, step),
            replace(limits, devices=count, max_down=min(limits.max_down, count)),
            listed=before.listed,
        )
        for step, count in _groups(devices)
    )


@dataclass(frozen=True, slots=True)
class _Parted:
    """A run's devices, parted into those to be taken up and those left out."""

    kept: list[Device]
    new: dict[DeviceId, PlannedDevice]
    """Those of the kept that have no record yet."""
    origins: dict[DeviceId, DeviceId]
    """What the run calls each of the kept."""
    left_out: tuple[LeftOut, ...]


def _kept(
    before: Plan,
    run_id: str,
    left: Mapping[DeviceId, Stop],
    verdicts: Collection[Verdict],
    records: Mapping[DeviceId, Device],
) -> _Parted:
    kept: list[Device] = []
    new: dict[DeviceId, PlannedDevice] = {}
    origins: dict[DeviceId, DeviceId] = {}
    counts: Counter[str] = Counter()
    examples: dict[str, list[str]] = defaultdict(list)
    for planned in before.devices:
        stop = left.get(planned.id)
        known_as = planned.id if stop is None or stop.record is None else stop.record
        is_new = planned.is_new and known_as == planned.id
        record = _unrecorded(planned) if is_new else records.get(known_as)
        serial, about = planned.serial_number, name_of(_unrecorded(planned))
        if stop is None or stop.verdict not in verdicts:
            end = "has no verdict" if stop is None else _ENDS[stop.verdict]
            rule = f"{end} in run {run_id}"
        elif record is None:
            rule = "the controller no longer has this device"
        elif serial is not None and record.serial_number not in (serial, None):
            rule = "its record shows another serial number"
            about += f": {printable(record.serial_number or '')}, was {printable(serial)}"
        else:
            kept.append(record)
            origins[record.id] = planned.id
            if is_new:
                new[record.id] = planned
            continue
        counts[rule] += 1
        if len(examples[rule]) < EXAMPLES:
            examples[rule].append(about)
    reasons = [LeftOut(rule, count, tuple(examples[rule])) for rule, count in counts.items()]
    reasons.sort(key=lambda reason: (-reason.count, reason.reason))
    return _Parted(kept, new, origins, tuple(reasons))


def _unrecorded(planned: PlannedDevice) -> Device:
    """Give what a plan knows of a device as far as a record would say it."""
    known = {
        "id": planned.id,
        "serial_number": planned.serial_number,
        "name": planned.name,
        "location_name": planned.location,
        "type_short_name": planned.kind,
    }
    return device_from_record({field: value for field, value in known.items() if value is not None})


_ENDS = {
    Verdict.SUCCEEDED: "succeeded",
    Verdict.ALREADY_OK: "was already ok",
    Verdict.FAILED: "failed",
    Verdict.UNCONFIRMED: "ended unconfirmed",
    Verdict.IN_DOUBT: "ended in doubt",
    Verdict.SKIPPED: "was skipped",
    Verdict.DEFERRED: "was deferred",
    Verdict.NOT_STARTED: "was not started",
}


def _held_as_before(
    before: Plan, devices: Iterable[PlannedDevice], origins: Mapping[DeviceId, DeviceId]
) -> tuple[tuple[str, ...], tuple[PlannedDevice, ...]]:
    """Give what a plan that was written by this program holds on to; no playbook says it again."""
    held = {device.id: device.chosen_by for device in before.devices}
    kept = tuple(
        msgspec.structs.replace(each, chosen_by=held[origins[each.id]]) for each in devices
    )
    return before.attributes, kept


def _served(playbook: Playbook, devices: int) -> tuple[Playbook, list[str]]:
    """Give the playbook with budgets that can stop a set of this size, and say which were lowered."""
    budget, notes = playbook.rollout.stop_when, []

    def lowered(name: str, amount: Amount | None) -> Amount | None:
        if amount is None or not devices or at_most(amount, devices) < devices:
            return amount
        notes.append(
            f"stop_when.{name} of {amount} would stop nothing in a set of"
            f" {counted(devices, 'device')}: here it is {devices - 1}"
        )
        return devices - 1

    served = replace(
        budget,
        failed=lowered("failed", budget.failed),
        unconfirmed=lowered("unconfirmed", budget.unconfirmed),
        in_doubt=lowered("in_doubt", budget.in_doubt),
    )
    return replace(playbook, rollout=replace(playbook.rollout, stop_when=served)), notes


def _spread(
    playbook: Playbook, kept: list[Device], limits: Limits
) -> tuple[list[Device], list[str]]:
    fields = playbook.rollout.spread_by
    if not limits.waves or not fields:
        return kept, []
    try:
        return spread(kept, fields, limits.waves[0].devices), []
    except SelectionError as error:
        return kept, [f"the devices keep the order they had: {error}"]


def _from(playbook: Playbook, step: int) -> Playbook:
    """Give what is left of a playbook from a step on."""
    return replace(playbook, steps=playbook.steps[step:])


def _groups(devices: Iterable[PlannedDevice]) -> list[tuple[int, int]]:
    """Count the devices that begin at each step."""
    return sorted(Counter(device.begins_at for device in devices).items())


def _check_window(
    run_id: str, shortest: Playbook, expected: Sequence[int], zones: Zones, now: float
) -> None:
    """Raise SelectionError when not even the shortest of what is left fits into some opening."""
    behind = expected[len(expected) - len(shortest.all_steps) :]
    try:
        check_window(shortest, behind, zones, now=now)
    except SelectionError as error:
        raise SelectionError(
            f"run {run_id} cannot be gone on with by its own playbook: {error}; or name these"
            " devices in `devices.include` of a playbook with another window"
        ) from error


def _stop_warnings(playbook: Playbook, stops: Mapping[DeviceId, Stop]) -> list[str]:
    """Say what may have become of devices that were left in the middle of something."""
    warnings = []
    unproven = [device for device, stop in stops.items() if stop.unproven]
    if unproven:
        warnings.append(
            f"{counted(len(unproven), 'device')} whose reset was never proven, and that may be"
            f" without configuration now: {_some(unproven)}"
        )
    bare = [d for d, stop in stops.items() if not stop.unproven and _is_bare(playbook, stop)]
    if bare:
        warnings.append(
            f"{counted(len(bare), 'device')} after a proven reset and before what brings the"
            f" configuration back: {_some(bare)}"
        )
    doubted = [device for device, stop in stops.items() if stop.verdict is Verdict.IN_DOUBT]
    if doubted:
        warnings.append(
            f"{counted(len(doubted), 'device')} in doubt: the request that nobody answered may"
            f" still be carried out, beside what this plan sends: {_some(doubted)}"
        )
    return warnings


def _abandoned_warnings(
    playbook: Playbook, left: Mapping[DeviceId, Stop], verdicts: Collection[Verdict]
) -> list[str]:
    """Warn of devices that nobody asked for, and that should not be left as they are."""
    bare = [
        device
        for device, stop in left.items()
        if not (stop.verdict in verdicts or stop.verdict.is_success)
        and (stop.unproven or _is_bare(playbook, stop))
    ]
    if not bare:
        return []
    verdict = " or ".join(sorted({left[device].verdict.value for device in bare}))
    told = f"{counted(len(bare), 'device')} with the verdict {verdict}"
    return [f"{told} may be without configuration too, and not among those taken up: {_some(bare)}"]


def _is_bare(playbook: Playbook, stop: Stop) -> bool:
    return chain_ends(playbook.steps)[stop.step] != NO_CHAIN


def _some(devices: Sequence[DeviceId]) -> str:
    return some([str(device) for device in devices[:EXAMPLES]], len(devices))


def _record_warnings(
    playbook: Playbook, kept: Sequence[Device], stops: Mapping[DeviceId, Stop], now: float
) -> list[str]:
    """Warn of what the records say, each held against the guard that awaits it first."""
    parts: dict[tuple[bool | None, bool], list[Device]] = defaultdict(list)
    first = [_first_operation(playbook, step) for step in range(len(playbook.steps))]
    chooser, unchosen = Chooser.of(playbook, now), Tally()
    for device in kept:
        stop = stops[device.id]
        operation = first[stop.step]
        is_disruptive = None if operation is None else operation.is_disruptive
        parts[is_disruptive, stop.unproven].append(device)
        found = chooser.rejection(device) if stop.step == 0 and not stop.unproven else None
        if found is not None:
            unchosen.add(device, found.reason)
    warnings: list[str] = []
    for (is_disruptive, unproven), devices in parts.items():
        steps = tuple(
            step
            for step in playbook.steps
            if isinstance(step, RequestStep) and step.operation.is_disruptive is is_disruptive
        )
        awaiting = replace(playbook, steps=steps)
        warnings += record_risks(_pending_allowed(awaiting) if unproven else awaiting, devices, now)
    if unchosen.count:
        warnings.append(
            f"{counted(unchosen.count, 'device')} that the playbook would not choose as they are"
            f" now: {unchosen}"
        )
    return warnings


def _pending_allowed(playbook: Playbook) -> Playbook:
    """Give the playbook with the guard as it holds for what our own reset left behind."""
    guard = playbook.guard
    conditions = tuple(each for each in guard.disruptive if each.field != "pending_settings")
    return replace(playbook, guard=replace(guard, disruptive=conditions))


def _first_operation(playbook: Playbook, step: int) -> Request | None:
    return next(iter(operations_of(_from(playbook, step))), None)
