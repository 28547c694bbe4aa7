"""Events as runs leave them: one of every kind, and a few that make a story."""

from orchestrator.model.devices import DeviceId
from orchestrator.model.events import (
    Baseline,
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
from orchestrator.model.plans import PlannedDevice

T0 = 1_795_320_900.25
"""2026-11-22 04:15:00.25 UTC."""


def run_started(at: float = T0, *, devices: int = 3, chain: str = "sha256") -> RunStarted:
    return RunStarted(
        at=at,
        playbook="redeploy",
        plan_digest="p" * 64,
        playbook_digest="b" * 64,
        version="0.1.0",
        started_by="ana",
        host="noc-1",
        controller="https://control.example.com/api/v1",
        devices=devices,
        chain=chain,
    )


def baseline() -> Baseline:
    return Baseline(
        read_at=T0,
        status="Up",
        serial_number="ZN1001",
        pending=("wifi_ssid",),
        last_connection_at=T0 - 60,
        update_frequency=300.0,
        software_version="2.4.1",
    )


def intended(
    device: int = 1001,
    *,
    at: float = T0,
    step: int = 0,
    operation: str = "factory",
    attempt: int = 1,
) -> OperationIntended:
    return OperationIntended(
        at=at,
        device=device,
        step=step,
        attempt=attempt,
        operation=operation,
        server_at=at,
        baseline=baseline(),
    )


def accepted(device: int = 1001, *, at: float = T0 + 1, step: int = 0) -> OperationAccepted:
    return OperationAccepted(at, device, step, 1, 200, at)


def succeeded(device: int = 1001, *, at: float = T0 + 61, step: int = 0) -> StepSucceeded:
    return StepSucceeded(at, device, step, "Up again and stable")


def finished(
    device: int = 1001,
    *,
    at: float = T0 + 61,
    verdict: str = "succeeded",
    step: int = 0,
    reason: str = "",
) -> DeviceFinished:
    return DeviceFinished(at, device, step, verdict, reason)


EVERY_KIND: tuple[Event, ...] = (
    run_started(),
    RunResumed(T0, 2, "ben", "noc-2"),
    RunInterrupted(T0, "Ctrl-C"),
    RunPaused(T0, "token", "the token is not accepted"),
    RunContinued(T0),
    RunStopped(T0, "invalid_request", "the controller calls the request wrong"),
    RunFinished(T0, {"succeeded": 2, "in_doubt": 1}),
    SendingSlowed(T0, T0 + 30, 2.0, "429"),
    StepStarted(T0, 1001, 1, T0 + 90),
    StepHeld(T0, 1001, 1, "status is Down", T0 + 600),
    intended(),
    accepted(),
    OperationRefused(T0, 1001, 0, 1, 409, "state", "a session is under way", 5.0),
    OperationUnsent(T0, 1001, 0, 1, "connection refused"),
    OperationLost(T0, 1001, 0, 1, "no answer within 1m", 504),
    ContactSeen(T0, 1001, 0, T0 - 1),
    DoubtResolved(T0, 1001, 0, 1, applied=False, sign="nothing pending, no contact"),
    RetryScheduled(T0, 1001, 0, 1, T0 + 4, "409"),
    DeliverySeen(T0, 1001, 0, T0 - 1),
    OutageSeen(T0, 1001, 0, T0 - 1),
    DeviceReturned(T0, 1001, 0, "contact after the outage", T0 - 1),
    DeviceRelapsed(T0, 1001, 0, "Down again"),
    LastLookTaken(T0, 1001, 0),
    succeeded(),
    StepFailed(T0, 1001, 0, "unconfirmed", "no return within 20m"),
    finished(verdict="unconfirmed", reason="no return within 20m"),
)


def planned(*devices: int) -> dict[int, PlannedDevice]:
    return {
        device: PlannedDevice(DeviceId(device), f"ZN{device}", f"branch {device}")
        for device in devices
    }
