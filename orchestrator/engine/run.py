"""One run: the aggregate that ties the rules together; it holds indexes and asks the gerunds.

`decide(now)` says what has happened and what should happen next, `after(event)` folds what is
durable, `observe(observation)` hands in what was read. Between a `decide` and the `after` of all
its events nothing else may be asked. All three cost O(1) amortised an event, never O(devices).
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from orchestrator.engine import concluding, pacing, progressing
from orchestrator.engine.admitting import Admissions
from orchestrator.engine.concluding import Moment
from orchestrator.engine.deciding import Decision
from orchestrator.engine.progressing import DeviceRun, Phase
from orchestrator.engine.reaching import Reach
from orchestrator.engine.starting import Starts
from orchestrator.engine.waiting import Waits
from orchestrator.model import events
from orchestrator.model.answers import Refusal
from orchestrator.model.commands import ProbeController, ReadDevices
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import Event
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.model.readings import Observation, Probed, Reading, ReadingFailed
from orchestrator.model.verdicts import Verdict

PATIENCE = 1800.0
"""Seconds for which an unusable controller is waited for, unless the settings say otherwise."""

BATCH = 2000
"""Devices given up in one decision when a run stops; keeps every batch of events small."""


class Run:
    """The state of one run, as the fold of its events."""

    def __init__(self, plan: Plan, *, patience: float = PATIENCE, pages: int | None = None) -> None:
        self.plan = plan
        self.patience = patience
        self.devices: dict[DeviceId, DeviceRun] = {}
        self.verdicts: Counter[Verdict] = Counter()
        self.admissions = Admissions(plan.limits, plan.playbook.steps)
        self.pace = pacing.planned_pace(plan.playbook.requests)
        self.waits = Waits(per_second=plan.limits.per_second, pages=pages)
        self.starts = Starts(plan, self.admissions, self.waits)
        self.reach = Reach()
        self.epoch = 1
        self.started_at: float | None = None
        self.finished_at: float | None = None
        self.interrupted: events.RunInterrupted | None = None
        self.stopped: events.RunStopped | None = None
        self._planned = {device.id: device for device in plan.devices}
        self._fresh = self._not_begun()
        self.last_at = 0.0
        self._paused_for = 0.0
        self._before_gap = 0.0
        self._stop: tuple[str, str] | None = None
        self._is_interrupting: str | None = None
        self._rejected_since: float | None = None
        self._news: dict[DeviceId, Reading] = {}
        self._dirty: deque[DeviceRun] = deque()
        self._marked: set[DeviceId] = set()
        self._suspects: set[DeviceId] = set()
        self._probed: Probed | None = None

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
        return self.verdicts.total()

    def active(self, at: float) -> float:
        """Give a moment on the clock that stands still in pauses and between processes."""
        return min(at, self.reach.paused_at or at) - self._paused_for

    def next_wake(self) -> float | None:
        """Give the moment at which `decide` has something to do without being told anything."""
        if self._is_interrupting is not None:
            return self.last_at if self.admissions.in_flight == 0 else None
        if self._probed is not None or (self.reach.cause and not self.is_paused):
            return self.last_at
        if self.is_paused:
            return None if self.reach.is_probing else self.reach.probe_at
        if self._dirty:
            return self.last_at
        moments = []
        if self.waits.next_at is not None:
            # A little later, or the sum may round to a moment at which the timer is not due yet.
            moments.append(self.waits.next_at + self._paused_for + 1e-6)
        if self.admissions.cleared and self.admissions.in_flight < self.plan.limits.in_flight:
            moments.append(self.pace.next_at)
        if self._suspects and not self.reach.is_probing:
            moments.append(self.reach.probe_at)
        return min(moments, default=None)

    # --- being told -----------------------------------------------------------------------------

    def observe(self, observation: Observation, now: float) -> None:
        """Take note of what was read; only what `decide` finds that it proves will change anything."""
        match observation:
            case Reading():
                self._note(observation)
            case ReadingFailed():
                self._note_failure(observation, now)
            case Probed():
                self._probed = observation

    def interrupt(self, reason: str) -> None:
        """Start nothing new; the run ends as interrupted once no request is under way."""
        self._is_interrupting = reason

    def _note(self, reading: Reading) -> None:
        self.reach.answered()
        run = self.devices.get(reading.device_id)
        if run is None:
            if reading.device_id in self._planned:
                self.starts.known[reading.device_id] = reading
            return
        if _answers(run, reading):
            run.is_being_read = False
            run.failed_looks = 0
        if run.phase is Phase.ENDED:
            return
        self._mark(run)
        if _adds(reading, self.starts.known.get(run.id)):
            self.starts.known[run.id] = reading
            news = self._news.get(run.id)
            if news is None or reading.is_detail or not news.is_detail:
                self._news[run.id] = reading

    def _note_failure(self, failed: ReadingFailed, now: float) -> None:
        if failed.unauthorised:
            self.reach.rejected(failed.reason)
        elif failed.unreachable:
            self.reach.missed(failed.reason)
        for device in failed.device_ids:
            run = self.devices.get(device)
            if run is None:
                continue
            run.is_being_read = False
            if not (failed.unauthorised or failed.unreachable):
                run.failed_looks += 1
            run.poll_at = self.active(now) + min(60.0, 5.0 * 2 ** min(run.failed_looks, 4))
            self._mark(run)

    # --- the fold -------------------------------------------------------------------------------

    def after(self, event: Event) -> None:
        """Fold a durable event into the state."""
        self.last_at = max(self.last_at, event.at)
        if type(event) in progressing.DEVICE_EVENTS:
            self._after_device(event)
            return
        self._after_run_event(event)
        self._before_gap = event.at

    def _after_run_event(self, event: Event) -> None:
        match event:
            case events.RunStarted():
                self.started_at = event.at
            case events.RunResumed():
                self._paused_for = event.at - self.active(self._before_gap)
                self.epoch = event.epoch
                self.interrupted = None
                self.reach = Reach()
                self._rejected_since = None
            case events.RunPaused():
                self.reach.paused(event.at, event.cause, event.detail)
            case events.RunContinued():
                self._paused_for += event.at - (self.reach.paused_at or event.at)
                self.reach.continued()
                self._clear_suspects()
            case events.RunInterrupted():
                self.interrupted = event
            case events.RunStopped():
                self.stopped = event
                for run in self.devices.values():
                    self._mark(run)
            case events.RunFinished():
                self.finished_at = event.at
            case events.SendingSlowed():
                self.pace = self.pace.after_refusal(event.until_at, event.factor)

    def _after_device(self, event: Any) -> None:
        device = DeviceId(event.device)
        run = self.devices.get(device)
        if run is None:
            run = self._begin(self._planned[device])
        held, sent = run.holds_slot, run.phase is Phase.SENT
        progressing.after(run, event, self.active(event.at))
        self.admissions.down += run.holds_slot - held
        self.admissions.in_flight += (run.phase is Phase.SENT) - sent
        self._before_gap = event.at
        match event:
            case events.OperationIntended():
                self.pace = self.pace.after_sending(event.at)
                self.admissions.release(run)
                self.starts.queued.discard(run.id)
            case events.OperationAccepted():
                self.pace = self.pace.after_success()
                self._rejected_since = None
                self.reach.answered()
            case events.OperationRefused():
                self._after_refusal(run, event)
            case events.OperationUnsent(stale=False):
                self.reach.missed(event.reason)
            case events.DeviceFinished():
                self._after_finish(run)
                return
            case _:
                pass
        run.poll_at = 0.0
        self._mark(run)

    def _after_refusal(self, run: DeviceRun, event: events.OperationRefused) -> None:
        if event.refusal == Refusal.UNAUTHORISED:
            self.reach.rejected(event.reason)
            self._rejected_since = self._rejected_since or event.at
            return
        self._rejected_since = None
        self.reach.answered()
        if event.refusal == Refusal.FORBIDDEN:
            self._suspects.add(run.id)
        elif event.refusal == Refusal.INVALID:
            self._stop = ("invalid_request", event.reason)

    def _after_finish(self, run: DeviceRun) -> None:
        assert run.verdict is not None
        self.verdicts[run.verdict] += 1
        self.waits.underway -= 1
        self.admissions.ended(run)
        self.starts.forget(run)
        self._suspects.discard(run.id)
        self._news.pop(run.id, None)

    def _clear_suspects(self) -> None:
        for device in self._suspects:
            self.devices[device].phase = Phase.READY
            self._mark(self.devices[device])
        self._suspects.clear()

    def _begin(self, planned: PlannedDevice) -> DeviceRun:
        run = DeviceRun(planned, self.plan.playbook.steps)
        self.devices[planned.id] = run
        self.waits.underway += 1
        return run

    def _mark(self, run: DeviceRun) -> None:
        """Look at this device in the next decision."""
        if run.id not in self._marked and run.phase is not Phase.ENDED:
            self._marked.add(run.id)
            self._dirty.append(run)

    def _not_begun(self) -> Iterator[PlannedDevice]:
        for planned in self.plan.devices:
            if planned.id not in self.devices:
                yield planned

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
        self._consider_controller(decision, now)
        if self.is_paused or decision.events:
            return decision
        self._consider_devices(decision, moment, chance)
        if self.stopped is None:
            self._make_ready(decision, moment)
            if self.starts.send(decision, moment, self.pace):
                self._make_ready(decision, moment)
        else:
            self._give_up_the_rest(decision, now)
        self._consider_end(decision, now)
        if decision.to_read:
            decision.commands.append(ReadDevices(tuple(decision.to_read)))
        return decision

    def _make_ready(self, decision: Decision, now: Moment) -> None:
        ahead = self.admissions.ahead(self.pace.gap)
        self.starts.make_ready(decision, now, ahead=ahead, fresh=self._fresh, begin=self._begin)

    def _consider_controller(self, decision: Decision, now: float) -> None:
        reach, probed = self.reach, self._probed
        self._probed = None
        if probed is not None:
            self._after_probe(decision, probed, now)
            if decision.events:
                return
        if self._stop is not None and self.stopped is None:
            decision.events.append(events.RunStopped(now, *self._stop))
            return
        if reach.paused_at is None:
            if reach.cause is not None:
                decision.events.append(events.RunPaused(now, reach.cause, reach.detail))
                return
            waits = bool(self._suspects)
        elif now - self._unusable_since > self.patience:
            detail = f"the controller could not be used: {reach.detail}"
            decision.events.append(events.RunInterrupted(now, detail, "controller"))
            return
        else:
            waits = True
        if waits and not reach.is_probing and now >= reach.probe_at:
            reach.is_probing = True
            decision.commands.append(ProbeController())

    @property
    def _unusable_since(self) -> float:
        """A token that reads and may not operate lets probes succeed: those pauses count as one."""
        assert self.reach.paused_at is not None
        if self.reach.cause == "token" and self._rejected_since is not None:
            return min(self.reach.paused_at, self._rejected_since)
        return self.reach.paused_at

    def _after_probe(self, decision: Decision, probed: Probed, now: float) -> None:
        self.reach.is_probing = False
        if probed.usable:
            if self.is_paused:
                decision.events.append(events.RunContinued(now))
                return
            self.reach.answered()
            for device in sorted(self._suspects):
                run = self.devices[device]
                if run.asked_after <= probed.asked_at:
                    decision.events += concluding.fail(run, now, Verdict.FAILED, run.reason)
            return
        self.reach.probe_failed(now)
        if probed.unauthorised:
            self.reach.rejected(probed.detail)
        else:
            self.reach.missed(probed.detail)

    def _consider_devices(
        self, decision: Decision, now: Moment, chance: Callable[[], float]
    ) -> None:
        for due, device in self.waits.due(now.active):
            run = self.devices[device]
            if run.due == due:
                run.due = float("inf")
                self._mark(run)
        for _ in range(len(self._dirty)):
            run = self._dirty.popleft()
            self._marked.discard(run.id)
            reading = self._news.pop(run.id, None)
            self._consider_device(decision, run, reading, now, chance)

    def _consider_device(
        self,
        decision: Decision,
        run: DeviceRun,
        reading: Reading | None,
        now: Moment,
        chance: Callable[[], float],
    ) -> None:
        if self.stopped is not None and run.phase in _IDLE:
            decision.events += self._given_up(run, now.at)
            return
        match run.phase:
            case Phase.ENDED | Phase.SENT | Phase.SUSPECT:
                return
            case Phase.READY | Phase.RESTING:
                self.starts.consider(decision, run, reading, now)
            case Phase.FALTERED:
                decision.events += self._after_faltering(run, now, chance())
            case _:
                happened = concluding.consider(run, reading, now)
                decision.events += happened
                if happened and isinstance(happened[-1], events.LastLookTaken):
                    run.is_being_read = run.is_read_in_full = True
                    decision.read_in_full(run.id, update_status=True)
                if not happened:
                    self.waits.wait(decision, run, now)

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

    # --- ending ---------------------------------------------------------------------------------

    def _given_up(self, run: DeviceRun, at: float) -> list[Event]:
        assert self.stopped is not None
        self.starts.queued.discard(run.id)
        if run.touched or run.doubted:
            reason = f"the run was stopped before {run.current.title}: {self.stopped.detail}"
            return concluding.fail(run, at, Verdict.FAILED, reason)
        verdict, detail = Verdict.NOT_STARTED.value, self.stopped.detail
        return [events.DeviceFinished(at, run.id, run.step, verdict, f"stopped before: {detail}")]

    def _give_up_the_rest(self, decision: Decision, at: float) -> None:
        for run in self.admissions.drain():
            self.starts.queued.discard(run.id)
            self._mark(run)
        for _ in range(BATCH):
            planned = next(self._fresh, None)
            if planned is None:
                return
            decision.events += self._given_up(DeviceRun(planned, self.plan.playbook.steps), at)

    def _consider_end(self, decision: Decision, now: float) -> None:
        if decision.events or self.ended < len(self.plan.devices):
            return
        counts: Mapping[str, int] = {v.value: n for v, n in sorted(self.verdicts.items())}
        decision.events.append(events.RunFinished(now, counts))


_IDLE = frozenset({Phase.READY, Phase.RESTING, Phase.FALTERED, Phase.SUSPECT})


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
        for device in run.devices.values()
        if device.phase is Phase.SENT
    ]
    return happened


def _answers(run: DeviceRun, reading: Reading) -> bool:
    """Say whether a reading is what the device is being read for, not a row that came by the way."""
    if run.last_look and reading.asked_at < run.asked_after:
        return False
    return reading.is_detail or not run.is_read_in_full


def _adds(reading: Reading, known: Reading | None) -> bool:
    """Say whether a reading tells more than the last one: it was asked for later, or it tells all."""
    if known is None or (reading.is_detail and not known.is_detail):
        return True
    if reading.is_detail == known.is_detail:
        return reading.asked_at >= known.asked_at
    return reading.asked_at > known.asked_at


def _rounded_up(moment: float) -> float:
    """Cut to the journal's microseconds, and never to before the moment that woke us."""
    cut = round(moment, 6)
    return cut if cut >= moment else round(cut + 1e-6, 6)
