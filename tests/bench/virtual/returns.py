"""When a device could first be known to be back, by what it did and not by what anybody read."""

from collections.abc import Callable

from orchestrator.engine.walking.proving import DATE_RESOLUTION
from orchestrator.simulator.ledger import AppliedOperation


def provable_at(
    applied: AppliedOperation,
    *,
    accepted_at: float,
    settle: float,
    overdue: float,
    next_contact: Callable[[float], float],
) -> float:
    """Give the moment of the first contact, or configuration, that proves this operation.

    A device that was silent for so long that the controller took it for Down (`overdue` seconds) is
    back with its first contact; any other with the first one that comes `settle` seconds after the
    delivery, in whole seconds as records show them. A delivery within the second of the acceptance
    cannot be told from a contact before it: then the return is the first contact that counts.
    """
    assert applied.done_at is not None
    if not applied.operation.is_disruptive:
        return applied.done_at
    assert applied.delivered_at is not None
    assert applied.returned_at is not None
    if applied.delivered_at < int(accepted_at) + DATE_RESOLUTION:
        return next_contact(int(applied.returned_at) + settle)
    settled_at = int(applied.delivered_at) + settle
    if applied.returned_at - applied.delivered_at >= overdue or applied.returned_at >= settled_at:
        return applied.returned_at
    return next_contact(settled_at)
