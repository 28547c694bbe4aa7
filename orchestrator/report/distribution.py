"""How many devices took how long: a few bars, however many devices there are."""

from collections.abc import Sequence
from dataclasses import dataclass

_STRETCH = 2.5
"""Bars reach this many times the time that nine of ten needed; what took longer is counted."""

_FAR = 0.4
"""Bars begin at zero unless the shortest time is more than this share of the longest."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Bars of equal width."""

    begin: float
    """Seconds at which the first bar begins."""
    width: float
    """Seconds that one bar covers."""
    counts: tuple[int, ...]
    beyond: int = 0
    """How many took longer than all bars together."""

    @property
    def end(self) -> float:
        """Give the seconds at which the last bar ends."""
        return self.begin + self.width * len(self.counts)


def distribute(times: Sequence[float], *, slowest_tenth: float, bars: int = 48) -> Distribution:
    """Count times into bars; a single straggler does not press all others into one bar."""
    shortest, longest = min(times), max(times)
    end = max(shortest, min(longest, _STRETCH * slowest_tenth)) or longest or 1.0
    # Zero belongs to the picture unless all bars would stand far away from it.
    begin = max(0.0, shortest - 0.1 * (end - shortest)) if shortest > _FAR * end else 0.0
    width = (end - begin) / bars or 1.0
    counts = [0] * bars
    beyond = 0
    for seconds in times:
        if seconds > end:
            beyond += 1
        else:
            counts[min(bars - 1, max(0, int((seconds - begin) / width)))] += 1
    return Distribution(begin, width, tuple(counts), beyond)
