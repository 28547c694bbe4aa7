"""One run: the aggregate that ties the rules together; it holds indexes and asks the gerunds.

`decide(now)` says what has happened and what should happen next, `after(event)` folds what is
durable, `observe(observation)` hands in what was read. Between a `decide` and the `after` of all
its events nothing else may be asked. All three cost O(1) amortised an event, never O(devices).
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator

from orchestrator.engine import ending, ordering
from orchestrator.engine.folding import PAUSED, fold
from orchestrator.engine.noting import note
from orchestrator.engine.pausing import consider_controller
from orchestrator.engine.reaching import Reach
from orchestrator.engine.rollout import pacing
from orchestrator.engine.rollout.admitting import Admissions
from orchestrator.engine.rollout.asking import Approvals, name_of_step
from orchestrator.engine.rollout.counting import Counting
from orchestrator.engine.rollout.spending import Spending
from orchestrator.engine.rollout.waving import Stage, Waves
from orchestrator.engine.rollout.zoning import Durations, Zones
from orchestrator.engine.starting import Starts
from orchestrator.engine.walking import concluding
from orchestrator.engine.walking.concluding import Moment
from orchestrator.engine.walking.deciding import Decision
from orchestrator.engine.walking.progressing import Course, DeviceRun, Phase
from orchestrator.engine.walking.remembering import DeviceRuns
from orchestrator.engine.walking.waiting import Waits
from orchestrator.model import events
from orchestrator.model.commands import FindDevice, HoldDevices, ReadDevices, ReleaseDevices
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import Event
from orchestrator.model.orders import Order
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.model.readings import Observation, Probed, Reading

PATIENCE = 1800.0
"""Seconds for which an unusable controller is waited for, unless the settings say otherwise."""

QUICK = 0.2
"""Seconds from an intention to its answer up to which intentions are made ahead: one that has to
wait for its place in flight is still far from being too old to be sent (design 5)."""

STOPPED = "stopped"
"""What keeps a device from its next operation for good; a pause and a window do for a while."""


class Run:
    """The state of one run, as the fold of its events."""

    epoch = 1
    """Counts the processes that have driven the run."""
    started_by = ""
    started_at: float | None = None
    finished_at: float | None = None
    interrupted: events.RunInterrupted | None = None
    stopped: events.RunStopped | None = None
    pause: events.PauseOrdered | None = None
    is_abandoned = False
    """Not even devices in the middle of their chain are gone on with."""
    stop_for: tuple[str, str] | None = None
    """Cause and detail of a stop that is to be decided next."""
    rejected_since: float | None = None
    """Since when operations are refused for their token, although probes succeed."""
    last_at = 0.0
    resumed_at = 0.0
    paused_for = 0.0
    """Seconds the active clock is behind ours."""
    limited_at = 0.0
    """When a person last changed a limit."""
    before_gap = 0.0
    """When the last event happened; what lies between it and a resume is no time of the run."""

    look_ahead = 0
    """Requests that may be intended beyond those in flight, so that their intentions are durable by
    the time there is a place for them; above 0 only where a queue keeps them back until then."""
    answering = float("inf")
    """Seconds from an intention to its answer: the longest of late, slowly forgotten."""

    def __init__(self, plan: Plan, *, patience: float = PATIENCE, pages: int | None = None) -> None:
        self.plan = plan
        self.patience = patience
        self.limits = plan.limits
        """What holds now: the plan's limits, or tighter ones that a person ordered."""
        self.course = Course(plan.playbook.steps, plan.playbook.rescue)
        self.devices = DeviceRuns(plan.devices, self.course)
        self.spending = Spending(plan.playbook.rollout, plan.limits)
        self.verdicts = self.spending.verdicts
        self.zones = Zones(plan)
        self.durations = Durations(plan)
        self.waves = Waves(plan)
        self.approvals = Approvals()
        self.admissions = Admissions(
            plan.limits,
            plan.playbook.steps,
            plan.devices,
            has_begun=lambda planned: planned.id in self.devices,
            is_closed=self._closed_to,
            knows_census=lambda: self.counting.is_known(self.active(self._now)),
        )
        self.pace = pacing.planned_pace(plan.limits.delay, plan.limits.per_second)
        self.waits = Waits(per_second=plan.limits.per_second, pages=pages)
        self.starts = Starts(plan, self.admissions, self.waits, self.approvals, self.held_by)
        self.reach = Reach()
        self.suspects: set[DeviceId] = set()
        """Answered 403; a probe has to tell whether it is the device or the token."""
        self.moved: dict[DeviceId, DeviceId] = {}
        """Records whose devices the plan knows by another id: created, or found again."""
        self.unbegun = plan.devices.ids()
        # volatile: what was read, and whom the next decision has to look at
        self.probed: Probed | None = None
        self.news: dict[DeviceId, Reading] = {}
        self.must_withdraw = False
        """Something may keep devices from being started: whoever waits in a queue is asked anew."""
        self.counting = Counting(self.admissions)
        self._dirty: deque[DeviceRun] = deque()
        self._marked: set[DeviceId] = set()
        self._is_interrupting: str | None = None
        self._now = 0.0
        self._has_news = False
        if self.waves.is_silent:
            self.fill_wave()

    # --- questions ------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """True when this process has nothing more to do for the run."""
        return self.finished_at is not None or self.interrupted is not None

    @property
    def is_paused(self) -> bool:
        """True while the controller cannot be used."""
        return self.reach.paused_at is not None

    @property
    def ended(self) -> int:
        """Devices that have their verdict."""
        return self.spending.ended

    def active(self, at: float) -> float:
        """Give a moment on the clock that stands still in pauses and between processes."""
        paused_at = self.reach.paused_at
        if paused_at is not None and paused_at < at:
            at = paused_at
        return at - self.paused_for

    def next_wake(self) -> float | None:
        """Give the moment at which `decide` has something to do without being told anything."""
        if self._is_interrupting is not None:
            return self.last_at if self.admissions.in_flight == 0 else None
        if self.probed is not None or (self.reach.cause and not self.is_paused):
            return self.last_at
        if self.is_paused:
            return None if self.reach.is_probing else self.reach.probe_at
        if self._dirty or self.must_withdraw or self._has_news:
            return self.last_at
        return min(self._moments(), default=None)

    def _moments(self) -> Iterator[float]:
        """Give the moments at which time alone brings something to decide."""
        # A little later, or the sum may round to a moment at which the timer is not due yet.
        behind = self.paused_for + 1e-6
        at = self.waits.next_at
        if at is not None:
            yield at + behind
        if self.counting.is_wanted(self):
            yield self.counting.due + behind
        if self.admissions.cleared and self.admissions.in_flight < self._most_intended:
            yield self.pace.next_at
        if self.suspects and not self.reach.is_probing:
            yield self.reach.probe_at
        if self.stopped is not None:
            return
        at = self.waves.next_at
        if at is not None:
            yield at + behind
        edge = self.zones.next_edge
        if edge is not None:
            yield edge

    @property
    def _most_in_flight(self) -> int:
        """After a storm of the controller's one request is tried at a time."""
        return 1 if self.reach.is_careful else self.limits.in_flight

    @property
    def _most_intended(self) -> int:
        """How many requests may wait for their answer, or for their place in flight.

        Made ahead only while sending is as free and as quick as the plan allows.
        """
        most = self._most_in_flight
        is_free = most == self.plan.limits.in_flight and self.pace.next_at <= self.last_at
        return most + self.look_ahead if is_free and self.answering <= QUICK else most

    def answered_in(self, seconds: float) -> None:
        """Take note of how long an intention waited for its answer."""
        late = self.answering if self.answering < float("inf") else seconds
        self.answering = max(seconds, late + (seconds - late) / 10)

    def may_still_send(self, device: DeviceId, now: float, *, on_wire: int) -> bool:
        """Say whether a request that was intended ahead is still wanted when its place is free.

        `on_wire` says how many were sent and have no answer yet.
        """
        now = max(now, self.last_at)
        if self._is_interrupting is not None or self.is_paused or self.reach.cause is not None:
            return False
        if self.stopped is None and (self.stop_for or self.spending.overspent):
            return False  # the run is about to be stopped
        if on_wire >= self._most_in_flight or self.pace.hold_until > now:
            return False
        run = self.devices[device]
        if run.asked_after < self.limited_at:
            return False  # it was weighed against other limits
        has_begun = run.is_in_chain and not run.is_at_its_first_attempt
        return self._held(run, now, is_in_chain=has_begun) is None

    def is_considered(self, device: DeviceId, step: int, attempt: int) -> bool:
        """Say whether all that follows at once from the answer to this attempt is believed."""
        if device in self._marked:
            return False
        run = self.devices.whole.get(device)
        if run is None or run.phase is not Phase.SENT:
            return True
        return (run.step, run.attempt) != (step, attempt)

    def held_by(self, run: DeviceRun, at: float) -> Hashable | None:
        """Say what keeps a device from its next operation; a chain once begun goes on."""
        return self._held(run, at, is_in_chain=run.is_in_chain)

    def _held(self, run: DeviceRun, at: float, *, is_in_chain: bool) -> Hashable | None:
        if is_in_chain:
            return STOPPED if self.is_abandoned else None
        if self.stopped is not None:
            return STOPPED
        if self.pause is not None:
            return PAUSED
        if self.zones.window is None:
            return None
        if self.zones.may_start(run.planned, at, self.durations.remaining(run.step)):
            return None
        return self.zones.zone_of(run.planned)

    def _closed_to(self, planned: PlannedDevice) -> Hashable | None:
        if self.zones.window is None:
            return None
        if self.zones.may_start(planned, self._now, self.durations.remaining(planned.begins_at)):
            return None
        return self.zones.zone_of(planned)

    def may_begin(self) -> bool:
        """Say whether one more device may begin its walk, as far as the run as a whole is concerned."""
        if self.stopped is not None or self.pause is not None or self.zones.are_over:
            return False
        room = self.spending.most_underway
        return self.waves.may_begin_devices and (room is None or self.waits.underway < room)

    def obey(self, order: Order, now: float) -> list[Event]:
        """Say what follows from a person's order; it is in force once these events are recorded.

        Raises OrderRefusedError in one sentence; then nothing has changed.
        """
        return ordering.obey(self, order, _rounded_up(max(now, self.last_at)))

    # --- being told -----------------------------------------------------------------------------

    def observe(self, observation: Observation, now: float) -> None:
        """Take note of what was read; only what `decide` finds that it proves will change anything."""
        note(self, observation, now)
        self._has_news = True

    def interrupt(self, reason: str) -> None:
        """Start nothing new; the run ends as interrupted once no request is under way."""
        self._is_interrupting = reason

    def after(self, event: Event) -> None:
        """Fold a durable event into the state."""
        fold(self, event)

    def begin(self, planned: PlannedDevice) -> DeviceRun:
        """A device begins its walk."""
        run = DeviceRun(planned, self.course)
        self.devices.begin(run)
        self.waits.underway += 1
        return run

    def mark(self, run: DeviceRun) -> None:
        """Look at this device in the next decision."""
        if run.id not in self._marked and run.phase is not Phase.ENDED:
            self._marked.add(run.id)
            self._dirty.append(run)

    def fill_wave(self) -> None:
        """Let the devices of the present wave be drawn."""
        begin = self.waves.begins
        self.admissions.fresh.fill(range(begin, begin + self.waves.wave.devices))

    # --- the decision ---------------------------------------------------------------------------

    def decide(self, now: float, chance: Callable[[], float]) -> Decision:
        """Say what has happened by now and what should happen; `chance` gives numbers in [0, 1)."""
        decision = Decision()
        now = _rounded_up(max(now, self.last_at))
        moment = Moment(now, self.active(now))
        if self.is_over:
            return decision
        if self._is_interrupting is not None:
            if self.admissions.in_flight == 0:
                decision.events.append(events.RunInterrupted(now, self._is_interrupting))
            return decision
        self._now, self._has_news = now, False
        consider_controller(self, decision, now)
        if self.is_paused or decision.events:
            return decision
        self._consider_run(decision, moment)
        if decision.events:
            return self._with_commands(decision)
        self._withdraw()
        self._consider_devices(decision, moment, chance)
        if decision.events and (self.limits.budget.is_set or _slows(decision)):
            return self._with_commands(decision)  # believed first: sending may have to wait or stop
        self._make_ready(decision, moment)
        if self.starts.send(decision, moment, self.pace, self._most_intended):
            self._make_ready(decision, moment)
        ending.give_up_the_rest(self, decision, now)
        ending.consider_end(self, decision, now)
        return self._with_commands(decision)

    def _with_commands(self, decision: Decision) -> Decision:
        if decision.to_hold:
            decision.commands.append(HoldDevices(tuple(decision.to_hold)))
        if self.starts.released:
            decision.commands.append(ReleaseDevices(tuple(self.starts.released)))
            self.starts.released.clear()
        if decision.to_read:
            addresses = decision.to_read
            if self.moved:
                addresses = [self._address(device) for device in addresses]
            decision.commands.append(ReadDevices(tuple(addresses)))
        return decision

    def _address(self, device: DeviceId) -> DeviceId:
        run = self.devices.whole.get(device)
        return device if run is None else run.record

    def _consider_run(self, decision: Decision, now: Moment) -> None:
        """The budget, the windows and the waves: what concerns the run as a whole."""
        if self.stopped is not None:
            return
        spent = self.spending.overspent
        if spent is not None:
            if self.spending.is_surely_overspent:
                decision.events.append(events.RunStopped(now.at, "budget", spent))
            else:
                detail = f"no request was accepted since devices began to fail, and {spent}"
                decision.events.append(events.RunPaused(now.at, "controller", detail))
            return
        if self.zones.window is not None:
            decision.events += self.zones.decide(now.at)
            if decision.events or self.zones.are_over:
                return
        if self.waves.stage is Stage.DONE:
            return
        decision.to_read += self.waves.look(now.at, now.active)
        decision.events += self.waves.decide(now.at, now.active)

    def _withdraw(self) -> None:
        """Something now keeps devices from being started: whoever waits in a queue is asked anew."""
        if not self.must_withdraw:
            return
        self.must_withdraw = False
        for run in self.admissions.withdraw():
            self.starts.queued.discard(run.id)
            self.mark(run)

    def _make_ready(self, decision: Decision, now: Moment) -> None:
        ahead = self.admissions.ahead(self.pace.gap)
        self.starts.make_ready(
            decision, now, ahead=ahead, may_begin=self.may_begin, begin=self.begin
        )
        self.counting.consider(self, decision, now)

    def _consider_devices(
        self, decision: Decision, now: Moment, chance: Callable[[], float]
    ) -> None:
        for due, device in self.waits.due(now.active):
            run = self.devices.whole.get(device)
            if run is not None and run.due == due:
                run.due = float("inf")
                self.mark(run)
        for _ in range(len(self._dirty)):
            run = self._dirty.popleft()
            self._marked.discard(run.id)
            reading = self.news.pop(run.id, None)
            if run.phase is not Phase.ENDED:
                self._consider_device(decision, run, reading, now, chance)

    def _consider_device(
        self,
        decision: Decision,
        run: DeviceRun,
        reading: Reading | None,
        now: Moment,
        chance: Callable[[], float],
    ) -> None:
        if run.phase in _IDLE and (given_up := ending.given_up(self, run, now.at)):
            decision.events += given_up
            return
        match run.phase:
            case Phase.SENT | Phase.SUSPECT:
                return
            case Phase.READY | Phase.RESTING:
                self.starts.consider(decision, run, reading, now)
            case Phase.FALTERED:
                decision.events += self._after_faltering(run, now, chance())
            case Phase.APPROVING:
                decision.events += self._after_answer(run, now.at)
            case _:
                happened = concluding.consider(run, reading, now)
                decision.events += happened
                if happened and isinstance(happened[-1], events.LastLookTaken):
                    self._look_for_the_last_time(decision, run)
                if not happened:
                    self.waits.wait(decision, run, now)

    def _look_for_the_last_time(self, decision: Decision, run: DeviceRun) -> None:
        """Have the controller contact the device; one that lost itself in a reset is searched first."""
        run.is_being_read = run.is_read_in_full = True
        serial = run.serial_number
        if run.operation.is_destructive and serial is not None and not run.is_searched:
            run.owes_refresh = True
            decision.commands.append(FindDevice(run.id, serial))
            return
        decision.read_in_full(run.record, update_status=True)

    def _after_faltering(self, run: DeviceRun, now: Moment, chance: float) -> list[Event]:
        happened = concluding.after_faltering(
            run, now, self.plan.playbook.retry, patience=self.patience, chance=chance
        )
        scheduled = happened[-1]
        if (
            run.busy_since is not None
            and isinstance(scheduled, events.RetryScheduled)
            and scheduled.retry_at > self.pace.hold_until
        ):
            until, factor = scheduled.retry_at, self.pace.slower()
            happened.insert(0, events.SendingSlowed(now.at, until, factor, run.reason))
        return happened

    def _after_answer(self, run: DeviceRun, at: float) -> list[Event]:
        passed = self.approvals.why_passed(name_of_step(run.step), in_chain=run.is_in_chain)
        return [] if passed is None else concluding.succeed(run, at, passed)


_IDLE = (Phase.READY, Phase.RESTING, Phase.FALTERED, Phase.SUSPECT, Phase.APPROVING)
"""Looked through by identity: the hash of a phase costs more."""


def replayed(plan: Plan, history: Iterable[Event], *, patience: float = PATIENCE) -> Run:
    """Give the run as its events left it."""
    run = Run(plan, patience=patience)
    for event in history:
        run.after(event)
    return run


def resuming(run: Run, now: float, *, by: str, host: str, torn_bytes: int = 0) -> list[Event]:
    """Say what a new process must record first: that it took over, and which answers are lost."""
    now = round(max(now, run.last_at), 6)
    happened: list[Event] = [events.RunResumed(now, run.epoch + 1, by, host, torn_bytes)]
    lost = "the process ended before an answer was recorded"
    happened += [
        events.OperationLost(now, device.id, device.step, device.attempt, lost)
        for device in run.devices.whole.values()
        if device.phase is Phase.SENT
    ]
    return happened


def _slows(decision: Decision) -> bool:
    return any(isinstance(event, events.SendingSlowed) for event in decision.events)


def _rounded_up(moment: float) -> float:
    """Cut to the journal's microseconds, and never to before the moment that woke us."""
    cut = round(moment, 6)
    return cut if cut >= moment else round(cut + 1e-6, 6)
