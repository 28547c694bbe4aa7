"""What of a run can be put back, from its journal and its snapshots, and what cannot and why."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from orchestrator.model.devices import DeviceId
from orchestrator.model.events import Event
from orchestrator.model.operations import Action
from orchestrator.model.plans import Plan
from orchestrator.model.secrecy import is_secret
from orchestrator.model.snapshots import Extras, Snapshot
from orchestrator.model.values import Plain
from orchestrator.planning.restoring.refusing import Beyond, Kept
from orchestrator.planning.restoring.writing import unfit
from orchestrator.playbook.tables.cells import READ_ONLY_FIELDS
from orchestrator.report.differences import DeviceDifferences, Differences, FieldChange

UNKNOWN = object()
"""Stands for a value that nobody knows."""


@dataclass(frozen=True, slots=True)
class Former:
    """One field as it was before the run, and every value that the run gave it."""

    field: str
    value: Plain
    written: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Undo:
    """What is to be put back on one device."""

    device: DeviceId
    """As the run names it."""
    record: DeviceId
    fields: tuple[Former, ...]
    last_at: float


@dataclass(frozen=True, slots=True)
class Undoing:
    """What a run changed, as far as it can be put back."""

    devices: tuple[Undo, ...]
    """The one that was changed last comes first."""
    beyond: tuple[str, ...]
    """One sentence for each kind of thing that cannot be put back."""


def undoing(
    plan: Plan,
    events: Iterable[Event],
    snapshots: Iterable[Snapshot],
    *,
    only: Collection[DeviceId] | None = None,
) -> Undoing:
    """Give what a run changed on its devices, or on these only, with the oldest values before the run.

    Values come from the journal, and where it does not know them from the first snapshot. What the
    fleet shows now is not asked: `settle` does that.
    """
    wanted = {each.id for each in plan.devices} if only is None else set(only)
    touched = [each for each in Differences.of(events).devices if each.device in wanted]
    kept = _kept(touched, snapshots)
    beyond, found = Beyond(), list[Undo]()
    for each in touched:
        before = kept.get(each.device, Kept())
        beyond.take(each, before)
        fields = tuple(_formers(each, before.record, beyond))
        if fields:
            found.append(Undo(each.device, each.record, fields, each.last_at))
    found.sort(key=lambda undo: undo.last_at, reverse=True)
    return Undoing(tuple(found), beyond.sentences)


def _kept(
    touched: Iterable[DeviceDifferences], snapshots: Iterable[Snapshot]
) -> dict[DeviceId, Kept]:
    """Keep of each device's first snapshot only what is asked for: there may be very many."""
    asked = {
        each.device: {change.field for change in each.fields if change.before is None}
        for each in touched
    }
    kept: dict[DeviceId, Kept] = {}
    for snapshot in snapshots:
        device = snapshot.device
        if device in asked and device not in kept:
            extras = snapshot.extras or Extras()
            kept[device] = Kept(
                {name: snapshot.record[name] for name in asked[device] if name in snapshot.record},
                len(extras.settings or {}),
                len(extras.variables or {}),
            )
    return kept


def _formers(
    each: DeviceDifferences, record: Mapping[str, object], beyond: Beyond
) -> Iterable[Former]:
    if any(deed.what in (Action.CREATE, Action.DELETE) for deed in each.deeds):
        return  # the record as a whole came or went, and its sentence says so
    for name, changes in _by_field(each.fields).items():
        if _is_of_its_own(changes):
            continue  # told of by its deed
        if is_secret(name):
            beyond.secret(each.record, name)
        elif name in READ_ONLY_FIELDS:
            beyond.read_only(each.record, name)
        else:
            value = _value_before(changes[0], record)
            if value is UNKNOWN:
                beyond.unknown(each.record, name)
            elif unfit(name, value):
                beyond.unfit(each.record, name)
            else:
                yield Former(name, cast(Plain, value), tuple(change.after for change in changes))


def _by_field(changes: Iterable[FieldChange]) -> dict[str, list[FieldChange]]:
    found: dict[str, list[FieldChange]] = {}
    for change in changes:
        found.setdefault(change.field, []).append(change)
    return found


def _is_of_its_own(changes: Iterable[FieldChange]) -> bool:
    return any(c.field == "firmware_image" and c.action is Action.UPGRADE for c in changes)


def _value_before(first: FieldChange, record: Mapping[str, object]) -> object:
    """Give the value before the run; UNKNOWN where neither the journal nor a snapshot tells it."""
    return record.get(first.field, UNKNOWN) if first.before is None else first.before
