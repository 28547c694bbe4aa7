"""What a durable event makes of a run: the fold that replaying a journal repeats."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orchestrator.engine import ordering
from orchestrator.engine.reaching import Reach
from orchestrator.engine.rollout import pacing
from orchestrator.engine.rollout.waving import Outcome
from orchestrator.engine.walking import advancing
from orchestrator.engine.walking.progressing import Phase
from orchestrator.model import events
from orchestrator.model.answers import Refusal
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import Event
from orchestrator.model.verdicts import Verdict

if TYPE_CHECKING:
    from orchestrator.engine.run import Run
    from orchestrator.engine.walking.progressing import DeviceRun

PAUSED = "paused"
"""What keeps devices from their next operation while a person wants it so."""


def fold(run: "Run", event: Event) -> None:
    """Change the run as the event says; nothing but events and what was read changes it."""
    run.last_at = max(run.last_at, event.at)
    kind = type(event)
    of_device = _OF_DEVICES.get(kind)
    if of_device is None:
        _FOLDS[kind](run, event)
    else:
        _after_device(run, event, *of_device)
    run.before_gap = event.at


# --- one device -----------------------------------------------------------------------------------


def _after_device(
    run: "Run", event: Any, change: Callable[..., None], consequence: Callable[..., None] | None
) -> None:
    device = run.devices.whole.get(event.device)
    if device is None:
        device = _begun(run, event.device)
    held, was_sent = device.holds_slot, device.phase is Phase.SENT
    change(device, event, run.active(event.at))
    if device.holds_slot is not held:
        if held:
            run.admissions.slot_given_back(device)
        else:
            run.admissions.slot_taken(device)
    is_sent = device.phase is Phase.SENT
    if is_sent is not was_sent:
        run.admissions.in_flight += 1 if is_sent else -1
    if consequence is not None:
        consequence(run, device, event)
    if device.phase is not Phase.ENDED:
        device.poll_at = 0.0
        if device.phase is not Phase.SENT:  # until its answer there is nothing to decide
            run.mark(device)


def _begun(run: "Run", identity: DeviceId) -> "DeviceRun":
    planned = run.plan.devices.find(identity)
    if planned is None or identity in run.devices:
        raise KeyError(identity)  # no run has such an event
    return run.begin(planned)


def _intended(run: "Run", device: "DeviceRun", event: events.OperationIntended) -> None:
    run.pace = run.pace.after_sending(event.at)
    run.admissions.release(device)
    run.starts.queued.discard(device.id)


def _found(run: "Run", device: "DeviceRun", _: events.DeviceFound) -> None:
    if device.record != device.id:
        run.moved[device.record] = device.id


def _accepted(run: "Run", device: "DeviceRun", event: events.OperationAccepted) -> None:
    if event.record is not None:
        run.moved[device.record] = device.id
    run.pace = run.pace.after_success()
    run.answered_in(event.at - (device.sent_at - device.skew))
    run.rejected_since = None
    run.reach.accepted()
    run.spending.settle()


def _refused(run: "Run", device: "DeviceRun", event: events.OperationRefused) -> None:
    refusal = Refusal(event.refusal)
    if refusal is Refusal.UNAUTHORISED:
        run.reach.rejected(event.reason)
        run.rejected_since = run.rejected_since or event.at
        return
    run.rejected_since = None
    run.reach.answered()
    match refusal:
        case Refusal.BUSY:
            run.reach.failed(device.id, event.at, event.reason)
        case Refusal.FORBIDDEN:
            run.suspects.add(device.id)
        case Refusal.INVALID:
            run.stop_for = ("invalid_request", event.reason)
        case _:
            run.reach.told()
            if not run.reach.storm:
                run.spending.settle()


def _lost(run: "Run", device: "DeviceRun", event: events.OperationLost) -> None:
    if event.at > run.resumed_at:  # what a process lost by ending says nothing of the controller
        run.reach.failed(device.id, event.at, event.reason)
        if run.is_paused and run.reach.is_storm:
            advancing.excuse(device, 1)


def _unsent(run: "Run", _: "DeviceRun", event: events.OperationUnsent) -> None:
    if not event.stale:
        run.reach.missed(event.reason)


def _returned(run: "Run", device: "DeviceRun", event: events.DeviceReturned) -> None:
    if device.operation.is_disruptive:
        contact_at = event.at if event.contact_at is None else event.contact_at - device.skew
        run.pace = run.pace.after_return(contact_at, event.at)


def _failed(run: "Run", device: "DeviceRun", event: events.StepFailed) -> None:
    """It may stay gone while its walk goes on: in a rescue, or because that was forgiven."""
    if device.is_lost_by(Verdict(event.verdict)):
        _lose(run, device, event.at)


def _lose(run: "Run", device: "DeviceRun", at: float) -> None:
    has_it = device.phase is Phase.PROVING and device.delivered_at is not None
    run.admissions.groups.lose(device.planned, at + device.skew, delivered=has_it)


def _ended(run: "Run", device: "DeviceRun", event: events.DeviceFinished) -> None:
    assert device.verdict is not None
    is_settled = device.id not in run.reach.storm_devices or device.verdict not in _BY_STORM
    run.spending.end(device.verdict, is_settled=is_settled)
    run.waves.ended(device.id, device.verdict)
    run.waits.underway -= 1
    run.admissions.ended(device)
    run.starts.forget(device)
    run.suspects.discard(device.id)
    run.news.pop(device.id, None)
    if device.verdict is Verdict.SUCCEEDED and run.zones.window is not None:
        # Without a window nobody asks how long devices take.
        run.durations.took(device, run.active(event.at))
        run.admissions.fresh.free(run.zones.zone_of(device.planned))
    if device.is_held:
        run.starts.released.append(device.id)
    run.devices.retire(device)


_BY_STORM = frozenset({Verdict.FAILED, Verdict.IN_DOUBT})
"""How devices end whose requests came to nothing."""

_CONSEQUENCES: dict[type[object], Callable[..., None]] = {
    events.OperationIntended: _intended,
    events.OperationAccepted: _accepted,
    events.DeviceFound: _found,
    events.OperationRefused: _refused,
    events.OperationLost: _lost,
    events.OperationUnsent: _unsent,
    events.DeviceReturned: _returned,
    events.StepFailed: _failed,
    events.DeviceFinished: _ended,
}

_OF_DEVICES = {kind: (change, _CONSEQUENCES.get(kind)) for kind, change in advancing.FOLDS.items()}
"""How each event of one device changes it, and what follows from that for the run."""


# --- the run as a whole -----------------------------------------------------------------------------


def _started(run: "Run", event: events.RunStarted) -> None:
    run.started_at, run.started_by = event.at, event.started_by


def _resumed(run: "Run", event: events.RunResumed) -> None:
    run.paused_for = event.at - run.active(run.before_gap)
    run.epoch = event.epoch
    run.interrupted = None
    run.reach = Reach()
    run.spending.settle()
    run.rejected_since = None
    run.resumed_at = event.at


def _paused(run: "Run", event: events.RunPaused) -> None:
    is_storm = event.cause == "controller" and (run.reach.is_storm or run.spending.is_unsettled)
    if is_storm:
        for device, times in run.reach.storm_devices.items():
            advancing.excuse(run.devices[DeviceId(device)], times)
            run.mark(run.devices[DeviceId(device)])
        run.spending.excuse()
    run.reach.paused(event.at, event.cause, event.detail, is_storm=is_storm)


def _continued(run: "Run", event: events.RunContinued) -> None:
    run.paused_for += event.at - (run.reach.paused_at or event.at)
    run.reach.continued()
    for suspect in run.suspects:
        run.devices[suspect].phase = Phase.READY
        run.mark(run.devices[suspect])
    run.suspects.clear()


def _interrupted(run: "Run", event: events.RunInterrupted) -> None:
    run.interrupted = event


def _stopped(run: "Run", event: events.RunStopped) -> None:
    run.stopped = event
    run.approvals.close()
    run.is_abandoned |= event.cause == "invalid_request"
    _consider_everybody(run)


def _finished(run: "Run", event: events.RunFinished) -> None:
    run.finished_at = event.at


def _slowed(run: "Run", event: events.SendingSlowed) -> None:
    run.pace = run.pace.after_refusal(event.until_at, event.factor)


def _opened(run: "Run", event: events.WindowOpened) -> None:
    run.zones.after(event)
    run.admissions.fresh.free(event.zone)
    _let_go(run, event.zone)


def _closed(run: "Run", event: events.WindowClosed) -> None:
    run.zones.after(event)
    run.must_withdraw = True
    if event.next_at is None:
        _let_go(run, event.zone)


def _wave_started(run: "Run", event: events.WaveStarted) -> None:
    run.waves.started(event.wave)
    run.fill_wave()


def _wave_finished(run: "Run", event: events.WaveFinished) -> None:
    run.waves.finished(run.active(event.at), event.until_at - event.at)


def _wave_judged(run: "Run", event: events.WaveJudged) -> None:
    run.waves.judged(Outcome(event.outcome))


def _asked(run: "Run", event: events.ApprovalAsked) -> None:
    run.approvals.after(event)
    if event.what == run.waves.next_name:
        run.waves.asked()


def _answered(run: "Run", event: events.ApprovalGiven | events.ApprovalDenied) -> None:
    run.approvals.after(event)
    if event.what != run.waves.next_name:
        for device in run.devices.whole.values():
            if device.phase is Phase.APPROVING:
                run.mark(device)
    elif isinstance(event, events.ApprovalGiven):
        run.waves.approved()


def _pause_ordered(run: "Run", event: events.PauseOrdered) -> None:
    run.pause = event
    run.must_withdraw = True


def _continue_ordered(run: "Run", _: events.ContinueOrdered) -> None:
    run.pause = None
    _let_go(run, PAUSED)


def _cancel_ordered(run: "Run", event: events.CancelOrdered) -> None:
    if event.abandon:
        run.is_abandoned = True
        _consider_everybody(run)


def _limit_ordered(run: "Run", event: events.LimitOrdered) -> None:
    run.limited_at = event.at
    run.limits = run.admissions.limits = ordering.changed(run.limits, event)
    run.spending.limit(run.limits)
    run.admissions.groups.limits = list(run.limits.max_down_per)
    run.admissions.free(tuple(run.admissions.blocked_groups))
    gap = pacing.planned_pace(run.limits.delay, run.limits.per_second).gap
    run.pace = run.pace.with_gap(gap)


def _notified(_: "Run", __: events.NotificationSent | events.NotificationFailed) -> None:
    """People were told or not: neither changes anything."""


def _consider_everybody(run: "Run") -> None:
    run.must_withdraw = True
    run.starts.parked.clear()
    for device in run.devices.whole.values():
        run.mark(device)


def _let_go(run: "Run", reason: str) -> None:
    for device in run.starts.let_go(reason):
        run.mark(device)


_FOLDS: dict[type[object], Callable[..., None]] = {
    events.RunStarted: _started,
    events.RunResumed: _resumed,
    events.RunInterrupted: _interrupted,
    events.RunPaused: _paused,
    events.RunContinued: _continued,
    events.RunStopped: _stopped,
    events.RunFinished: _finished,
    events.SendingSlowed: _slowed,
    events.WindowOpened: _opened,
    events.WindowClosed: _closed,
    events.WaveStarted: _wave_started,
    events.WaveFinished: _wave_finished,
    events.WaveJudged: _wave_judged,
    events.ApprovalAsked: _asked,
    events.ApprovalGiven: _answered,
    events.ApprovalDenied: _answered,
    events.PauseOrdered: _pause_ordered,
    events.ContinueOrdered: _continue_ordered,
    events.CancelOrdered: _cancel_ordered,
    events.LimitOrdered: _limit_ordered,
    events.NotificationSent: _notified,
    events.NotificationFailed: _notified,
}
