"""One device's walk through the steps: its state, as the fold of its events.

`DeviceRun` holds what the events say and nothing else that matters; only `after` changes it, but
for the fields named volatile. Times that wait (deadlines, retries) are on the run's active clock,
which stands still in pauses.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from orchestrator.engine import doubting, proving
from orchestrator.model import events
from orchestrator.model.answers import Refusal
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import Event
from orchestrator.model.operations import Operation
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.steps import (
    OperationStep,
    SleepStep,
    Step,
    proof_seconds,
)
from orchestrator.model.verdicts import Verdict


class Phase(Enum):
    """Where a device stands within its step."""

    READY = auto()
    """May be tried as soon as there is room."""
    FALTERED = auto()
    """An attempt came to nothing; whether and when to try again is to be decided."""
    SENT = auto()
    """Its request is on the way; no answer yet."""
    REFUSED = auto()
    """The controller's answer leaves nothing to try."""
    SUSPECT = auto()
    """Answered 403; a probe must tell whether it is the device or the token."""
    PROVING = auto()
    """Accepted; waiting for evidence."""
    DOUBTING = auto()
    """No answer came; looking for signs."""
    RESTING = auto()
    """Waiting for the next attempt."""
    CHECKING = auto()
    SLEEPING = auto()
    ENDED = auto()


@dataclass(slots=True)
class DeviceRun:
    """One device's walk; changed only by `after`, but for the fields named volatile."""

    planned: PlannedDevice
    steps: tuple[Step, ...]
    step: int = 0
    phase: Phase = Phase.READY
    attempt: int = 0
    failures: int = 0
    """Attempts of this step that failed through the device; they count against its attempts."""
    refusals: int = 0
    """Refusals in a row that were not the device's doing."""
    busy_since: float | None = None
    touched: bool = False
    """An operation of this run was applied."""
    doubted: bool = False
    """A disruptive request of this step went without an answer, whatever was made of it since."""
    first_contact_at: float | None = None
    """The first contact after a request in doubt; None while it is not known which one that was."""
    holds_slot: bool = False
    baseline: events.Baseline | None = None
    sent_at: float = 0.0
    """Controller's clock when the last request left."""
    asked_after: float = 0.0
    """Our clock: readings asked for before this moment prove nothing."""
    accepted_at: float = 0.0
    delivered_at: float | None = None
    outage_at: float | None = None
    evidence: str | None = None
    """Set once it has returned."""
    stable_at: float = 0.0
    deadline: float = 0.0
    accepted_active_at: float = 0.0
    last_look: bool = False
    held: bool = False
    """Mid-chain and not satisfying the guard; waited for until `deadline`."""
    awaits_change: bool = False
    """While resting: any change of the record ends the rest."""
    retry_after: float = 0.0
    """Seconds the controller asked to wait before the next attempt."""
    verdict: Verdict | None = None
    reason: str = ""
    # volatile: never part of a decision that must survive
    is_being_read: bool = False
    is_read_in_full: bool = False
    """The read under way, or the last one, asks for the whole record."""
    failed_looks: int = 0
    quiet_until: float | None = None
    """In doubt: the controller's clock at the last look before the first contact."""
    quiet_contact_at: float | None = None
    """The last contact at that look."""
    poll_at: float = 0.0
    """Active moment from which a reading may bring something new; 0 is at once."""
    due: float = field(default=float("inf"))

    @property
    def id(self) -> DeviceId:
        """The device's id."""
        return self.planned.id

    @property
    def current(self) -> Step:
        """The step it is at."""
        return self.steps[self.step]

    @property
    def operation_step(self) -> OperationStep:
        """The operation step it is at; only asked in phases that belong to operations."""
        step = self.steps[self.step]
        assert isinstance(step, OperationStep)
        return step

    @property
    def operation(self) -> Operation:
        """The operation it is at."""
        return self.operation_step.operation

    @property
    def acceptance(self) -> proving.Acceptance:
        """What is known of the accepted operation."""
        assert self.baseline is not None
        return proving.Acceptance(
            operation=self.operation,
            proof=self.operation_step.proof,
            baseline=self.baseline,
            accepted_at=self.accepted_at,
            delivered_at=self.delivered_at,
            outage_at=self.outage_at,
            is_back=self.evidence is not None,
        )

    @property
    def doubt(self) -> doubting.Doubt:
        """What is known of the request in doubt."""
        assert self.baseline is not None
        return doubting.Doubt(
            self.operation,
            self.baseline,
            self.sent_at,
            is_rhythmic=self._is_rhythmic,
            first_contact_at=self.first_contact_at,
        )

    @property
    def _is_rhythmic(self) -> bool:
        """False when our own doing may have made the contact that stands in the baseline."""
        earlier = [step for step in self.steps[: self.step] if isinstance(step, OperationStep)]
        return not self.last_look and (not earlier or earlier[-1].operation.is_disruptive)


def after(run: DeviceRun, event: Event, active: float) -> None:
    """Fold one of the device's events into it; `active` is the event's moment on the active clock."""
    _FOLDS[type(event)](run, event, active)


def _intended(run: DeviceRun, event: events.OperationIntended, active: float) -> None:
    run.phase = Phase.SENT
    run.attempt = event.attempt
    run.baseline = event.baseline
    run.sent_at = event.server_at
    run.asked_after = event.at
    run.holds_slot = run.operation.is_disruptive
    run.held = False
    run.deadline = active


def _accepted(run: DeviceRun, event: events.OperationAccepted, active: float) -> None:
    _begin_proof(run, event.server_at, event.at, active)


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


def _refused(run: DeviceRun, event: events.OperationRefused, active: float) -> None:
    refusal = Refusal(event.refusal)
    run.holds_slot = False
    run.phase = _PHASE_AFTER[refusal]
    run.asked_after = event.at
    run.reason = event.reason
    run.retry_after = event.retry_after or 0.0
    run.awaits_change = refusal is Refusal.STATE
    if refusal is Refusal.BUSY:
        run.refusals += 1
        if run.busy_since is None:
            run.busy_since = active
        return
    run.busy_since = None
    if refusal is Refusal.STATE:
        run.failures += 1


_PHASE_AFTER = {
    Refusal.STATE: Phase.FALTERED,
    Refusal.BUSY: Phase.FALTERED,
    Refusal.FORBIDDEN: Phase.SUSPECT,
    Refusal.UNAUTHORISED: Phase.READY,
    Refusal.GONE: Phase.REFUSED,
    Refusal.INVALID: Phase.REFUSED,
}


def _unsent(run: DeviceRun, event: events.OperationUnsent, _: float) -> None:
    run.holds_slot = False
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
    if run.operation.may_be_repeated:
        run.failures += 1
        run.touched = True
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
    run.holds_slot = False
    run.failures += 1
    run.reason = f"not applied: {event.sign}"
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
    run.phase = Phase.SLEEPING if isinstance(run.current, SleepStep) else Phase.CHECKING
    run.deadline = active + (event.until_at - event.at)
    run.asked_after = event.at
    run.failed_looks = 0


def _succeeded(run: DeviceRun, _: events.StepSucceeded, __: float) -> None:
    run.holds_slot = False
    run.step += 1
    run.phase = Phase.READY
    run.attempt = run.failures = run.refusals = 0
    run.busy_since = None
    run.held = run.doubted = False


def _failed(run: DeviceRun, event: events.StepFailed, _: float) -> None:
    run.holds_slot = False
    run.reason = event.reason


def _finished(run: DeviceRun, event: events.DeviceFinished, _: float) -> None:
    run.holds_slot = False
    run.phase = Phase.ENDED
    run.verdict = Verdict(event.verdict)
    run.reason = event.reason


_FOLDS: dict[type[object], Callable[..., None]] = {
    events.OperationIntended: _intended,
    events.OperationAccepted: _accepted,
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
    events.DeviceFinished: _finished,
}

DEVICE_EVENTS = frozenset(_FOLDS)
