"""A playbook after it was read: what the YAML means, with every default filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.model.policies import Guard, Notify, RequestLimits, RetryPolicy, Rollout
from orchestrator.model.selections import Selection
from orchestrator.model.steps import OperationStep, Step
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

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """The steps and behind them those of the rescue; a device's step is an index of these."""
        return self.steps + self.rescue

    @property
    def is_disruptive(self) -> bool:
        """True when some step takes devices out of service."""
        return any(
            isinstance(s, OperationStep) and s.operation.is_disruptive for s in self.all_steps
        )

    @property
    def is_destructive(self) -> bool:
        """True when some step makes devices lose their configuration."""
        return any(
            isinstance(s, OperationStep) and s.operation.is_destructive for s in self.all_steps
        )


@dataclass(frozen=True, slots=True)
class PlaybookSource:
    """Everything a playbook was read from, so that a plan can be read again without the files."""

    path: str
    text: str
    variables: Mapping[str, str] = field(default_factory=dict)
    """The values given with --var, as typed."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The text of each file the playbook names, by the name it uses."""
