"""Events and snapshots of runs that change records."""

from orchestrator.model.devices import DeviceId
from orchestrator.model.events import (
    DoubtResolved,
    OperationAccepted,
    OperationIntended,
    OperationLost,
    OperationRefused,
    OperationUnsent,
)
from orchestrator.model.snapshots import Snapshot
from tests.support.histories import T0, baseline, succeeded

__all__ = [
    "accepted",
    "done",
    "lost",
    "refused",
    "resolved",
    "snapshot",
    "succeeded",
    "unsent",
    "wrote",
]


def wrote(device=1001, *, at=T0, step=0, attempt=1, action="update", operation=None, **fields):
    """Intend to write fields, each given as (before, after)."""
    return OperationIntended(
        at=at,
        device=device,
        step=step,
        attempt=attempt,
        operation=operation or action,
        server_at=at,
        baseline=baseline(),
        action=action,
        before={name: before for name, (before, _) in fields.items()},
        after={name: after for name, (_, after) in fields.items()},
    )


def accepted(device=1001, *, at=T0 + 1, step=0, attempt=1, record=None):
    return OperationAccepted(at, device, step, attempt, 200, at, record)


def refused(device=1001, *, step=0, attempt=1):
    return OperationRefused(T0 + 1, device, step, attempt, 409, "state", "not now")


def unsent(device=1001, *, step=0, attempt=1):
    return OperationUnsent(T0 + 1, device, step, attempt, "no connection")


def lost(device=1001, *, step=0, attempt=1):
    return OperationLost(T0 + 1, device, step, attempt, "no answer")


def resolved(device=1001, *, step=0, attempt=1, applied=True):
    return DoubtResolved(T0 + 2, device, step, attempt, applied, "the record shows it")


def done(device=1001, *, at=T0, step=0, record=None, **given):
    """Write, have it accepted and proven."""
    return [
        wrote(device, at=at, step=step, **given),
        accepted(device, at=at + 1, step=step, record=record),
        succeeded(device, at=at + 2, step=step),
    ]


def snapshot(device=1001, *, step=0, extras=None, **record):
    return Snapshot(DeviceId(device), step, T0, {"id": device, **record}, extras)
