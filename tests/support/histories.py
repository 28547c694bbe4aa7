"""Events as runs leave them: one of every kind, and a few that make a story."""

from collections.abc import Mapping
from operator import attrgetter

from orchestrator.model.devices import DeviceId
from orchestrator.model.events import (
    ApprovalAsked,
    ApprovalDenied,
    ApprovalGiven,
    Baseline,
    CancelOrdered,
    ContactSeen,
    ContinueOrdered,
    DeliverySeen,
    DeviceFinished,
    DeviceFound,
    DeviceRelapsed,
    DeviceReturned,
    DoubtResolved,
    Event,
    LastLookTaken,
    LimitOrdered,
    NotificationFailed,
    NotificationSent,
    OperationAccepted,
    OperationIntended,
    OperationLost,
    OperationRefused,
    OperationUnsent,
    OutageSeen,
    PauseOrdered,
    RescueStarted,
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
    StepForgiven,
    StepHeld,
    StepStarted,
    StepSucceeded,
    WaveFinished,
    WaveJudged,
    WaveStarted,
    WindowClosed,
    WindowOpened,
)
from orchestrator.model.plans import PlannedDevice

T0 = 1_795_320_900.25
"""2026-11-22 04:15:00.25 UTC."""

MEXICO = "America/Mexico_City"
"""Six hours behind UTC at that time of the year."""


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


def rewritten(
    device: int = 1001,
    *,
    at: float = T0,
    step: int = 0,
    action: str = "update",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> OperationIntended:
    """Give the intention to change a record; without more, its description and its password."""
    return OperationIntended(
        at=at,
        device=device,
        step=step,
        attempt=1,
        operation=action,
        server_at=at,
        baseline=baseline(),
        action=action,
        before={"description": "old"} if before is None else before,
        after={"description": "new", "password": "fp:12ab34cd56ef"} if after is None else after,
        snapshot="record",
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
    WindowOpened(T0, T0 + 2699.75, MEXICO),
    WindowClosed(T0, MEXICO, T0 + 604_799.75),
    WaveStarted(T0, 2, 10),
    WaveFinished(T0, 2, {"succeeded": 9, "failed": 1}, T0 + 300),
    WaveJudged(T0, 2, "inconclusive", "8 of 10 succeeded"),
    ApprovalAsked(T0, "wave 3", "May wave 3 begin?", "another"),
    ApprovalGiven(T0, "wave 3", "ben", "noc-2", "looked at them"),
    ApprovalDenied(T0, "wave 3", "ben", "noc-2"),
    PauseOrdered(T0, "alice", "noc-2", "smoke in the data centre"),
    ContinueOrdered(T0, "alice", "noc-2", "false alarm"),
    CancelOrdered(T0, "alice", "noc-2", "enough for tonight"),
    LimitOrdered(T0, "alice", "noc-2", "max_down", 5, 25, "the night shift is thin"),
    NotificationSent(T0, "wave_finished", "noc-chat"),
    NotificationFailed(T0, "wave_finished", "noc-mail", "connection refused"),
    StepStarted(T0, 1001, 1, T0 + 90),
    StepHeld(T0, 1001, 1, "status is Down", T0 + 600),
    rewritten(),
    intended(),
    OperationAccepted(T0 + 1, 1001, 0, 1, 201, T0 + 1, record=4321),
    accepted(),
    DeviceFound(T0, 1001, 0, 4321, "its id stayed silent after the reset"),
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
    StepForgiven(T0, 1001, 0, "unconfirmed", "no return within 20m"),
    RescueStarted(T0, 1001, 2, "unconfirmed"),
    finished(verdict="unconfirmed", reason="no return within 20m"),
)


def careful_story() -> tuple[Event, ...]:
    """Give a campaign of two waves with everything that may happen to it, up to a question.

    Devices 1 and 2 are the first wave, 3 to 8 the second, 9 to 20 the third.
    """
    at = T0 + 60
    story: tuple[Event, ...] = (
        run_started(devices=20),
        NotificationSent(T0 + 1, "started", "noc-chat"),
        WindowClosed(T0, MEXICO, at),
        WindowOpened(at, at + 14_400, MEXICO),
        WaveStarted(at, 1, 2),
        *_walk(1, at + 1),
        *_walk(2, at + 2),
        WaveFinished(at + 200, 1, {"succeeded": 2}, at + 500),
        WaveJudged(at + 500, 1, "pass", "2 of 2 succeeded"),
        WaveStarted(at + 500, 2, 6),
        *_walk(3, at + 501),
        LimitOrdered(at + 600, "alice", "noc-2", "max_down", 2, 5, "the night shift is thin"),
        LimitOrdered(at + 601, "alice", "noc-2", "delay", 1.0, 0.2),
        PauseOrdered(at + 620, "alice", "noc-2", "smoke in the data centre"),
        ContinueOrdered(at + 700, "ben", "noc-1", "false alarm"),
        *_walk(4, at + 701),
        intended(5, at=at + 702),
        StepFailed(at + 800, 5, 0, "unconfirmed", "no return within 20m"),
        RescueStarted(at + 800, 5, 2, "unconfirmed"),
        intended(5, at=at + 801, step=2, operation="sync"),
        succeeded(5, at=at + 860, step=2),
        finished(5, at=at + 860, verdict="unconfirmed", step=0, reason="no return within 20m"),
        intended(6, at=at + 703),
        StepFailed(at + 810, 6, 0, "unconfirmed", "no return within 20m"),
        StepForgiven(at + 810, 6, 0, "unconfirmed", "no return within 20m"),
        *_walk(7, at + 811),
        finished(6, at=at + 960, verdict="unconfirmed", step=1, reason="no return within 20m"),
        finished(8, at=at + 961, verdict="skipped", reason="status is Down"),
        WaveFinished(at + 961, 2, {"succeeded": 3, "unconfirmed": 2, "skipped": 1}, at + 1_261),
        NotificationFailed(at + 962, "wave_finished", "noc-mail", "connection refused"),
        WaveJudged(at + 1_261, 2, "inconclusive", "3 of 5 succeeded; 1 may be missing"),
        ApprovalAsked(
            at + 1_261,
            "wave 3",
            "wave 2: 3 of 5 succeeded; 1 may be missing. May wave 3 begin?",
            "another",
        ),
    )
    return tuple(sorted(story, key=attrgetter("at")))


def _walk(device: int, at: float) -> tuple[Event, ...]:
    return (
        intended(device, at=at),
        accepted(device, at=at + 1),
        succeeded(device, at=at + 100),
        intended(device, at=at + 101, step=1, operation="reconf"),
        accepted(device, at=at + 102, step=1),
        succeeded(device, at=at + 140, step=1),
        finished(device, at=at + 140, step=1),
    )


def planned(*devices: int) -> dict[int, PlannedDevice]:
    return {
        device: PlannedDevice(DeviceId(device), f"ZN{device}", f"branch {device}")
        for device in devices
    }
