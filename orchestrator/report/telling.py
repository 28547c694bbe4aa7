"""Each event as one sentence for people: the audit log read aloud."""

from collections.abc import Callable, Mapping
from typing import Any, assert_never, get_args

from orchestrator.model import moments
from orchestrator.model.events import (
    Event,
    RunContinued,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopped,
    SendingSlowed,
)
from orchestrator.report.telling_campaigns import CampaignEvent, of_campaign
from orchestrator.report.telling_devices import (
    ProofEvent,
    RequestEvent,
    StepEvent,
    of_proof,
    of_request,
    of_step,
)
from orchestrator.report.wording import devices, printable, stop_cause, tally

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
    tell = _TELL[type(event)]
    if type(event) in _OF_ALL:
        return printable(tell(event))
    return printable(_of_device(event, tell, device_name, step_name))


def _of_device(
    event: Any,
    tell: Callable[[Any], str],
    device_name: Callable[[int], str],
    step_name: Callable[[int], str],
) -> str:
    where = f"{device_name(event.device)}, {step_name(event.step)}"
    if type(event) in _REQUESTS:
        where += f", attempt {event.attempt}"
    return f"{where}: {tell(event)}"


def _of_run(event: RunEvent) -> str:
    match event:
        case RunStarted():
            return (
                f"{event.started_by} on {event.host} started {event.playbook}"
                f" for {devices(event.devices)} of {event.controller}"
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
            cause = stop_cause(event.cause)
            return f"the run was stopped {cause}: {event.detail}; nothing new is started"
        case RunFinished():
            return f"the run is finished: {tally(event.verdicts)}"
        case SendingSlowed():
            return (
                f"sending waits until {moments.as_short_text(event.until_at)}"
                f" and is {event.factor:.3g} times slower afterwards: {event.reason}"
            )
        case _:
            assert_never(event)


_OF_ALL = frozenset((*get_args(RunEvent), *get_args(CampaignEvent)))
"""Events of the whole run; all others are of one device."""
_REQUESTS = frozenset(get_args(RequestEvent))
_TELL: Mapping[type[Event], Callable[[Any], str]] = {
    **dict.fromkeys(get_args(RunEvent), _of_run),
    **dict.fromkeys(get_args(CampaignEvent), of_campaign),
    **dict.fromkeys(_REQUESTS, of_request),
    **dict.fromkeys(get_args(ProofEvent), of_proof),
    **dict.fromkeys(get_args(StepEvent), of_step),
}
