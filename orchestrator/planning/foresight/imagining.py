"""One imagined campaign: the run's own brain, and devices that take as long as others took before.

What decides who is started, when and how many together is the code that drives real runs. Only the
walk of a single device is shortened: instead of being read again and again until something is
proven, it is given the seconds and the end of a device run that was seen before.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from orchestrator.engine.binding import binding
from orchestrator.engine.folding import fold
from orchestrator.engine.rollout.waving import name_of_wave
from orchestrator.engine.run import Run
from orchestrator.engine.starting import Starts
from orchestrator.engine.walking import concluding
from orchestrator.engine.walking.concluding import Moment
from orchestrator.engine.walking.deciding import Decision
from orchestrator.engine.walking.progressing import DeviceRun, Phase
from orchestrator.model import events
from orchestrator.model.commands import (
    Command,
    HoldDevices,
    ReadDevices,
    SendChange,
    SendOperation,
    TakeCensus,
)
from orchestrator.model.devices import Device, DeviceId, Status
from orchestrator.model.events import Event
from orchestrator.model.operations import Operation
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.model.readings import Census, DevicesHeld, Reading
from orchestrator.model.steps import UPDATE_FREQUENCY_SECONDS, RecordStep, proof_seconds
from orchestrator.model.verdicts import Verdict
from orchestrator.model.windows import Opening
from orchestrator.planning.foresight.experiencing import Experience, Outcomes
from orchestrator.planning.timing import Timed, timed

ANSWER = 0.15
"""Seconds a controller is taken to need for its answer to an operation request."""

HORIZON = 60 * 86400.0
"""Seconds from the first opening after which an imagined campaign is given up."""

MINUTE = 60.0

_UNSEEN = events.Baseline(read_at=0.0, status=Status.UP.value)
_FORESEEN = "foreseen"
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

Chance = Callable[[], float]


class Draws:
    """Draws the end of each step from what was seen before; `slowness` stretches all of them."""

    def __init__(self, experience: Experience, chance: Chance, slowness: float) -> None:
        self._experience = experience
        self._chance = chance
        self._slowness = slowness
        self._known: dict[tuple[Timed, str | None], Outcomes] = {}

    def _of(self, run: DeviceRun) -> Outcomes:
        key = (timed(run.operation_step), run.planned.kind)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._experience.of(*key)
        return found

    def is_skipped(self, run: DeviceRun) -> bool:
        """Say whether the guard keeps a device from its first request."""
        outcomes = self._of(run)
        if not outcomes.skipped:
            return False
        return self._chance() * (outcomes.tried + outcomes.skipped) >= outcomes.tried

    def requests_of(self, run: DeviceRun) -> float:
        """Give the requests that such a step took, repeats among them, in the mean."""
        outcomes = self._of(run)
        return outcomes.requests / outcomes.tried

    def end_of(self, run: DeviceRun) -> tuple[float, Verdict]:
        """Give the seconds from the request to the end of its step, and how it ends.

        A device that did not come back from an operation does not come through the next one either.
        """
        if run.is_still_gone:
            return proof_seconds(run.operation_step, UPDATE_FREQUENCY_SECONDS), Verdict.FAILED
        outcomes = self._of(run)
        drawn = int(self._chance() * outcomes.tried)
        seconds = outcomes.seconds
        if drawn < len(seconds):
            return seconds[drawn] * self._slowness, Verdict.SUCCEEDED
        verdict, until = outcomes.failures[drawn - len(seconds)]
        return until * self._slowness, verdict


class _SureStarts(Starts):
    """Records need no reading here, and the guard says no as often as it did before."""

    draws: Draws

    def _clear(self, decision: Decision, run: DeviceRun, now: Moment) -> None:  # noqa: ARG002 - asked so
        self.admissions.cleared.append(run)

    def _is_fresh(self, run: DeviceRun, at: float) -> bool:  # noqa: ARG002 - asked so
        return True

    def _why_not_now(self, run: DeviceRun) -> str | None:
        if run.touched or not self.draws.is_skipped(run):
            return None
        return _FORESEEN

    def _hold_back(self, decision: Decision, run: DeviceRun, unfit: str, now: Moment) -> None:
        self._stand_back(run)
        decision.events.append(concluding.finish(run, now.at, Verdict.SKIPPED, unfit))

    def _intend(self, decision: Decision, run: DeviceRun, at: float) -> bool:
        attempt, step, operation = run.attempt + 1, run.operation_step, run.operation
        decision.events.append(
            events.OperationIntended(at, run.id, run.step, attempt, operation.value, at, _UNSEEN)
        )
        if isinstance(step, RecordStep):
            change = SendChange(run.id, run.step, attempt, step.action, run.record, {})
            decision.commands.append(change)
        elif isinstance(operation, Operation):
            decision.commands.append(SendOperation(run.id, run.step, attempt, operation))
        return True


class ImaginedRun(Run):
    """A run whose devices are told of their ends instead of being watched."""

    def __init__(self, plan: Plan, draws: Draws, step: float) -> None:
        super().__init__(plan, pages=1)
        self.starts = _SureStarts(plan, self.admissions, self.waits, self.approvals, self.held_by)
        self.starts.draws = draws
        self.starts.together = min(step, self.pace.gap * plan.limits.in_flight / 2)

    def mark(self, run: DeviceRun) -> None:
        """Look at nobody who is under way: such a device is told when its step ends."""
        if run.phase is not Phase.SENT and run.phase is not Phase.PROVING:
            super().mark(run)

    def begin(self, planned: PlannedDevice) -> DeviceRun:
        """Let a device begin, without taking it from other runs: there are none."""
        run = super().begin(planned)
        run.is_held = True
        return run

    def _consider_device(
        self,
        decision: Decision,
        run: DeviceRun,
        reading: Reading | None,
        now: Moment,
        chance: Chance,
    ) -> None:
        match run.phase:
            case Phase.CHECKING:
                decision.events += concluding.succeed(run, now.at, _FORESEEN)
            case _:
                super()._consider_device(decision, run, reading, now, chance)


class Campaign:
    """One imagined campaign from its start to its end; the figures are there afterwards."""

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
        self._sent = 0
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
        self.run = ImaginedRun(plan, self._draws, step)
        self._coming: list[tuple[float, int, DeviceRun | Event, Verdict]] = []
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
        decide, chance = run.decide, self._chance
        while not run.is_over:
            decision = decide(self.now, chance)
            if decision.events:
                self._record(decision.events)
                self.now = max(self.now, run.last_at)
            before = self._sent
            for command in decision.commands:
                self._perform(command)
            # After mere intentions nothing is left to decide before time has passed.
            if len(decision.events) == self._sent - before and not self._wait():
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
        coming, now = self._coming, self.now
        while coming and coming[0][0] <= now:
            _, _, what, verdict = heappop(coming)
            if isinstance(what, DeviceRun):
                if what.operation.is_disruptive:
                    self._goes_down(what.planned, -1)
                self._record(self._ending(what, verdict))
            else:
                self._record([what])
        return True

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

    def _ending(self, run: DeviceRun, verdict: Verdict) -> list[Event]:
        at = _cut(self.now)
        if verdict is Verdict.SUCCEEDED:
            return concluding.succeed(run, at, _FORESEEN)
        return concluding.fail(run, at, verdict, _FORESEEN)

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
            self._comes(at, events.ApprovalGiven(at, event.what, _FORESEEN, _FORESEEN))

    def _comes(
        self, at: float, what: DeviceRun | Event, verdict: Verdict = Verdict.SUCCEEDED
    ) -> None:
        self._order += 1
        heappush(self._coming, (at, self._order, what, verdict))

    def _perform(self, command: Command) -> None:
        if isinstance(command, SendOperation | SendChange):
            self._send(command)
        elif isinstance(command, ReadDevices):
            self._read(command)
        elif isinstance(command, HoldDevices):  # taken again, after its window had let it go
            self.run.observe(DevicesHeld(self.now, command.devices), self.now)
        elif isinstance(command, TakeCensus):
            self.run.observe(Census(self.now, ()), self.now)

    def _send(self, command: SendOperation | SendChange) -> None:
        run = self.run.devices[command.device]
        at = run.asked_after
        self._sent += 1
        requests = self._draws.requests_of(run)
        self.requests += requests
        self.by_minute[int(at // MINUTE)] += requests
        if run.operation.is_disruptive:
            self._goes_down(run.planned, 1)
        accepted = events.OperationAccepted(
            _cut(at + self._answer), run.id, command.step, command.attempt, 200, at
        )
        if self._answer:
            self._comes(accepted.at, accepted)
        else:
            fold(self.run, accepted)
        seconds, verdict = self._draws.end_of(run)
        self._comes(max(at + seconds - self._step / 2, accepted.at), run, verdict)

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
        version=_FORESEEN,
        started_by=_FORESEEN,
        host=_FORESEEN,
        controller=plan.controller,
        devices=len(plan.devices),
    )
