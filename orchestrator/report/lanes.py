"""Where the time of single devices went: the failed ones and the slowest, however many there are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappush, heapreplace, nlargest
from itertools import count
from typing import Any

from orchestrator.model.events import (
    DeviceFinished,
    DeviceRelapsed,
    DeviceReturned,
    DoubtResolved,
    Event,
    OperationAccepted,
    OperationIntended,
    OperationLost,
    OperationRefused,
    OperationUnsent,
    RescueStarted,
    RetryScheduled,
    StepFailed,
    StepForgiven,
    StepHeld,
    StepStarted,
    StepSucceeded,
)
from orchestrator.model.verdicts import Verdict

_TROUBLE = frozenset(each.value for each in Verdict if each.is_trouble)


class Phase(StrEnum):
    """What a device is doing, or what is being waited for."""

    PROVING = "proving"
    """A request is on its way or was accepted; its proof is awaited."""
    SETTLING = "settling"
    """It is back and has to stay up."""
    IN_DOUBT = "in_doubt"
    """Whether the request was applied is not known."""
    RESTING = "resting"
    """The step will be tried again."""
    BETWEEN = "between"
    """A step is over; the next has not begun."""
    HOLDING = "holding"
    """Its guard is waited for, or a step that asks for nothing: a sleep, a check, an approval."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One phase of one step."""

    phase: Phase
    step: int
    begins_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One device from its first act to its verdict, or as far as it is."""

    device: int
    stretches: tuple[Stretch, ...]
    verdict: str | None
    """None as long as it is under way."""
    reason: str = ""

    @property
    def began_at(self) -> float:
        """Give the moment of its first act."""
        return self.stretches[0].begins_at

    @property
    def seconds(self) -> float:
        """Count how long it took."""
        return self.stretches[-1].ends_at - self.began_at

    @property
    def step(self) -> int:
        """Give the step it is at, or ended at."""
        return self.stretches[-1].step

    @property
    def is_trouble(self) -> bool:
        """True when somebody has to look at the device."""
        return self.verdict in _TROUBLE


_Mark = tuple[float, Phase, int]

_PHASES: Mapping[type[Event], Phase] = {
    OperationIntended: Phase.PROVING,
    OperationAccepted: Phase.PROVING,
    OperationLost: Phase.IN_DOUBT,
    OperationRefused: Phase.RESTING,
    OperationUnsent: Phase.RESTING,
    DoubtResolved: Phase.RESTING,
    RetryScheduled: Phase.RESTING,
    DeviceReturned: Phase.SETTLING,
    DeviceRelapsed: Phase.PROVING,
    StepStarted: Phase.HOLDING,
    StepHeld: Phase.HOLDING,
    StepSucceeded: Phase.BETWEEN,
    StepFailed: Phase.BETWEEN,
    StepForgiven: Phase.BETWEEN,
    RescueStarted: Phase.BETWEEN,
}


class Lanes:
    """Follows every device and keeps a few: the first in trouble and the slowest of the others.

    An event costs the same whatever the size of the run. At most `followed` devices are followed
    at a time, and at most `marks` changes of one device; what is beyond is left out.
    """

    def __init__(self, keep: int = 30, *, followed: int = 20_000, marks: int = 48) -> None:
        self._keep = keep
        self._followed = followed
        self._marks = marks
        self._underway: dict[int, list[_Mark]] = {}
        self._troubles: list[tuple[list[_Mark], DeviceFinished]] = []
        self._slowest: list[tuple[float, int, list[_Mark], DeviceFinished]] = []
        self._order = count()

    def after(self, event: Any) -> None:
        """Take one more event into account; all in `_PHASES` are of one device."""
        kind = type(event)
        phase = _PHASES.get(kind)
        if phase is None:
            if kind is DeviceFinished:
                self._finish(event)
            return
        if kind is DoubtResolved and event.applied:
            phase = Phase.PROVING
        marks = self._underway.get(event.device)
        if marks is None:
            if len(self._underway) < self._followed:
                self._underway[event.device] = [(event.at, phase, event.step)]
        elif (phase is not marks[-1][1] or event.step != marks[-1][2]) and len(marks) < self._marks:
            marks.append((event.at, phase, event.step))

    def _finish(self, event: DeviceFinished) -> None:
        marks = self._underway.pop(event.device, None)
        if marks is None:
            return
        if event.verdict in _TROUBLE:
            if len(self._troubles) < self._keep:
                self._troubles.append((marks, event))
            return
        seconds = event.at - marks[0][0]
        if len(self._slowest) < self._keep:
            heappush(self._slowest, (seconds, next(self._order), marks, event))
        elif seconds > self._slowest[0][0]:
            heapreplace(self._slowest, (seconds, next(self._order), marks, event))

    def chosen(self, now: float, *, troubles: int = 18) -> list[Lane]:
        """Give at most `keep` lanes: those in trouble as they ended, then the slowest first.

        Devices under way count as far as they are. Beyond `troubles` lanes in trouble are given
        only where there are too few others.
        """
        ended = (_lane(end.device, marks, end.at, end) for *_, marks, end in self._slowest)
        others = nlargest(self._keep, (*ended, *self._going(now)), key=_seconds)
        room = max(troubles, self._keep - len(others))
        shown = [_lane(end.device, marks, end.at, end) for marks, end in self._troubles[:room]]
        return [*shown, *others[: self._keep - len(shown)]]

    def _going(self, now: float) -> Iterator[Lane]:
        oldest = nlargest(self._keep, self._underway.items(), key=lambda item: -item[1][0][0])
        for device, marks in oldest:
            yield _lane(device, marks, now, None)


def _seconds(lane: Lane) -> float:
    return lane.seconds


def _lane(device: int, marks: list[_Mark], end: float, finished: DeviceFinished | None) -> Lane:
    ends = [at for at, _, _ in marks[1:]] + [max(end, marks[-1][0])]
    stretches = tuple(
        Stretch(phase, step, at, ends_at)
        for (at, phase, step), ends_at in zip(marks, ends, strict=True)
    )
    if finished is None:
        return Lane(device, stretches, None)
    return Lane(device, stretches, finished.verdict, finished.reason)
