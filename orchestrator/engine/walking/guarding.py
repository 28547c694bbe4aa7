"""May this device be touched right now?"""

from collections.abc import Sequence

from orchestrator.engine.choosing.matching import is_same, printable
from orchestrator.engine.choosing.selecting import why_not
from orchestrator.engine.walking.proving import is_requested
from orchestrator.engine.walking.rendering import is_as_wanted
from orchestrator.model.devices import Device
from orchestrator.model.operations import Action, Operation, Request
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.policies import Guard
from orchestrator.model.readings import Reading
from orchestrator.model.selections import Condition
from orchestrator.model.steps import RequestStep


def refusal(
    planned: PlannedDevice,
    reading: Reading,
    step: RequestStep,
    guard: Guard,
    *,
    touched: bool,
    unproven: Request | None = None,
    serial_number: str | None = None,
) -> str | None:
    """Say in one sentence why the device must not get this operation now; None when it may.

    `touched`: this run has already changed the device; then pending settings are what our own
    earlier step left behind and do not count (after a factory reset they read `initial`).
    `unproven`: an accepted operation that never was proven; a disruptive one that is pending may be
    to come, and two at once on a device are undefined (api.md 2.6-16).
    `serial_number`: the one that this run itself gave the record; else the plan's is expected.
    """
    device = reading.device
    if device is None:
        return "the controller no longer has this device"
    expected = planned.serial_number if serial_number is None else serial_number
    if expected is not None and device.serial_number != expected:
        return (
            f"its serial number is {device.serial_number or 'not known'}, the plan says {expected}"
        )
    if unproven is not None and unproven.is_disruptive and is_requested(device, unproven):
        return f"the {unproven} that was never proven is pending still"
    if step.operation.is_disruptive and device.firmware_is_pending is True:
        return "a firmware upgrade is pending"
    conditions = demands(guard, step)
    if touched:
        conditions = tuple(c for c in conditions if c.field != "pending_settings")
    return why_not(conditions, device, reading.server_at)


def demands(guard: Guard, step: RequestStep) -> tuple[Condition, ...]:
    """Give what has to be true of a device right before this step touches it or its record."""
    operation = step.operation
    if operation.is_disruptive:
        return guard.disruptive
    if operation is Action.DELETE:
        return guard.delete
    is_for_device = isinstance(operation, Operation) or step.proof.contact
    if is_for_device and operation is not Action.CREATE:
        return guard.gentle
    return guard.record


CHANGED = "changed since the plan"
"""How every reason begins for which a device is no longer the one that was chosen."""


NOTHING = "(empty)"
"""Stands in a plan for a value that was known to be empty; what stands for unknown is None."""


def change(
    attributes: Sequence[str], planned: PlannedDevice, device: Device, *, exactly: bool = False
) -> str | None:
    """Say in one sentence what of the fields it was chosen by is not what the plan says.

    What is missing is not known to differ; with `exactly`, for fields that are to be written, it does.
    """
    for field, was in zip(attributes, planned.chosen_by, strict=False):
        now = device.fields.get(field) if exactly else device.value(field)
        same = was is None or is_as_wanted(field, None if was == NOTHING else was, now)
        if not (same if exactly else is_same(was, now)):
            return f"{CHANGED}: {field} was {printable(was)}, is {printable(now)}"
    return None
