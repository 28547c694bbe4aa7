"""What proves that a device came back from an operation, and that a configuration was applied.

All comparisons are between moments stamped by the controller. The session that delivers a command
advances `last_connection` too and is not a return, so every proof is counted from the delivery:
the first contact after acceptance at which the request is no longer pending (api.md 2.3 to 2.6).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.model import durations, moments
from orchestrator.model.devices import Device, Status
from orchestrator.model.events import Baseline
from orchestrator.model.operations import Operation, Request
from orchestrator.model.readings import Testimony
from orchestrator.model.steps import Proof

DATE_RESOLUTION = 1.0
"""The controller's Date header and timestamps are cut to whole seconds."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One accepted operation and what has been proven of it so far."""

    operation: Request
    proof: Proof
    baseline: Baseline
    accepted_at: float
    """The controller's clock when it took the request."""
    delivered_at: float | None = None
    """The contact from which proofs are counted: the delivery, later the return itself."""
    outage_at: float | None = None
    is_back: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """The command reached the device."""

    contact_at: float


@dataclass(frozen=True, slots=True)
class WentDown:
    """The device is out of service after the delivery."""

    since_at: float


@dataclass(frozen=True, slots=True)
class Returned:
    """The evidence is complete but for the time it must hold."""

    evidence: str
    contact_at: float | None


@dataclass(frozen=True, slots=True)
class Relapsed:
    """What was proven no longer holds; only what comes later can prove it again."""

    reason: str
    contact_at: float | None = None
    since_at: float | None = None


Sign = Delivered | WentDown | Returned | Relapsed


def is_requested(device: Device, operation: Request) -> bool:
    """Say whether the record still lists the operation among its pending settings (api.md 2.3)."""
    return names_request(device.pending, operation)


def names_request(pending: Iterable[str] | None, operation: Request) -> bool:
    """Say whether one of these pending settings is a request for the operation."""
    if not isinstance(operation, Operation):
        return False  # nobody documents what a change of a record is called there
    word = "factory" if operation.is_destructive else operation.value
    return any(word in name.lower() for name in pending or ())


def is_after(moment: float | None, accepted_at: float) -> bool:
    """Say whether a controller's moment surely lies after an acceptance stamped in whole seconds."""
    return moment is not None and moment >= accepted_at + DATE_RESOLUTION


def read_signs(acceptance: Acceptance, device: Device, server_at: float) -> list[Sign]:
    """Give what this record adds to what is known, in order; the record was asked for after the answer."""
    if not acceptance.operation.is_disruptive:
        return _applied(acceptance, device)
    if acceptance.is_back:
        relapse = _relapse(acceptance, device, server_at)
        return [relapse] if relapse else []
    signs: list[Sign] = []
    delivered = acceptance.delivered_at
    contact = device.last_connection
    if delivered is None:
        if not is_after(contact, acceptance.accepted_at) or is_requested(
            device, acceptance.operation
        ):
            return []
        delivered = contact
        signs.append(Delivered(contact_at=delivered or 0.0))
    outage = acceptance.outage_at
    if device.status is Status.DOWN and outage is None:
        outage = max(device.status_change or server_at, delivered or 0.0)
        signs.append(WentDown(since_at=outage))
    returned = _return(acceptance.proof, device, delivered or 0.0, outage)
    if returned is not None and device.firmware_is_pending is not True:
        signs.append(returned)
    return signs


UP_TIME_SLACK = 5.0
"""Seconds by which a device's own count and the controller's clock may disagree."""


def contradiction(acceptance: Acceptance, testimony: Testimony, server_at: float) -> str | None:
    """Say which witness speaks against a reboot since acceptance; None when none does (api.md 2.5)."""
    up_time, counted_at = testimony.up_time, testimony.up_time_at
    is_old = counted_at is not None and counted_at < (acceptance.delivered_at or 0.0)
    if up_time is not None and not is_old:
        booted_at = (server_at if counted_at is None else counted_at) - up_time
        if booted_at < acceptance.accepted_at - UP_TIME_SLACK:
            return f"its up-time of {durations.as_text(up_time)} says that it has not rebooted"
    if testimony.applied is False:
        return "the device log says that the command failed"
    return None


def confirmation(testimony: Testimony | None) -> str:
    """Say what the witnesses add to the evidence; nothing where none was asked or offered."""
    if testimony is None:
        return ""
    said = ""
    if testimony.up_time is not None:
        said += f"; up-time {durations.as_text(testimony.up_time)}"
    if testimony.booted or testimony.applied:
        said += "; the device log shows " + (
            "its boot" if testimony.booted else "the command applied"
        )
    return said


def _return(
    proof: Proof, device: Device, delivered: float, outage: float | None
) -> Returned | None:
    """Design 6.5: outage and then a contact, or a contact well after the delivery session."""
    contact = device.last_connection
    if device.status is not Status.UP or contact is None:
        return None
    if proof.nothing_pending and device.pending != ():
        return None
    when = moments.as_short_text(contact)
    if outage is not None and contact > outage:
        return Returned(f"was Down and made contact again at {when}", contact)
    changed = device.status_change
    if changed is not None and delivered < changed <= contact:
        return Returned(f"its status changed after the delivery; last contact {when}", contact)
    if contact >= delivered + proof.settle:
        later = durations.as_text(contact - delivered)
        return Returned(f"made contact at {when}, {later} after the delivery", contact)
    return None


def _relapse(acceptance: Acceptance, device: Device, server_at: float) -> Relapsed | None:
    contact = device.last_connection
    if device.status is Status.DOWN:
        since = device.status_change or server_at
        return Relapsed("is Down again", contact_at=contact, since_at=since)
    if device.status is not Status.UP:
        return Relapsed("its status is no longer known", contact_at=contact)
    if device.firmware_is_pending is True:
        return Relapsed("a firmware upgrade is pending", contact_at=contact)
    changed = device.status_change
    seen = acceptance.delivered_at
    if changed is not None and seen is not None and changed > seen and contact is not None:
        return Relapsed("went Down and came back again", contact_at=seen)
    return None


def _applied(acceptance: Acceptance, device: Device) -> list[Sign]:
    """For sync and reconf: nothing pending, and a later configuration or contact."""
    still_requested = is_requested(device, acceptance.operation)
    clear = device.pending == () if acceptance.proof.nothing_pending else not still_requested
    must_be_up = acceptance.proof.stable_for > 0
    is_down = device.status is not Status.UP if must_be_up else device.status is Status.DOWN
    if is_down or not clear:
        return [Relapsed("is no longer clear")] if acceptance.is_back else []
    if acceptance.is_back:
        return []
    if is_after(device.last_configuration, acceptance.accepted_at):
        when = moments.as_short_text(device.last_configuration or 0.0)
        return [Returned(f"nothing pending, configured at {when}", device.last_connection)]
    if is_after(device.last_connection, acceptance.accepted_at):
        when = moments.as_short_text(device.last_connection or 0.0)
        return [Returned(f"nothing pending, last contact {when}", device.last_connection)]
    return []
