"""Reading for all waiting devices at once: by list pages where that takes fewer requests."""

import math
from collections import deque
from collections.abc import Sequence

import anyio

from orchestrator.engine.choosing.placing import COUNTING_PAYS, Place, Round, Whereabouts
from orchestrator.engine.choosing.selecting import lasting_filters_of
from orchestrator.model.answering import failure_of
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import ControllerError, UnauthorisedError, UnreachableError
from orchestrator.model.plans import Plan
from orchestrator.model.readings import Page, Reading
from orchestrator.ports import Clock, Controller
from orchestrator.runtime.inbox import Inbox

_SIDE_BY_SIDE = 4
"""Pages of one round that are asked for at once."""

_BARREN = 3
"""Pages in a row without a readable row, after which no more of a listing are asked for."""

_OVERLOADED = (429, 503)

_LASTING = 0.8
"""What a round of reading took counts for so much of itself in the next one."""


class Watcher:
    """Reads for all waiting devices at once; one device costs no task and no request of its own."""

    def __init__(
        self, plan: Plan, controller: Controller, clock: Clock, inbox: Inbox, page_size: int
    ) -> None:
        self._controller = controller
        self._clock = clock
        self._inbox = inbox
        self._page_size = page_size
        selection = plan.playbook.selection
        self._filters = lasting_filters_of(selection)
        self._where = Whereabouts(plan.devices)
        unfiltered = selection.status is None and selection.last_status_change_from is None
        self._pages = self._pages_of(plan.listed) if unfiltered and plan.listed else None
        self._took = 0.0
        self._seen: set[DeviceId] = set()
        self._failed_before = False

    @property
    def pages(self) -> int | None:
        """Requests that a round of reading takes, as far as rounds of late tell; None is unknown.

        More than there are pages while many are waited for whom no page shows.
        """
        if self._pages is None or not self._took:
            return self._pages
        return math.ceil(self._took)

    def _pages_of(self, count: int) -> int:
        return max(len(self._filters), math.ceil(count / self._page_size))

    async def read(self, due: tuple[DeviceId, ...]) -> list[DeviceId]:
        """Read the pages on which enough of them stand; give those that must be read one by one.

        Whose page cannot be read two rounds running is read alone.
        """
        self._seen = set()
        try:
            asked, requests = await self._read_together(due)
        except ControllerError as error:
            left = tuple(device for device in due if device not in self._seen)
            if self._failed_before and not _is_of_controller(error):
                return list(left)
            self._failed_before = True
            self._inbox.put(failure_of(left, error))
            return []
        self._failed_before = False
        missed = [device for device in due if device not in self._seen]
        self._where.missed(missed, asked)
        self._took = max(float(requests + len(missed)), self._took * _LASTING)
        return missed

    async def _read_together(self, due: tuple[DeviceId, ...]) -> tuple[Round, int]:
        """Read pages, and give which and how many requests that took."""
        if self._pages is None and len(due) >= COUNTING_PAYS:
            await self._count()
        asked = self._where.round_for(due, self._pages, self._clock.now())
        if asked.everything:
            return asked, await self._read_everything()
        return asked, await self._read_side_by_side(asked.pages)

    async def _count(self) -> None:
        total = 0
        for wanted in self._filters:
            page = await self._controller.list_devices(wanted, offset=0, limit=1)
            total += page.count if page.count is not None else page.rows
        self._pages = self._pages_of(total)

    async def _read_everything(self) -> int:
        """Read all pages: rows that slip between them are read one by one afterwards."""
        requests = 0
        for listing in range(len(self._filters)):
            requests += await self._read_listing(listing)
        self._pages = requests
        self._where.read_through(self._clock.now())
        return requests

    async def _read_listing(self, listing: int) -> int:
        """Read one listing, side by side where its first page says how long it is."""
        size = self._page_size
        requests = offset = barren = 0
        more = True
        while more and barren < _BARREN:
            page, is_new = await self._read_page(Place(listing, offset))
            requests += 1
            offset += page.rows
            more = page.has_next and page.rows > 0
            if offset == size and page.count is not None and page.devices:
                rest = [Place(listing, begin) for begin in range(size, page.count, size)]
                return requests + await self._read_side_by_side(rest, is_listing=True)
            barren = 0 if is_new else _BARREN if page.devices else barren + 1
        return requests

    async def _read_side_by_side(self, places: Sequence[Place], *, is_listing: bool = False) -> int:
        """Read a few pages at once, a listing until one is empty or repeated; give how many were read."""
        waiting = deque(places)
        failures: list[ControllerError] = []
        requests = 0

        async def read() -> None:
            nonlocal requests
            while waiting:
                place = waiting.popleft()
                requests += 1
                try:
                    page, is_new = await self._read_page(place)
                except ControllerError as error:
                    failures.append(error)
                    tasks.cancel_scope.cancel()
                    return
                if is_listing and (page.rows == 0 or (page.devices and not is_new)):
                    waiting.clear()

        async with anyio.create_task_group() as tasks:
            for _ in range(min(_SIDE_BY_SIDE, len(places))):
                tasks.start_soon(read)
        if failures:
            raise failures[0]
        return requests

    async def _read_page(self, place: Place) -> tuple[Page, bool]:
        """Read a page and hand on its rows; say too whether it shows anybody not seen in this round."""
        page = await self._page(place)
        before = len(self._seen)
        self._deliver(page, place)
        return page, len(self._seen) > before

    async def _page(self, place: Place) -> Page:
        return await self._controller.list_devices(
            self._filters[place.listing], offset=place.offset, limit=self._page_size
        )

    def _deliver(self, page: Page, place: Place) -> None:
        for device in page.devices:
            self._where.saw(device.id, place)
            self._seen.add(device.id)
            self._inbox.put(
                Reading(device.id, device, page.asked_at, page.server_at, is_detail=False)
            )


def _is_of_controller(error: ControllerError) -> bool:
    """Say whether reading something else would fail as well, or only make it worse."""
    return isinstance(error, UnreachableError | UnauthorisedError) or error.status in _OVERLOADED
