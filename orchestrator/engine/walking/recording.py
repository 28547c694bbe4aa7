"""What proves that a change of a record was made: the record itself, read back.

Where a secret was written the record cannot show it; then the device has to be seen with it: a contact
in which it takes the change, and another one after that (api.md 2.3: the first is the delivery).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.engine.choosing.selecting import why_not
from orchestrator.engine.walking.proving import (
    Acceptance,
    Delivered,
    Relapsed,
    Returned,
    Sign,
    WentDown,
    is_after,
    read_signs,
)
from orchestrator.engine.walking.rendering import is_as_wanted
from orchestrator.model import moments
from orchestrator.model.devices import Device, Status
from orchestrator.model.operations import Action, Operation
from orchestrator.model.secrecy import is_secret

SESSION = 5.0
"""Seconds within which several contacts belong to one session (api.md 2.1)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a record as it was intended."""

    action: Action
    before: Mapping[str, object]
    after: Mapping[str, object]
    """What was written; of secret values the fingerprints."""

    @property
    def has_secrets(self) -> bool:
        """True when something was written that no record shows."""
        return any(is_secret(field) for field in self.after)

    def not_shown(self, device: Device) -> str | None:
        """Name the first field that the record does not show as written; None when it shows all."""
        for field, wanted in self.after.items():
            shown = device.fields.get(field)
            if not is_secret(field) and not is_as_wanted(field, wanted, shown):
                return f"{field} is {_quoted(shown)}, written was {_quoted(wanted)}"
        return None


def _quoted(value: object) -> str:
    return "empty" if value in (None, "") else repr(value)[:80]


def record_signs(
    change: Change, acceptance: Acceptance, device: Device, server_at: float
) -> list[Sign]:
    """Give what this record adds to the proof of a change, in order; it was asked for after the answer."""
    if change.action is Action.DELETE:
        return []
    lacks = what_lacks(change, acceptance, device, server_at)
    if isinstance(acceptance.operation, Operation):
        signs = read_signs(acceptance, device, server_at)
        return signs if lacks is None else [s for s in signs if not isinstance(s, Returned)]
    if acceptance.operation.is_disruptive:
        return _upgraded(acceptance, device, server_at, lacks)
    if acceptance.is_back:
        return [] if lacks is None else [Relapsed(lacks)]
    if not acceptance.proof.contact:
        return [] if lacks else [Returned("the record shows what was written", None)]
    return _seen(change, acceptance, device, lacks)


def sign_of_writing(change: Change, device: Device | None) -> str | None:
    """Say what shows that a request without an answer was applied; None while nothing does.

    A change is applied as a whole, so what the record did not show before and shows now tells of the
    secrets and the flag in it too.
    """
    if change.action is Action.DELETE:
        return "the controller no longer has its record" if device is None else None
    if device is None:
        return None
    if change.action is Action.UPGRADE and device.firmware_is_pending is True:
        return "firmware_image_is_pending is true"
    written = [field for field in change.after if not is_secret(field)]
    if written and change.not_shown(device) is None:
        return f"the record shows {', '.join(written)} as written"
    return None


def what_lacks(
    change: Change, acceptance: Acceptance, device: Device, server_at: float
) -> str | None:
    """Say what the record does not show although it should; None when it shows everything."""
    lacks = change.not_shown(device)
    if lacks is None and acceptance.proof.nothing_pending and device.pending != ():
        pending = "not known" if device.pending is None else ", ".join(device.pending)
        lacks = f"pending settings are {pending}"
    return lacks or why_not(acceptance.proof.conditions, device, server_at)


def _seen(change: Change, acceptance: Acceptance, device: Device, lacks: str | None) -> list[Sign]:
    contact = device.last_connection
    if contact is None or not is_after(contact, acceptance.accepted_at):
        return []
    delivered = acceptance.delivered_at
    if delivered is None:
        if change.has_secrets and device.pending:
            return []  # what waits for the device may be just this
        signs: list[Sign] = [Delivered(contact)]
        if change.has_secrets or lacks:
            return signs
        return [*signs, _returned(contact)]
    if lacks or (change.has_secrets and contact < delivered + SESSION):
        return []
    return [_returned(contact)]


def _returned(contact: float) -> Returned:
    when = moments.as_short_text(contact)
    return Returned(f"the record shows what was written, contact at {when}", contact)


def _upgraded(
    acceptance: Acceptance, device: Device, server_at: float, lacks: str | None
) -> list[Sign]:
    """Up again after the device took the image, with nothing of it pending and the version asked for."""
    contact, signs = device.last_connection, list[Sign]()
    is_up = device.status is Status.UP and device.firmware_is_pending is False
    if acceptance.is_back:
        why = lacks or (None if is_up else "is not Up, or its firmware is pending")
        return [] if why is None else [Relapsed(why, contact)]
    if contact is None or not is_after(contact, acceptance.accepted_at):
        return []
    delivered = acceptance.delivered_at
    if delivered is None:
        delivered = contact
        signs.append(Delivered(contact))
    if device.status is Status.DOWN and acceptance.outage_at is None:
        signs.append(WentDown(max(device.status_change or server_at, delivered)))
    if is_up and lacks is None:
        version = device.fields.get("software_version")
        when = moments.as_short_text(contact)
        signs.append(Returned(f"runs {version}, nothing pending, contact at {when}", contact))
    return signs
