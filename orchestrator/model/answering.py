"""How answers and failures become events and observations: the same for every driver of a run."""

from orchestrator.model import answers, events
from orchestrator.model.commands import SendChange, SendOperation
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import ControllerError, UnauthorisedError, UnreachableError
from orchestrator.model.events import Event
from orchestrator.model.readings import ReadingFailed


def event_of(
    command: SendOperation | SendChange, answer: answers.OperationAnswer, at: float
) -> Event:
    """Give the event that an answer to an operation request is."""
    at = round(at, 6)
    where = (command.device, command.step, command.attempt)
    match answer:
        case answers.Accepted(status, server_at, record):
            return events.OperationAccepted(at, *where, status, server_at, record)
        case answers.Refused(refusal, status, reason, retry_after):
            return events.OperationRefused(at, *where, status, refusal.value, reason, retry_after)
        case answers.Unsent(reason, stale):
            return events.OperationUnsent(at, *where, reason, stale)
        case answers.Lost(reason, status):
            return events.OperationLost(at, *where, reason, status)


def failure_of(devices: tuple[DeviceId, ...], error: ControllerError) -> ReadingFailed:
    """Give the observation that a failed read is."""
    return ReadingFailed(
        devices,
        str(error),
        unreachable=isinstance(error, UnreachableError),
        unauthorised=isinstance(error, UnauthorisedError),
    )
