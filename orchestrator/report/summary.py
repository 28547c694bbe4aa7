"""What a run has come to: a fold of its events that costs the same for each of them."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self, get_args

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
from orchestrator.report.figures import DeviceRow, Requests, StepTime
from orchestrator.report.holds import Hold, Holds
from orchestrator.report.lanes import Lanes
from orchestrator.report.spending import Spending, spendings
from orchestrator.report.telling import RunEvent
from orchestrator.report.telling_campaigns import person
from orchestrator.report.telling_devices import RequestEvent
from orchestrator.report.timeline import Timeline

_DISRUPTIVE = frozenset(word for word, request in REQUESTS.items() if request.is_disruptive)
_TROUBLE = frozenset(each.value for each in Verdict if each.is_trouble)
_UNTRIED = frozenset({Verdict.DEFERRED.value, Verdict.NOT_STARTED.value})
_TURNS = frozenset(get_args(RunEvent)) | TURNS
_REQUESTS = frozenset(get_args(RequestEvent))


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

    planned: Mapping[int, PlannedDevice] = field(default_factory=dict)
    """The device set, for serial numbers and for the devices without any event yet."""
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
    forgiven: set[int] = field(default_factory=set)
    """Devices that the playbook let go on although a step ended without success."""
    rescued: dict[int, bool] = field(default_factory=dict)
    """Devices that went into the rescue; True for those that came through its last step."""
    requests: Requests = field(default_factory=Requests)
    troubles: list[DeviceFinished] = field(default_factory=list)
    """Every device that somebody has to look at, in the order of their ends."""
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

    _records: dict[int, int] = field(default_factory=dict)
    """The ids of records that were created or found again, by the device as the run names it."""
    _ended: dict[int, DeviceFinished] = field(default_factory=dict)
    _underway: dict[int, _Underway] = field(default_factory=dict)
    _down: set[int] = field(default_factory=set)
    _verdicts: Counter[str] = field(default_factory=Counter)
    _times: dict[int, "array[float]"] = field(default_factory=dict)
    _idle_since: float | None = None
    _tried: int = 0

    @classmethod
    def of(cls, plan: Plan, events: Iterable[Event] = ()) -> Self:
        """Begin the mirror of a plan's run, with the events there are already."""
        summary = cls(
            planned={device.id: device for device in plan.devices},
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
        for event in events:
            summary.after(event)
        return summary

    def after(self, event: Event) -> None:
        """Take one more event into account."""
        kind = type(event)
        if kind in _REQUESTS:
            self._after_request(event)
            self.lanes.after(event)
            self.changes.after(event)
        elif kind in _TURNS:
            self._after_turn(event)
        else:
            self._after_step(event)
            self.lanes.after(event)
            self.changes.after(event)
        if isinstance(event, OperationAccepted | DeviceFound):
            self._name(event)
        self.last_at = event.at

    def _name(self, event: OperationAccepted | DeviceFound) -> None:
        """Take note of a record that was created or found again."""
        if event.record is not None:
            self._records[event.device] = event.record
        if isinstance(event, DeviceFound):
            self._note(event.device, f"found as device {event.record} by its serial number")

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

    def _after_request(self, event: Event) -> None:
        match event:
            case OperationIntended():
                self.requests.intended += 1
                self._begin(event.device, event.step, event.at, requested=True)
                if event.operation in _DISRUPTIVE:
                    self._set_down(event.device, event.at)
            case OperationAccepted():
                self.requests.accepted += 1
                self._note(event.device, "accepted; waiting for proof")
            case OperationRefused():
                self.requests.refused += 1
                self._set_back(event.device, event.at)
                self._note(event.device, event.reason)
            case OperationUnsent():
                self.requests.unsent += 1
                self._set_back(event.device, event.at)
                self._note(event.device, event.reason)
            case OperationLost():
                self.requests.lost += 1
                self._note(event.device, f"in doubt: {event.reason}")
            case DoubtResolved(applied=applied):
                if not applied:
                    self._set_back(event.device, event.at)
                self._note(event.device, event.sign)
            case RetryScheduled():
                self.retries += 1
                self._note(event.device, f"will be tried again: {event.reason}")

    def _after_step(self, event: Event) -> None:
        match event:
            case StepSucceeded():
                self._set_back(event.device, event.at)
                self._prove(event)
            case DeviceFinished():
                self._finish(event)
            case DeviceReturned():
                self._note(event.device, "back; must stay up")
            case DeviceRelapsed():
                self._note(event.device, event.reason)
            case StepStarted():
                self._begin(event.device, event.step, event.at)
            case StepHeld():
                self._begin(event.device, event.step, event.at)
                self._note(event.device, event.reason)
            case StepFailed():
                self._set_back(event.device, event.at)
                self._note(event.device, event.reason)
            case StepForgiven():
                self.forgiven.add(event.device)
                self._set_back(event.device, event.at)
                self._note(event.device, "goes on all the same")
            case RescueStarted():
                self.rescued.setdefault(event.device, False)
                self._note(event.device, "goes into its rescue")
            case _:
                pass

    def _prove(self, event: StepSucceeded) -> None:
        if event.device in self.rescued and event.step == len(self.titles) - 1:
            self.rescued[event.device] = True
        underway = self._underway.get(event.device)
        if underway is not None and underway.step == event.step:
            underway.reason = "proven; waits for its next step"
            if event.step in self.requests_at and not underway.requested:
                return  # it was so already: how long that took says nothing of the others
            times = self._times.setdefault(event.step, array("d"))
            times.append(event.at - underway.began_at)

    def _finish(self, event: DeviceFinished) -> None:
        self._set_back(event.device, event.at)
        self._underway.pop(event.device, None)
        if event.device in self._ended:
            return
        self._ended[event.device] = event
        self._verdicts[event.verdict] += 1
        self.course.end(event.verdict)
        if event.verdict not in _UNTRIED:
            self._tried += 1
            self.ends.record(event.at, self._tried)
        if event.verdict in _TROUBLE:
            self.troubles.append(event)
            self.trouble_ends.record(event.at, len(self.troubles))

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
        return bool(self.troubles)

    @property
    def total(self) -> int:
        """Count the devices of the run."""
        return self.started.devices if self.started else len(self.planned)

    @property
    def finished(self) -> int:
        """Count the devices that have a verdict."""
        return len(self._ended)

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
        return [self._step_time(step, sorted(times)) for step, times in sorted(self._times.items())]

    def durations(self, step: int) -> Sequence[float]:
        """Give the seconds from first intent to proof of every device that has proven a step."""
        return self._times.get(step, ())

    def _step_time(self, step: int, times: Sequence[float]) -> StepTime:
        last = len(times) - 1
        return StepTime(
            step=step,
            title=self.title(step),
            devices=len(times),
            median=times[last // 2],
            slowest_tenth=times[-(-last * 9 // 10)],
            longest=times[last],
        )

    def title(self, step: int) -> str:
        """Name a step for people, who count from one; the rescue is counted for itself."""
        if self.rescue_from is not None and self.rescue_from <= step < len(self.titles):
            return f"rescue {step_title(step - self.rescue_from, self.titles[self.rescue_from :])}"
        return step_title(step, self.titles)

    def serial_number(self, device: int) -> str | None:
        """Give a device's serial number as the plan has it."""
        planned = self.planned.get(device)
        return None if planned is None else planned.serial_number

    def record_of(self, device: int) -> int | None:
        """Give the id that a device got in this run; None where it kept the one the plan has."""
        record = self._records.get(device)
        return None if record == device else record

    def record_id(self, device: int) -> int | None:
        """Give a device's id at the controller, as far as is known; None of one not created yet."""
        planned = self.planned.get(device)
        is_new = planned is not None and planned.is_new
        return self._records.get(device, None if is_new else device)

    def row(self, device: int) -> DeviceRow:
        """Show one device."""
        serial = self.serial_number(device)
        ended = self._ended.get(device)
        if ended is not None:
            return DeviceRow(device, serial, ended.verdict, ended.step, ended.reason)
        underway = self._underway.get(device)
        if underway is not None:
            return DeviceRow(device, serial, None, underway.step, underway.reason)
        return DeviceRow(device, serial, None, None, "")

    def rows(self) -> Iterable[DeviceRow]:
        """Show every device, in the plan's order; without a plan those that have any event."""
        return map(self.row, self.planned or dict.fromkeys([*self._ended, *self._underway]))


def step_title(step: int, titles: Sequence[str]) -> str:
    """Name a step for people, who count from one."""
    if 0 <= step < len(titles):
        return f"step {step + 1} ({titles[step]})"
    return f"step {step + 1}"
