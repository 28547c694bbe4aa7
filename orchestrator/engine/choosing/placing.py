"""On which list pages the devices of a run stand, and which of these pages are worth reading.

A page costs one request as a single record does, and shows hundreds of devices. Devices that are
under way together mostly stand together in the listing, so a few pages show all of them.
"""

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.model.device_sets import DeviceSet
from orchestrator.model.devices import DeviceId

COUNTING_PAYS = 10
"""Devices due at once from which requests to learn where devices stand pay off."""

PAGE_PAYS = 4.0
"""Devices wanted of a page, lately and now, from which it is read instead of their records."""

FORGOTTEN = 60.0
"""Seconds in which what was wanted of a page loses half its weight."""

CHEAP = 100
"""A listing is read through once to learn the pages if that takes at most one request for so many
devices of the plan."""

_UNKNOWN = -1
_OFFSETS = 1 << 40


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: in which of the listings, and at which row."""

    listing: int
    offset: int


@dataclass(frozen=True, slots=True)
class Round:
    """What to read for the devices that are due."""

    pages: tuple[Place, ...] = ()
    everything: bool = False
    """Every page of every listing."""


class Whereabouts:
    """Remembers the page on which each device of the plan was seen last: eight bytes a device."""

    def __init__(self, devices: DeviceSet) -> None:
        self._devices = devices
        self._seen = array("q", (_UNKNOWN,)) * len(devices)
        self._read_at: float | None = None
        """When every page was read last."""
        self._wanted: dict[int, tuple[float, float]] = {}
        """For each page how many devices were wanted of it, and when that was reckoned."""

    def round_for(self, due: Sequence[DeviceId], pages: int | None, now: float) -> Round:
        """Say which pages to read at this moment; who is on none of them is read alone.

        `pages` is how many the listings have in all; None while that is not known.
        """
        if pages is None:
            return Round()
        wanted: dict[int, int] = {}
        unknown = 0
        for device in due:
            place = self._devices.place(device)
            page = _UNKNOWN if place is None else self._seen[place]
            if page == _UNKNOWN:
                unknown += 1
            else:
                wanted[page] = wanted.get(page, 0) + 1
        if self._is_worth_learning(unknown, len(due), pages, now):
            return Round(everything=True)
        worth = [page for page in sorted(wanted) if self._want(page, wanted[page], now)]
        return Round(tuple(Place(*divmod(page, _OFFSETS)) for page in worth))

    def _is_worth_learning(self, unknown: int, due: int, pages: int, now: float) -> bool:
        """Whoever is on no page is not looked for again and again: it may have left the listing."""
        if self._read_at is None:
            is_cheap = pages * CHEAP <= len(self._devices) or pages < due
            return unknown > pages or (unknown > 0 and due >= COUNTING_PAYS and is_cheap)
        return unknown > pages and now >= self._read_at + FORGOTTEN

    def _want(self, page: int, devices: int, now: float) -> bool:
        before, at = self._wanted.get(page, (0.0, now))
        weight = before * math.exp2(-max(0.0, now - at) / FORGOTTEN) + devices
        self._wanted[page] = (weight, now)
        return weight >= PAGE_PAYS

    def read_through(self, now: float) -> None:
        """Take note that every page was read."""
        self._read_at = now

    def saw(self, device: DeviceId, on: Place) -> None:
        """Take note of a device that stands on this page."""
        place = self._devices.place(device)
        if place is not None:
            self._seen[place] = on.listing * _OFFSETS + on.offset

    def missed(self, devices: Iterable[DeviceId], asked: Round) -> None:
        """Take note of devices that were on none of the pages that were read."""
        read = {page.listing * _OFFSETS + page.offset for page in asked.pages}
        for device in devices:
            place = self._devices.place(device)
            if place is not None and (asked.everything or self._seen[place] in read):
                self._seen[place] = _UNKNOWN
