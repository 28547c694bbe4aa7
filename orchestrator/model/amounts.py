"""Counts and exact shares of a set; every one becomes a whole number when the plan is made.

Limits on harm are rounded down, limits on progress up (design 6.7).
"""

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, order=True)
class Share:
    """A part of a set, exactly as written: three shares of 10% are 30%, never 30.000000000000004%."""

    fraction: Fraction
    """Of one; 1/4 is 25%."""

    @classmethod
    def of_percent(cls, percent: str) -> "Share":
        """Read the number before a percent sign; raises ValueError when it is none."""
        return cls(Fraction(percent) / 100)

    def floored(self, whole: int) -> int:
        """Give how many of a set that is at most: a limit on harm."""
        return math.floor(self.fraction * whole)

    def ceiled(self, whole: int) -> int:
        """Give how many of a set that is at least: a limit on progress."""
        return math.ceil(self.fraction * whole)

    def __str__(self) -> str:
        """Write it as a playbook does."""
        percent = self.fraction * 100
        return f"{percent.numerator if percent.denominator == 1 else float(percent):g}%"


Amount = int | Share
"""A number of devices, or a share of a set of them."""


def at_most(amount: Amount, whole: int) -> int:
    """Give a limit on harm as a number: a share is rounded down."""
    return amount.floored(whole) if isinstance(amount, Share) else amount


def at_least(amount: Amount, whole: int) -> int:
    """Give a limit on progress as a number: a share is rounded up."""
    return amount.ceiled(whole) if isinstance(amount, Share) else amount
