"""From a device's turn to its request: a fresh record, the guard, and the intention.

Records are read ahead of the pace; what was read longer ago than the guard allows is read again.
"""

from collections.abc import Callable, Hashable, Iterator

from orchestrator.engine.choosing.selecting import Chooser
from orchestrator.engine.rollout.admitting import Admissions
from orchestrator.engine.rollout.asking import Approvals, name_of_step
from orchestrator.engine.rollout.pacing import Pace
from orchestrator.engine.walking import concluding, guarding, intending
from orchestrator.engine.walking.concluding import Moment
from orchestrator.engine.walking.deciding import Decision
from orchestrator.engine.walking.progressing import DeviceRun, Phase
from orchestrator.engine.walking.waiting import Waits
from orchestrator.model import durations, events, moments
from orchestrator.model.commands import PrepareDevice, SendNotice
from orchestrator.model.devices import DETAIL_ONLY_FIELDS, Device, DeviceId
from orchestrator.model.events import Event
from orchestrator.model.operations import Action, Operation
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.model.readings import Reading
from orchestrator.model.steps import (
    ApproveStep,
    CheckStep,
    EscalateStep,
    NotifyStep,
    RecordStep,
    RequestStep,
    SleepStep,
)
from orchestrator.model.verdicts import Verdict

HeldBy = Callable[[DeviceRun, float], Hashable | None]
"""Says what keeps a device from its next operation at a moment: a stop, a pause, its window."""


class Starts:
    """The way from the queues to the wire."""

    together = 0.0
    """Seconds whose requests are decided at once; only what is not really sent can be so early."""

    def __init__(
        self,
        plan: Plan,
        admissions: Admissions,
        waits: Waits,
        approvals: Approvals,
        held_by: HeldBy,
    ) -> None:
        self.plan = plan
        self.admissions = admissions
        self.waits = waits
        self.approvals = approvals
        self.held_by = held_by
        self.known: dict[DeviceId, Reading] = {}
        """The last reading of each device that has no verdict yet."""
        self.queued: set[DeviceId] = set()
        """Devices that are in a queue, being taken or read for the guard, or cleared."""
        self.parked: dict[Hashable, dict[DeviceId, DeviceRun]] = {}
        """Devices that a pause or their window keeps from their next operation."""
        self.released: list[DeviceId] = []
        """Devices that other runs may have again."""
        self.elsewhere: dict[DeviceId, str] = {}
        """Devices that another run holds, and which."""
        self._chooser = Chooser.of(plan.playbook, plan.created_at)
        self._guard_in_full = _needs_detail(plan)
        steps = plan.playbook.all_steps
        self._prepares = tuple(intending.may_need_preparation(plan.playbook, s) for s in steps)

    def forget(self, run: DeviceRun) -> None:
        """A device has its verdict."""
        self.queued.discard(run.id)
        self.known.pop(run.id, None)
        self.elsewhere.pop(run.id, None)
        for parked in self.parked.values():
            parked.pop(run.id, None)

    def let_go(self, reason: Hashable) -> list[DeviceRun]:
        """Whatever kept these devices is over; each has to be considered anew."""
        return list(self.parked.pop(reason, {}).values())

    def _park(self, run: DeviceRun, reason: Hashable) -> None:
        self.parked.setdefault(reason, {})[run.id] = run
        if run.is_held and not (run.touched or run.doubted):
            run.is_held = False
            self.released.append(run.id)

    def consider(
        self, decision: Decision, run: DeviceRun, reading: Reading | None, now: Moment
    ) -> None:
        """A device waits for its next try: because of its rest, its guard, or only its turn."""
        if run.id in self.admissions.holding:
            self._consider_hold(decision, run, now)
        elif run.id in self.admissions.guarding:
            self._consider_guard_reading(decision, run, reading, now)
        elif run.id in self.queued:
            return
        elif not isinstance(run.current, RequestStep):
            self.start_step(decision, run, now.at)
        elif (exhausted := self._why_exhausted(run)) is not None:
            decision.events += self._hand_over(run, now.at, exhausted)
        elif run.phase is Phase.RESTING and not concluding.rest_is_over(run, reading, now):
            self.waits.wait_for_retry(decision, run, now)
        elif run.held and now.active < run.poll_at:
            self.waits.wake(run, run.poll_at)
        elif (reason := self.held_by(run, now.at)) is not None:
            self._park(run, reason)
        else:
            self.queued.add(run.id)
            self.admissions.queue(run)

    def start_step(self, decision: Decision, run: DeviceRun, at: float) -> None:
        """Begin a step that is no operation."""
        step = run.current
        if isinstance(step, NotifyStep):
            decision.events += concluding.succeed(run, at, "people are told")
            decision.commands.append(SendNotice(run.id, run.step, step.text))
            return
        if isinstance(step, EscalateStep):
            decision.events += concluding.succeed(run, at, "handed to a person")
            history = tuple(_history(run, self.known.get(run.id)))
            decision.commands.append(SendNotice(run.id, run.step, step.text, history))
            return
        if isinstance(step, ApproveStep):
            what = name_of_step(run.step)
            passed = self.approvals.why_passed(what, in_chain=run.is_in_chain)
            if passed is not None:
                decision.events += concluding.succeed(run, at, passed)
                return
            decision.events += self.approvals.ask(what, step.question, step.by.value, at)
        seconds = step.seconds if isinstance(step, SleepStep) else 0.0
        if isinstance(step, CheckStep):
            seconds = step.within
        until = round(at + seconds, 6)
        decision.events.append(events.StepStarted(at, run.id, run.step, until))

    def _why_exhausted(self, run: DeviceRun) -> str | None:
        """Say that it had its share of what it would be asked for next, over all runs."""
        for number, allowance in enumerate(self.plan.playbook.allowances):
            if allowance.operation is not run.operation:
                continue
            if run.planned.exhausted is not None and not run.uses.get(run.operation):
                return run.planned.exhausted
            before = run.planned.uses[number] if run.planned.uses else 0
            uses = before + run.uses.get(run.operation, 0)
            if uses >= allowance.at_most:
                per = durations.as_text(allowance.per)
                limit = f"at most {allowance.at_most} in {per}"
                often = "once" if uses == 1 else f"{uses} times"
                return f"{run.operation} was asked for {often}, {limit}"
        return None

    def _hand_over(self, run: DeviceRun, at: float, why: str) -> list[Event]:
        self.queued.discard(run.id)
        return concluding.fail(run, at, Verdict.FAILED, why)

    def _consider_hold(self, decision: Decision, run: DeviceRun, now: Moment) -> None:
        holder = self.elsewhere.pop(run.id, None)
        if holder is not None:
            self._wait_for(decision, run, f"held by {holder}", now)
        elif run.is_held:
            self.admissions.holding.discard(run.id)
            self._clear(decision, run, now)

    def _consider_guard_reading(
        self, decision: Decision, run: DeviceRun, reading: Reading | None, now: Moment
    ) -> None:
        if reading is not None and self._tells_enough(run, reading):
            self.admissions.guarding.discard(run.id)
            self.admissions.cleared.append(run)
        elif run.failed_looks >= concluding.FINAL_LOOKS:
            self._stand_back(run)
            if run.is_unprepared:
                decision.events += concluding.fail(run, now.at, Verdict.FAILED, run.trouble)
            else:
                decision.events += _unfit(run, now.at, "its record cannot be read")
        elif not run.is_being_read:
            self._read(decision, run, now)

    def _read(self, decision: Decision, run: DeviceRun, now: Moment) -> None:
        wanted = self._preparation(run)
        in_full = wanted is not None or self.must_be_full(run)
        self.waits.poll(decision, run, now, in_full=in_full, command=wanted)

    def _tells_enough(self, run: DeviceRun, reading: Reading) -> bool:
        wanted = self._preparation(run)
        if wanted is not None:
            return intending.is_prepared(wanted, reading)
        return reading.is_detail or not self.must_be_full(run)

    def _preparation(self, run: DeviceRun) -> PrepareDevice | None:
        if not self._prepares[run.step]:
            return None
        return intending.preparation(self.plan.playbook, run)

    def must_be_full(self, run: DeviceRun) -> bool:
        """Say whether only the whole record is enough for its guard.

        List pages do not tell of pending firmware; after an unproven upgrade that must be known.
        """
        return self._guard_in_full or run.unproven is Action.UPGRADE

    def make_ready(
        self,
        decision: Decision,
        now: Moment,
        *,
        ahead: int,
        may_begin: Callable[[], bool],
        begin: Callable[[PlannedDevice], DeviceRun],
    ) -> None:
        """Draw devices from the queues and see that their records are fresh when their turn comes."""
        admissions = self.admissions
        for _ in range(ahead - admissions.getting_ready):
            drawn = admissions.draw(may_begin())
            if drawn is None:
                return
            if isinstance(drawn, PlannedDevice):
                run = begin(drawn)
                admissions.begin(run)
                if not isinstance(run.current, RequestStep):
                    self.start_step(decision, run, now.at)
                    continue
                if (exhausted := self._why_exhausted(run)) is not None:
                    decision.events += self._hand_over(run, now.at, exhausted)
                    continue
                self.queued.add(run.id)
            else:
                run = drawn
            if run.is_held:
                self._clear(decision, run, now)
            else:
                admissions.holding.add(run.id)
                decision.to_hold.append(run.id)

    def _clear(self, decision: Decision, run: DeviceRun, now: Moment) -> None:
        if self._is_fresh(run, now.at):
            self.admissions.cleared.append(run)
            return
        self.admissions.guarding.add(run.id)
        run.failed_looks = 0
        run.poll_at = 0.0
        self._read(decision, run, now)

    def _is_fresh(self, run: DeviceRun, at: float) -> bool:
        reading = self.known.get(run.id)
        return (
            reading is not None
            and at - reading.asked_at <= self.plan.playbook.guard.fresh_within
            and reading.asked_at >= max(run.asked_after, run.held_since)
            and (not run.is_lost or reading.asked_at > run.asked_after)
            and self._tells_enough(run, reading)
        )

    def send(self, decision: Decision, now: Moment, pace: Pace, in_flight: int) -> bool:
        """Intend requests for the devices that are ready, as far as the pace and the limits allow.

        Says whether a device was held back: its place is free for another one.
        """
        admissions, is_place_free = self.admissions, False
        room = in_flight - admissions.in_flight
        until = now.at + self.together
        while admissions.cleared and room > 0 and pace.next_at <= until:
            run = admissions.cleared.popleft()
            reason = self.held_by(run, now.at)
            if reason is not None:
                self._stand_back(run)
                self._park(run, reason)
                is_place_free = True
                continue
            if admissions.is_beyond(run):
                self._stand_back(run)
                self.queued.add(run.id)
                admissions.queue(run)
                is_place_free = True
                continue
            if not self._is_fresh(run, now.at):
                self._clear(decision, run, now)
                continue
            if arrived := concluding.arrived(run, self.known.get(run.id), now.at):
                self._stand_back(run)
                decision.events += arrived
                is_place_free = True
                continue
            unfit = self._why_not_now(run)
            if unfit is not None:
                self._hold_back(decision, run, unfit, now)
                is_place_free = True
                continue
            at = max(now.at, pace.next_at)
            if not self._intend(decision, run, at):
                is_place_free = True
                continue
            pace = pace.after_sending(at)
            room -= 1
        return is_place_free

    def _stand_back(self, run: DeviceRun) -> None:
        self.admissions.release(run)
        self.queued.discard(run.id)

    def _why_not_now(self, run: DeviceRun) -> str | None:
        reading = self.known[run.id]
        if not run.has_record:
            return None
        refusal = guarding.refusal(
            run.planned,
            reading,
            run.operation_step,
            self.plan.playbook.guard,
            touched=run.touched or run.planned.unproven,
            unproven=run.unproven or (Operation.FACTORY if run.planned.unproven else None),
            serial_number=run.serial_number,
        )
        if refusal is None and not run.touched and reading.device is not None:
            refusal = self._why_another(run.planned, reading.device)
        return refusal

    def _why_another(self, planned: PlannedDevice, device: Device) -> str | None:
        """Say why a device is not any more what was chosen."""
        exactly = self.plan.source.is_made
        found = guarding.change(self.plan.attributes, planned, device, exactly=exactly)
        if found is not None or self.plan.goes_on_after is not None:
            return found  # the run before may have changed what the playbook chooses by
        unchosen = self._chooser.why_not(device)
        return None if unchosen is None else f"{guarding.CHANGED}: {unchosen}"

    def _hold_back(self, decision: Decision, run: DeviceRun, unfit: str, now: Moment) -> None:
        """The guard says no: skip a device that was not touched yet, wait for one that was."""
        reading = self.known.pop(run.id)
        if run.touched and reading.device is not None:
            self._wait_for(decision, run, unfit, now)
            return
        self._stand_back(run)
        decision.events += _unfit(run, now.at, unfit)

    def _wait_for(self, decision: Decision, run: DeviceRun, unfit: str, now: Moment) -> None:
        """Something may still change: try again round by round, and give up after a while."""
        self._stand_back(run)
        if not run.held:
            until = round(now.at + concluding.guard_seconds(run), 6)
            decision.events.append(events.StepHeld(now.at, run.id, run.step, unfit, until))
        elif now.active >= run.deadline:
            decision.events += _unfit(run, now.at, unfit)
        else:
            run.poll_at = self.waits.next_round(now)
            self.waits.wake(run, run.poll_at)

    def _intend(self, decision: Decision, run: DeviceRun, at: float) -> bool:
        """Intend the request of a device that is fit; False when none is needed or none can be made."""
        reading, step, found = self.known[run.id], run.operation_step, None
        if isinstance(step, RecordStep):
            found = intending.finding(self.plan.playbook, run, step, reading)
            if found.hindrance is not None or found.as_wanted is not None:
                self._stand_back(run)
                decision.events += _without_request(run, reading, found, at)
                return False
        intention = intending.intention(self.plan.playbook, run, reading, at, found)
        decision.events.append(intention.event)
        decision.commands += intention.commands
        return True


def _history(run: DeviceRun, reading: Reading | None) -> Iterator[str]:
    """Say what a person has to know of a device that is handed over: why, and as what it shows."""
    reason = run.forgiven_reason or run.reason
    if run.failed_step is not None:
        yield f"step {run.failed_step + 1}, {run.steps[run.failed_step].title}: {reason}"
    elif reason:
        yield reason
    if reading is not None and reading.device is not None:
        device = reading.device
        since = device.status_change
        shown = f"status {device.status}"
        yield shown if since is None else f"{shown} since {moments.as_short_text(since)}"
        contact = device.last_connection
        yield (
            "it never made contact"
            if contact is None
            else f"last contact at {moments.as_short_text(contact)}"
        )


def _without_request(
    run: DeviceRun, reading: Reading, found: intending.Finding, at: float
) -> list[Event]:
    if found.hindrance is not None:
        return concluding.fail(run, at, Verdict.FAILED, f"nothing was sent: {found.hindrance}")
    device, happened = reading.device, list[Event]()
    if device is not None and device.id != run.record:
        where = (at, run.id, run.step, device.id)
        happened.append(events.DeviceFound(*where, "its serial number has this record already"))
    return happened + concluding.succeed(run, at, found.as_wanted or "")


def _unfit(run: DeviceRun, at: float, reason: str) -> list[Event]:
    if run.is_lost and run.change is not None:  # whether its record was changed, nobody knows
        unsure = f"no answer came to the last request, and now {reason}"
        return concluding.fail(run, at, Verdict.IN_DOUBT, unsure)
    if run.touched:
        return concluding.fail(run, at, Verdict.FAILED, f"not fit for {run.operation}: {reason}")
    if run.doubted:  # it was taken for not applied, but something has changed since
        unsure = f"no answer came to an earlier request, and now {reason}"
        return concluding.fail(run, at, Verdict.IN_DOUBT, unsure)
    begun_at = run.planned.begins_at
    if run.planned.unproven or (begun_at and run.course.is_inside_chain(begun_at)):
        told = f"{reason}; an earlier run reset it, and nothing proved its configuration since"
        return [concluding.finish(run, at, Verdict.UNCONFIRMED, told)]
    return [concluding.finish(run, at, Verdict.SKIPPED, reason)]


def _needs_detail(plan: Plan) -> bool:
    guard, selection = plan.playbook.guard, plan.playbook.selection
    conditions = (*guard.disruptive, *guard.gentle, *selection.where)
    fields = {*plan.attributes, *(condition.field for condition in conditions)}
    return bool(fields & DETAIL_ONLY_FIELDS)
