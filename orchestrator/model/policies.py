"""How carefully a playbook is carried out."""

from dataclasses import dataclass

from orchestrator.model.devices import Status
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
class Rollout:
    """How many devices a run may disturb."""

    max_down: int = 1
    """Devices out of service through this run at once."""


_GENTLE = (Condition("status", Equals((Status.UP,))), Condition("is_active", Equals((True,))))


@dataclass(frozen=True, slots=True)
class Guard:
    """What must be true of a device right before it is touched (design 6.3)."""

    disruptive: tuple[Condition, ...] = (*_GENTLE, Condition("pending_settings", NothingPending()))
    gentle: tuple[Condition, ...] = _GENTLE
    """For `sync` and `reconf`: one sent to a Down device would fire hours later (api.md 2.6-6)."""
    fresh_within: float = 60.0
    """Seconds a record may be old when it is judged."""
