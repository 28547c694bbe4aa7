"""Freeze a device set into a plan: who, who not and why, in which order and which groups."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from sys import intern

from orchestrator.engine.choosing.grouping import group_of
from orchestrator.engine.choosing.matching import is_missing
from orchestrator.engine.choosing.selecting import Chooser, Rejection, in_order, names_of
from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.errors import SelectionError
from orchestrator.model.operations import Operation
from orchestrator.model.plans import LeftOut, Limits, Plan, PlannedDevice
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.selections import NewerThan, OlderThan, Selection
from orchestrator.planning.drafting.costing import reading_requests
from orchestrator.planning.drafting.expecting import expectations
from orchestrator.planning.drafting.fitting import Zones, check_window, expiry_warnings, good_until
from orchestrator.planning.drafting.limiting import resolve_limits
from orchestrator.planning.drafting.portioning import spread
from orchestrator.planning.drafting.risking import location_risks, record_risks
from orchestrator.planning.drafting.warning import (
    field_warnings,
    group_warnings,
    identity_warnings,
    operations_of,
    playbook_warnings,
    wave_warnings,
)
from orchestrator.planning.tallying import Tally, counted, some

DAY = 86_400.0
"""Seconds for which a plan is good unless it is said otherwise."""

PASSING = frozenset(
    {
        "status", "status_change", "pending_settings", "last_connection", "last_configuration",
        "last_change", "firmware_image_is_pending",
    }
)  # fmt: skip
"""Fields that change by themselves; the guard judges them anew, and no plan holds on to them."""

_ALIKE = 4096
"""Different combinations of values that are shared between devices; more are hardly alike."""


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
    lifetime: float = DAY,
) -> Plan:
    """Make the plan of a playbook for these records; the clocks are those of `Freezer`.

    `listed` is what the controller counted, `notes` are warnings of whoever listed the records,
    `measured` is what operations of earlier runs took, `lifetime` how many seconds the plan is good.
    Raises SelectionError as `Freezer.plan`.
    """
    freezer = Freezer(playbook, source, now=now, our_now=our_now)
    for device in records:
        freezer.add(device)
    return freezer.plan(
        controller=controller, listed=listed, notes=notes, measured=measured, lifetime=lifetime
    )


def attributes_of(selection: Selection) -> tuple[str, ...]:
    """Give the fields by which a selection chooses and that do not change by themselves."""
    fields = [
        condition.field
        for condition in selection.where
        if not isinstance(condition.test, OlderThan | NewerThan) and condition.field not in PASSING
    ]
    if selection.organizations:
        fields.append("organization_id")
    if selection.types:
        fields.append("type")
    return tuple(dict.fromkeys(fields))


class Freezer:
    """Takes records one by one, so that a listing of any length passes through it.

    It keeps only the chosen devices, of the others a count and a few examples per reason, and of
    each location a count.
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
        self._located: Counter[str] = Counter()

    @property
    def chosen(self) -> int:
        """Count the devices chosen so far, before the playbook's limit."""
        return len(self._chosen)

    def add(self, device: Device) -> None:
        """Judge one listed record; a record that comes again replaces the one before."""
        before = self._chosen.pop(device.id, None)
        if before is None:
            self._seen += 1
        self._locate(device, before)
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
        lifetime: float = DAY,
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
        attributes = attributes_of(playbook.selection)
        devices = planned_devices(playbook, attributes, kept, zones)
        check_window(playbook, expected, zones, now=self._our_now)
        openings = zones.openings(now=self._our_now)
        expires_at = good_until(playbook, openings, expected, now=self._our_now, lifetime=lifetime)
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
                *playbook_warnings(playbook, limits, devices),
                *self._risks(kept, devices, limits),
                *zones.warnings(now=self._our_now),
                *self._unseen_warnings(),
                *field_warnings(playbook, ordered),
                *wave_warnings(playbook, limits),
                *identity_warnings(kept),
                *group_warnings(playbook, kept),
                *expiry_warnings(expires_at, now=self._our_now),
            ),
            operation_requests=len(kept) * len(operations_of(playbook)),
            reading_requests=reading_requests(playbook, limits, listed=listed),
            listed=listed,
            expected=expected,
            expected_from=expected_from,
            attributes=attributes,
            made_at=round(self._our_now, 6),
            expires_at=round(expires_at, 6),
            openings=openings,
            records={device.id: device for device in kept},
        )

    def _locate(self, device: Device, before: Device | None) -> None:
        if before is not None and (location := location_of(before)) is not None:
            self._located[location] -= 1
        if (location := location_of(device)) is not None:
            self._located[location] += 1

    def _risks(
        self, kept: Sequence[Device], devices: Sequence[PlannedDevice], limits: Limits
    ) -> list[str]:
        return [
            *location_risks(self._playbook, limits, devices, self._located),
            *record_risks(self._playbook, kept, self._now),
        ]

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


def kind_of(device: Device) -> str | None:
    """Name the type of a device, else give its number; None when neither is known."""
    return _first_known(device, "type_short_name", "type")


def location_of(device: Device) -> str | None:
    """Name where a device stands, else give the number of the place; None when neither is known."""
    return _first_known(device, "location_name", "location")


def _first_known(device: Device, *fields: str) -> str | None:
    for field in fields:
        value = device.fields.get(field)
        if not is_missing(value):
            return intern(str(value).strip())
    return None


def planned_devices(
    playbook: Playbook, attributes: Sequence[str], kept: Sequence[Device], zones: Zones
) -> tuple[PlannedDevice, ...]:
    """Freeze these devices as they are, in this order."""
    limits, alike = playbook.rollout.max_down_per, _Alike()
    return tuple(
        PlannedDevice(
            id=device.id,
            serial_number=device.serial_number,
            name=device.name,
            groups=tuple(intern(group_of(device, limit)) for limit in limits),
            zone=zones.zone_of(device),
            chosen_by=alike.of(tuple(device.value(field) for field in attributes)),
            kind=kind_of(device),
            location=location_of(device),
        )
        for device in kept
    )


class _Alike:
    """Gives the same values of different devices as one object, so that a million of them fit."""

    def __init__(self) -> None:
        self._known: dict[object, tuple[object, ...]] = {}

    def of(self, values: tuple[object, ...]) -> tuple[object, ...]:
        """Give values that are equal to these, and of the same types."""
        key = (values, tuple(map(type, values)))
        try:
            found = self._known.get(key)
        except TypeError:  # a list, or an object of the record
            return values
        if found is None:
            found = tuple(intern(each) if type(each) is str else each for each in values)
            if len(self._known) < _ALIKE:
                self._known[key] = found
        return found


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
