"""One kind of campaign, from those that teach to those that are held, in whichever process."""

from tests.forecasts.holding import Told, in_a_row
from tests.forecasts.kinds import KINDS

TEACHING = 3
"""Campaigns of the same kind that each forecast is learnt from; so many go before the first."""

APART = 100
"""Seeds of one kind begin so far from those of another: no two campaigns share a fleet."""


def first_seed(place: int) -> int:
    """Give the first seed of the kind at a place; the teaching campaigns take the first three."""
    return APART * place + 1


def held_of(
    place: int, number: int, *, share: float = 1.0, campaigns: int | None = None
) -> list[Told]:
    """Carry out the kind at a place until so many of its campaigns were held against forecasts.

    Each is foreseen from the documented defaults as well; `share` is the part of its fleet.
    """
    first = first_seed(place)
    several = in_a_row(
        KINDS[place].sized(share),
        range(first, first + TEACHING + number),
        remembers=TEACHING,
        campaigns=campaigns,
        compared_from=first + TEACHING,
    )
    return list(several)[TEACHING:]
