"""A plan: a playbook, the frozen device set, every limit as an integer, and what is foreseen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.forecasts import Forecast
from orchestrator.model.planned_devices import PlannedDevice
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.policies import Budget, GroupLimit
from orchestrator.model.windows import Opening

__all__ = ["LeftOut", "Limits", "Plan", "PlannedDevice", "Wave"]


@dataclass(frozen=True, slots=True)
class Wave:
    """A part of the device set that is finished and judged before the next is begun."""

    devices: int
    must_succeed: int = 0
    """How many of them must have succeeded for the next wave to begin."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Devices that were listed and not chosen, for one reason; a few of them as examples."""

    reason: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may do at most, resolved to numbers when the plan is made."""

    devices: int
    max_down: int
    in_flight: int
    delay: float
    per_second: float | None
    max_down_per: tuple[GroupLimit, ...] = ()
    waves: tuple[Wave, ...] = ()
    """They follow one another through the devices, in the plan's order; none is one wave of all."""
    budget: Budget = Budget()
    """Its amounts are whole numbers here; only the rate stays a share, of what has finished."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do; made once, never changed."""

    playbook: Playbook
    source: PlaybookSource
    controller: str
    """Base URL of the controller it was made against."""
    created_at: float
    """The controller's clock when the inventory was read."""
    devices: DeviceSet
    """May be made with any sequence of planned devices."""
    limits: Limits
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()
    operation_requests: int = 0
    """Operation requests when every step succeeds at its first attempt."""
    reading_requests: int = 0
    """Reads expected beside them: guards, polls, confirmations; an estimate."""
    listed: int = 0
    """Devices the controller listed for the filters."""
    expected: tuple[int, ...] = ()
    """Seconds that each step of `playbook.all_steps` is expected to take at most (9 of 10 devices)."""
    expected_from: str = ""
    """Where those figures come from, for people."""
    attributes: tuple[str, ...] = ()
    """The fields by which devices were chosen and that should not change by themselves."""
    made_at: float = 0.0
    """Our clock when the plan was made."""
    expires_at: float | None = None
    """Our clock from which the plan is too old to be carried out; None is never."""
    openings: Mapping[str, tuple[Opening, ...]] = field(default_factory=dict)
    """The next openings of the window in each time zone that devices have."""
    goes_on_after: str | None = None
    """The run whose devices this plan takes up again."""
    forecast: Forecast | None = None
    records: Mapping[DeviceId, Device] = field(default_factory=dict, compare=False, repr=False)
    """The records as they were when the set was frozen; not saved with the plan."""
    read_at: float = field(default=0.0, compare=False)
    """Our clock when the inventory was asked for; not saved with the plan."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "devices", DeviceSet.of(self.devices))
