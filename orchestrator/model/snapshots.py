"""What a device was before a run changed it."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.model.devices import DeviceId


@dataclass(frozen=True, slots=True)
class Extras:
    """What only some controllers tell of a device; None where it is not offered or could not be read."""

    settings: Mapping[str, object] | None = None
    variables: Mapping[str, object] | None = None
    note: str = ""
    """Why one of them is missing, where it was offered and could not be read."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A device right before a step of a run; no secret value stands in it."""

    device: DeviceId
    """As the run names it."""
    step: int
    taken_at: float
    """The controller's clock at the reading."""
    record: Mapping[str, object]
    """The whole record as it came, without the secret fields."""
    extras: Extras | None = None
    """Taken once a device and run, before its first change; None afterwards, or where it was not wanted."""
