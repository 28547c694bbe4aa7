"""Freeze a device set into a plan: who, who not and why, every limit as an integer."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from orchestrator.engine.matching import is_missing, printable
from orchestrator.engine.selecting import Chooser, Rejection, in_order, names_of, rejection
from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.errors import SelectionError
from orchestrator.model.operations import Operation
from orchestrator.model.plans import LeftOut, Limits, Plan, PlannedDevice
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.selections import Condition, Selection
from orchestrator.model.steps import UPDATE_FREQUENCY_SECONDS, CheckStep, OperationStep
from orchestrator.playbook.conditions import KNOWN_FIELDS

EXAMPLES = 5
"""Devices named as examples of one reason or one warning."""

POLL_SECONDS = 30.0
PAGE_ROWS = 100
"""What `reading_requests` assumes of the watcher's pace and of the pages of a listing."""


def freeze(
    playbook: Playbook,
    source: PlaybookSource,
    records: Iterable[Device],
    *,
    controller: str,
    now: float,
    listed: int | None = None,
    notes: Sequence[str] = (),
) -> Plan:
    """Make the plan of a playbook for these records; `now` is the controller's clock.

    `listed` is what the controller counted, `notes` are warnings of whoever listed the records.
    Raises SelectionError when fewer or more devices are chosen than the playbook expects.
    """
    freezer = Freezer(playbook, source, now=now)
    for device in records:
        freezer.add(device)
    return freezer.plan(controller=controller, listed=listed, notes=notes)


@dataclass(slots=True)
class _Tally:
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, device: Device, reason: str = "") -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{_called(device)}: {reason}" if reason else _called(device))


class Freezer:
    """Takes records one by one, so that a listing of any length passes through it.

    It keeps only the chosen devices, and of the others a count and a few examples per reason.
    """

    def __init__(self, playbook: Playbook, source: PlaybookSource, *, now: float) -> None:
        self._playbook = playbook
        self._source = source
        self._now = now
        self._chooser = Chooser(playbook.selection, now)
        self._chosen: dict[DeviceId, Device] = {}
        self._left_out: dict[str, _Tally] = {}
        selection = playbook.selection
        self._unseen = {
            "include": {name.casefold(): name for name in selection.include},
            "exclude": {name.casefold(): name for name in selection.exclude},
        }
        self._seen = 0

    @property
    def chosen(self) -> int:
        """Count the devices chosen so far, before the playbook's limit."""
        return len(self._chosen)

    def add(self, device: Device) -> None:
        """Judge one listed record; a record that comes again replaces the one before."""
        if device.id in self._chosen:
            del self._chosen[device.id]
        else:
            self._seen += 1
        for unseen in self._unseen.values():
            if unseen:
                for name in names_of(device):
                    unseen.pop(name, None)
        found = self._chooser.rejection(device)
        if found is None:
            self._chosen[device.id] = device
        else:
            self._leave_out(device, found)

    def plan(
        self, *, controller: str, listed: int | None = None, notes: Sequence[str] = ()
    ) -> Plan:
        """Close the set and give the plan.

        Raises SelectionError when fewer or more devices are chosen than the playbook expects.
        """
        selection = self._playbook.selection
        ordered = in_order(self._chosen.values(), selection.order_by)
        kept = ordered[: selection.limit]
        left_out = self._left_out_reasons(ordered[len(kept) :])
        listed = self._seen if listed is None else listed
        _expect(self._playbook, len(kept), listed, left_out)
        limits = resolve_limits(self._playbook, len(kept))
        return Plan(
            playbook=self._playbook,
            source=self._source,
            controller=controller,
            created_at=round(self._now, 6),
            devices=tuple(PlannedDevice(d.id, d.serial_number, d.name) for d in kept),
            limits=limits,
            left_out=left_out,
            warnings=(*notes, *_order_warnings(selection, ordered), *self._warnings(kept)),
            operation_requests=len(kept) * len(_operations(self._playbook)),
            reading_requests=reading_requests(self._playbook, limits, listed=listed),
            listed=listed,
            records={device.id: device for device in kept},
        )

    def _leave_out(self, device: Device, found: Rejection) -> None:
        # The sentence is worth its place only where it says more than the rule.
        says_more = found.reason != found.rule and not found.reason.startswith("it is ")
        tally = self._left_out.setdefault(found.rule, _Tally())
        tally.add(device, found.reason if says_more else "")

    def _left_out_reasons(self, beyond: Sequence[Device]) -> tuple[LeftOut, ...]:
        tallies = dict(self._left_out)
        if beyond:
            rule = f"beyond the limit of {self._playbook.selection.limit}"
            tallies[rule] = _tally(beyond)
        reasons = [LeftOut(rule, t.count, tuple(t.examples)) for rule, t in tallies.items()]
        return tuple(sorted(reasons, key=lambda reason: (-reason.count, reason.reason)))

    def _warnings(self, kept: Sequence[Device]) -> list[str]:
        warnings = _playbook_warnings(self._playbook, len(kept))
        for word, unseen in self._unseen.items():
            if unseen:
                names = _some(sorted(unseen.values()), len(unseen))
                warnings.append(
                    f"{word} names {_counted(len(unseen), 'device')} that the controller"
                    f" did not list for these filters: {names}"
                )
        return warnings + _device_warnings(self._playbook, kept, self._now)


def resolve_limits(playbook: Playbook, devices: int) -> Limits:
    """Give what a run over that many devices may do at most, in whole numbers."""
    return Limits(
        devices=devices,
        max_down=max(1, min(playbook.rollout.max_down, devices)),
        in_flight=playbook.requests.in_flight,
        delay=playbook.requests.delay,
        per_second=playbook.requests.per_second,
    )


def reading_requests(playbook: Playbook, limits: Limits, *, listed: int) -> int:
    """Estimate the reads of a run in which every step succeeds at its first attempt.

    Per operation step: one read of each device right before it, and while devices are waited for
    one round of reading every 30 s. A round costs one request a waiting device or one a page of
    100 listed devices, whichever is less. As many devices wait together as may be down (all of
    them for `sync` and `reconf`); a wait lasts one periodic contact of 300 s plus the step's
    `settle` and `stable_for`. Per check step: one read of each device.
    """
    devices = limits.devices
    pages = max(1, math.ceil(max(listed, devices) / PAGE_ROWS))
    reads = 0
    for step in playbook.steps:
        if isinstance(step, CheckStep):
            reads += devices
        elif isinstance(step, OperationStep):
            together = limits.max_down if step.operation.is_disruptive else max(1, devices)
            waits = UPDATE_FREQUENCY_SECONDS + step.proof.settle + step.proof.stable_for
            rounds = math.ceil(devices / together) * math.ceil(waits / POLL_SECONDS)
            reads += devices + rounds * min(together, pages)
    return reads


def _expect(playbook: Playbook, chosen: int, listed: int, left_out: Sequence[LeftOut]) -> None:
    expect = playbook.selection.expect
    if chosen < expect.at_least:
        wanted = f"at least {_counted(expect.at_least, 'device')}"
    elif expect.at_most is not None and chosen > expect.at_most:
        wanted = f"at most {_counted(expect.at_most, 'device')}"
    else:
        return
    message = (
        f"the selection of {playbook.name!r} chose {chosen} of"
        f" {_counted(listed, 'listed device')}, the playbook expects {wanted}"
    )
    if chosen < expect.at_least and left_out:
        why = "; ".join(f"{reason.count} because {reason.reason}" for reason in left_out[:3])
        message += f". Left out: {why}"
        if len(left_out) > len(left_out[:3]):
            message += f"; {sum(reason.count for reason in left_out[3:])} for other reasons"
    raise SelectionError(message)


def _playbook_warnings(playbook: Playbook, chosen: int) -> list[str]:
    warnings = []
    selection = playbook.selection
    if not selection.organizations and not selection.include:
        warnings.append(
            "the selection names no organization: devices of every organization"
            " that the token may see can be chosen"
        )
    operations = _operations(playbook)
    for index, operation in enumerate(operations):
        later = operations[index + 1 :]
        if operation.is_destructive and Operation.RECONF not in later:
            warnings.append(
                f"no reconf follows {operation.value}: devices are left with factory defaults"
            )
    if playbook.is_disruptive and 1 < chosen <= playbook.rollout.max_down:
        warnings.append(
            f"max_down {playbook.rollout.max_down} lets all {chosen} devices be down at once"
        )
    return warnings


def _order_warnings(selection: Selection, chosen: Sequence[Device]) -> list[str]:
    """Name the fields that order nothing, for then a limit takes other devices than were meant."""
    warnings = []
    for name in (name.removeprefix("-") for name in selection.order_by):
        known = name == "id" or any(not is_missing(device.value(name)) for device in chosen)
        if known or not chosen:
            continue
        fields = {*KNOWN_FIELDS, *chosen[0].fields} - {name}
        close = get_close_matches(name.lower(), sorted(fields), n=1, cutoff=0.6)
        hint = f"; did you mean {printable(close[0])!r}?" if close else ""
        warnings.append(
            f"order_by names {printable(name)!r}, which no chosen record has:"
            f" it puts nothing in order{hint}"
        )
    return warnings


def _device_warnings(playbook: Playbook, kept: Sequence[Device], now: float) -> list[str]:
    warnings = []
    serials = Counter(d.serial_number for d in kept if d.serial_number is not None)
    twins = [printable(serial) for serial, count in serials.items() if count > 1]
    if twins:
        warnings.append(f"records of the set share a serial number: {_some(twins, len(twins))}")
    unnamed = _tally(d for d in kept if d.serial_number is None)
    if unnamed.count:
        warnings.append(
            f"{_counted(unnamed.count, 'device')} of the set without a serial number,"
            f" so a swapped device would go unnoticed: {_some(unnamed.examples, unnamed.count)}"
        )
    skipped = _skipped_now(playbook, kept, now)
    if skipped.count:
        warnings.append(
            f"the guard would skip {skipped.count} of {_counted(len(kept), 'device')} as they are"
            f" now: {_some(skipped.examples, skipped.count)}"
        )
    return warnings


def _skipped_now(playbook: Playbook, kept: Sequence[Device], now: float) -> _Tally:
    skipped = _Tally()
    conditions = _first_guard(playbook)
    for device in kept:
        found = rejection(conditions, device, now)
        if found:
            skipped.add(device, found.reason)
    return skipped


def _first_guard(playbook: Playbook) -> tuple[Condition, ...]:
    operations = _operations(playbook)
    if not operations:
        return ()
    guard = playbook.guard
    return guard.disruptive if operations[0].is_disruptive else guard.gentle


def _operations(playbook: Playbook) -> tuple[Operation, ...]:
    return tuple(step.operation for step in playbook.steps if isinstance(step, OperationStep))


def _tally(devices: Iterable[Device]) -> _Tally:
    tally = _Tally()
    for device in devices:
        tally.add(device)
    return tally


def _called(device: Device) -> str:
    return str(device.id)


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _some(names: Sequence[str], count: int) -> str:
    shown = ", ".join(names[:EXAMPLES])
    return shown if count <= EXAMPLES else f"{shown} and {count - EXAMPLES} more"
