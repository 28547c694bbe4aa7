"""What one line of the table says, whichever part of the suite measured it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured, beside its yardstick where there is one."""

    part: str
    """The letter of the suite's part: `a` to `h`."""
    name: str
    ours: float
    unit: str
    yardstick: str = ""
    """What it is held against, in a few words; empty for an absolute figure."""
    theirs: float | None = None
    ratio: float | None = None
    """The median over the rounds of ours/theirs."""
    least: float | None = None
    most: float | None = None
    """The extremes of a round's ratio."""
    at_least: float | None = None
    """The goal for the ratio, or for `ours` where there is no yardstick."""
    at_most: float | None = None
    is_absolute: bool = False
    """The goal is one for `ours`, though the ratio to a yardstick is shown too."""

    @property
    def is_met(self) -> bool | None:
        """Say whether the goal is reached; None without one."""
        if self.at_least is None and self.at_most is None:
            return None
        value = self.ours if self.ratio is None or self.is_absolute else self.ratio
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)


def compared(
    part: str,
    name: str,
    *,
    unit: str,
    ours: Sequence[float],
    yardstick: str,
    theirs: Sequence[float],
    at_least: float | None = None,
    at_most: float | None = None,
    is_absolute: bool = False,
) -> Figure:
    """Hold rounds against the yardstick's rounds, pair by pair, because a machine changes its pace."""
    ratios = [mine / its for mine, its in zip(ours, theirs, strict=True)]
    return Figure(
        part,
        name,
        median(ours),
        unit,
        yardstick,
        median(theirs),
        median(ratios),
        min(ratios),
        max(ratios),
        at_least,
        at_most,
        is_absolute,
    )
