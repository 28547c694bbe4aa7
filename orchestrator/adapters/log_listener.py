"""Tells the log what has happened: the turns of a run and what goes wrong, nothing of every day."""

from collections.abc import Sequence
from typing import Any, Protocol

from orchestrator.model.events import (
    DeviceFinished,
    DeviceRelapsed,
    Event,
    LastLookTaken,
    OperationLost,
    OperationRefused,
    OperationUnsent,
    RunContinued,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopped,
    SendingSlowed,
    StepFailed,
    as_facts,
)
from orchestrator.model.verdicts import Verdict


class Narrator(Protocol):
    """As much of a structlog logger as is needed here."""

    def info(self, event: str, **facts: Any) -> Any:
        """Note a turn."""
        ...

    def warning(self, event: str, **facts: Any) -> Any:
        """Note what somebody may have to look at."""
        ...

    def error(self, event: str, **facts: Any) -> Any:
        """Note what ended something."""
        ...


class LogListener:
    """The listener port over a structlog logger; one line for each noteworthy event."""

    def __init__(self, log: Narrator) -> None:
        self._log = log

    def hear(self, events: Sequence[Event]) -> None:
        for event in events:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        match event:
            case RunStarted() | RunResumed() | RunContinued() | RunFinished():
                self._line(self._log.info, event)
            case RunInterrupted() | RunPaused() | SendingSlowed():
                self._line(self._log.warning, event)
            case RunStopped():
                self._line(self._log.error, event)
            case OperationLost() | DeviceRelapsed() | StepFailed():
                self._line(self._log.warning, event)
            case OperationRefused() | OperationUnsent() | LastLookTaken():
                self._line(self._log.info, event)
            case DeviceFinished(verdict=verdict) if verdict in _TROUBLE:
                self._line(self._log.warning, event)
            case _:
                pass

    def _line(self, tell: Any, event: Event) -> None:
        facts = as_facts(event)
        # The line has a moment of its own; this one is the run's.
        facts["happened_at"] = facts.pop("at")
        tell(_DOTTED[type(event)], **facts)


_TROUBLE = frozenset(verdict.value for verdict in Verdict if verdict.is_trouble)
_DOTTED: dict[type[Event], str] = {
    RunStarted: "run.started",
    RunResumed: "run.resumed",
    RunInterrupted: "run.interrupted",
    RunPaused: "run.paused",
    RunContinued: "run.continued",
    RunStopped: "run.stopped",
    RunFinished: "run.finished",
    SendingSlowed: "sending.slowed",
    OperationLost: "operation.lost",
    OperationRefused: "operation.refused",
    OperationUnsent: "operation.unsent",
    DeviceRelapsed: "device.relapsed",
    LastLookTaken: "device.last_look_taken",
    StepFailed: "step.failed",
    DeviceFinished: "device.finished",
}
