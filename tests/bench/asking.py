"""What is asked of every part of the suite, and how a part says that a check of its own failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.figures import Figure


@dataclass(frozen=True, slots=True)
class Asked:
    """How thoroughly to measure."""

    rounds: int
    """How often both sides take their turn."""
    quick: bool
    """Smaller sizes, for a look: the figures are not those of the table."""
    loop: str
    """The event loop of both sides: `asyncio` or `uvloop`."""


class CheckFailedError(Exception):
    """What was measured did not do what it has to do; it keeps the figures that there are."""

    def __init__(self, faults: Sequence[str], figures: Sequence[Figure] = ()) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)
        self.figures = tuple(figures)
