"""When the next operation request may leave; slowing down when the controller is loaded, and recovering."""

from msgspec import Struct
from msgspec.structs import replace

OPERATION_SHARE = 0.75
"""Share of `per_second` that operations may use, so that polls are never starved."""

SLOWEST = 64.0
"""The gap between operation requests never grows beyond this many times the planned one."""

SMALLEST_GAP = 0.05
"""Seconds from which slowing down starts when no gap was planned."""

SLOWING = 1.5
"""How many times longer the gaps become with each refusal for load."""

RECOVERY = 0.05
"""Share of the planned rate that one accepted request gives back: down in steps, up by inches."""

RETURNS_AT_ONCE = 20.0
"""Devices that may come back together before sending waits for them: each return is a session of
its own with the controller, and a storm of them is refused (api.md 2.6-13)."""

LONGEST_HOLD = 300.0
"""Seconds for which returns can hold sending at most."""


class Pace(Struct, frozen=True):
    """The present rhythm of operation requests."""

    gap: float
    """Planned seconds between two operation requests."""
    factor: float = 1.0
    last_at: float = float("-inf")
    hold_until: float = float("-inf")
    returning: float = 0.0
    """Level of a bucket that fills with every return and empties at the planned rate."""
    returned_at: float = float("-inf")
    """The last contact that was a return."""

    @property
    def next_at(self) -> float:
        """The moment from which the next operation request may leave."""
        gap = self.gap if self.factor == 1.0 else max(self.gap, SMALLEST_GAP) * self.factor
        return max(self.last_at + gap, self.hold_until)

    def after_return(self, contact_at: float, at: float) -> "Pace":
        """A device came back: when too many do at once, sending waits until the wave is through.

        Returns are noticed in rounds; how close they were together is told by their contacts.
        """
        gap = max(self.gap, SMALLEST_GAP)
        between = max(0.0, contact_at - self.returned_at)
        level = max(0.0, self.returning - between / gap) + 1.0
        hold = min(LONGEST_HOLD, (level - RETURNS_AT_ONCE) * gap)
        until = at + hold if hold > 0 else self.hold_until
        return replace(
            self,
            returning=level,
            returned_at=max(contact_at, self.returned_at),
            hold_until=max(self.hold_until, until),
        )

    def after_sending(self, at: float) -> "Pace":
        """An operation request was decided at this moment."""
        return Pace(
            self.gap, self.factor, at, self.hold_until, self.returning, self.returned_at
        )  # without `replace`, which takes three times as long

    def after_refusal(self, until: float, factor: float) -> "Pace":
        """The controller refused for load: everything waits, and is slower afterwards."""
        return replace(self, factor=factor, hold_until=max(self.hold_until, until))

    def after_success(self) -> "Pace":
        """The controller took a request: a little of the slowness goes."""
        if self.factor == 1.0:
            return self
        return replace(self, factor=1.0 / min(1.0, 1.0 / self.factor + RECOVERY))

    def with_gap(self, gap: float) -> "Pace":
        """Another rhythm is planned from now on."""
        return replace(self, gap=gap)

    def slower(self) -> float:
        """Give the factor after one more refusal."""
        return min(SLOWEST, self.factor * SLOWING)


def planned_pace(delay: float, per_second: float | None) -> Pace:
    """Give the rhythm a plan asks for: its delay, and its share of the requests per second."""
    by_rate = 0.0 if per_second is None else 1 / (per_second * OPERATION_SHARE)
    return Pace(gap=max(delay, by_rate))
