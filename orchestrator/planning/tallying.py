"""Counts with a few examples, and how they read in a sentence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from orchestrator.model.devices import Device

EXAMPLES = 5
"""Devices named as examples of one reason or one warning."""


@dataclass(slots=True)
class Tally:
    """How many devices share something, and the first few of them."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, devices: Iterable[Device]) -> "Tally":
        """Count devices."""
        tally = cls()
        for device in devices:
            tally.add(device)
        return tally

    def add(self, device: Device, reason: str = "") -> None:
        """Count one more."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{device.id}: {reason}" if reason else str(device.id))

    def __str__(self) -> str:
        """Name the examples, and how many more there are."""
        return some(self.examples, self.count)


def counted(count: int, thing: str) -> str:
    """Give a number with its noun."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def some(names: Sequence[str], count: int) -> str:
    """Name the first few of so many."""
    shown = ", ".join(names[:EXAMPLES])
    return shown if count <= EXAMPLES else f"{shown} and {count - EXAMPLES} more"
