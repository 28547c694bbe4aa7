"""What a run has come to: a fold of its events that costs the same for each of them."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Self, get_args

from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import (
    DeviceFinished,
    DeviceFound,
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
)
from orchestrator.model.forecasts import Forecast
from orchestrator.model.operations import REQUESTS
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.model.steps import RequestStep
from orchestrator.model.verdicts import Verdict
from orchestrator.report.changes import Changes
from orchestrator.report.course import TURNS, Course
from orchestrator.report.fates import Fates, Went
from orchestrator.report.figures import DeviceRow, Requests, StepTime
from orchestrator.report.holds import Hold, Holds
from orchestrator.report.lanes import Lanes
from orchestrator.report.spending import Spending, spendings
from orchestrator.report.telling import RunEvent
from orchestrator.report.telling_campaigns import person
from orchestrator.report.timeline import Timeline

_DISRUPTIVE = frozenset(word for word, request in REQUESTS.items() if request.is_disruptive)
_TROUBLE = frozenset(each.value for each in Verdict if each.is_trouble)
_UNTRIED = frozenset({Verdict.DEFERRED.value, Verdict.NOT_STARTED.value})
_TURNS: frozenset[type[Event]] = frozenset(get_args(RunEvent)) | TURNS
TROUBLES_KEPT = 20_000
"""Devices in trouble, and reasons for it, that a run without rows keeps in full; others it counts."""


class State(StrEnum):
    """Where a run stands, as far as its events tell."""

    NEW = "new"
    """Nothing was recorded yet."""
    RUNNING = "running"
    SOAKING = "soaking"
    """A finished wave is left alone before it is judged."""
    WAITING_FOR_WINDOW = "waiting_for_window"
    """The window is closed in every zone; chains once begun are finished."""
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    """A person is asked; what is asked about is not begun without an answer."""
    PAUSED = "paused"
    """The controller cannot be used now, or a person wants nothing new to be started."""
    INTERRUPTED = "interrupted"
    """Nobody drives it; it can be resumed."""
    STOPPED = "stopped"
    """Nothing new is started any more."""
    FINISHED = "finished"
    """Every device has its verdict."""


@dataclass(slots=True)
class _Underway:
    step: int
    began_at: float
    reason: str = ""
    requested: bool = False
    """Something was sent for it, or was about to be."""


@dataclass(slots=True)
class Summary:
    """The mirror of a run: `after` takes every event once and in order."""

    planned: InitVar[DeviceSet | Mapping[int, PlannedDevice]] = DeviceSet()
    """The device set, for serial numbers and for the devices without any event yet."""
    keeps_rows: bool = True
    """Where and why each device ended is known too; a process that drives a run needs it of none."""
    titles: Sequence[str] = ()
    """The names of the steps, in order, those of the rescue behind the others."""
    rescue_from: int | None = None
    """The first step of the rescue; None when there is none."""
    requests_at: frozenset[int] = frozenset()
    """The steps that ask for something; one of them that is proven without was so already."""
    max_down: int | None = None
    """The plan's limit; what holds now is `max_down_now`."""
    description: str = ""
    """What the playbook says of itself."""
    goes_on_after: str | None = None
    """The run whose devices this one takes up again."""
    forecast: Forecast | None = None
    """What the plan foresaw."""

    started: RunStarted | None = None
    stopped: RunStopped | None = None
    paused: RunPaused | None = None
    """Why the controller makes the run pause now; None when it does not."""
    slowed: SendingSlowed | None = None
    """The last time the controller asked for patience."""
    interruption: str = ""
    last_at: float = 0.0
    """The moment of the newest event."""
    finished_at: float | None = None
    pauses: int = 0
    resumes: int = 0
    interruptions: int = 0
    retries: int = 0
    idle_seconds: float = 0.0
    """Paused, held by the window or an open question, or driven by nobody."""
    course: Course = field(default_factory=Course)
    """Waves, windows, people's orders, notifications."""
    requests: Requests = field(default_factory=Requests)
    troubles: list[DeviceFinished] = field(default_factory=list)
    """The devices that somebody has to look at, in the order of their ends: all where rows are kept."""
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """All of them by verdict and reason, but for those behind `TROUBLES_KEPT` different reasons."""
    in_trouble: int = 0
    """How many they are."""
    timeline: Timeline = field(default_factory=Timeline)
    """How many devices were down."""
    ends: Timeline = field(default_factory=Timeline)
    """How many devices had had their turn and had their verdict."""
    trouble_ends: Timeline = field(default_factory=Timeline)
    """How many of them were in trouble."""
    holds: Holds = field(default_factory=Holds)
    """When nothing new was begun, and why."""
    lanes: Lanes = field(default_factory=Lanes)
    """Where the time of the failed and of the slowest devices went."""
    changes: Changes = field(default_factory=Changes)
    """What was written into the records of the first devices."""

    devices: DeviceSet = field(init=False)
    fates: Fates = field(init=False)
    """How the devices ended that did."""

    _underway: dict[int, _Underway] = field(default_factory=dict)
    _down: set[int] = field(default_factory=set)
    _verdicts: Counter[str] = field(default_factory=Counter)
    _times: dict[int, "array[float]"] = field(default_factory=dict)
    _step_times: dict[int, StepTime] = field(default_factory=dict)
    _idle_since: float | None = None
    _tried: int = 0

    def __post_init__(self, planned: DeviceSet | Mapping[int, PlannedDevice]) -> None:
        self.devices = DeviceSet.of(planned.values() if isinstance(planned, Mapping) else planned)
        self.fates = Fates(self.devices, rows=self.keeps_rows)

    @classmethod
    def of(cls, plan: Plan, events: Iterable[Event] = (), *, rows: bool = True) -> Self:
        """Begin the mirror of a plan's run, with the events there are already."""
        summary = cls(
            planned=plan.devices,
            keeps_rows=rows,
            titles=tuple(step.title for step in plan.playbook.all_steps),
            rescue_from=len(plan.playbook.steps) if plan.playbook.rescue else None,
            requests_at=frozenset(
                place
                for place, step in enumerate(plan.playbook.all_steps)
                if isinstance(step, RequestStep)
            ),
            max_down=plan.limits.max_down,
            description=plan.playbook.description,
            goes_on_after=plan.goes_on_after,
            forecast=plan.forecast,
            course=Course.of(plan),
        )
        summary.hear(events)
        return summary

    def hear(self, events: Iterable[Event]) -> None:
        """Take these events into account."""
        takes = self._TAKES
        for event in events:
            take = takes.get(type(event))
            if take is not None:
                take(self, event)
            self.last_at = event.at

    def after(self, event: Event) -> None:
        """Take one more event into account."""
        self.hear((event,))

    def _after_turn(self, event: Event) -> None:
        if type(event) in TURNS:
            self.course.after(event)
        match event:
            case RunStarted():
                self.started = event
            case RunResumed():
                self._resume(event.at)
            case RunInterrupted():
                self.interruptions += 1
                self.interruption = event.reason or "interrupted"
            case RunPaused():
                self.pauses += 1
                self.paused = event
            case RunContinued():
                self.paused = None
            case RunStopped():
                self.stopped = event
            case RunFinished():
                self.finished_at = event.at
                self.paused = None
            case SendingSlowed():
                self.slowed = event
            case _:
                pass
        self._count_idleness(event.at)
        self.holds.follow(event.at, self._what_holds())

    def _resume(self, at: float) -> None:
        self.holds.absent(self.last_at, at)
        self.resumes += 1
        self.interruption = ""
        self.paused = None
        if self._idle_since is None:
            self._idle_since = self.last_at

    def _count_idleness(self, at: float) -> None:
        """An idle stretch lasts while there is any reason for it; reasons may overlap."""
        if self._idle_since is not None:
            self.idle_seconds += max(0.0, at - self._idle_since)
            self._idle_since = None
        if self.paused is not None or self.course.is_held:
            self._idle_since = at

    def _what_holds(self) -> dict[Hold, str]:
        if self.is_over:
            return {}
        course = self.course
        held: dict[Hold, str] = {}
        if self.interruption:
            held[Hold.UNDRIVEN] = self.interruption
        if self.paused is not None:
            held[Hold.CONTROLLER] = self.paused.detail
        if course.paused is not None:
            held[Hold.PERSON] = person(course.paused)
            if course.paused.why:
                held[Hold.PERSON] += f": {course.paused.why}"
        if course.asked:
            held[Hold.APPROVAL] = ", ".join(course.asked)
        if course.waits_for_window and self.stopped is None:
            held[Hold.WINDOW] = ", ".join(course.windows)
        return held

    def _intend(self, event: OperationIntended) -> None:
        self.requests.intended += 1
        self._begin(event.device, event.step, event.at, requested=True)
        if event.operation in _DISRUPTIVE:
            self._set_down(event.device, event.at)
        self.lanes.after(event)
        self.changes.after(event)

    def _accept(self, event: OperationAccepted) -> None:
        self.requests.accepted += 1
        self._note(event.device, "accepted; waiting for proof")
        self._follow(event)
        if event.record is not None:
            self.fates.name(event.device, event.record)

    def _refuse(self, event: OperationRefused) -> None:
        self.requests.refused += 1
        self._end_try(event)

    def _unsend(self, event: OperationUnsent) -> None:
        self.requests.unsent += 1
        self._end_try(event)

    def _follow(self, event: Event) -> None:
        """Show it in the device's lane, and with what is written into its record, where anything is."""
        self.lanes.after(event)
        if self.changes.are_any:
            self.changes.after(event)

    def _end_try(self, event: OperationRefused | OperationUnsent) -> None:
        self._set_back(event.device, event.at)
        self._note(event.device, event.reason)
        self._follow(event)

    def _lose(self, event: OperationLost) -> None:
        self.requests.lost += 1
        self._note(event.device, f"in doubt: {event.reason}")
        self._follow(event)

    def _resolve(self, event: DoubtResolved) -> None:
        if not event.applied:
            self._set_back(event.device, event.at)
        self._note(event.device, event.sign)
        self._follow(event)

    def _reschedule(self, event: RetryScheduled) -> None:
        self.retries += 1
        self._note(event.device, f"will be tried again: {event.reason}")
        self.lanes.after(event)

    def _find(self, event: DeviceFound) -> None:
        self.fates.name(event.device, event.record)
        self._note(event.device, f"found as device {event.record} by its serial number")
        if self.changes.are_any:
            self.changes.after(event)

    def _return(self, event: DeviceReturned) -> None:
        self._note(event.device, "back; must stay up")
        self.lanes.after(event)

    def _relapse(self, event: DeviceRelapsed) -> None:
        self._note(event.device, event.reason)
        self.lanes.after(event)

    def _start_step(self, event: StepStarted) -> None:
        self._begin(event.device, event.step, event.at)
        self.lanes.after(event)

    def _hold_step(self, event: StepHeld) -> None:
        self._begin(event.device, event.step, event.at)
        self._note(event.device, event.reason)
        self.lanes.after(event)

    def _fail_step(self, event: StepFailed) -> None:
        self._set_back(event.device, event.at)
        self._note(event.device, event.reason)
        self.lanes.after(event)

    def _forgive(self, event: StepForgiven) -> None:
        self.fates.note(event.device, Went.FORGIVEN)
        self._set_back(event.device, event.at)
        self._note(event.device, "goes on all the same")
        self.lanes.after(event)

    def _rescue(self, event: RescueStarted) -> None:
        self.fates.note(event.device, Went.RESCUED)
        self._note(event.device, "goes into its rescue")
        self.lanes.after(event)

    def _prove(self, event: StepSucceeded) -> None:
        device, step = event.device, event.step
        self._set_back(device, event.at)
        if step == len(self.titles) - 1 and self.rescued and self.fates.has(device, Went.RESCUED):
            self.fates.note(device, Went.THROUGH)
        underway = self._underway.get(device)
        if underway is not None and underway.step == step:
            underway.reason = "proven; waits for its next step"
            # What was so already tells nothing of how long it takes the others.
            if underway.requested or step not in self.requests_at:
                times = self._times.get(step)
                if times is None:
                    times = self._times[step] = array("d")
                times.append(event.at - underway.began_at)
        self._follow(event)

    def _finish(self, event: DeviceFinished) -> None:
        self._set_back(event.device, event.at)
        self._underway.pop(event.device, None)
        self._follow(event)
        if not self.fates.end(event):
            return
        self._verdicts[event.verdict] += 1
        self.course.end(event.verdict)
        if event.verdict not in _UNTRIED:
            self._tried += 1
            self.ends.record(event.at, self._tried)
        if event.verdict in _TROUBLE:
            self._look_at(event)

    def _look_at(self, event: DeviceFinished) -> None:
        self.in_trouble += 1
        self.trouble_ends.record(event.at, self.in_trouble)
        if self.keeps_rows or self.in_trouble <= TROUBLES_KEPT:
            self.troubles.append(event)
        reason = (event.verdict, event.reason)
        if self.keeps_rows or reason in self.reasons or len(self.reasons) < TROUBLES_KEPT:
            self.reasons[reason] += 1

    def _begin(self, device: int, step: int, at: float, *, requested: bool = False) -> None:
        underway = self._underway.get(device)
        if underway is None or underway.step != step:
            self._underway[device] = _Underway(step, at, requested=requested)
        else:
            underway.reason = ""
            underway.requested |= requested

    def _note(self, device: int, reason: str) -> None:
        underway = self._underway.get(device)
        if underway is not None:
            underway.reason = reason

    def _set_down(self, device: int, at: float) -> None:
        self._down.add(device)
        self.timeline.record(at, len(self._down))

    def _set_back(self, device: int, at: float) -> None:
        if device in self._down:
            self._down.remove(device)
            self.timeline.record(at, len(self._down))

    @property
    def state(self) -> State:
        """Tell where the run stands; a process that was killed could not tell, see `state_if`."""
        if self.started is None:
            return State.NEW
        if self.finished_at is not None:
            return State.FINISHED if self.stopped is None else State.STOPPED
        if self.interruption:
            return State.INTERRUPTED
        if self.stopped is not None:
            return State.STOPPED
        return self._state_of_course()

    def _state_of_course(self) -> State:
        """What only a person can end is named before what ends by itself."""
        course = self.course
        if self.paused is not None or course.paused is not None:
            return State.PAUSED
        if course.asked:
            return State.WAITING_FOR_APPROVAL
        if course.waits_for_window:
            return State.WAITING_FOR_WINDOW
        if course.wave is not None and course.wave.soaks:
            return State.SOAKING
        return State.RUNNING

    def state_if(self, *, driven: bool) -> State:
        """Tell where the run stands, given whether a process drives it now."""
        if driven or self.is_over or self.started is None:
            return self.state
        return State.INTERRUPTED

    @property
    def is_over(self) -> bool:
        """True when there is nothing left to resume."""
        return self.finished_at is not None

    @property
    def has_trouble(self) -> bool:
        """True when some device failed, is unconfirmed or in doubt."""
        return self.in_trouble > 0

    @property
    def total(self) -> int:
        """Count the devices of the run."""
        return self.started.devices if self.started else len(self.devices)

    @property
    def finished(self) -> int:
        """Count the devices that have a verdict."""
        return self.fates.count

    @property
    def forgiven(self) -> int:
        """Count the devices that the playbook let go on although a step ended without success."""
        return self.fates.went(Went.FORGIVEN)

    @property
    def rescued(self) -> int:
        """Count the devices that went into the rescue."""
        return self.fates.went(Went.RESCUED)

    @property
    def rescues_completed(self) -> int:
        """Count the devices that came through the rescue's last step."""
        return self.fates.went(Went.THROUGH)

    @property
    def underway(self) -> int:
        """Count the devices that were begun and have no verdict."""
        return len(self._underway)

    @property
    def down(self) -> int:
        """Count the devices that are out of service through the run and not proven back yet."""
        return len(self._down)

    @property
    def peak_down(self) -> int:
        """Give the most devices that were out of service through the run at once."""
        return self.timeline.peak

    @property
    def max_down_now(self) -> int | None:
        """Give how many devices may be down now, a person's order considered."""
        if self.max_down is None:
            return None
        return int(self.course.limit("max_down", self.max_down))

    def spendings(self) -> list[Spending]:
        """Give how much of each budget is spent; nothing when there is no budget."""
        return list(spendings(self.course.budget, self._verdicts, self.total))

    def counts(self) -> dict[str, int]:
        """Count the devices for each verdict, all verdicts named."""
        return {verdict.value: self._verdicts[verdict.value] for verdict in Verdict}

    def estimated_end(self, now: float) -> float | None:
        """Foresee the end from the rate so far; None while there is nothing to judge it by."""
        if self.started is None or self.is_over or not self.finished:
            return None
        if self.stopped is not None or self.paused is not None or self.course.is_held:
            return None
        worked = now - self.started.at - self.idle_seconds
        left = max(0, self.total - self.finished)
        return now + max(0.0, worked) / self.finished * left

    def step_times(self) -> list[StepTime]:
        """Give how long each step took, for the steps that some device has proven."""
        return [self._step_time(step, self._times[step]) for step in sorted(self._times)]

    def durations(self, step: int) -> Sequence[float]:
        """Give the seconds from first intent to proof of every device that has proven a step."""
        return self._times.get(step, ())

    def _step_time(self, step: int, times: Sequence[float]) -> StepTime:
        known = self._step_times.get(step)
        if known is None or known.devices != len(times):
            ordered, last = sorted(times), len(times) - 1
            known = self._step_times[step] = StepTime(
                step=step,
                title=self.title(step),
                devices=len(times),
                median=ordered[last // 2],
                slowest_tenth=ordered[-(-last * 9 // 10)],
                longest=ordered[last],
            )
        return known

    def title(self, step: int) -> str:
        """Name a step for people, who count from one; the rescue is counted for itself."""
        if self.rescue_from is not None and self.rescue_from <= step < len(self.titles):
            return f"rescue {step_title(step - self.rescue_from, self.titles[self.rescue_from :])}"
        return step_title(step, self.titles)

    def device(self, device: int) -> PlannedDevice | None:
        """Give a device as the plan has it; None when it is not in the plan."""
        return self.devices.find(DeviceId(device))

    def serial_number(self, device: int) -> str | None:
        """Give a device's serial number as the plan has it."""
        planned = self.device(device)
        return None if planned is None else planned.serial_number

    def record_of(self, device: int) -> int | None:
        """Give the id that a device got in this run; None where it kept the one the plan has."""
        record = self.fates.record(device)
        return None if record == device else record

    def record_id(self, device: int) -> int | None:
        """Give a device's id at the controller, as far as is known; None of one not created yet."""
        record = self.fates.record(device)
        if record is not None:
            return record
        planned = self.device(device)
        return None if planned is not None and planned.is_new else device

    def row(self, device: int) -> DeviceRow:
        """Show one device; where no rows are kept, nothing but the verdict of one that ended."""
        serial = self.serial_number(device)
        ended = self.fates.ended(device)
        if ended is not None:
            return DeviceRow(device, serial, *ended)
        underway = self._underway.get(device)
        if underway is not None:
            return DeviceRow(device, serial, None, underway.step, underway.reason)
        return DeviceRow(device, serial, None, None, "")

    def rows(self) -> Iterable[DeviceRow]:
        """Show every device, in the plan's order; without a plan those that have any event."""
        return map(self.row, self.fates.ids(self._underway))

    _TAKES: ClassVar[Mapping[type[Event], Callable[[Any, Any], None]]] = {
        **dict.fromkeys(_TURNS, _after_turn),
        OperationIntended: _intend,
        OperationAccepted: _accept,
        OperationRefused: _refuse,
        OperationUnsent: _unsend,
        OperationLost: _lose,
        DoubtResolved: _resolve,
        RetryScheduled: _reschedule,
        DeviceFound: _find,
        DeviceReturned: _return,
        DeviceRelapsed: _relapse,
        StepStarted: _start_step,
        StepHeld: _hold_step,
        StepSucceeded: _prove,
        StepFailed: _fail_step,
        StepForgiven: _forgive,
        RescueStarted: _rescue,
        DeviceFinished: _finish,
    }
    """What each kind of event does to a summary; kinds that tell it nothing are not here."""


def step_title(step: int, titles: Sequence[str]) -> str:
    """Name a step for people, who count from one."""
    if 0 <= step < len(titles):
        return f"step {step + 1} ({titles[step]})"
    return f"step {step + 1}"
