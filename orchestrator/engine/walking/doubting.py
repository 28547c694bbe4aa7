"""Was a request that got no answer applied or not?

A device acts on a command only in a session, and every session advances `last_connection`. So
without a contact nothing can have happened yet, and what may still happen stands in
`pending_settings`, if the controller shows it there. Beyond that the rhythm of the contacts tells:
a delivery by connection request and a boot fall between the periodic contacts (api.md 2.1). Every
session delivers all that waits; so a first contact that is followed by the next one a period later
was no delivery. What lies between a sign and its opposite cannot be told. Where the controller
hides requests, one thing deceives all the same: a boot that takes just as long as a period.
"""

from dataclasses import dataclass

from orchestrator.engine.choosing.selecting import NEVER_CONNECTED
from orchestrator.engine.walking.proving import is_after, is_requested, names_request
from orchestrator.model.devices import Device, Status
from orchestrator.model.events import Baseline
from orchestrator.model.operations import Action, Operation, Request
from orchestrator.model.readings import Testimony
from orchestrator.model.steps import UPDATE_FREQUENCY_SECONDS

SHORTEST_BOOT = 20.0
"""Seconds within which no device takes delivery, boots and makes contact again."""

_BOOT_SECONDS: dict[Request, float] = {
    Operation.REBOOT: 300.0,
    Operation.FACTORY: 600.0,
    Operation.DEVICE_FACTORY: 600.0,
}
_PERIODS = 2.2
"""Two periodic contacts must be seen to know the rhythm; each may be a little late."""

_KEPT_SHARE, _KEPT_SECONDS = 0.065, 1.5
"""A contact this near to a whole number of periods keeps the rhythm."""
_BROKEN_SHARE, _BROKEN_SECONDS = 0.1, 2.0
"""A contact farther off than this breaks the rhythm; what is between the two tells nothing."""
_DRIFT_SECONDS = 1.0
"""More tolerance for each further period: sessions take their time."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One request in doubt."""

    operation: Request
    baseline: Baseline
    sent_at: float
    """The controller's clock when the request left, as far as known."""
    is_rhythmic: bool = True
    """The baseline's contact was a periodic one or a boot; False after our own gentle operation."""
    first_contact_at: float | None = None
    """The first contact after the request; None while it is not known which one that was."""


RECORD_DOUBT = 90.0
"""Seconds for which a record is looked at that may or may not have been changed or created."""


def doubt_seconds(operation: Request, update_frequency: float | None) -> float:
    """Give how long to look for signs: two periodic contacts, and a boot."""
    if isinstance(operation, Action):
        return RECORD_DOUBT
    frequency = update_frequency or UPDATE_FREQUENCY_SECONDS
    return _PERIODS * frequency + _BOOT_SECONDS.get(operation, 300.0)


def has_no_contact_since(doubt: Doubt, device: Device) -> bool:
    """Say whether the last contact is still the one before the request."""
    return device.last_connection == doubt.baseline.last_connection_at


def sign_of_application(doubt: Doubt, device: Device) -> str | None:
    """Say what shows that the request was applied; None while nothing does."""
    if doubt.operation.may_be_repeated:
        return _sign_of_configuration(doubt, device)
    if is_requested(device, doubt.operation) and not names_request(
        doubt.baseline.pending, doubt.operation
    ):
        return f"pending_settings shows {', '.join(device.pending or ())}"
    if has_no_contact_since(doubt, device):
        return None
    if doubt.operation.is_destructive and NEVER_CONNECTED in _new_names(doubt, device):
        return f"pending_settings shows {NEVER_CONNECTED}, as after a factory reset"
    if not is_after(device.last_connection, doubt.sent_at):
        return None
    if any(_is_off(doubt, device, before, breaks=True) for before in _known_contacts(doubt)):
        return "made contact between its periodic ones"
    return _sign_of_outage(doubt, device)


def sign_in_log(doubt: Doubt, testimony: Testimony | None) -> str | None:
    """Say what the device log shows of the request; None where it is not offered or shows nothing.

    That it shows nothing proves nothing: nobody documents that it is complete (api.md 2.5, level 6).
    A boot may have other reasons than a reset, so for that the command has to stand there too.
    """
    if testimony is None:
        return None
    if doubt.operation.may_be_repeated or doubt.operation.is_destructive:
        shows = testimony.applied is True and (testimony.booted or doubt.operation.may_be_repeated)
        return "the device log shows the command applied" if shows else None
    return "the device log shows a boot since the request" if testimony.booted else None


def _sign_of_outage(doubt: Doubt, device: Device) -> str | None:
    if doubt.baseline.status != Status.UP:
        return None
    if device.status is Status.DOWN:
        return "went Down after a contact"
    if device.status is Status.UP and is_after(device.status_change, doubt.sent_at):
        return "its status changed after the request"
    return None


def _sign_of_configuration(doubt: Doubt, device: Device) -> str | None:
    """For `sync` and `reconf` after their last attempt; whichever attempt it was that arrived."""
    if is_requested(device, doubt.operation):
        return f"pending_settings shows {', '.join(device.pending or ())}"
    if is_after(device.last_configuration, doubt.sent_at):
        return "it was configured after the request"
    if doubt.baseline.pending and device.pending == ():
        return "nothing is pending any more"
    return None


def sign_of_refusal(doubt: Doubt, device: Device, *, is_over: bool) -> str | None:
    """Without a sign of application: say what shows that the request was not applied.

    `is_over`: the wait has come to its end. None means that it cannot be told, or not yet.
    """
    if device.pending is None or _new_names(doubt, device) or is_requested(device, doubt.operation):
        return None
    if doubt.baseline.status == Status.UP and device.status is not Status.UP:
        return None
    if has_no_contact_since(doubt, device):
        return "no contact since the request, and nothing pending" if is_over else None
    before = _known_contacts(doubt)
    keeps = before and not any(_is_off(doubt, device, each, breaks=False) for each in before)
    if not keeps:
        return None
    first = doubt.first_contact_at
    if first is not None and _periods(doubt, device, first) == 1:
        return "only periodic contacts since the request, and nothing pending"
    # Nobody watched when the first contact came; a reset would at least show in pending_settings.
    if is_over and first is None and doubt.operation.is_destructive:
        return "the contacts kept their rhythm, and nothing is pending"
    return None


def _new_names(doubt: Doubt, device: Device) -> frozenset[str]:
    return frozenset(device.pending or ()) - frozenset(doubt.baseline.pending or ())


def _known_contacts(doubt: Doubt) -> list[float]:
    """Give the contacts that a later periodic one must be whole periods away from."""
    contacts = [doubt.baseline.last_connection_at] if doubt.is_rhythmic else []
    return [each for each in (*contacts, doubt.first_contact_at) if each is not None]


def _periods(doubt: Doubt, device: Device, before: float) -> int:
    """Give how many periods after an earlier contact the last one came; 0 when it is the same."""
    frequency = device.update_frequency or doubt.baseline.update_frequency
    contact = device.last_connection
    if frequency is None or contact is None or contact <= before:
        return 0
    return max(1, round((contact - before) / frequency))


def _is_off(doubt: Doubt, device: Device, before: float, *, breaks: bool) -> bool:
    """Say whether the last contact surely breaks the rhythm, or with `breaks` False, may break it."""
    frequency = device.update_frequency or doubt.baseline.update_frequency
    contact = device.last_connection
    if frequency is None or contact is None:
        return not breaks
    if contact <= before:
        return False
    periods = _periods(doubt, device, before)
    off = abs(contact - before - periods * frequency)
    share, seconds = (_BROKEN_SHARE, _BROKEN_SECONDS) if breaks else (_KEPT_SHARE, _KEPT_SECONDS)
    return off > share * frequency + seconds + _DRIFT_SECONDS * (periods - 1)
