"""What happens to one device as sentences: its requests, its proofs, its steps."""

from typing import assert_never

from orchestrator.model import durations, moments
from orchestrator.model.events import (
    ContactSeen,
    DeliverySeen,
    DeviceFinished,
    DeviceFound,
    DeviceRelapsed,
    DeviceReturned,
    DoubtResolved,
    LastLookTaken,
    OperationAccepted,
    OperationIntended,
    OperationLost,
    OperationRefused,
    OperationUnsent,
    OutageSeen,
    RescueStarted,
    RetryScheduled,
    StepFailed,
    StepForgiven,
    StepHeld,
    StepStarted,
    StepSucceeded,
)
from orchestrator.report.telling_changes import intention
from orchestrator.report.wording import in_words

RequestEvent = (
    OperationIntended
    | OperationAccepted
    | OperationRefused
    | OperationUnsent
    | OperationLost
    | DoubtResolved
    | RetryScheduled
)
ProofEvent = (
    ContactSeen
    | DeliverySeen
    | OutageSeen
    | DeviceReturned
    | DeviceRelapsed
    | DeviceFound
    | LastLookTaken
)
StepEvent = (
    StepStarted
    | StepHeld
    | StepSucceeded
    | StepFailed
    | StepForgiven
    | RescueStarted
    | DeviceFinished
)


def of_request(event: RequestEvent) -> str:
    """Tell what becomes of an operation request."""
    match event:
        case OperationIntended():
            return intention(event)
        case OperationAccepted():
            created = "" if event.record is None else f", created as device {event.record}"
            return (
                f"the controller accepted the request ({event.status}){created}; proof is awaited"
            )
        case OperationRefused():
            return f"the controller refused the request ({event.status}): {event.reason}"
        case OperationUnsent():
            return f"the request was not sent: {event.reason}"
        case OperationLost():
            return f"in doubt, no answer to the request came: {event.reason}"
        case DoubtResolved():
            applied = "was applied" if event.applied else "was not applied"
            return f"the request in doubt {applied}: {event.sign}"
        case RetryScheduled():
            moment = moments.as_short_text(event.retry_at)
            return f"will be tried again, not before {moment}: {event.reason}"
        case _:
            assert_never(event)


def of_proof(event: ProofEvent) -> str:
    """Tell what was read back about a device."""
    match event:
        case ContactSeen():
            moment = moments.as_short_text(event.contact_at)
            return f"first contact since the request in doubt at {moment}"
        case DeliverySeen():
            moment = moments.as_short_text(event.contact_at)
            return f"the command was delivered at {moment}; the return is still to come"
        case OutageSeen():
            return f"out of service since {moments.as_short_text(event.since_at)}"
        case DeviceReturned():
            return f"the evidence is there: {event.evidence}"
        case DeviceRelapsed():
            return f"went out of service again: {event.reason}"
        case DeviceFound():
            return f"found again as device {event.record} by its serial number: {event.reason}"
        case LastLookTaken():
            return "the time for the proof is over; one last look is taken"
        case _:
            assert_never(event)


def of_step(event: StepEvent) -> str:
    """Tell how a step begins and ends."""
    match event:
        case StepStarted():
            wait = event.until_at - event.at
            return f"begins; may take {durations.as_text(wait)}" if wait > 0 else "begins"
        case StepHeld():
            moment = moments.as_short_text(event.until_at)
            return f"waits until {moment} at the latest: {event.reason}"
        case StepSucceeded():
            return f"succeeded: {event.evidence}"
        case StepFailed():
            return f"over without success ({in_words(event.verdict)}): {event.reason}"
        case StepForgiven():
            verdict = in_words(event.verdict)
            return f"the playbook lets the device go on, and its verdict stays {verdict}"
        case RescueStarted():
            verdict = in_words(event.verdict)
            return f"the playbook's rescue begins; the device's verdict stays {verdict}"
        case DeviceFinished():
            because = f": {event.reason}" if event.reason else ""
            return f"verdict {in_words(event.verdict)}{because}"
        case _:
            assert_never(event)
