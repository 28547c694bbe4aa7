"""How a run is led through its campaign: waves and gates, windows, people's orders, messages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self, get_args

from orchestrator.model.events import (
    ApprovalAsked,
    ApprovalDenied,
    ApprovalGiven,
    CancelOrdered,
    ContinueOrdered,
    Event,
    LimitOrdered,
    NotificationFailed,
    NotificationSent,
    PauseOrdered,
    RunFinished,
    RunStopped,
    WaveFinished,
    WaveJudged,
    WaveStarted,
    WindowClosed,
    WindowOpened,
)
from orchestrator.model.plans import Plan, Wave
from orchestrator.model.policies import Budget
from orchestrator.model.verdicts import Verdict
from orchestrator.report.telling_campaigns import ActEvent, CampaignEvent

TURNS: frozenset[type[Event]] = frozenset(get_args(CampaignEvent)) | {RunStopped, RunFinished}
"""The kinds of events that change a run's course."""
_UNTRIED = frozenset({Verdict.DEFERRED.value, Verdict.NOT_STARTED.value})


@dataclass(slots=True)
class WaveRecord:
    """One wave, from its beginning to what its gate said."""

    number: int
    devices: int
    must_succeed: int | None
    """None where the plan is not known."""
    began_at: float
    ended: int = 0
    """Its devices that had their turn and have their verdict."""
    finished: WaveFinished | None = None
    judged: WaveJudged | None = None

    @property
    def soaks(self) -> bool:
        """True while it is left alone before its gate."""
        soaking = self.finished is not None and self.finished.until_at > self.finished.at
        return soaking and self.judged is None


@dataclass(slots=True)
class OpeningRecord:
    """One opening of the window in one zone."""

    opened: WindowOpened
    closed: WindowClosed | None = None


@dataclass(slots=True)
class LimitChange:
    """A limit that a person moved away from the plan."""

    planned: float
    now: float


@dataclass(slots=True)
class Course:
    """The part of a run's mirror that tells how it is led; `after` takes its events in order."""

    planned_waves: Sequence[Wave] = ()
    budget: Budget = Budget()

    waves: dict[int, WaveRecord] = field(default_factory=dict)
    """The waves that were begun."""
    wave: WaveRecord | None = None
    """The wave that was begun last."""
    asked: dict[str, ApprovalAsked] = field(default_factory=dict)
    """What nobody has answered yet, by what it is about."""
    paused: PauseOrdered | None = None
    """The pause that a person ordered and nobody took back."""
    acts: list[ActEvent] = field(default_factory=list)
    """What people did with the run, in order."""
    limits: dict[str, LimitChange] = field(default_factory=dict)
    """The limits that are not what the plan says, by name."""
    windows: dict[str, WindowOpened | WindowClosed] = field(default_factory=dict)
    """How the window stands in each zone."""
    openings: list[OpeningRecord] = field(default_factory=list)
    notified: int = 0
    unnotified: int = 0
    last_unnotified: NotificationFailed | None = None

    _open: dict[str, OpeningRecord] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Begin the course of a plan's run."""
        return cls(planned_waves=plan.limits.waves, budget=plan.limits.budget)

    def after(self, event: Event) -> None:
        """Take one event into account that is among `TURNS`."""
        match event:
            case WindowOpened():
                self._open_window(event)
            case WindowClosed():
                self._close_window(event)
            case WaveStarted() | WaveFinished() | WaveJudged():
                self._follow_wave(event)
            case ApprovalAsked():
                self.asked[event.what] = event
            case NotificationSent():
                self.notified += 1
            case NotificationFailed():
                self.unnotified += 1
                self.last_unnotified = event
            case RunStopped() | RunFinished():
                # Whatever was asked or held back is settled by it.
                self.asked.clear()
                self.paused = None
            case _:
                self._obey(event)

    def end(self, verdict: str) -> None:
        """Count a device's first verdict for the wave under way."""
        if self.wave is not None and self.wave.finished is None and verdict not in _UNTRIED:
            self.wave.ended += 1

    def _open_window(self, event: WindowOpened) -> None:
        opening = self._open.get(event.zone)
        if opening is None:
            opening = OpeningRecord(event)
            self._open[event.zone] = opening
            self.openings.append(opening)
        self.windows[event.zone] = event

    def _close_window(self, event: WindowClosed) -> None:
        opening = self._open.pop(event.zone, None)
        if opening is not None:
            opening.closed = event
        self.windows[event.zone] = event

    def _follow_wave(self, event: WaveStarted | WaveFinished | WaveJudged) -> None:
        if isinstance(event, WaveStarted):
            place = event.wave - 1
            planned = self.planned_waves[place] if place < len(self.planned_waves) else None
            must_succeed = None if planned is None else planned.must_succeed
            self.wave = WaveRecord(event.wave, event.devices, must_succeed, event.at)
            self.waves[event.wave] = self.wave
            return
        wave = self.waves.get(event.wave)
        if wave is None:
            return
        if isinstance(event, WaveFinished):
            wave.finished = event
        else:
            wave.judged = event

    def _obey(self, event: Event) -> None:
        if not isinstance(event, ActEvent):
            return
        self.acts.append(event)
        match event:
            case ApprovalGiven() | ApprovalDenied():
                self.asked.pop(event.what, None)
            case PauseOrdered():
                self.paused = event
            case ContinueOrdered() | CancelOrdered():
                self.paused = None
            case LimitOrdered():
                self._change(event)

    def _change(self, event: LimitOrdered) -> None:
        change = self.limits.setdefault(event.limit, LimitChange(event.before, event.before))
        change.now = event.value
        if change.now == change.planned:
            del self.limits[event.limit]

    def limit(self, name: str, planned: float) -> float:
        """Give a limit as it holds now."""
        change = self.limits.get(name)
        return planned if change is None else change.now

    @property
    def waves_in_all(self) -> int | None:
        """Count the waves of the plan; None where the plan is not known."""
        return len(self.planned_waves) or None

    @property
    def in_waves(self) -> bool:
        """True when there is more than one wave, as far as is known."""
        return len(self.planned_waves) > 1 or (not self.planned_waves and self.wave is not None)

    @property
    def waits_for_window(self) -> bool:
        """True when the window is closed in every zone that the run has."""
        return bool(self.windows) and not self._open

    @property
    def is_held(self) -> bool:
        """True when nothing new is begun until a person or the window lets it."""
        return self.paused is not None or bool(self.asked) or self.waits_for_window

    def next_opening(self) -> tuple[float, str] | None:
        """Give when and in which zone the window opens next; None when it never does."""
        coming = [
            (each.next_at, zone)
            for zone, each in self.windows.items()
            if isinstance(each, WindowClosed) and each.next_at is not None
        ]
        return min(coming, default=None)

    def open_until(self) -> tuple[float, str] | None:
        """Give when and in which zone the last opening of now ends; None when none is open."""
        ends = [
            (each.until_at, zone)
            for zone, each in self.windows.items()
            if isinstance(each, WindowOpened)
        ]
        return max(ends, default=None)
