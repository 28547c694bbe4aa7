"""Freeze a device set into a plan: who, who not and why, in which order and which groups."""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from sys import intern

from orchestrator.engine.choosing.grouping import group_of
from orchestrator.engine.choosing.matching import is_missing, printable
from orchestrator.engine.choosing.selecting import Chooser, Names, Rejection, places_in_order
from orchestrator.model.device_records import DeviceRecords
from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.errors import SelectionError
from orchestrator.model.plans import LeftOut, Limits, Plan, PlannedDevice
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.selections import NewerThan, OlderThan, Selection
from orchestrator.planning.drafting.allowing import Memory, remembered
from orchestrator.planning.drafting.costing import reading_requests
from orchestrator.planning.drafting.expecting import Measured, expectations
from orchestrator.planning.drafting.fitting import Zones, check_window, expiry_warnings, good_until
from orchestrator.planning.drafting.limiting import resolve_limits
from orchestrator.planning.drafting.locating import Places
from orchestrator.planning.drafting.portioning import spread_places
from orchestrator.planning.drafting.refusing import check_deletion, check_values
from orchestrator.planning.drafting.risking import RecordRisks, location_risks
from orchestrator.planning.drafting.tabling import Rows, name_of
from orchestrator.planning.drafting.warning import (
    Groupings,
    Identities,
    field_warnings,
    operations_of,
    playbook_warnings,
    wave_warnings,
)
from orchestrator.planning.tallying import EXAMPLES, Tally, counted, some

DAY = 86_400.0
"""Seconds for which a plan is good unless it is said otherwise."""

PASSING = frozenset(
    {
        "status", "status_change", "pending_settings", "last_connection", "last_configuration",
        "last_change", "firmware_image_is_pending",
    }
)  # fmt: skip
"""Fields that change by themselves; the guard judges them anew, and no plan holds on to them."""


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
    measured: Measured | None = None,
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
    by which the run will wait for it; without it they are the same. A memory knows which devices had
    their share of an operation over all runs.
    """

    def __init__(
        self,
        playbook: Playbook,
        source: PlaybookSource,
        *,
        now: float,
        our_now: float | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._memory = memory
        self._playbook = playbook
        self._source = source
        self._now = now
        self._our_now = now if our_now is None else our_now
        self._chooser = Chooser.of(playbook, now)
        self._chosen = DeviceRecords()
        self._left_out: dict[str, Tally] = {}
        selection = playbook.selection
        self._named = {"include": selection.include, "exclude": selection.exclude}
        self._unseen = {word: set(names) for word, names in self._named.items()}
        self._namesakes: dict[str, dict[DeviceId, None]] = {}
        """Devices by what `include` calls them."""
        self._names = {word: Names(names) for word, names in self._named.items() if names}
        self._places = Places(selection.except_outages_of)
        self._rows = Rows(playbook)
        self._seen = 0
        self._located: Counter[str] = Counter()

    @property
    def chosen(self) -> int:
        """Count the devices chosen so far, before the playbook's limit."""
        return len(self._chosen)

    def add(self, device: Device) -> None:
        """Judge one listed record; a record that comes again replaces the one before."""
        before = self._chosen.remove(device.id)
        if before is None:
            self._seen += 1
            self._rows.see(device)
        self._locate(device, before)
        self._places.see(device)
        self._tick_off(device)
        found = self._chooser.rejection(device)
        if found is None:
            self._chosen.add(device)
        else:
            self._leave_out(device, found)

    def plan(
        self,
        *,
        controller: str,
        listed: int | None = None,
        notes: Sequence[str] = (),
        measured: Measured | None = None,
        lifetime: float = DAY,
    ) -> Plan:
        """Close the set and give the plan.

        Raises SelectionError when fewer or more devices are chosen than the playbook expects, or
        its waves, budget or window cannot serve the set.
        """
        playbook = self._playbook
        self._spare_outages()
        self._spare_known()
        self._rows.check(self._chosen)
        new = self._newcomers()
        ordered = self._in_order(new)
        chosen = ordered.in_sequence()
        number = len(range(len(chosen))[: playbook.selection.limit])
        left_out = self._left_out_reasons(chosen[number:])
        listed = self._seen if listed is None else listed
        _expect(playbook, number, listed, left_out)
        limits = resolve_limits(playbook, number)
        records = self._spread(ordered, number, limits)
        kept = records.in_sequence()
        expected, expected_from = expectations(playbook, measured or {})
        zones = Zones(playbook.window)
        attributes = attributes_of(playbook.selection)
        identities, groupings = Identities(), Groupings(playbook)
        risks = RecordRisks(playbook, self._now)

        def seen() -> Iterator[Device]:
            for device in kept:
                identities.see(device)
                groupings.see(device)
                if device.id not in new:
                    risks.see(device)
                yield device

        devices = DeviceSet(planned_devices(playbook, attributes, seen(), zones, new=new))
        if new:
            records = DeviceRecords(device for device in kept if device.id not in new)
        check_deletion(playbook, records.in_sequence(), self._now)
        check_values(playbook, records)
        check_window(playbook, expected, zones, now=self._our_now)
        openings = zones.openings(now=self._our_now)
        expires_at = good_until(playbook, openings, expected, now=self._our_now, lifetime=lifetime)
        plan = Plan(
            playbook=playbook,
            source=self._source,
            controller=controller,
            created_at=round(self._now, 6),
            devices=devices,
            limits=limits,
            left_out=left_out,
            warnings=(
                *notes,
                *playbook_warnings(playbook, limits),
                *location_risks(
                    playbook, limits, (each for each in devices if not each.is_new), self._located
                ),
                *risks.warnings(),
                *zones.warnings(now=self._our_now),
                *self._unseen_warnings(),
                *self._rows.warnings(),
                *field_warnings(playbook, chosen),
                *wave_warnings(playbook, limits),
                *identities.warnings(kept),
                *groupings.warnings(kept),
                *expiry_warnings(expires_at, now=self._our_now),
            ),
            operation_requests=number * len(operations_of(playbook)),
            reading_requests=reading_requests(playbook, limits, listed=listed),
            listed=listed,
            expected=expected,
            expected_from=expected_from,
            attributes=attributes,
            made_at=round(self._our_now, 6),
            expires_at=round(expires_at, 6),
            openings=openings,
            records=records,
        )
        return remembered(plan, self._memory)

    def _in_order(self, new: Mapping[DeviceId, Device]) -> DeviceRecords:
        """Give the records in the order that the playbook wants, those of new devices last."""
        order_by = self._playbook.selection.order_by
        ids, found = array("q", self._chosen), self._chosen.in_sequence()
        there = self._chosen.arranged(places_in_order(ids, found, order_by))
        return DeviceRecords(chain(there.values(), new.values())) if new else there

    def _spread(self, ordered: DeviceRecords, number: int, limits: Limits) -> DeviceRecords:
        """Give the first so many records, spread over the waves if the playbook wants that."""
        fields, places = self._playbook.rollout.spread_by, range(number)
        if not (limits.waves and fields):
            return ordered.arranged(places)
        kept = ordered.in_sequence()[:number]
        return ordered.arranged(spread_places(kept, fields, limits.waves[0].devices))

    def may_be_chosen(self, device: Device) -> bool:
        """Say whether a record has to be read in full to be judged: those that are listed only because
        outages are to be told from devices do not.
        """
        selection = self._playbook.selection
        is_other = selection.status is not None and device.status is not selection.status
        return not (selection.except_outages_of and is_other)

    def _tick_off(self, device: Device) -> None:
        for word, names in self._names.items():
            for name in names.of(device):
                self._unseen[word].discard(name)
                if word == "include" and name == device.name:
                    self._namesakes.setdefault(name, {})[device.id] = None

    def _spare_outages(self) -> None:
        if not self._playbook.selection.except_outages_of:
            return
        for device in self._chosen.in_sequence():
            found = self._places.outage(device)
            if found is not None:
                self._chosen.remove(device.id)
                self._leave_out(device, found)

    def _spare_known(self) -> None:
        """Leave those out that had their share, and of whom a person was told since."""
        if (memory := self._memory) is None:
            return
        for device in self._chosen.in_sequence():
            why = memory.handed_over(device.id, device.serial_number, self._our_now)
            if why is not None:
                self._chosen.remove(device.id)
                self._leave_out(device, Rejection("was handed to a person already", why))

    def _newcomers(self) -> dict[DeviceId, Device]:
        """Give the devices to be created, in the table's order, by their provisional ids."""
        found: dict[DeviceId, Device] = {}
        for each, left_out in self._rows.newcomers(self._chooser, self._chosen):
            if left_out is None:
                found[each.device.id] = each.device
            else:
                tally = self._left_out.setdefault(left_out.rule, Tally())
                tally.count += 1
                if len(tally.examples) < EXAMPLES:
                    tally.examples.append(f"{printable(each.row)}: to be created")
        for word, names in self._names.items():
            for device in found.values():
                self._unseen[word].difference_update(names.of(device))
        return found

    def _locate(self, device: Device, before: Device | None) -> None:
        if before is not None and (location := location_of(before)) is not None:
            self._located[location] -= 1
        if (location := location_of(device)) is not None:
            self._located[location] += 1

    def _leave_out(self, device: Device, found: Rejection) -> None:
        # The sentence is worth its place only where it says more than the rule.
        says_more = found.reason != found.rule and not found.reason.startswith("it is ")
        tally = self._left_out.setdefault(found.rule, Tally())
        tally.add(device, found.reason if says_more else "")

    def _left_out_reasons(self, beyond: Sequence[Device]) -> tuple[LeftOut, ...]:
        tallies = dict(self._left_out)
        if beyond:
            rule = f"beyond the limit of {self._playbook.selection.limit}"
            tallies[rule] = Tally(len(beyond), [name_of(each) for each in beyond[:EXAMPLES]])
        reasons = [LeftOut(rule, t.count, tuple(t.examples)) for rule, t in tallies.items()]
        return tuple(sorted(reasons, key=lambda reason: (-reason.count, reason.reason)))

    def _unseen_warnings(self) -> list[str]:
        warnings = [
            f"{word} names {counted(len(unseen), 'device')} that the controller"
            f" did not list for these filters: {some(sorted(unseen), len(unseen))}"
            for word, unseen in self._unseen.items()
            if unseen
        ]
        for name, devices in self._namesakes.items():
            if len(devices) > 1:
                ids = some([str(each) for each in devices], len(devices))
                warnings.append(
                    f"include names {printable(name)!r}, which"
                    f" {counted(len(devices), 'listed device')} are called: {ids}"
                )
        return warnings


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
    playbook: Playbook,
    attributes: Sequence[str],
    kept: Iterable[Device],
    zones: Zones,
    *,
    new: Collection[DeviceId] = (),
) -> Iterator[PlannedDevice]:
    """Freeze these devices as they are, in this order; the new ones are still to be created."""
    limits = playbook.rollout.max_down_per
    return (
        PlannedDevice(
            id=device.id,
            serial_number=device.serial_number,
            name=device.name,
            groups=tuple(intern(group_of(device, limit)) for limit in limits),
            zone=zones.zone_of(device),
            chosen_by=()
            if device.id in new
            else tuple(device.value(field) for field in attributes),
            kind=kind_of(device),
            location=location_of(device),
            is_new=device.id in new,
        )
        for device in kept
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
