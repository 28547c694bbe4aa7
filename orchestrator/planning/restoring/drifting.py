"""The fleet against a wanted state: which record says what it should not, and what would remedy it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.engine.choosing.matching import holds, is_missing
from orchestrator.engine.choosing.selecting import row_name
from orchestrator.engine.walking.rendering import is_as_wanted
from orchestrator.model import durations, moments
from orchestrator.model.devices import MOMENT_FIELDS, WRITABLE_FIELDS, Device, DeviceId
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.model.secrecy import is_secret
from orchestrator.model.selections import (
    AtLeast,
    Below,
    Condition,
    Equals,
    Matches,
    Missing,
    NewerThan,
    NothingPending,
    OlderThan,
    Present,
    SomethingPending,
    Test,
)
from orchestrator.model.snapshots import Snapshot
from orchestrator.model.values import Plain, Table
from orchestrator.planning.restoring.settling import quoted
from orchestrator.planning.restoring.writing import unfit
from orchestrator.playbook.tables.cells import READ_ONLY_FIELDS
from orchestrator.playbook.wanted import Wanted

UNKNOWN = "not known"


class Remedy(StrEnum):
    """What would make a record say what it should."""

    WRITE = "write"
    """The field is written."""
    SYNC = "sync"
    """The operation of that name delivers what is pending."""
    FIRMWARE = "firmware"
    """A firmware upgrade, which is a campaign of its own."""
    NONE = "none"
    """Nothing that this program could do by itself."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One field that does not say what it should."""

    field: str
    shown: str
    """What the record says, for people; `not known` where it says nothing."""
    should: str
    remedy: Remedy
    value: Plain = None
    """What is to be written, where that is the remedy."""


@dataclass(frozen=True, slots=True)
class DeviceDrift:
    """One device that is not as it should be."""

    device: DeviceId
    serial_number: str | None
    name: str | None
    deviations: tuple[Deviation, ...]
    why_gone: str = ""
    """Why there is nothing to compare; empty where there is."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What a comparison of the fleet with a wanted state found."""

    wanted: str
    checked: int
    devices: tuple[DeviceDrift, ...]
    without_device: tuple[str, ...] = ()
    """Rows of the table that no chosen device answers to."""

    @property
    def is_any(self) -> bool:
        """True when something is not as it should be."""
        return bool(self.devices or self.without_device)


def is_told_by_lists(wanted: Wanted, detail_only: Collection[str], known: Collection[str]) -> bool:
    """Say whether list pages show every field that a wanted state asks about."""
    asked = {condition.field for condition in wanted.conditions} | set(wanted.columns)
    return all(field in known and field not in detail_only for field in asked)


def drift_from(wanted: Wanted, plan: Plan, records: Mapping[DeviceId, Device], now: float) -> Drift:
    """Hold the chosen devices' records against what they should say; `now` is the controller's clock."""
    table = wanted.playbook.table
    found: list[DeviceDrift] = []
    seen: set[str | None] = set()
    for planned in plan.devices:
        name = None if table is None else row_name(table, planned)
        seen.add(name)
        record = records.get(planned.id)
        if record is None:
            found.append(_gone(planned))
            continue
        row = None if table is None else table.row_of(name)
        conditions = (*wanted.conditions, *_of_row(wanted, row))
        deviations = tuple(
            _deviation(condition, record)
            for condition in conditions
            if not holds(condition, record, now)
        )
        if deviations:
            found.append(DeviceDrift(record.id, record.serial_number, record.name, deviations))
    return Drift(wanted.name, len(plan.devices), tuple(found), _unowned(table, seen))


def _gone(planned: PlannedDevice) -> DeviceDrift:
    why = "the controller no longer has this device"
    return DeviceDrift(planned.id, planned.serial_number, planned.name, (), why)


def _unowned(table: Table | None, seen: Collection[str | None]) -> tuple[str, ...]:
    return () if table is None else tuple(name for name in table.rows if name not in seen)


def _of_row(wanted: Wanted, row: Mapping[str, Plain] | None) -> Iterable[Condition]:
    """Give what a device's row asks for; an empty cell asks for nothing."""
    for field, column in wanted.columns.items():
        value = None if row is None else row.get(column)
        if value is not None and not is_missing(value):
            yield Condition(field, Equals((value,)))


def _deviation(condition: Condition, record: Device) -> Deviation:
    field, test = condition.field, condition.test
    shown = record.value(field)
    if field == "pending_settings":
        text = UNKNOWN if record.pending is None else ", ".join(record.pending) or "none"
    elif is_missing(shown):
        text = UNKNOWN
    else:
        text = _bound(field, shown) if field in MOMENT_FIELDS else quoted(shown)
    remedy, value = _remedy(field, test)
    return Deviation(field, text, should(condition), remedy, value)


def _remedy(field: str, test: Test) -> tuple[Remedy, Plain]:
    if isinstance(test, NothingPending):
        return Remedy.SYNC, None
    if field in ("software_version", "firmware_image", "firmware_image_is_pending"):
        return Remedy.FIRMWARE, None
    if isinstance(test, Equals) and len(test.values) == 1 and _may_write(field, test.values[0]):
        return Remedy.WRITE, test.values[0]
    return Remedy.NONE, None


def _may_write(field: str, value: object) -> bool:
    return field not in READ_ONLY_FIELDS and not unfit(field, value)


def should(condition: Condition) -> str:
    """Say what a condition asks for."""
    match condition.test:
        case Equals(values):
            return " or ".join(map(quoted, values))
        case Matches(patterns):
            return "like " + " or ".join(patterns)
        case Below(bound):
            return f"below {_bound(condition.field, bound)}"
        case AtLeast(bound):
            return f"at least {_bound(condition.field, bound)}"
        case OlderThan(seconds):
            return f"older than {durations.as_text(seconds)}"
        case NewerThan(seconds):
            return f"newer than {durations.as_text(seconds)}"
        case test:
            return _of_presence(test)


def _of_presence(test: Missing | Present | NothingPending | SomethingPending) -> str:
    match test:
        case Missing():
            return "missing"
        case Present():
            return "present"
        case NothingPending():
            return "none"
        case SomethingPending(names):
            return " or ".join(names) or "any"


def _bound(field: str, bound: object) -> str:
    """Write a moment as people read it, other bounds as they stand."""
    if field in MOMENT_FIELDS and isinstance(bound, float):
        return moments.as_short_text(bound)
    return str(bound)


def drift_since(
    run_id: str,
    snapshots: Sequence[Snapshot],
    ids: Mapping[DeviceId, DeviceId],
    records: Mapping[DeviceId, Device],
) -> Drift:
    """Hold devices against what their records said in the snapshots of a run, as far as it is writable.

    `ids` gives the id that a device's record has now, where the run found another.
    """
    found = []
    for snapshot in snapshots:
        device = ids.get(snapshot.device, snapshot.device)
        each = _since(snapshot, device, records.get(device))
        if each is not None:
            found.append(each)
    return Drift(f"run {run_id}", len(snapshots), tuple(found))


def _since(snapshot: Snapshot, device: DeviceId, record: Device | None) -> DeviceDrift | None:
    serial, name = (_text(snapshot.record.get(field)) for field in ("serial_number", "name"))
    if record is None:
        why = "the controller no longer has this device"
        return DeviceDrift(device, serial, name, (), why)
    if serial is not None and record.serial_number not in (serial, None):
        return DeviceDrift(device, serial, name, (), "its record shows another serial number")
    deviations = tuple(
        _former(field, snapshot.record[field], record.fields.get(field))
        for field in WRITABLE_FIELDS
        if field in snapshot.record
        and not is_secret(field)
        and not is_as_wanted(field, snapshot.record[field], record.fields.get(field))
    )
    return DeviceDrift(device, serial, name, deviations) if deviations else None


def _former(field: str, was: object, now: object) -> Deviation:
    shown = UNKNOWN if is_missing(now) else quoted(now)
    if field == "firmware_image":
        return Deviation(field, shown, quoted(was), Remedy.FIRMWARE)
    if isinstance(was, str | int | float | bool | None) and not unfit(field, was):
        return Deviation(field, shown, quoted(was), Remedy.WRITE, was)
    return Deviation(field, shown, quoted(was), Remedy.NONE)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
