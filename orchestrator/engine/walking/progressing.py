"""One device's walk through the steps: its state, as the fold of its events.

`DeviceRun` holds what the events say and nothing else that matters; only the folds in `advancing`
change it, but for the fields named volatile. Times that wait (deadlines, retries) are on the run's
active clock, which stands still in pauses.
"""

from enum import Enum, auto

from msgspec import Struct, field

from orchestrator.engine.walking import doubting, proving
from orchestrator.engine.walking.chaining import chain_ends
from orchestrator.engine.walking.recording import Change
from orchestrator.model import events
from orchestrator.model.devices import DeviceId
from orchestrator.model.operations import Request
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.steps import (
    CheckStep,
    DoneStep,
    RequestStep,
    Step,
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
    APPROVING = auto()
    """Waiting until a person agrees."""
    ENDED = auto()


class Course:
    """The steps that every device of a run walks: those of the playbook, then those of its rescue."""

    __slots__ = ("ends", "main", "operations", "steps")

    def __init__(self, steps: tuple[Step, ...], rescue: tuple[Step, ...] = ()) -> None:
        self.steps = steps + rescue
        self.main = len(steps)
        """Where the rescue begins."""
        self.operations = tuple(
            step.operation if isinstance(step, RequestStep) else None for step in self.steps
        )
        behind = (end + self.main if end >= 0 else end for end in chain_ends(rescue))
        self.ends = (*chain_ends(steps), *behind)

    def is_inside_chain(self, step: int) -> bool:
        """Say whether a device before this step has lost what a step from here on brings back."""
        return step < len(self.ends) and self.ends[step] >= step

    def has_operation_from(self, step: int) -> bool:
        """Say whether something is still asked of the device from this step on."""
        end = self.main if step < self.main else len(self.steps)
        return any(isinstance(each, RequestStep) for each in self.steps[step:end])


class DeviceRun(Struct):
    """One device's walk; changed only by the folds of its events, but for the fields named volatile."""

    planned: PlannedDevice
    course: Course
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
    record: DeviceId = DeviceId(0)
    """The id of its record; another one than the plan's once it was created, or found again."""
    serial_number: str | None = None
    """What its record has to say; the plan's, until this run writes another one."""
    uses: dict[Request, int] = field(default_factory=dict)
    """How often this run asked for something that was applied, or may have been."""
    change: Change | None = None
    """The change of its record that was intended last in this step."""
    is_saved: bool = False
    """What it was before this run, with settings and variables where wanted, is in the snapshots."""
    was_as_wanted: bool = False
    """Some step found everything as it should be, and sent nothing."""
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
    is_known_there: bool = False
    """The controller refused to create it because of a record that is there (409)."""
    is_lost: bool = False
    """The last attempt of something that may be repeated got no answer."""
    is_excused: bool = False
    """Its request was lost in a storm of the controller's: if not applied, that was no attempt."""
    unproven: Request | None = None
    """An accepted operation of an earlier step that never was proven, and may still be to come."""
    forgiven: Verdict | None = None
    """How a step ended that the playbook let pass; the device's verdict in the end."""
    forgiven_reason: str = ""
    failed_step: int | None = None
    """The step that failed for good; set in a rescue."""
    is_rescued_in_chain: bool = False
    """When the rescue began, the device had lost what was to be brought back, as far as is known."""
    began_at: float | None = None
    """Active moment of its first intention, later by all the time for which it only waited since."""
    idle_since: float | None = None
    """Active moment since which it waits for its turn, its window or a person between two steps."""
    skew: float = 0.0
    """Seconds the controller's clock is ahead of ours, at the last intention."""
    verdict: Verdict | None = None
    reason: str = ""
    # volatile: never part of a decision that must survive
    is_held: bool = False
    """No other run on this machine can touch it."""
    held_since: float = 0.0
    """Our clock: records read before this moment may show another run's doing."""
    is_out_of_patience: bool = False
    """In its chain, and others' outages have kept its groups full for too long: it goes on."""
    is_searched: bool = False
    """Its silent id was looked up by its serial number; once a step."""
    owes_refresh: bool = False
    """At its last look the controller is still to be made to contact it; at most once a step."""
    is_refreshed: bool = False
    """The controller was made to contact it for the check it is at."""
    is_unprepared: bool = False
    """What its step needs could not be made or stored at the last look."""
    trouble: str = ""
    """Why the last look brought nothing."""
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
    due: float = float("inf")
    id: DeviceId = DeviceId(0)
    """Always that of `planned`."""

    def __post_init__(self) -> None:
        self.id = self.record = self.planned.id
        self.serial_number = self.planned.serial_number
        self.step = max(self.step, self.planned.begins_at)

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, the rescue's behind the playbook's."""
        return self.course.steps

    @property
    def current(self) -> Step:
        """The step it is at."""
        return self.course.steps[self.step]

    @property
    def is_in_rescue(self) -> bool:
        """True once a step failed for good and the playbook has something for that."""
        return self.failed_step is not None

    @property
    def is_in_chain(self) -> bool:
        """True between a destructive step and the steps that bring the device back into service.

        What an earlier run left in the middle of its chain is begun like any other device.
        """
        if self.is_rescued_in_chain:
            return True
        is_begun = self.attempt > 0 or self.step != self.planned.begins_at
        return is_begun and self.course.is_inside_chain(self.step)

    @property
    def is_still_gone(self) -> bool:
        """True while an earlier step of its walk may keep it out of service: it keeps its place."""
        return self.unproven is not None and self.unproven.is_disruptive

    def is_lost_by(self, verdict: Verdict) -> bool:
        """Say whether a step that ends so may leave the device out of service."""
        if verdict not in (Verdict.UNCONFIRMED, Verdict.IN_DOUBT):
            return False
        return isinstance(self.current, RequestStep) and self.operation.is_disruptive

    @property
    def may_be_rescued(self) -> bool:
        """True while the playbook has a rescue that this device did not begin yet."""
        return self.failed_step is None and self.course.main < len(self.course.steps)

    @property
    def is_last_step(self) -> bool:
        """True when nothing follows this step."""
        return self.step + 1 in (self.course.main, len(self.course.steps))

    @property
    def has_record(self) -> bool:
        """False for a device that is to be created, until it was."""
        return not self.planned.is_new or self.record != self.id

    @property
    def must_be_searched(self) -> bool:
        """True while a reset may have given it a record under another id, and nobody looked for it."""
        return (
            self.last_look
            and self.operation.is_destructive
            and self.serial_number is not None
            and not self.is_searched
            and self.evidence is None
        )

    @property
    def operation_step(self) -> RequestStep:
        """The request step it is at; only asked in phases that belong to requests."""
        step = self.course.steps[self.step]
        assert isinstance(step, RequestStep)
        return step

    @property
    def operation(self) -> Request:
        """What it is asked for; only asked in phases that belong to requests."""
        operation = self.course.operations[self.step]
        assert operation is not None
        return operation

    @property
    def must_be_seen_whole(self) -> bool:
        """True when its return has to be confirmed by the whole record."""
        return self.operation.is_disruptive and self.operation_step.proof.whole_record

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
        if self.last_look or self.is_in_rescue:
            return False
        for step in reversed(self.course.steps[: self.step]):
            if isinstance(step, CheckStep | DoneStep) and step.refresh:
                return False
            if isinstance(step, RequestStep):
                return step.operation.is_disruptive
        return True
