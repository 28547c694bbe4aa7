"""The figures that a summary is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device as lists show it; the verdict is None as long as there is none."""

    device: int
    serial_number: str | None
    verdict: str | None
    step: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class StepTime:
    """How long a step took, from its first intent to its proof, over the devices that succeeded."""

    step: int
    title: str
    devices: int
    median: float
    slowest_tenth: float
    """Nine of ten devices needed at most this many seconds."""
    longest: float


@dataclass(slots=True)
class Requests:
    """What became of the operation requests."""

    intended: int = 0
    accepted: int = 0
    refused: int = 0
    unsent: int = 0
    lost: int = 0

    @property
    def sent(self) -> int:
        """Count the requests that left this machine, or may have."""
        return self.intended - self.unsent

    @property
    def unanswered(self) -> int:
        """Count the requests that are on the wire, or were when the process ended."""
        return self.intended - self.accepted - self.refused - self.unsent - self.lost
