"""Was a request that got no answer applied or not?

A device acts on a command only in a session, and every session advances `last_connection`. So
without a contact nothing can have happened yet, and what may still happen stands in
`pending_settings`; with one, it matters whether the contact was the periodic one that was due
anyway (api.md 2.1: command delivery makes contacts between the periodic ones, booting does too).
"""

from dataclasses import dataclass

from orchestrator.engine.proving import is_after, is_requested
from orchestrator.model.devices import Device, Status
from orchestrator.model.events import Baseline
from orchestrator.model.operations import Operation
from orchestrator.model.steps import UPDATE_FREQUENCY_SECONDS

_BOOT_SECONDS = {Operation.REBOOT: 300.0, Operation.FACTORY: 600.0, Operation.DEVICE_FACTORY: 600.0}
_TOLERANCE_SECONDS = 5.0
_TOLERANCE_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Doubt:
    """One request in doubt."""

    operation: Operation
    baseline: Baseline
    sent_at: float
    """The controller's clock when the request left, as far as known."""


def doubt_seconds(operation: Operation, update_frequency: float | None) -> float:
    """Give how long to look for signs: the next periodic contact, and a boot after it."""
    return (update_frequency or UPDATE_FREQUENCY_SECONDS) + _BOOT_SECONDS.get(operation, 300.0)


def sign_of_application(doubt: Doubt, device: Device) -> str | None:
    """Say what shows that the request was applied; None while nothing does."""
    if is_requested(device, doubt.operation) and not _was_requested(doubt):
        return f"pending_settings shows {', '.join(device.pending or ())}"
    contact = device.last_connection
    if contact is None or not is_after(contact, doubt.sent_at):
        return None
    if doubt.baseline.status == Status.UP:
        if device.status is Status.DOWN:
            return "went Down after a contact"
        if device.status is Status.UP and is_after(device.status_change, doubt.sent_at):
            return "its status changed after the request"
    if _is_periodic(doubt, device) is False:
        return "made contact between its periodic ones"
    return None


def sign_of_refusal(doubt: Doubt, device: Device) -> str | None:
    """At the end of the wait and without a sign of application: say what shows that it was not applied.

    None means that it cannot be told.
    """
    if device.pending is None or is_requested(device, doubt.operation):
        return None
    if not is_after(device.last_connection, doubt.sent_at):
        return "no contact since the request, and nothing pending"
    if _is_periodic(doubt, device):
        return "only periodic contacts since the request, and nothing pending"
    return None


def _was_requested(doubt: Doubt) -> bool:
    word = "factory" if doubt.operation.is_destructive else doubt.operation.value
    return any(word in name.lower() for name in doubt.baseline.pending or ())


def _is_periodic(doubt: Doubt, device: Device) -> bool | None:
    """Say whether the last contact fits the device's rhythm; None when the rhythm is not known."""
    frequency = device.update_frequency or doubt.baseline.update_frequency
    before = doubt.baseline.last_connection_at
    if frequency is None or before is None or device.last_connection is None:
        return None
    periods = max(1, round((device.last_connection - before) / frequency))
    off = abs(device.last_connection - before - periods * frequency)
    return off <= periods * max(_TOLERANCE_SECONDS, frequency * _TOLERANCE_SHARE)
