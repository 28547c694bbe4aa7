"""Which devices a selection chooses, in which order, and why not the others."""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Self

from orchestrator.engine.choosing.matching import (
    Rejection,
    compiled,
    explained,
    holds,
    is_missing,
    rejection,
    why_not,
)
from orchestrator.model import moments
from orchestrator.model.devices import Device, Status
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.playbooks import Playbook
from orchestrator.model.readings import DeviceFilter
from orchestrator.model.selections import Condition, Equals, Selection, SomethingPending
from orchestrator.model.values import Plain, Table
from orchestrator.model.versions import version_key

__all__ = [
    "Chooser",
    "Names",
    "Rejection",
    "filters_of",
    "holds",
    "in_order",
    "names_of",
    "places_in_order",
    "rejection",
    "row_name",
    "row_of",
    "why_not",
]

NEVER_CONNECTED = "initial"
"""What pending settings are called on a device that has never connected (api.md DV-29)."""


def filters_of(selection: Selection) -> tuple[DeviceFilter, ...]:
    """Give the listings that together hold every device a selection may choose.

    The controller takes one organization and one type per listing (api.md 1.1, DV-2). Where outages
    are to be told from devices, those that are Up, or long were, have to be listed too.
    """
    if selection.except_outages_of:
        selection = replace(
            selection, status=None, last_status_change_from=None, except_outages_of=()
        )
    return tuple(
        DeviceFilter(
            organization=organization,
            type=type_,
            status=selection.status,
            last_status_change_from=selection.last_status_change_from,
        )
        for organization, type_ in product(
            selection.organizations or (None,), selection.types or (None,)
        )
    )


def lasting_filters_of(selection: Selection) -> tuple[DeviceFilter, ...]:
    """Give the same listings without what a run itself changes: the status and its moment."""
    return filters_of(replace(selection, status=None, last_status_change_from=None))


def census_filters_of(selection: Selection) -> tuple[DeviceFilter, ...]:
    """Give the listings that together hold every Down device of the selection's organizations."""
    organizations = selection.organizations or (None,)
    return tuple(DeviceFilter(each, status=Status.DOWN) for each in organizations)


def belongs_to_census(selection: Selection, device: Device) -> bool:
    """Hold a row of such a listing against what was asked for: a controller may ignore filters.

    One whose organization nobody can read may well be ours, and is down all the same.
    """
    organization, ours = device.value("organization_id"), selection.organizations
    is_elsewhere = isinstance(organization, int) and organization not in ours
    return device.status is Status.DOWN and not (ours and is_elsewhere)


class Chooser:
    """Holds a selection against records, its filters too: a controller may ignore them.

    What no single record tells is not judged here: outages of whole places.
    """

    def __init__(
        self,
        selection: Selection,
        now: float,
        *,
        table: Table | None = None,
        may_be_new: bool = False,
    ) -> None:
        self._now = now
        self._table = table
        self._conditions = (*_filter_conditions(selection), *selection.where)
        self._predicates = tuple((condition, compiled(condition)) for condition in self._conditions)
        self._since = selection.last_status_change_from
        self._include = Names(selection.include)
        self._exclude = Names(selection.exclude)
        self._wants_initial = may_be_new or any(
            isinstance(condition.test, SomethingPending) and NEVER_CONNECTED in condition.test.names
            for condition in selection.where
        )

    @classmethod
    def of(cls, playbook: Playbook, now: float) -> Self:
        """Give the chooser of a playbook: its table narrows the selection, and one that creates
        devices, or only changes records, takes those in that never connected.
        """
        may_be_new = playbook.creates or playbook.is_for_records
        return cls(playbook.selection, now, table=playbook.table, may_be_new=may_be_new)

    def why_not(self, device: Device) -> str | None:
        """Say in one sentence why a device is not chosen; None when it is."""
        found = self.rejection(device)
        return found.reason if found else None

    def rejection(self, device: Device) -> Rejection | None:
        """Give the first reason for which a device is not chosen; None when it is."""
        unnamed = self.unnamed(device)
        if unnamed is not None:
            return unnamed
        table = self._table
        if table is not None and row_of(table, device) is None:
            unlisted = f"it has no row in {table.name}"
            return Rejection(unlisted, unlisted)
        now = self._now
        for condition, predicate in self._predicates:
            if not predicate(device, now):
                return explained(condition, device, now)
        if self._since is not None:
            found = _changed_before(self._since, device)
            if found:
                return found
        if not self._wants_initial and _never_connected(device):
            return Rejection("never connected", "it has never connected (pending: initial)")
        return None

    def unnamed(self, device: Device) -> Rejection | None:
        """Say whether `exclude` or `include` leaves a device out; None when neither does."""
        if self._exclude and self._exclude.of(device):
            return Rejection("excluded by the playbook", "it is excluded by the playbook")
        if self._include and not self._include.of(device):
            return Rejection("not named in include", "it is not named in include")
        return None


class Names:
    """What `include` or `exclude` lists: ids and serial numbers in any case, names exactly."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = frozenset(names)
        self._folded: dict[str, list[str]] = {}
        for name in sorted(self._exact):
            self._folded.setdefault(name.casefold(), []).append(name)

    def __bool__(self) -> bool:
        return bool(self._exact)

    def of(self, device: Device) -> list[str]:
        """Give those that mean this device, as they are written."""
        found = [each for name in names_of(device) for each in self._folded.get(name, ())]
        if device.name is not None and device.name in self._exact:
            found.append(device.name)
        return found


def names_of(device: Device) -> frozenset[str]:
    """Give what tells a device from all others: id and serial number, in lower case."""
    if device.serial_number is None:
        return frozenset((str(device.id),))
    return frozenset((str(device.id), device.serial_number.strip().casefold()))


def row_of(table: Table | None, device: Device | PlannedDevice) -> Mapping[str, Plain] | None:
    """Give a device's row; None without a table, or when it has none."""
    return None if table is None else table.row_of(row_name(table, device))


def row_name(table: Table, device: Device | PlannedDevice) -> str | None:
    """Give what names a device's row in a table; None when its record does not say it."""
    match table.key:
        case "id":
            return str(device.id)
        case "name":
            return device.name
        case _:
            return device.serial_number


def in_order(devices: Iterable[Device], order_by: Sequence[str]) -> list[Device]:
    """Sort by fields in natural order; the unknown comes last either way, the id breaks ties."""
    found = list(devices)
    ids = array("q", (device.id for device in found))
    return [found[place] for place in places_in_order(ids, found, order_by)]


def places_in_order(
    ids: Sequence[int], devices: Sequence[Device], order_by: Sequence[str]
) -> list[int]:
    """Give where devices, which have these ids, stand, from 0, in the order of `in_order`.

    Goes through the devices once for each field but the id.
    """
    ordered = sorted(range(len(ids)), key=ids.__getitem__)
    for field in reversed(order_by):
        name = field.removeprefix("-")
        backwards = field.startswith("-")
        if name == "id":
            ordered.sort(key=ids.__getitem__, reverse=backwards)
            continue
        key = _order_key(name, last=not backwards)
        alike: dict[tuple[object, ...], tuple[object, ...]] = {}
        keys = [alike.setdefault(each, each) for each in map(key, devices)]
        ordered.sort(key=keys.__getitem__, reverse=backwards)
    return ordered


def _order_key(field: str, *, last: bool) -> Callable[[Device], tuple[object, ...]]:
    # A reversed sort turns the rank around as well, so the unknown ends up last both ways.
    unknown, known = (1, 0) if last else (0, 1)

    def key(device: Device) -> tuple[object, ...]:
        value = device.value(field)
        if is_missing(value):
            return (unknown,)
        if isinstance(value, int | float):
            return (known, 0, float(value))
        text = ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
        return (known, 1, version_key(text), text.casefold())

    return key


def _filter_conditions(selection: Selection) -> tuple[Condition, ...]:
    conditions = []
    if selection.organizations:
        conditions.append(Condition("organization_id", Equals(selection.organizations)))
    if selection.types:
        conditions.append(Condition("type", Equals(selection.types)))
    if selection.status is not None:
        conditions.append(Condition("status", Equals((selection.status,))))
    return tuple(conditions)


def _changed_before(since: float, device: Device) -> Rejection | None:
    if device.status_change is None:
        return Rejection("status_change is not known", "status_change is not known")
    if device.status_change < since:
        bound = moments.as_short_text(since)
        return Rejection(
            f"status_change is before {bound}",
            f"status_change is {moments.as_short_text(device.status_change)}, before {bound}",
        )
    return None


def _never_connected(device: Device) -> bool:
    return (
        device.last_connection is None
        and device.pending is not None
        and NEVER_CONNECTED in device.pending
    )
