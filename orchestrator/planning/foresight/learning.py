"""Fold the journal of an earlier run into what it teaches, and lessons into experience."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from orchestrator.engine.rollout.sparing import FULL
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import (
    ApprovalAsked,
    CancelOrdered,
    DeviceFinished,
    Event,
    LimitOrdered,
    OperationIntended,
    OperationUnsent,
    PauseOrdered,
    RunContinued,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopped,
    StepFailed,
    StepSucceeded,
    WindowOpened,
)
from orchestrator.model.forecasts import Forecast
from orchestrator.model.plans import Plan
from orchestrator.model.steps import RequestStep
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.foresight.experiencing import Experience, Outcomes, together
from orchestrator.planning.timing import Timed, timed

LEAST_ERROR, GREATEST_ERROR = 0.25, 4.0
"""A run so much shorter or longer than foreseen teaches no more than this."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the journal of one run teaches."""

    by_kind: Mapping[tuple[Timed, str | None], Outcomes] = field(default_factory=dict)
    """By operation and type of device; the type None stands for all types together."""
    error: float | None = None
    """Seconds it was active over the seconds foreseen (P50), where that comparison is fair."""

    @property
    def tells(self) -> bool:
        """False when the run teaches nothing at all."""
        return bool(self.by_kind) or self.error is not None

    def only(self, operations: Collection[Timed]) -> Self:
        """Give what it teaches of these operations, and nothing of the forecast."""
        kept = {key: told for key, told in self.by_kind.items() if key[0] in operations}
        return replace(self, by_kind=kept, error=None)


def learn(events: Iterable[Event], plan: Plan) -> Lesson:
    """Fold the events of a run, or as many as there are, into what it teaches.

    A device run that nobody watched for a while, because the run was paused by its controller or
    its process was away, tells nothing of the device; nor does one that was given up because the
    run was stopped.
    """
    figures, course = _Figures(plan), _Course(plan.forecast)
    takes: dict[type[Any], Callable[[Any], None]] = {**course.takes, **figures.takes}
    for kind in course.takes.keys() & figures.takes.keys():
        takes[kind] = _both(course.takes[kind], figures.takes[kind])
    for event in events:
        take = takes.get(type(event))
        if take is not None:
            take(event)
    return Lesson(_pooled(figures.outcomes()), course.error())


def _both(one: Callable[[Any], None], other: Callable[[Any], None]) -> Callable[[Any], None]:
    def take(event: Any) -> None:
        one(event)
        other(event)

    return take


@dataclass(slots=True)
class _Underway:
    """A device run that is not over yet."""

    step: int
    began_at: float
    requests: int = 0
    is_watched: bool = True


@dataclass(slots=True)
class _Tally:
    seconds: list[float] = field(default_factory=list)
    failures: list[tuple[Verdict, float]] = field(default_factory=list)
    skipped: int = 0
    requests: int = 0


class _Figures:
    """Takes the events of device runs, and counts each run once it is over."""

    def __init__(self, plan: Plan) -> None:
        self._operations = tuple(
            timed(step) if isinstance(step, RequestStep) else None
            for step in plan.playbook.all_steps
        )
        self._kinds = {device.id: device.kind for device in plan.devices if device.kind is not None}
        self._tallies: defaultdict[tuple[Timed, str | None], _Tally] = defaultdict(_Tally)
        self._underway: dict[int, _Underway] = {}
        self._touched: set[int] = set()
        self._is_stopped = False
        self.takes: Mapping[type[Any], Callable[[Any], None]] = {
            OperationIntended: self._intended,
            OperationUnsent: self._unsent,
            StepSucceeded: self._succeeded,
            StepFailed: self._failed,
            DeviceFinished: self._finished,
            RunPaused: self._unwatched,
            RunInterrupted: self._unwatched,
            RunResumed: self._unwatched,
            RunStopped: self._stopped,
        }

    def outcomes(self) -> dict[tuple[Timed, str | None], Outcomes]:
        """Give what was counted; the type None stands here for devices without a known type."""
        return {
            key: Outcomes(
                tuple(sorted(tally.seconds)),
                tuple(tally.failures),
                tally.skipped,
                tally.requests,
                runs=1,
            )
            for key, tally in self._tallies.items()
        }

    def _intended(self, event: OperationIntended) -> None:
        underway = self._underway.get(event.device)
        if underway is None or underway.step != event.step:
            underway = self._underway[event.device] = _Underway(event.step, event.at)
            self._touched.add(event.device)
        underway.requests += 1

    def _unsent(self, event: OperationUnsent) -> None:
        underway = self._underway.get(event.device)
        if underway is not None:
            underway.requests -= 1

    def _succeeded(self, event: StepSucceeded) -> None:
        over = self._over(event)
        if over is not None:
            tally, seconds = over
            tally.seconds.append(seconds)

    def _failed(self, event: StepFailed) -> None:
        verdict = _TROUBLES.get(event.verdict)
        if verdict is None or (self._is_stopped and verdict is Verdict.FAILED):
            return
        over = self._over(event)
        if over is not None:
            tally, seconds = over
            tally.failures.append((verdict, seconds))

    def _over(self, event: StepSucceeded | StepFailed) -> tuple[_Tally, float] | None:
        """Count the requests of a device run that is over, and give where its end belongs."""
        underway = self._underway.pop(event.device, None)
        if underway is None or underway.step != event.step or not underway.is_watched:
            return None
        seconds = event.at - underway.began_at
        tally = self._tally(event) if seconds >= 0 else None
        if tally is None:
            return None
        tally.requests += underway.requests
        return tally, seconds

    def _finished(self, event: DeviceFinished) -> None:
        self._underway.pop(event.device, None)
        if event.verdict == Verdict.SKIPPED and self._was_guarded(event):
            tally = self._tally(event)
            if tally is not None:
                tally.skipped += 1

    def _was_guarded(self, event: DeviceFinished) -> bool:
        """Say whether it was the guard that skipped a device: a full group is imagined anyway."""
        return event.device not in self._touched and not event.reason.startswith(FULL)

    def _tally(self, event: StepSucceeded | StepFailed | DeviceFinished) -> _Tally | None:
        step = event.step
        operation = self._operations[step] if 0 <= step < len(self._operations) else None
        if operation is None:
            return None
        return self._tallies[operation, self._kinds.get(DeviceId(event.device))]

    def _unwatched(self, _: Event) -> None:
        for underway in self._underway.values():
            underway.is_watched = False

    def _stopped(self, _: RunStopped) -> None:
        self._is_stopped = True


_TROUBLES: Mapping[str, Verdict] = {each.value: each for each in Verdict if each.is_trouble}


class _Course:
    """Takes the events of the run as a whole, to hold its end against what was foreseen."""

    def __init__(self, forecast: Forecast | None) -> None:
        self._foreseen = None if forecast is None else _foreseen(forecast)
        self._begun_at: float | None = None
        self._finished_at: float | None = None
        self._paused_at: float | None = None
        self._paused_for = 0.0
        self._opened: set[str] = set()
        self._is_comparable = True
        self.takes: Mapping[type[Any], Callable[[Any], None]] = (
            {}
            if self._foreseen is None
            else {
                RunStarted: self._started,
                WindowOpened: self._window_opened,
                RunPaused: self._paused,
                RunContinued: self._continued,
                RunFinished: self._finished,
                **dict.fromkeys(_UNFORESEEN, self._unforeseen),
            }
        )

    def error(self) -> float | None:
        """Give how many times longer than foreseen the run took."""
        if not self._is_comparable or self._foreseen is None:
            return None
        if self._begun_at is None or self._finished_at is None:
            return None
        active = self._finished_at - self._begun_at - self._paused_for
        if active <= 0:
            return None
        return min(max(active / self._foreseen, LEAST_ERROR), GREATEST_ERROR)

    def _started(self, event: RunStarted) -> None:
        self._begun_at = event.at

    def _window_opened(self, event: WindowOpened) -> None:
        if not self._opened:
            self._begun_at = event.at
        if event.zone in self._opened:  # the closed hours between say nothing of its speed
            self._is_comparable = False
        self._opened.add(event.zone)

    def _paused(self, event: RunPaused) -> None:
        self._paused_at = event.at

    def _continued(self, event: RunContinued) -> None:
        if self._paused_at is not None:
            self._paused_for += event.at - self._paused_at
            self._paused_at = None

    def _finished(self, event: RunFinished) -> None:
        self._finished_at = event.at

    def _unforeseen(self, _: Event) -> None:
        self._is_comparable = False


_UNFORESEEN: Sequence[type[Any]] = (
    RunInterrupted,
    RunResumed,
    RunStopped,
    ApprovalAsked,
    PauseOrdered,
    CancelOrdered,
    LimitOrdered,
)
"""What people do to a run, and stops: no forecast is to blame for them."""


_MOST = 0.5
"""Share of campaigns without an end of their own from which on the P50 is none either."""


def _foreseen(forecast: Forecast) -> float | None:
    """Give the seconds from the first possible start to the end, as measured durations alone said.

    None when it foresaw no end, or from defaults: what they are off by says nothing of later ones.
    """
    if not forecast.is_measured or sum(forecast.stopped.values()) + forecast.cut_short >= _MOST:
        return None
    begins_at = forecast.begins_at
    if forecast.opening is not None:
        begins_at = max(begins_at, forecast.opening[0])
    seconds = (forecast.ends_at.p50 - begins_at) / forecast.corrected_by
    return seconds if seconds > 0 else None


def _pooled(
    by_kind: Mapping[tuple[Timed, str | None], Outcomes],
) -> dict[tuple[Timed, str | None], Outcomes]:
    """Add to each operation's types, as None, all of them together."""
    found = dict(by_kind)
    for operation in dict.fromkeys(operation for operation, _ in by_kind):
        told = [outcomes for key, outcomes in by_kind.items() if key[0] == operation]
        found[operation, None] = together(told, runs=1)
    return found


# --- several runs ---------------------------------------------------------------------------


def put_together(lessons: Mapping[str, Lesson]) -> Experience:
    """Give what several runs teach together; they are named by their ids, the newest first.

    A run that taught nothing is not named.
    """
    telling = {run: told for run, told in lessons.items() if told.tells}
    keys = dict.fromkeys(key for told in telling.values() for key in told.by_kind)
    return Experience(
        runs=tuple(telling),
        by_kind={
            key: _every([told.by_kind[key] for told in telling.values() if key in told.by_kind])
            for key in keys
        },
        errors=tuple(told.error for told in telling.values() if told.error is not None),
    )


def _every(several: Sequence[Outcomes]) -> Outcomes:
    return together(several, runs=len(several))
