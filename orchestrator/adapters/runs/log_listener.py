"""Tells the log what has happened: the turns of a run and what goes wrong, nothing of every day."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

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

Level = Literal["info", "warning", "error"]


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
            noted = _NOTED.get(type(event))
            if noted is not None and not _is_every_day(event):
                self._tell(*noted, event)

    def _tell(self, level: Level, name: str, event: Event) -> None:
        facts = as_facts(event)
        # The line has a moment of its own; this one is the run's.
        facts["happened_at"] = facts.pop("at")
        tell = getattr(self._log, level)
        tell(name, **facts)


def _is_every_day(event: Event) -> bool:
    return isinstance(event, DeviceFinished) and event.verdict not in _TROUBLE


_TROUBLE = frozenset(verdict.value for verdict in Verdict if verdict.is_trouble)
_NOTED: dict[type[Event], tuple[Level, str]] = {
    RunStarted: ("info", "run.started"),
    RunResumed: ("info", "run.resumed"),
    RunInterrupted: ("warning", "run.interrupted"),
    RunPaused: ("warning", "run.paused"),
    RunContinued: ("info", "run.continued"),
    RunStopped: ("error", "run.stopped"),
    RunFinished: ("info", "run.finished"),
    SendingSlowed: ("warning", "sending.slowed"),
    OperationLost: ("warning", "operation.lost"),
    OperationRefused: ("info", "operation.refused"),
    OperationUnsent: ("info", "operation.unsent"),
    DeviceRelapsed: ("warning", "device.relapsed"),
    LastLookTaken: ("info", "device.last_look_taken"),
    StepFailed: ("warning", "step.failed"),
    DeviceFinished: ("warning", "device.finished"),
}
