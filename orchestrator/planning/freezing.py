"""Freeze a device set into a plan: who, who not and why, in which order and which groups."""

from collections.abc import Iterable, Mapping, Sequence
from sys import intern

from orchestrator.engine.choosing.grouping import group_of
from orchestrator.engine.choosing.selecting import Chooser, Rejection, in_order, names_of
from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.errors import SelectionError
from orchestrator.model.operations import Operation
from orchestrator.model.plans import LeftOut, Plan, PlannedDevice
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.planning.costing import reading_requests
from orchestrator.planning.expecting import expectations
from orchestrator.planning.fitting import Zones, check_window
from orchestrator.planning.limiting import resolve_limits
from orchestrator.planning.portioning import spread
from orchestrator.planning.tallying import Tally, counted, some
from orchestrator.planning.warning import (
    device_warnings,
    field_warnings,
    operations_of,
    playbook_warnings,
)


def freeze(
    playbook: Playbook,
    source: PlaybookSource,
    records: Iterable[Device],
    *,
    controller: str,
    now: float,
    our_now: float | None = None,
    listed: int | None = None,
    notes: Sequence[str] = (),
    measured: Mapping[Operation, Sequence[float]] | None = None,
) -> Plan:
    """Make the plan of a playbook for these records; the clocks are those of `Freezer`.

    `listed` is what the controller counted, `notes` are warnings of whoever listed the records,
    `measured` is what operations of earlier runs took. Raises SelectionError as `Freezer.plan`.
    """
    freezer = Freezer(playbook, source, now=now, our_now=our_now)
    for device in records:
        freezer.add(device)
    return freezer.plan(controller=controller, listed=listed, notes=notes, measured=measured)


class Freezer:
    """Takes records one by one, so that a listing of any length passes through it.

    It keeps only the chosen devices, and of the others a count and a few examples per reason.
    Ages of records are judged by the controller's clock, `now`, and the window by ours, `our_now`,
    by which the run will wait for it; without it they are the same.
    """

    def __init__(
        self,
        playbook: Playbook,
        source: PlaybookSource,
        *,
        now: float,
        our_now: float | None = None,
    ) -> None:
        self._playbook = playbook
        self._source = source
        self._now = now
        self._our_now = now if our_now is None else our_now
        self._chooser = Chooser(playbook.selection, now)
        self._chosen: dict[DeviceId, Device] = {}
        self._left_out: dict[str, Tally] = {}
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
        self,
        *,
        controller: str,
        listed: int | None = None,
        notes: Sequence[str] = (),
        measured: Mapping[Operation, Sequence[float]] | None = None,
    ) -> Plan:
        """Close the set and give the plan.

        Raises SelectionError when fewer or more devices are chosen than the playbook expects, or
        its waves, budget or window cannot serve the set.
        """
        playbook = self._playbook
        ordered = in_order(self._chosen.values(), playbook.selection.order_by)
        kept = ordered[: playbook.selection.limit]
        left_out = self._left_out_reasons(ordered[len(kept) :])
        listed = self._seen if listed is None else listed
        _expect(playbook, len(kept), listed, left_out)
        limits = resolve_limits(playbook, len(kept))
        if limits.waves and playbook.rollout.spread_by:
            kept = spread(kept, playbook.rollout.spread_by, limits.waves[0].devices)
        expected, expected_from = expectations(playbook, measured or {})
        zones = Zones(playbook.window)
        devices = tuple(_planned(playbook, device, zones) for device in kept)
        check_window(playbook, expected, zones, now=self._our_now)
        return Plan(
            playbook=playbook,
            source=self._source,
            controller=controller,
            created_at=round(self._now, 6),
            devices=devices,
            limits=limits,
            left_out=left_out,
            warnings=(
                *notes,
                *field_warnings(playbook, ordered),
                *playbook_warnings(playbook, limits),
                *self._unseen_warnings(),
                *device_warnings(playbook, kept, self._now),
                *zones.warnings(now=self._our_now),
            ),
            operation_requests=len(kept) * len(operations_of(playbook)),
            reading_requests=reading_requests(playbook, limits, listed=listed),
            listed=listed,
            expected=expected,
            expected_from=expected_from,
            records={device.id: device for device in kept},
        )

    def _leave_out(self, device: Device, found: Rejection) -> None:
        # The sentence is worth its place only where it says more than the rule.
        says_more = found.reason != found.rule and not found.reason.startswith("it is ")
        tally = self._left_out.setdefault(found.rule, Tally())
        tally.add(device, found.reason if says_more else "")

    def _left_out_reasons(self, beyond: Sequence[Device]) -> tuple[LeftOut, ...]:
        tallies = dict(self._left_out)
        if beyond:
            rule = f"beyond the limit of {self._playbook.selection.limit}"
            tallies[rule] = Tally.of(beyond)
        reasons = [LeftOut(rule, t.count, tuple(t.examples)) for rule, t in tallies.items()]
        return tuple(sorted(reasons, key=lambda reason: (-reason.count, reason.reason)))

    def _unseen_warnings(self) -> list[str]:
        return [
            f"{word} names {counted(len(unseen), 'device')} that the controller"
            f" did not list for these filters: {some(sorted(unseen.values()), len(unseen))}"
            for word, unseen in self._unseen.items()
            if unseen
        ]


def _planned(playbook: Playbook, device: Device, zones: Zones) -> PlannedDevice:
    limits = playbook.rollout.max_down_per
    return PlannedDevice(
        id=device.id,
        serial_number=device.serial_number,
        name=device.name,
        groups=tuple(intern(group_of(device, limit)) for limit in limits),
        zone=zones.zone_of(device),
    )


def _expect(playbook: Playbook, chosen: int, listed: int, left_out: Sequence[LeftOut]) -> None:
    expect = playbook.selection.expect
    if chosen < expect.at_least:
        wanted = f"at least {counted(expect.at_least, 'device')}"
    elif expect.at_most is not None and chosen > expect.at_most:
        wanted = f"at most {counted(expect.at_most, 'device')}"
    else:
        return
    message = (
        f"the selection of {playbook.name!r} chose {chosen} of"
        f" {counted(listed, 'listed device')}, the playbook expects {wanted}"
    )
    if chosen < expect.at_least and left_out:
        why = "; ".join(f"{reason.count} because {reason.reason}" for reason in left_out[:3])
        message += f". Left out: {why}"
        if len(left_out) > len(left_out[:3]):
            message += f"; {sum(reason.count for reason in left_out[3:])} for other reasons"
    raise SelectionError(message)
