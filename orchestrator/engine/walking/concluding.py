"""What has happened to a device: conclusions from a reading, or from the time alone.

`consider` looks at a waiting device and gives the events that follow; nothing here changes it.
"""

from dataclasses import dataclass

from orchestrator.engine.choosing.selecting import why_not
from orchestrator.engine.walking import doubting, proving, recording
from orchestrator.engine.walking.progressing import DeviceRun, Phase
from orchestrator.engine.walking.retrying import backoff
from orchestrator.model import durations, events
from orchestrator.model.devices import Device, Status
from orchestrator.model.events import Event
from orchestrator.model.operations import Action
from orchestrator.model.policies import RetryPolicy
from orchestrator.model.readings import Reading
from orchestrator.model.steps import (
    UPDATE_FREQUENCY_SECONDS,
    CheckStep,
    DoneStep,
    EscalateStep,
    RequestStep,
    proof_seconds,
)
from orchestrator.model.verdicts import Verdict

FINAL_LOOKS = 5
"""How many failed reads in a row at the very end leave a device unproven."""

CHANGE_MARGIN = 60.0
"""Seconds beyond one update_frequency that a refused device is given to change its state."""


CHANGE_PAUSE = 60.0
"""Seconds after a refusal within which a contact is no change: a device that boots makes several."""


LOST_PAUSE = 10.0
"""Seconds from a lost answer to the next attempt: what arrived after all has time to show."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on both clocks."""

    at: float
    active: float

    def active_of(self, reading: Reading) -> float:
        """Give when a reading was asked for, on the active clock."""
        return self.active - (self.at - reading.asked_at)


def succeed(run: DeviceRun, at: float, evidence: str) -> list[Event]:
    """End the step well; after the last one the device has its verdict."""
    happened: list[Event] = [events.StepSucceeded(at, run.id, run.step, evidence)]
    if run.is_last_step:
        is_request = isinstance(run.current, RequestStep)
        was_as_wanted = run.was_as_wanted or (is_request and run.phase is not Phase.PROVING)
        happened.append(_finish_well(run, at, was_as_wanted=was_as_wanted))
    return happened


def done(run: DeviceRun, at: float, evidence: str) -> list[Event]:
    """End the device's walk well, whatever steps would follow."""
    return [
        events.StepSucceeded(at, run.id, run.step, evidence),
        _finish_well(run, at, was_as_wanted=True),
    ]


def _finish_well(run: DeviceRun, at: float, *, was_as_wanted: bool) -> Event:
    is_untouched = was_as_wanted and not (run.touched or run.doubted)
    verdict = run.forgiven or (Verdict.ALREADY_OK if is_untouched else Verdict.SUCCEEDED)
    return events.DeviceFinished(at, run.id, run.step, verdict.value, _told(run))


def _told(run: DeviceRun) -> str:
    if run.forgiven is None:
        return ""
    went = "the rescue succeeded" if run.is_in_rescue else "the steps after it succeeded"
    if any(isinstance(step, EscalateStep) for step in run.steps[run.course.main :]):
        went = "handed to a person"
    return f"{run.forgiven_reason}; {went}"


def fail(run: DeviceRun, at: float, verdict: Verdict, reason: str) -> list[Event]:
    """End the step for good: the device's walk ends here unless the playbook has it go on."""
    happened: list[Event] = [events.StepFailed(at, run.id, run.step, verdict, reason)]
    step = run.current
    if isinstance(step, RequestStep | CheckStep) and verdict in step.continue_on:
        if run.is_last_step:  # there is nothing to go on to
            happened.append(finish(run, at, verdict, reason))
        else:
            happened.append(events.StepForgiven(at, run.id, run.step, verdict, reason))
    elif run.may_be_rescued and verdict in _RESCUED:
        happened.append(events.RescueStarted(at, run.id, run.course.main, verdict))
    else:
        happened.append(finish(run, at, verdict, reason))
    return happened


_RESCUED = frozenset({Verdict.FAILED, Verdict.UNCONFIRMED})
"""Not in doubt: nobody knows whether an operation is still to come."""


def finish(run: DeviceRun, at: float, verdict: Verdict, reason: str) -> Event:
    """Give the device its verdict; a rescue never changes it, and forgiven trouble stays trouble."""
    if run.forgiven is None:
        return events.DeviceFinished(at, run.id, run.step, verdict.value, reason)
    if run.is_in_rescue:
        told = f"{run.forgiven_reason}; the rescue did not succeed: {reason}"
        return events.DeviceFinished(at, run.id, run.step, run.forgiven.value, told)
    kept = verdict if verdict.is_trouble else run.forgiven
    told = f"{reason}; before that: {run.forgiven_reason}"
    return events.DeviceFinished(at, run.id, run.step, kept.value, told)


def give_up(run: DeviceRun, at: float, verdict: Verdict, reason: str) -> list[Event]:
    """End the device's walk whatever the playbook has for failures."""
    return [
        events.StepFailed(at, run.id, run.step, verdict.value, reason),
        finish(run, at, verdict, reason),
    ]


def consider(run: DeviceRun, reading: Reading | None, now: Moment) -> list[Event]:
    """Say what has happened to a waiting device, given a new reading or only the time."""
    if reading is not None and reading.asked_at < run.asked_after:
        reading = None
    match run.phase:
        case Phase.PROVING if reading is not None and (found := moved(run, reading, now.at)):
            return found
        case Phase.PROVING:
            return _consider_proof(run, reading, now)
        case Phase.DOUBTING if not run.has_record:
            return _consider_creation(run, reading, now)
        case Phase.DOUBTING:
            return _consider_doubt(run, reading, now)
        case Phase.CHECKING:
            return _consider_check(run, reading, now)
        case Phase.SLEEPING if now.active >= run.deadline:
            return succeed(run, now.at, "slept")
        case Phase.REFUSED:
            return fail(run, now.at, Verdict.FAILED, run.reason)
        case _:
            return []


def rest_is_over(run: DeviceRun, reading: Reading | None, now: Moment) -> bool:
    """Say whether a resting device may be tried again: its time has come, or what it waited for."""
    if now.active >= run.deadline:
        return True
    if not run.awaits_change or reading is None or reading.device is None or run.baseline is None:
        return False
    if reading.asked_at < run.asked_after:
        return False
    device, baseline = reading.device, run.baseline
    contact = device.last_connection
    return (
        device.pending != baseline.pending
        or device.status.value != baseline.status
        or (contact is not None and contact >= run.sent_at + CHANGE_PAUSE)
    )


def guard_seconds(run: DeviceRun) -> float:
    """Give how long a device in the middle of its chain is waited for until the guard is satisfied."""
    return proof_seconds(
        run.operation_step, run.baseline.update_frequency if run.baseline else None
    )


def is_ours(run: DeviceRun, reading: Reading) -> bool:
    """Say whether the record still belongs to the device that the plan means."""
    planned, device = run.planned.serial_number, reading.device
    if device is None:
        return False
    written = None if run.change is None else run.change.after.get("serial_number")
    return planned is None or device.serial_number in (planned, run.serial_number, written, None)


def _consider_proof(run: DeviceRun, reading: Reading | None, now: Moment) -> list[Event]:
    happened: list[Event] = []
    if reading is not None and reading.device is None and _is_deletion(run):
        return succeed(run, now.at, "the controller no longer has its record")
    if reading is not None and reading.device is not None and is_ours(run, reading):
        happened = [_sign_event(run, sign, now.at) for sign in _signs(run, reading, reading.device)]
        if happened:
            return happened + _consequences(run, happened[-1], now.at)
        if _is_stable(run, reading, now):
            said = proving.confirmation(reading.testimony)
            return succeed(run, now.at, f"{run.evidence}{said}")
    if now.active < run.deadline or _may_become_stable(run, reading):
        return []
    if not run.last_look:
        return [events.LastLookTaken(now.at, run.id, run.step)]
    return _unproven(run, reading, now)


def _is_deletion(run: DeviceRun) -> bool:
    return run.change is not None and run.change.action is Action.DELETE


def _signs(run: DeviceRun, reading: Reading, device: Device) -> list[proving.Sign]:
    acceptance = run.acceptance
    if run.change is None:
        signs = proving.read_signs(acceptance, device, reading.server_at)
    elif not reading.is_detail:
        return []  # a list page lacks fields that may have been written
    else:
        signs = recording.record_signs(run.change, acceptance, device, reading.server_at)
    if not signs and reading.testimony is not None and run.evidence is not None:
        against = proving.contradiction(acceptance, reading.testimony, reading.server_at)
        return [proving.Relapsed(against, device.last_connection)] if against else []
    return signs


def _consequences(run: DeviceRun, last: Event, at: float) -> list[Event]:
    match last:
        case events.DeviceReturned() if not needs_stability(run):
            return succeed(run, at, last.evidence)
        case events.DeviceRelapsed() if run.last_look:
            return fail(run, at, Verdict.UNCONFIRMED, f"it came back, and then: {last.reason}")
        case _:
            return []


def _may_become_stable(run: DeviceRun, reading: Reading | None) -> bool:
    """After its return a device is waited for beyond the deadline, as long as it can be read."""
    if run.evidence is None:
        return False
    return run.failed_looks < FINAL_LOOKS if reading is None else is_ours(run, reading)


def needs_stability(run: DeviceRun) -> bool:
    """Say whether a return must be looked at once more before it counts."""
    proof = run.operation_step.proof
    return run.operation.is_disruptive or proof.stable_for > 0 or bool(proof.witnesses)


def _is_stable(run: DeviceRun, reading: Reading, now: Moment) -> bool:
    """Up, long enough, and the whole record says so: list pages do not tell of pending firmware."""
    device = reading.device
    return (
        run.evidence is not None
        and device is not None
        and now.active_of(reading) >= run.stable_at
        and device.status is Status.UP
        and (reading.is_detail or not run.must_be_seen_whole)
        and (reading.testimony is not None or not run.operation_step.proof.witnesses)
    )


def _sign_event(run: DeviceRun, sign: proving.Sign, at: float) -> Event:
    match sign:
        case proving.Delivered(contact_at):
            return events.DeliverySeen(at, run.id, run.step, contact_at)
        case proving.WentDown(since_at):
            return events.OutageSeen(at, run.id, run.step, since_at)
        case proving.Returned(evidence, contact_at):
            return events.DeviceReturned(at, run.id, run.step, evidence, contact_at)
        case proving.Relapsed(reason, contact_at, since_at):
            return events.DeviceRelapsed(at, run.id, run.step, reason, contact_at, since_at)


def _unproven(run: DeviceRun, reading: Reading | None, now: Moment) -> list[Event]:
    """After the last look: the step is unconfirmed, unless the device may still take its time."""
    if run.must_be_searched and run.failed_looks < FINAL_LOOKS:
        return []
    if reading is None:
        if run.failed_looks < FINAL_LOOKS:
            return []
        return fail(run, now.at, Verdict.UNCONFIRMED, "its record could not be read at the end")
    if not reading.is_detail:  # a list page does not tell how much time the device may take
        return []
    if reading.device is None:
        return fail(run, now.at, Verdict.UNCONFIRMED, "the controller no longer has its record")
    if not is_ours(run, reading):
        return fail(run, now.at, Verdict.UNCONFIRMED, "its record shows another serial number")
    allowed = proof_seconds(run.operation_step, reading.device.update_frequency)
    if now.active < run.accepted_active_at + allowed:
        return []
    return fail(run, now.at, Verdict.UNCONFIRMED, _what_was_missing(run, reading, allowed))


def _what_was_missing(run: DeviceRun, reading: Reading, allowed: float) -> str:
    device = reading.device
    assert device is not None
    within = durations.as_text(allowed)
    if run.change is not None:
        return _what_record_lacks(run, run.change, reading, device, within)
    if device.pending is None:
        return f"not proven within {within}: its pending settings are not known"
    if proving.is_requested(device, run.operation):
        return (
            f"not delivered within {within} and may still fire: pending {', '.join(device.pending)}"
        )
    if not proving.is_after(device.last_connection, run.accepted_at):
        return (
            f"no contact within {within} after {run.operation} was accepted; status {device.status}"
        )
    if device.pending and run.operation_step.proof.nothing_pending:
        return f"still pending after {within}: {', '.join(device.pending)}"
    if device.status is not Status.UP:
        return f"delivered, and not Up again within {within}: status {device.status}"
    return f"no proof of a return within {within}; status {device.status}"


def _what_record_lacks(
    run: DeviceRun, change: recording.Change, reading: Reading, device: Device, within: str
) -> str:
    if change.action is Action.DELETE:
        return f"its record is still there after {within}"
    lacks = recording.what_lacks(change, run.acceptance, device, reading.server_at)
    if lacks is not None:
        return f"accepted, and not so after {within}: {lacks}"
    if not proving.is_after(device.last_connection, run.accepted_at):
        return f"the record shows what was written, but the device made no contact within {within}"
    return f"not seen to have taken it within {within}; status {device.status}"


def _consider_doubt(run: DeviceRun, reading: Reading | None, now: Moment) -> list[Event]:
    happened: list[Event] = []
    if reading is not None and reading.device is not None and is_ours(run, reading):
        happened = _signs_in_doubt(run, reading, reading.device, now)
    if happened or now.active < run.deadline:
        return happened
    if reading is None:
        if run.failed_looks < FINAL_LOOKS:
            return []
        return fail(run, now.at, Verdict.IN_DOUBT, "no answer came, and its record cannot be read")
    if now.active_of(reading) < run.deadline or not reading.is_detail:
        return []
    if reading.device is None and _is_deletion(run):
        gone = "the controller no longer has its record"
        return [events.DoubtResolved(now.at, run.id, run.step, run.attempt, True, gone)]
    if reading.device is None or not is_ours(run, reading):
        return fail(run, now.at, Verdict.IN_DOUBT, "no answer came, and its record is gone")
    if now.active < _doubt_ends(run, reading.device):
        return []
    return fail(
        run, now.at, Verdict.IN_DOUBT, "no answer came, and nothing tells whether it was applied"
    )


def _consider_creation(run: DeviceRun, reading: Reading | None, now: Moment) -> list[Event]:
    """No answer told whether a record was created; it is looked for by its serial number."""
    where = (now.at, run.id, run.step)
    if reading is None:
        if now.active < run.deadline or run.failed_looks < FINAL_LOOKS:
            return []
        return fail(run, now.at, Verdict.IN_DOUBT, "no answer came, and it cannot be looked for")
    if run.is_known_there:
        return _consider_conflict(run, reading, now.at)
    if reading.device is not None:
        sign = "there is a record with its serial number"
        return [
            events.DeviceFound(*where, reading.device.id, sign),
            events.DoubtResolved(*where, run.attempt, True, sign),
        ]
    if now.active_of(reading) < run.deadline:
        return []
    sign = "there is no record with its serial number"
    return [events.DoubtResolved(*where, run.attempt, False, sign)]


def _consider_conflict(run: DeviceRun, reading: Reading, at: float) -> list[Event]:
    """The controller said that there is such a record: then nothing is to be created (api.md 1.2)."""
    if reading.device is None:
        return fail(run, at, Verdict.FAILED, run.reason)
    sign = "there is a record with its serial number already"
    found = events.DeviceFound(at, run.id, run.step, reading.device.id, sign)
    return [found, *succeed(run, at, sign)]


def arrived(run: DeviceRun, reading: Reading | None, at: float) -> list[Event]:
    """Say that a request that got no answer arrived: it is waited for, and not repeated."""
    if not run.is_lost or reading is None:
        return []
    sign, device = None, reading.device
    if run.change is not None:
        sign = recording.sign_of_writing(run.change, device)
    elif device is not None and proving.is_requested(device, run.operation):
        sign = f"pending_settings shows {', '.join(device.pending or ())}"
    if sign is None:
        return []
    return [events.DoubtResolved(at, run.id, run.step, run.attempt, True, sign)]


def moved(run: DeviceRun, reading: Reading, at: float) -> list[Event]:
    """Say that a device whose id is silent has its record under another one."""
    device = reading.device
    if device is None or device.id == run.record or run.phase is not Phase.PROVING:
        return []
    reason = f"{run.record} was silent, and this record shows its serial number"
    return [events.DeviceFound(at, run.id, run.step, device.id, reason)]


def _signs_in_doubt(run: DeviceRun, reading: Reading, device: Device, now: Moment) -> list[Event]:
    if run.is_still_gone and run.operation.is_disruptive:
        return []  # an earlier operation may be to blame for whatever is seen
    if run.change is not None and run.change.action is run.operation:
        return _signs_in_record(run, run.change, reading, device, now)
    doubt, sign = run.doubt, None
    if run.change is not None and reading.is_detail:
        sign = recording.sign_of_writing(run.change, device)
    sign = sign or doubting.sign_in_log(doubt, reading.testimony)
    sign = sign or doubting.sign_of_application(doubt, device)
    if sign is not None:
        return [events.DoubtResolved(now.at, run.id, run.step, run.attempt, True, sign)]
    if run.operation.may_be_repeated:
        return []
    first = None if run.first_contact_at is not None else _first_contact(run, device, reading)
    if first is not None:
        return [events.ContactSeen(now.at, run.id, run.step, first)]
    if not reading.is_detail:
        return []
    is_over = now.active_of(reading) >= _doubt_ends(run, device)
    sign = doubting.sign_of_refusal(doubt, device, is_over=is_over)
    if sign is None:
        return []
    return [events.DoubtResolved(now.at, run.id, run.step, run.attempt, False, sign)]


def _signs_in_record(
    run: DeviceRun, change: recording.Change, reading: Reading, device: Device, now: Moment
) -> list[Event]:
    """A record tells by itself whether it was written, but for the secrets in it."""
    if not reading.is_detail:
        return []
    where = (now.at, run.id, run.step, run.attempt)
    sign = recording.sign_of_writing(change, device)
    if sign is not None:
        return [events.DoubtResolved(*where, True, sign)]
    lacks = change.not_shown(device)
    if change.action is Action.DELETE:
        lacks = "its record is still there"
    is_over = now.active_of(reading) >= run.deadline
    if lacks is not None and is_over:
        return [events.DoubtResolved(*where, False, lacks)]
    return []


def _first_contact(run: DeviceRun, device: Device, reading: Reading) -> float | None:
    """Give the last contact if it is surely the first since a look that followed the loss.

    The first look must come before the device can have booted, and no look too long after another.
    """
    doubt, contact = run.doubt, device.last_connection
    if run.quiet_until is None:
        is_early = reading.server_at <= run.sent_at + doubting.SHORTEST_BOOT
        if doubting.has_no_contact_since(doubt, device) or (doubt.is_rhythmic and is_early):
            run.quiet_until, run.quiet_contact_at = reading.server_at, contact
    elif contact == run.quiet_contact_at:
        run.quiet_until = reading.server_at
    elif contact is not None and contact <= run.quiet_until + doubting.SHORTEST_BOOT:
        return contact
    return None


def _doubt_ends(run: DeviceRun, device: Device) -> float:
    """Give when the wait for signs is over; a list page did not tell how long it has to be."""
    allowed = doubting.doubt_seconds(run.operation, device.update_frequency)
    return max(run.deadline, run.accepted_active_at + allowed)


def _consider_check(run: DeviceRun, reading: Reading | None, now: Moment) -> list[Event]:
    step = run.current
    assert isinstance(step, CheckStep | DoneStep)
    if reading is None:
        if now.active >= run.deadline and run.failed_looks >= FINAL_LOOKS:
            return fail(run, now.at, Verdict.FAILED, "check: its record could not be read")
        return []
    if reading.device is None:
        return fail(run, now.at, Verdict.FAILED, "check: the controller no longer has this device")
    wrong = why_not(step.conditions, reading.device, reading.server_at)
    if isinstance(step, DoneStep):
        if wrong is None:
            return done(run, now.at, "nothing is to be done: every condition holds")
        return succeed(run, now.at, f"goes on: {wrong}")
    if wrong is None:
        return succeed(run, now.at, "every condition holds")
    if now.active >= run.deadline:
        return fail(run, now.at, Verdict.FAILED, f"check: {wrong}")
    return []


def after_faltering(
    run: DeviceRun, now: Moment, retry: RetryPolicy, *, patience: float, chance: float
) -> list[Event]:
    """Say what follows when an attempt came to nothing: another one later, or the end.

    Only attempts that failed through the device use up the step's attempts. Refusals for load are
    asked again for `patience` seconds; an unreachable controller is the run's matter.
    """
    if run.failures >= run.operation_step.attempts:
        tries = "tried once" if run.failures == 1 else f"tried {run.failures} times"
        return fail(run, now.at, Verdict.FAILED, f"{run.reason} ({tries})")
    if run.busy_since is not None and now.active - run.busy_since > patience:
        waited = durations.as_text(patience)
        return fail(run, now.at, Verdict.FAILED, f"refused for {waited} on end: {run.reason}")
    wait = max(backoff(retry, max(run.failures, run.refusals), chance), run.retry_after)
    if run.is_lost:
        wait = max(wait, LOST_PAUSE)
    if run.awaits_change:
        frequency = run.baseline.update_frequency if run.baseline else None
        wait = max(wait, (frequency or UPDATE_FREQUENCY_SECONDS) + CHANGE_MARGIN)
    return [
        events.RetryScheduled(
            now.at,
            run.id,
            run.step,
            run.attempt,
            round(now.at + wait, 6),
            run.reason,
            run.awaits_change,
        )
    ]
