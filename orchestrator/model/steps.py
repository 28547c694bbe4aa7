"""The entries of a playbook's sequence."""

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.model import durations
from orchestrator.model.operations import Action, Operation, Request
from orchestrator.model.policies import Approver
from orchestrator.model.selections import Condition
from orchestrator.model.values import Assignment, Secret
from orchestrator.model.verdicts import Verdict


class Witness(StrEnum):
    """Evidence that only some controllers offer; where it is missing, the ordinary evidence decides."""

    UP_TIME = "up_time"
    """The device's own count of seconds since it booted (api.md 2.5, level 7)."""
    DEVICE_LOG = "device_log"
    """The controller's log of what it asked of the device and what came of it (level 6)."""


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
    conditions: tuple[Condition, ...] = ()
    """What else the record must show in the end; for a firmware upgrade the new version."""
    contact: bool = False
    """For changes of records: the device must make contact after the change was accepted."""
    witnesses: tuple[Witness, ...] = ()
    whole_record: bool = True
    """A return from an outage is confirmed by the whole record: rows of a list do not tell of pending
    firmware (api.md 1.9)."""


@dataclass(frozen=True, slots=True)
class RequestStep:
    """Ask the controller for something that changes a device or its record, and wait for the proof."""

    operation: Request
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
class OperationStep(RequestStep):
    """Ask the controller to start one of its five operations."""


_MOST_NAMED = 3
"""Fields that the name of a step tells; a sentence has to stay one."""


@dataclass(frozen=True, slots=True)
class RecordStep(RequestStep):
    """Change the device's record; `operation` is the flag's operation where the change sets one."""

    action: Action = Action.UPDATE
    assignments: tuple[Assignment, ...] = ()
    takes_row: bool = False
    """Every column of the device's row is written too, but for the key; assignments come first."""
    flag: Operation | None = None
    """`reboot`, `sync` or `factory`, set to true in the same PATCH (api.md 1.5)."""

    @property
    def title(self) -> str:
        """Name the step as the playbook does, and the fields where it names them."""
        word = "update" if self.action is Action.UPGRADE else self.action.value
        fields = [each.field for each in self.assignments]
        fields += ["row"] if self.takes_row else []
        fields += [self.flag.value] if self.flag else []
        is_plain = self.action in (Action.DEACTIVATE, Action.DELETE)
        if is_plain or not fields:
            return word
        few = len(fields) <= _MOST_NAMED
        named = fields if few else [*fields[: _MOST_NAMED - 1], f"{len(fields) - 2} more"]
        return f"{word} {', '.join(named)}"

    @property
    def secrets(self) -> tuple[Assignment, ...]:
        """Give the assignments whose values are secret."""
        return tuple(each for each in self.assignments if isinstance(each.value, Secret))


@dataclass(frozen=True, slots=True)
class CheckStep:
    """Read the device afresh and hold it against conditions; the device fails if they do not hold in time."""

    conditions: tuple[Condition, ...]
    within: float = 0.0
    continue_on: tuple[Verdict, ...] = ()
    refresh: bool = False
    """Have the controller contact the device once before it is read (`update_status`, api.md 2.4)."""

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


@dataclass(frozen=True, slots=True)
class DoneStep:
    """Read the device afresh; where the conditions hold, nothing more is to be done with it."""

    conditions: tuple[Condition, ...]
    refresh: bool = False
    """As for a check."""

    @property
    def title(self) -> str:
        """Name the step as the playbook does."""
        return "done_if " + ", ".join(condition.field for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class EscalateStep:
    """Hand the device to a person: tell the playbook's people, with the device's history."""

    text: str

    @property
    def title(self) -> str:
        """Name the step as the playbook does."""
        return "escalate"


Step = (
    OperationStep
    | RecordStep
    | CheckStep
    | DoneStep
    | SleepStep
    | ApproveStep
    | NotifyStep
    | EscalateStep
)

SETTLE_SECONDS: dict[Request, float] = {
    Operation.REBOOT: 60.0,
    Operation.FACTORY: 150.0,
    Operation.DEVICE_FACTORY: 150.0,
}
STABLE_SECONDS: dict[Request, float] = {
    Operation.REBOOT: 30.0,
    Operation.FACTORY: 30.0,
    Operation.DEVICE_FACTORY: 30.0,
    Action.UPGRADE: 30.0,
}
_EXTRA_SECONDS: dict[Request, float] = {
    Operation.REBOOT: 300.0,
    Operation.FACTORY: 900.0,
    Operation.DEVICE_FACTORY: 900.0,
    Action.UPGRADE: 1800.0,
}
RECORD_SECONDS = 60.0
"""For so long a change of a record may take to show in it, when no contact of the device is needed."""
UPDATE_FREQUENCY_SECONDS = 300.0
"""Assumed when the record does not say it (api.md 2.5)."""


def default_proof(operation: Request) -> Proof:
    """Give the proof a request needs when the playbook says nothing (design 6.5)."""
    return Proof(
        nothing_pending=isinstance(operation, Operation) and not operation.is_disruptive,
        within=None,
        settle=SETTLE_SECONDS.get(operation, 0.0),
        stable_for=STABLE_SECONDS.get(operation, 0.0),
    )


def proof_seconds(step: RequestStep, update_frequency: float | None) -> float:
    """Give how long to wait for the proof: as written, else 2 x update_frequency + a margin (design 6.5).

    What only the record has to show gets a minute.
    """
    if step.proof.within is not None:
        return step.proof.within
    operation = step.operation
    is_of_record = isinstance(operation, Action) and not operation.is_disruptive
    if is_of_record and not (step.proof.contact or step.proof.conditions):
        return RECORD_SECONDS
    frequency = update_frequency or UPDATE_FREQUENCY_SECONDS
    return 2 * frequency + _EXTRA_SECONDS.get(operation, 300.0)
