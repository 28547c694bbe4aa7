"""When devices may be started."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Blackout:
    """Days on which nothing is started, the first and the last among them."""

    first: date
    last: date


ANY_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - what a wall clock shows has no zone
"""A day to reckon cron expressions on where it does not matter which."""


@dataclass(frozen=True, slots=True)
class Window:
    """The openings of a run: [start, end) on the clocks of an IANA zone (design 6.8).

    `opens` is a cron expression, or one local date-time for a window that opens once.
    """

    opens: str | datetime
    lasts: float
    """Seconds, as they really pass: 4h are four hours also in the night the clocks change."""
    timezone: str
    cutoff: float | None = None
    """Seconds before the end from which nothing is started; None starts a device only if its
    remaining steps are expected to fit before the end."""
    blackouts: tuple[Blackout, ...] = ()
    timezone_field: str | None = None
    """A field of the record that names each device's own zone; without a value `timezone` holds."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One time span in which devices may be started."""

    start: float
    end: float
    """The first moment that is outside again."""
