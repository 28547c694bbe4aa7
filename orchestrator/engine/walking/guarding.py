"""May this device be touched right now?"""

from orchestrator.engine.choosing.selecting import why_not
from orchestrator.engine.walking.proving import is_requested
from orchestrator.model.operations import Operation
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.policies import Guard
from orchestrator.model.readings import Reading


def refusal(
    planned: PlannedDevice,
    reading: Reading,
    operation: Operation,
    guard: Guard,
    *,
    touched: bool,
    unproven: Operation | None = None,
) -> str | None:
    """Say in one sentence why the device must not get this operation now; None when it may.

    `touched`: this run has already changed the device; then pending settings are what our own
    earlier step left behind and do not count (after a factory reset they read `initial`).
    `unproven`: an accepted operation that never was proven; a disruptive one that is pending may be
    to come, and two at once on a device are undefined (api.md 2.6-16).
    """
    device = reading.device
    if device is None:
        return "the controller no longer has this device"
    if planned.serial_number is not None and device.serial_number != planned.serial_number:
        return (
            f"its serial number is {device.serial_number or 'not known'},"
            f" the plan says {planned.serial_number}"
        )
    if unproven is not None and unproven.is_disruptive and is_requested(device, unproven):
        return f"the {unproven} that was never proven is pending still"
    conditions = guard.disruptive if operation.is_disruptive else guard.gentle
    if touched:
        conditions = tuple(c for c in conditions if c.field != "pending_settings")
    return why_not(conditions, device, reading.server_at)
