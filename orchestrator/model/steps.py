"""The entries of a playbook's sequence."""

from dataclasses import dataclass

from orchestrator.model import durations
from orchestrator.model.operations import Operation
from orchestrator.model.policies import Approver
from orchestrator.model.selections import Condition
from orchestrator.model.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Proof:
    """What must be read back from the controller before an operation step counts as succeeded.

    Disruptive operations always need the evidence of design 6.5 (outage or settled contact, then
    Up); `sync` and `reconf` need a later contact or configuration. These fields sharpen it.
    """

    nothing_pending: bool
    """Pending settings must be known to be clear."""
    within: float | None
    """Seconds from acceptance; None takes the default for the device's update_frequency (design 6.5)."""
    settle: float
    """Seconds after the delivery session before a contact without a seen outage counts as a return."""
    stable_for: float
    """Seconds the device must stay Up after its return."""


@dataclass(frozen=True, slots=True)
class OperationStep:
    """Ask the controller to start an operation and wait for the proof."""

    operation: Operation
    proof: Proof
    attempts: int
    """How often it may be tried in all, the first included."""
    continue_on: tuple[Verdict, ...] = ()
    """With these the device goes on to its next step all the same; its verdict stays what it is."""

    @property
    def title(self) -> str:
        """Name the step as the playbook does."""
        return self.operation.value


@dataclass(frozen=True, slots=True)
class CheckStep:
    """Read the device afresh and hold it against conditions; the device fails if they do not hold in time."""

    conditions: tuple[Condition, ...]
    within: float = 0.0
    continue_on: tuple[Verdict, ...] = ()

    @property
    def title(self) -> str:
        """Name the step as the playbook does."""
        return "check " + ", ".join(condition.field for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class SleepStep:
    """Do nothing with the device for a while."""

    seconds: float

    @property
    def title(self) -> str:
        """Name the step as the playbook does."""
        return "sleep " + durations.as_text(self.seconds)


@dataclass(frozen=True, slots=True)
class ApproveStep:
    """Wait until a person agrees; asked once a run, when its first device gets there."""

    question: str
    by: Approver = Approver.ANYBODY

    @property
    def title(self) -> str:
        """Name the step as the playbook does."""
        return "approve"


@dataclass(frozen=True, slots=True)
class NotifyStep:
    """Tell the playbook's people that the device got here; that nobody could be told fails nothing."""

    text: str

    @property
    def title(self) -> str:
        """Name the step as the playbook does."""
        return "notify"


Step = OperationStep | CheckStep | SleepStep | ApproveStep | NotifyStep

SETTLE_SECONDS = {Operation.REBOOT: 60.0, Operation.FACTORY: 150.0, Operation.DEVICE_FACTORY: 150.0}
STABLE_SECONDS = {Operation.REBOOT: 30.0, Operation.FACTORY: 30.0, Operation.DEVICE_FACTORY: 30.0}
_EXTRA_SECONDS = {
    Operation.REBOOT: 300.0,
    Operation.FACTORY: 900.0,
    Operation.DEVICE_FACTORY: 900.0,
}
UPDATE_FREQUENCY_SECONDS = 300.0
"""Assumed when the record does not say it (api.md 2.5)."""


def default_proof(operation: Operation) -> Proof:
    """Give the proof an operation needs when the playbook says nothing (design 6.5)."""
    return Proof(
        nothing_pending=not operation.is_disruptive,
        within=None,
        settle=SETTLE_SECONDS.get(operation, 0.0),
        stable_for=STABLE_SECONDS.get(operation, 0.0),
    )


def proof_seconds(step: OperationStep, update_frequency: float | None) -> float:
    """Give how long to wait for the proof: as written, else 2 x update_frequency + a margin (design 6.5)."""
    if step.proof.within is not None:
        return step.proof.within
    frequency = update_frequency or UPDATE_FREQUENCY_SECONDS
    return 2 * frequency + _EXTRA_SECONDS.get(step.operation, 300.0)
