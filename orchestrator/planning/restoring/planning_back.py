"""The plan that puts back what a run changed: a playbook of its own, frozen over the devices as they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from orchestrator.engine.choosing.matching import is_missing
from orchestrator.engine.walking.guarding import NOTHING
from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.devices import Device
from orchestrator.model.plans import LeftOut, Plan, PlannedDevice
from orchestrator.planning.drafting.following import Now
from orchestrator.planning.drafting.freezing import DAY, freeze
from orchestrator.planning.restoring.settling import Settled, settle
from orchestrator.planning.restoring.undoing import Undoing
from orchestrator.planning.restoring.writing import rollback_source
from orchestrator.playbook.reading import read_playbook


@dataclass(frozen=True, slots=True)
class Rollback:
    """What a rollback comes to."""

    plan: Plan | None
    """None when there is nothing that could be put back."""
    left_out: tuple[LeftOut, ...]
    """Devices that the run changed, and that are left alone."""
    beyond: tuple[str, ...]
    """What cannot be put back, a sentence for each kind."""


def plan_back(
    before: Plan,
    run_id: str,
    found: Undoing,
    now: Now,
    *,
    force: bool = False,
    lifetime: float = DAY,
) -> Rollback:
    """Make the plan that puts back what a run changed, the device that was changed last first.

    Unless forced, it holds on to what the fields that it writes say now: a device of which one says
    something else when its turn comes has changed since the plan, and is left alone.
    Raises SelectionError when the plan's own limits cannot serve the set.
    """
    settled = settle(found, before, now.records, force=force)
    rows = settled.rows
    if not rows:
        return Rollback(None, settled.left_out, found.beyond)
    limits = before.playbook.requests
    source = rollback_source(run_id, before.playbook.name, rows, limits)
    made = freeze(
        read_playbook(source),
        source,
        [now.records[device] for device in rows],
        controller=before.controller,
        now=now.server_at,
        our_now=now.asked_at,
        listed=len(found.devices),
        lifetime=lifetime,
    )
    place = {device: index for index, device in enumerate(rows)}
    devices = tuple(sorted(made.devices, key=lambda device: place[device.id]))
    attributes: tuple[str, ...] = ()
    if not force:
        attributes = tuple(sorted({field for fields in rows.values() for field in fields}))
        devices = tuple(_held(each, attributes, settled, now) for each in devices)
    left_out = (*settled.left_out, *made.left_out)
    plan = replace(
        made,
        devices=DeviceSet(devices),
        attributes=attributes,
        left_out=tuple(sorted(left_out, key=lambda out: (-out.count, out.reason))),
        warnings=(*(f"not put back: {each}" for each in found.beyond), *made.warnings),
        read_at=now.asked_at,
    )
    return Rollback(plan, left_out, found.beyond)


def _held(
    planned: PlannedDevice, attributes: Sequence[str], settled: Settled, now: Now
) -> PlannedDevice:
    """Freeze what the fields that are written on this device say; of the others nothing is held."""
    written, record = settled.rows[planned.id], now.records[planned.id]
    return msgspec.structs.replace(
        planned,
        chosen_by=tuple(
            _value(record, field) if field in written else None for field in attributes
        ),
    )


def _value(record: Device, field: str) -> object:
    value = record.fields.get(field)
    return NOTHING if is_missing(value) else value
