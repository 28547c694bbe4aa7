"""Each event as one sentence for people: the audit log read aloud."""

from collections.abc import Callable
from typing import assert_never

from orchestrator.model import durations, moments
from orchestrator.model.events import (
    ContactSeen,
    DeliverySeen,
    DeviceFinished,
    DeviceRelapsed,
    DeviceReturned,
    DoubtResolved,
    Event,
    LastLookTaken,
    OperationAccepted,
    OperationIntended,
    OperationLost,
    OperationRefused,
    OperationUnsent,
    OutageSeen,
    RetryScheduled,
    RunContinued,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopped,
    SendingSlowed,
    StepFailed,
    StepHeld,
    StepStarted,
    StepSucceeded,
)

RunEvent = (
    RunStarted
    | RunResumed
    | RunInterrupted
    | RunPaused
    | RunContinued
    | RunStopped
    | RunFinished
    | SendingSlowed
)
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
    ContactSeen | DeliverySeen | OutageSeen | DeviceReturned | DeviceRelapsed | LastLookTaken
)
StepEvent = StepStarted | StepHeld | StepSucceeded | StepFailed | DeviceFinished


def _number(step: int) -> str:
    return f"step {step + 1}"


def _bare(device: int) -> str:
    return f"device {device}"


def describe(
    event: Event,
    *,
    device_name: Callable[[int], str] = _bare,
    step_name: Callable[[int], str] = _number,
) -> str:
    """Say in one sentence what happened; the moment stands beside it, not in it."""
    if isinstance(event, RunEvent):
        return printable(_of_run(event))
    where = f"{device_name(event.device)}, {step_name(event.step)}"
    if isinstance(event, RequestEvent):
        told = f"{where}, attempt {event.attempt}: {_of_request(event)}"
    elif isinstance(event, ProofEvent):
        told = f"{where}: {_of_proof(event)}"
    else:
        told = f"{where}: {_of_step(event)}"
    return printable(told)


def printable(text: str) -> str:
    """Give text without what could steer a terminal: names and reasons come from outside."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


def _of_run(event: RunEvent) -> str:
    match event:
        case RunStarted():
            return (
                f"{event.started_by} on {event.host} started {event.playbook}"
                f" for {_devices(event.devices)} of {event.controller}"
            )
        case RunResumed():
            torn = f"; {event.torn_bytes} torn bytes were cut off" if event.torn_bytes else ""
            return (
                f"{event.resumed_by} on {event.host} resumed the run (process {event.epoch}){torn}"
            )
        case RunInterrupted():
            return f"the run was interrupted: {event.reason}"
        case RunPaused():
            return f"the run pauses because of the {event.cause}: {event.detail}"
        case RunContinued():
            return "the controller can be used again; the run goes on"
        case RunStopped():
            cause = event.cause.replace("_", " ")
            return f"the run was stopped ({cause}): {event.detail}; nothing new is started"
        case RunFinished():
            counts = ", ".join(f"{n} {verdict}" for verdict, n in event.verdicts.items() if n)
            return f"the run is finished: {counts or 'no devices'}".replace("_", " ")
        case SendingSlowed():
            return (
                f"sending waits until {moments.as_short_text(event.until_at)}"
                f" and is {event.factor:.3g} times slower afterwards: {event.reason}"
            )
        case _:
            assert_never(event)


def _of_request(event: RequestEvent) -> str:
    match event:
        case OperationIntended():
            return f"{event.operation} is about to be requested"
        case OperationAccepted():
            return f"the controller accepted the request ({event.status}); proof is awaited"
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


def _of_proof(event: ProofEvent) -> str:
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
            return f"is back: {event.evidence}"
        case DeviceRelapsed():
            return f"went out of service again: {event.reason}"
        case LastLookTaken():
            return "the time for the proof is over; one last look is taken"
        case _:
            assert_never(event)


def _of_step(event: StepEvent) -> str:
    match event:
        case StepStarted():
            wait = durations.as_text(max(0.0, event.until_at - event.at))
            return f"begins; may take {wait}"
        case StepHeld():
            moment = moments.as_short_text(event.until_at)
            return f"waits until {moment} at the latest: {event.reason}"
        case StepSucceeded():
            return f"succeeded: {event.evidence}"
        case StepFailed():
            return f"over without success ({_words(event.verdict)}): {event.reason}"
        case DeviceFinished():
            because = f": {event.reason}" if event.reason else ""
            return f"verdict {_words(event.verdict)}{because}"
        case _:
            assert_never(event)


def _words(verdict: str) -> str:
    return verdict.replace("_", " ")


def _devices(count: int) -> str:
    return "1 device" if count == 1 else f"{count:,} devices"
