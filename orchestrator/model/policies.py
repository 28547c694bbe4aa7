"""How carefully a playbook is carried out."""

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.model.amounts import Amount, Share
from orchestrator.model.devices import Status
from orchestrator.model.operations import Operation
from orchestrator.model.selections import Condition, Equals, NothingPending


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What the controller is spared; held over all requests of the process, polls included."""

    delay: float = 0.2
    """Seconds between two operation requests."""
    in_flight: int = 20
    """Requests under way at once."""
    per_second: float | None = 20.0
    """Requests of every kind in a second; None is no limit."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how soon a step is tried again; waits grow twofold with full jitter."""

    attempts: int = 4
    """Default for a step's attempts, the first included."""
    first_wait: float = 1.0
    longest_wait: float = 60.0


@dataclass(frozen=True, slots=True)
class GroupLimit:
    """How many devices with the same values of some fields may be out of service at once."""

    fields: tuple[str, ...]
    at_most: int

    @property
    def title(self) -> str:
        """Name it as the playbook does."""
        return ", ".join(self.fields)


class Approver(StrEnum):
    """Who may approve."""

    ANYBODY = "anybody"
    ANOTHER = "another"
    """Anybody but the person who started the run."""


@dataclass(frozen=True, slots=True)
class BetweenWaves:
    """What has to be true before the next wave begins."""

    soak: float = 0.0
    """Seconds for which a finished wave is left alone before it is judged."""
    succeeded: Amount | None = None
    """How many of the wave must have succeeded, and be Up still after the soak."""
    approval: Approver | None = None
    """Who has to agree; None is nobody."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How many devices may end in trouble; one more stops the run. None is no limit."""

    failed: Amount | None = None
    unconfirmed: Amount | None = None
    in_doubt: Amount | None = None
    failure_rate: Share | None = None
    """Share of the finished devices that may end in any trouble, counted as at least `after`."""
    after: int = 0

    @property
    def is_set(self) -> bool:
        """True when something is limited."""
        return self != Budget(after=self.after)


@dataclass(frozen=True, slots=True)
class Rollout:
    """How many devices a run may disturb, in which portions, and when it gives up."""

    max_down: Amount = 1
    """Devices out of service through this run at once."""
    max_down_per: tuple[GroupLimit, ...] = ()
    """The same for devices that share a field's value; whatever is Down there already counts."""
    waves: tuple[Amount, ...] = ()
    """Size of each wave; without any, all devices are one wave."""
    spread_by: tuple[str, ...] = ()
    """The first wave holds at least one device of each combination of these fields' values."""
    between_waves: BetweenWaves = BetweenWaves()
    stop_when: Budget = Budget()
    strict: bool = True
    """Never more devices under way than failures still allowed + 1, so no budget is overshot."""
    ramp: bool = False
    """Begin with one device at once, then 2, 4, 8, as devices succeed."""


class Occasion(StrEnum):
    """What people are told of."""

    STARTED = "started"
    WAVE_FINISHED = "wave_finished"
    APPROVAL_NEEDED = "approval_needed"
    PAUSED = "paused"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Notify:
    """Who is told of a run; where a name leads stands in the settings, never in a playbook."""

    to: tuple[str, ...]
    on: tuple[Occasion, ...] = tuple(Occasion)


class Depth(StrEnum):
    """How much of a device is saved before a step changes it."""

    FULL = "full"
    """The record, and its settings and variables where the controller offers them (api.md 1.8)."""
    RECORD = "record"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Allowance:
    """How often one device may get an operation, over all runs; beyond it, a person has to look."""

    operation: Operation
    at_most: int
    per: float
    """Seconds."""


_GENTLE = (Condition("status", Equals((Status.UP,))), Condition("is_active", Equals((True,))))


@dataclass(frozen=True, slots=True)
class Guard:
    """What must be true of a device right before it is touched (design 6.3)."""

    disruptive: tuple[Condition, ...] = (*_GENTLE, Condition("pending_settings", NothingPending()))
    gentle: tuple[Condition, ...] = _GENTLE
    """For `sync` and `reconf`: one sent to a Down device would fire hours later (api.md 2.6-6)."""
    record: tuple[Condition, ...] = ()
    """For changes of records that do not touch the device itself."""
    delete: tuple[Condition, ...] = (
        Condition("status", Equals((Status.DOWN,))),
        Condition("is_active", Equals((False,))),
    )
    """What serves somebody is not deleted (api.md 1.6)."""
    fresh_within: float = 60.0
    """Seconds a record may be old when it is judged."""
