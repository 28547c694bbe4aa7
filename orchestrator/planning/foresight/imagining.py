"""One imagined campaign: the run's own brain, and devices that take as long as others took before.

What decides who is started, when and how many together is the code that drives real runs. Only the
walk of a single device is shortened: instead of being read again and again until something is
proven, it is given the seconds and the end of a device run that was seen before.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from heapq import heappop, heappush

from orchestrator.engine.binding import binding
from orchestrator.engine.folding import fold
from orchestrator.engine.rollout.waving import name_of_wave
from orchestrator.engine.walking import concluding
from orchestrator.engine.walking.progressing import DeviceRun
from orchestrator.model import events
from orchestrator.model.commands import Command, HoldDevices, ReadDevices, TakeCensus
from orchestrator.model.devices import Device, DeviceId, Status
from orchestrator.model.events import Event
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.model.readings import Census, DevicesHeld, Reading
from orchestrator.model.verdicts import Verdict
from orchestrator.model.windows import Opening
from orchestrator.planning.foresight.experiencing import Experience
from orchestrator.planning.foresight.shortening import FORESEEN, Chance, Draws, ImaginedRun

ANSWER = 0.15
"""Seconds a controller is taken to need for its answer to an operation request."""

HORIZON = 60 * 86400.0
"""Seconds from the first opening after which an imagined campaign is given up."""

MINUTE = 60.0

_NOTED = frozenset({events.WaveFinished, events.ApprovalAsked})
_UP = Device(
    id=DeviceId(0),
    serial_number=None,
    name=None,
    status=Status.UP,
    is_active=True,
    pending=(),
    status_change=None,
    last_connection=None,
    last_configuration=None,
    update_frequency=None,
    firmware_is_pending=False,
    fields={},
)


class Campaign:
    """One imagined campaign from its start to its end; the figures are there afterwards."""

    runs: type[ImaginedRun] = ImaginedRun

    def __init__(
        self,
        plan: Plan,
        experience: Experience,
        chance: Chance,
        *,
        begins_at: float,
        slowness: float = 1.0,
        step: float = 0.0,
        opening: Opening | None = None,
    ) -> None:
        self.plan = plan
        self.now = round(begins_at, 6)
        self.ends_at = self.now
        self.requests = 0.0
        """Operation requests, those among them that are repeated on the mean."""
        self.peak_down = 0
        self.group_peaks: Counter[str] = Counter()
        """Most devices of each group, or location, that were out of service at once."""
        self.by_minute: defaultdict[int, float] = defaultdict(float)
        """Operation requests in each minute since the epoch."""
        self.wave_ends: dict[int, float] = {}
        self.bound: defaultdict[str, float] = defaultdict(float)
        """Seconds for which each limit kept the next device from being started."""
        self.asked: set[str] = set()
        """What gates that could not tell asked people for, although the playbook asks nobody."""
        self.left_at_cutoff: int | None = None
        self.is_cut_short = False
        self._cutoff = None if opening is None else opening.end
        self._until = HORIZON + (self.now if opening is None else max(self.now, opening.start))
        self._gates = set[str]()
        if plan.playbook.rollout.between_waves.approval is None:
            self._gates.update(name_of_wave(n) for n in range(1, len(plan.limits.waves) + 1))
        self._chance = chance
        self._approvals = experience.approval_seconds
        self._draws = Draws(experience, chance, slowness)
        self._step = step
        self.run = self.runs(plan, self._draws, step)
        self._coming: list[tuple[float, int, DeviceRun | Event, Verdict | None]] = []
        self._order = 0
        self._noticed_at = -math.inf
        self._downs: Counter[str] = Counter()
        self._is_grouped = bool(plan.limits.max_down_per)
        # An answer takes its time only where that time could be what keeps requests back.
        limits = plan.limits
        self._answer = ANSWER if self.run.pace.gap * limits.in_flight < ANSWER else 0.0
        self._record([_beginning(plan, self.now)])

    def to_the_end(self) -> "Campaign":
        """Let it happen."""
        run = self.run
        decide, chance, leaving = run.decide, self._chance, run.starts.leaving
        while not run.is_over:
            decision = decide(self.now, chance)
            if decision.events:
                self._record(decision.events)
                self.now = max(self.now, run.last_at)
            if leaving:
                self.now = max(self.now, leaving[-1][1])
                for device, at in leaving:
                    self._send(device, at)
                leaving.clear()
                self.peak_down = max(self.peak_down, run.admissions.down)
            for command in decision.commands:
                self._perform(command)
            # After mere requests nothing is left to decide before time has passed.
            if not decision.events and not self._wait():
                break
        self.ends_at = self._until if self.is_cut_short else self.now
        if self.left_at_cutoff is None:
            self.left_at_cutoff = len(self.plan.devices) - run.ended
        return self

    def _wait(self) -> bool:
        """Let time pass until something happens; False when nothing will, or only beyond the horizon."""
        if self.run.is_over:
            return False
        moment = self._next_moment()
        if moment > self._until:
            self.is_cut_short = True
            return False
        if moment > self.now:
            self._pass_time(moment)
        coming, now, at = self._coming, self.now, _cut(self.now)
        while coming and coming[0][0] <= now:
            due, _, what, verdict = heappop(coming)
            if not isinstance(what, DeviceRun):
                self._record([what])
            elif verdict is None:
                self.run.accept(what, due)
            else:
                self._come_to_end(what, verdict, at)
        return True

    def _come_to_end(self, run: DeviceRun, verdict: Verdict, at: float) -> None:
        if self.run.takes_down[run.step]:
            self._goes_down(run.planned, -1)
        if verdict is not Verdict.SUCCEEDED:
            self._record(concluding.fail(run, at, verdict, FORESEEN))
        elif run.forgiven is not None:
            self._record(concluding.succeed(run, at, FORESEEN))
        else:
            self.run.come_through(run, at)

    def _next_moment(self) -> float:
        """Give when something happens next; what happens within one step is noticed together."""
        wake = self.run.next_wake()
        moment = self._coming[0][0] if self._coming else math.inf
        if wake is not None:
            if wake <= self.now or (self.run.admissions.cleared and wake < moment):
                return max(wake, self.now)
            moment = min(moment, wake)
        if self._step and moment < self._noticed_at + self._step:
            moment = self._noticed_at + self._step
        self._noticed_at = moment
        return moment

    def _pass_time(self, moment: float) -> None:
        self.bound[binding(self.run, self.now)] += moment - self.now
        cutoff = self._cutoff
        if cutoff is not None and self.left_at_cutoff is None and moment >= cutoff:
            self.left_at_cutoff = len(self.plan.devices) - self.run.ended
        self.now = moment

    def _record(self, happened: Iterable[Event]) -> None:
        run = self.run
        for event in happened:
            fold(run, event)
            if type(event) in _NOTED:
                self._note(event)
        self.peak_down = max(self.peak_down, run.admissions.down)

    def _note(self, event: Event) -> None:
        if isinstance(event, events.WaveFinished):
            self.wave_ends[event.wave] = event.at
        elif isinstance(event, events.ApprovalAsked):
            if event.what in self._gates:
                self.asked.add(event.what)
            at = _cut(event.at + self._approvals)
            self._comes(at, events.ApprovalGiven(at, event.what, FORESEEN, FORESEEN))

    def _comes(self, at: float, what: DeviceRun | Event, verdict: Verdict | None = None) -> None:
        self._order += 1
        heappush(self._coming, (at, self._order, what, verdict))

    def _perform(self, command: Command) -> None:
        if isinstance(command, ReadDevices):
            self._read(command)
        elif isinstance(command, HoldDevices):  # taken again, after its window had let it go
            self.run.observe(DevicesHeld(self.now, command.devices), self.now)
        elif isinstance(command, TakeCensus):
            self.run.observe(Census(self.now, ()), self.now)

    def _send(self, run: DeviceRun, at: float) -> None:
        if self.run.takes_down[run.step]:
            self._goes_down(run.planned, 1)
        requests, seconds, verdict = self._draws.end_of(run)
        self.requests += requests
        self.by_minute[int(at // MINUTE)] += requests
        self.run.leave(run, at)
        accepted_at = _cut(at + self._answer)
        if self._answer:
            self._comes(accepted_at, run)
        else:
            self.run.accept(run, accepted_at)
        self._comes(max(at + seconds - self._step / 2, accepted_at), run, verdict)

    def _goes_down(self, planned: PlannedDevice, one: int) -> None:
        names = planned.groups if self._is_grouped else (planned.location,)
        for name in names:
            if name is not None:
                down = self._downs[name] = self._downs[name] + one
                self.group_peaks[name] = max(self.group_peaks[name], down)

    def _read(self, command: ReadDevices) -> None:
        """Whoever succeeded is still Up after the soak; nothing else is ever read here."""
        waves = self.run.waves
        for device in command.devices:
            if waves.wants(device):
                waves.note(Reading(device, _UP, self.now, self.now))


def _cut(moment: float) -> float:
    return round(moment, 6)


def _beginning(plan: Plan, now: float) -> Event:
    return events.RunStarted(
        at=now,
        playbook=plan.playbook.name,
        plan_digest="",
        playbook_digest="",
        version=FORESEEN,
        started_by=FORESEEN,
        host=FORESEEN,
        controller=plan.controller,
        devices=len(plan.devices),
    )
