"""A playbook after it was read: what the YAML means, with every default filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.model.operations import Action, Operation
from orchestrator.model.policies import (
    Allowance,
    Depth,
    Guard,
    Notify,
    RequestLimits,
    RetryPolicy,
    Rollout,
)
from orchestrator.model.selections import Selection
from orchestrator.model.steps import RecordStep, RequestStep, Step
from orchestrator.model.values import Table
from orchestrator.model.windows import Window


@dataclass(frozen=True, slots=True)
class Playbook:
    """Which devices, which steps, how carefully."""

    name: str
    description: str
    selection: Selection
    steps: tuple[Step, ...]
    guard: Guard = Guard()
    rollout: Rollout = Rollout()
    requests: RequestLimits = RequestLimits()
    retry: RetryPolicy = RetryPolicy()
    rescue: tuple[Step, ...] = ()
    """For a device whose step failed for good."""
    window: Window | None = None
    notify: Notify | None = None
    table: Table | None = None
    """One row of values a device; devices without a row are not chosen."""
    allowances: tuple[Allowance, ...] = ()
    """A device that had an operation so often already is handed to a person: it goes to the rescue."""
    snapshots: Depth = Depth.FULL

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """The steps and behind them those of the rescue; a device's step is an index of these."""
        return self.steps + self.rescue

    @property
    def is_disruptive(self) -> bool:
        """True when some step takes devices out of service."""
        return any(isinstance(s, RequestStep) and s.operation.is_disruptive for s in self.all_steps)

    @property
    def is_destructive(self) -> bool:
        """True when some step makes devices lose their configuration."""
        return any(
            isinstance(s, RequestStep) and s.operation.is_destructive for s in self.all_steps
        )

    @property
    def is_for_devices(self) -> bool:
        """True when some step has to reach the devices, and not only their records."""
        return any(
            isinstance(s, RequestStep)
            and (isinstance(s.operation, Operation) or s.operation.is_disruptive or s.proof.contact)
            for s in self.all_steps
        )

    @property
    def is_for_records(self) -> bool:
        """True when records are changed and no device has to be reached for it, or even known to exist."""
        return any(isinstance(s, RecordStep) for s in self.all_steps) and not self.is_for_devices

    @property
    def creates(self) -> bool:
        """True when rows of the table that no device answers to become new devices."""
        return self._acts(Action.CREATE)

    @property
    def deletes(self) -> bool:
        """True when some step deletes records, which nothing brings back."""
        return self._acts(Action.DELETE)

    def _acts(self, action: Action) -> bool:
        return any(isinstance(s, RecordStep) and s.action is action for s in self.all_steps)


@dataclass(frozen=True, slots=True)
class PlaybookSource:
    """Everything a playbook was read from, so that a plan can be read again without the files."""

    path: str
    text: str
    variables: Mapping[str, str] = field(default_factory=dict)
    """The values given with --var, as typed."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The text of each file the playbook names, by the name it uses; secret cells read `***`."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each file whose secret cells are not kept: it has to be the same when they are needed."""

    @property
    def is_made(self) -> bool:
        """True for one that this program wrote for a plan; no file holds it."""
        return self.path.startswith("<")
