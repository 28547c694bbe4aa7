"""How often waiting devices are read, and by which requests."""

import math

SHORTEST_INTERVAL = 10.0
"""Seconds between two readings of a waiting device when there is room for it."""

READING_SHARE = 0.5
"""Share of `per_second` that polls may use, so that operations are never crowded out."""


def poll_interval(waiting: int, pages: int | None, per_second: float | None) -> float:
    """Give the seconds between two rounds of reading, stretched so that polls keep to their share.

    A round costs one request a device or one a list page, whichever is fewer; `pages` is None
    while the size of the listing is not known.
    """
    if per_second is None or waiting == 0:
        return SHORTEST_INTERVAL
    cost = waiting if pages is None else min(waiting, pages)
    return max(SHORTEST_INTERVAL, cost / (per_second * READING_SHARE))


def next_round(now: float, interval: float) -> float:
    """Give the next common moment for reading, so that devices share their requests."""
    return (math.floor(now / interval) + 1) * interval


def by_listing(due: int, pages: int | None) -> bool:
    """Say whether reading list pages costs fewer requests than reading the due devices one by one."""
    return pages is not None and pages < due
