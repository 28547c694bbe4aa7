"""What a durable event makes of one device's walk.

`active` is the event's moment on the run's active clock, which stands still in pauses.
"""

from collections.abc import Callable

from orchestrator.engine.walking import doubting
from orchestrator.engine.walking.progressing import DeviceRun, Phase
from orchestrator.engine.walking.recording import Change
from orchestrator.model import events
from orchestrator.model.answers import Refusal
from orchestrator.model.devices import DeviceId
from orchestrator.model.operations import Action
from orchestrator.model.steps import (
    ApproveStep,
    CheckStep,
    DoneStep,
    RequestStep,
    SleepStep,
    proof_seconds,
)
from orchestrator.model.verdicts import Verdict


def _intended(run: DeviceRun, event: events.OperationIntended, active: float) -> None:
    run.phase = Phase.SENT
    run.change = None
    if event.action is not None:
        run.change = Change(Action(event.action), event.before or {}, event.after or {})
    run.is_saved |= event.snapshot is not None
    run.attempt = event.attempt
    run.baseline = event.baseline
    run.sent_at = event.server_at
    run.skew = event.server_at - event.at
    run.asked_after = event.at
    run.holds_slot = run.operation.is_disruptive or run.is_still_gone
    run.held = run.is_excused = run.is_lost = False
    run.deadline = active
    if run.began_at is None:
        run.began_at = active
    _goes_on(run, active)


def _accepted(run: DeviceRun, event: events.OperationAccepted, active: float) -> None:
    if event.record is not None:
        run.record = DeviceId(event.record)
    _count(run, 1)
    _begin_proof(run, event.server_at, event.at, active)


def _count(run: DeviceRun, times: int) -> None:
    run.uses[run.operation] = run.uses.get(run.operation, 0) + times


def _found(run: DeviceRun, event: events.DeviceFound, active: float) -> None:
    """Its record has another id: what is waited for is waited for anew, of that one."""
    run.record = DeviceId(event.record)
    if run.phase is Phase.PROVING:
        run.last_look = False
        run.failed_looks = 0
        run.asked_after = event.at
        run.deadline = active + proof_seconds(run.operation_step, None)
    elif run.phase is not Phase.DOUBTING:
        run.was_as_wanted = True


def _begin_proof(run: DeviceRun, accepted_at: float, at: float, active: float) -> None:
    run.phase = Phase.PROVING
    run.touched = True
    run.refusals = 0
    run.busy_since = None
    run.accepted_at = accepted_at
    run.accepted_active_at = active
    run.asked_after = at
    run.delivered_at = run.outage_at = run.evidence = None
    run.last_look = False
    run.failed_looks = 0
    frequency = run.baseline.update_frequency if run.baseline else None
    run.deadline = active + proof_seconds(run.operation_step, frequency)
    if run.change is not None and (serial := run.change.after.get("serial_number")) is not None:
        run.serial_number = str(serial)


def _refused(run: DeviceRun, event: events.OperationRefused, active: float) -> None:
    refusal = Refusal(event.refusal)
    run.holds_slot = run.is_still_gone
    run.phase = _PHASE_AFTER[refusal]
    run.asked_after = event.at
    run.reason = event.reason
    run.retry_after = event.retry_after or 0.0
    run.awaits_change = refusal is Refusal.STATE
    if event.status == _CONFLICT and not run.has_record:
        run.is_known_there = True
        run.phase = Phase.DOUBTING
        run.failed_looks = 0
        run.deadline = active
    if refusal is Refusal.BUSY:
        run.refusals += 1
        if run.busy_since is None:
            run.busy_since = active
        return
    run.busy_since = None
    if refusal is Refusal.STATE:
        run.failures += 1


_CONFLICT = 409

_PHASE_AFTER = {
    Refusal.STATE: Phase.FALTERED,
    Refusal.BUSY: Phase.FALTERED,
    Refusal.FORBIDDEN: Phase.SUSPECT,
    Refusal.UNAUTHORISED: Phase.READY,
    Refusal.GONE: Phase.REFUSED,
    Refusal.REJECTED: Phase.REFUSED,
    Refusal.INVALID: Phase.REFUSED,
}


def _unsent(run: DeviceRun, event: events.OperationUnsent, _: float) -> None:
    run.holds_slot = run.is_still_gone
    run.awaits_change = False
    run.retry_after = 0.0
    run.busy_since = None
    run.reason = f"not sent: {event.reason}"
    run.phase = Phase.READY if event.stale else Phase.FALTERED
    if not event.stale:
        run.refusals += 1


def _lost(run: DeviceRun, event: events.OperationLost, active: float) -> None:
    run.asked_after = event.at
    run.awaits_change = False
    run.retry_after = 0.0
    run.busy_since = None
    run.reason = f"no answer came: {event.reason}"
    _count(run, 1)
    if run.operation.may_be_repeated:
        run.failures += 1
        run.touched = run.is_lost = True
        if run.failures < run.operation_step.attempts:
            run.phase = Phase.FALTERED
            return
    run.phase = Phase.DOUBTING
    run.doubted = True
    run.first_contact_at = run.quiet_until = None
    run.failed_looks = 0
    frequency = run.baseline.update_frequency if run.baseline else None
    run.accepted_active_at = active
    run.deadline = active + doubting.doubt_seconds(run.operation, frequency)


def _contact(run: DeviceRun, event: events.ContactSeen, _: float) -> None:
    run.first_contact_at = event.contact_at


def _doubt_resolved(run: DeviceRun, event: events.DoubtResolved, active: float) -> None:
    if event.applied:
        _begin_proof(run, run.sent_at, run.asked_after, active)
        return
    _count(run, -1)
    run.holds_slot = run.is_still_gone
    run.reason = f"not applied: {event.sign}"
    run.phase = Phase.FALTERED
    if run.is_excused:
        run.refusals += 1
    elif not run.operation.may_be_repeated:  # else it was counted when the answer was lost
        run.failures += 1


def excuse(run: DeviceRun, times: int) -> None:
    """Its last requests were lost in a storm of the controller's: no failures of the device."""
    if run.phase is Phase.ENDED or not isinstance(run.current, RequestStep):
        return
    if not run.operation.may_be_repeated:
        run.is_excused |= run.phase is Phase.DOUBTING
    elif run.failures:
        excused = min(times, run.failures)
        run.failures -= excused
        run.refusals += excused
        if run.phase is Phase.DOUBTING:
            run.phase = Phase.FALTERED


def _retry_scheduled(run: DeviceRun, event: events.RetryScheduled, active: float) -> None:
    run.phase = Phase.RESTING
    run.deadline = active + (event.retry_at - event.at)
    run.awaits_change = event.awaits_change


def _delivered(run: DeviceRun, event: events.DeliverySeen, _: float) -> None:
    run.delivered_at = event.contact_at


def _outage(run: DeviceRun, event: events.OutageSeen, _: float) -> None:
    run.outage_at = event.since_at


def _returned(run: DeviceRun, event: events.DeviceReturned, active: float) -> None:
    run.evidence = event.evidence
    run.stable_at = active + run.operation_step.proof.stable_for
    run.outage_at = None
    if event.contact_at is not None:
        run.delivered_at = event.contact_at


def _relapsed(run: DeviceRun, event: events.DeviceRelapsed, _: float) -> None:
    run.evidence = None
    run.outage_at = event.since_at
    if event.contact_at is not None:
        run.delivered_at = event.contact_at


def _last_look(run: DeviceRun, event: events.LastLookTaken, _: float) -> None:
    run.last_look = True
    run.failed_looks = 0
    run.asked_after = event.at


def _held(run: DeviceRun, event: events.StepHeld, active: float) -> None:
    run.held = True
    run.phase = Phase.READY
    run.deadline = active + (event.until_at - event.at)


def _started(run: DeviceRun, event: events.StepStarted, active: float) -> None:
    run.phase = _PHASE_OF[type(run.current)]
    if run.phase is not Phase.APPROVING:
        _goes_on(run, active)
    run.deadline = active + (event.until_at - event.at)
    run.asked_after = event.at
    run.failed_looks = 0
    run.is_refreshed = False


_PHASE_OF: dict[type[object], Phase] = {
    SleepStep: Phase.SLEEPING,
    CheckStep: Phase.CHECKING,
    DoneStep: Phase.CHECKING,
    ApproveStep: Phase.APPROVING,
}


def _goes_on(run: DeviceRun, active: float) -> None:
    """Between two steps it only waited; that is no part of the time it takes."""
    if run.began_at is not None and run.idle_since is not None:
        run.began_at += active - run.idle_since
    run.idle_since = None


def _succeeded(run: DeviceRun, _: events.StepSucceeded, active: float) -> None:
    if isinstance(run.current, RequestStep):
        if run.phase is Phase.PROVING:
            run.unproven = None  # whatever was to come before it is over by now
        else:
            run.was_as_wanted = True
    _go_to(run, run.step + 1, active)


def _go_to(run: DeviceRun, step: int, active: float) -> None:
    run.holds_slot = run.is_still_gone
    if run.idle_since is None:
        run.idle_since = active
    run.step = step
    run.phase = Phase.READY
    run.attempt = run.failures = run.refusals = 0
    run.busy_since = None
    run.change = None
    run.held = run.doubted = run.is_excused = run.is_lost = run.is_searched = False
    run.is_known_there = False


def _failed(run: DeviceRun, event: events.StepFailed, _: float) -> None:
    run.reason = event.reason
    is_unproven = event.verdict == Verdict.UNCONFIRMED and isinstance(run.current, RequestStep)
    if is_unproven and (run.operation.is_disruptive or not run.is_still_gone):
        run.unproven = run.operation
    run.holds_slot = run.is_still_gone


def _forgiven(run: DeviceRun, event: events.StepForgiven, active: float) -> None:
    run.forgiven = run.forgiven or Verdict(event.verdict)
    run.forgiven_reason = run.forgiven_reason or event.reason
    _go_to(run, run.step + 1, active)


def _rescued(run: DeviceRun, event: events.RescueStarted, active: float) -> None:
    is_wiped = run.unproven is not None and run.unproven.is_destructive
    run.is_rescued_in_chain = is_wiped or run.course.is_inside_chain(run.step)
    run.failed_step = run.step
    run.forgiven = run.forgiven or Verdict(event.verdict)
    run.forgiven_reason = run.forgiven_reason or run.reason
    _go_to(run, event.step, active)


def _finished(run: DeviceRun, event: events.DeviceFinished, _: float) -> None:
    run.holds_slot = False
    run.phase = Phase.ENDED
    run.verdict = Verdict(event.verdict)
    run.reason = event.reason


FOLDS: dict[type[object], Callable[..., None]] = {
    events.OperationIntended: _intended,
    events.OperationAccepted: _accepted,
    events.DeviceFound: _found,
    events.OperationRefused: _refused,
    events.OperationUnsent: _unsent,
    events.OperationLost: _lost,
    events.ContactSeen: _contact,
    events.DoubtResolved: _doubt_resolved,
    events.RetryScheduled: _retry_scheduled,
    events.DeliverySeen: _delivered,
    events.OutageSeen: _outage,
    events.DeviceReturned: _returned,
    events.DeviceRelapsed: _relapsed,
    events.LastLookTaken: _last_look,
    events.StepHeld: _held,
    events.StepStarted: _started,
    events.StepSucceeded: _succeeded,
    events.StepFailed: _failed,
    events.StepForgiven: _forgiven,
    events.RescueStarted: _rescued,
    events.DeviceFinished: _finished,
}
