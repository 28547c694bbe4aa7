"""Reading every page of one or several listings, side by side, without holding the records."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace

import anyio

from orchestrator.engine.choosing.paging import ListingSummary, PageLedger
from orchestrator.model.errors import ControllerError
from orchestrator.model.readings import DeviceFilter, Page
from orchestrator.ports import Controller


class Listing:
    """All devices that match any of the filters: `async for page in listing`, then `summary`.

    Every page holds only devices that no page before it held. Listings that moved while they
    were read are read again, at most `rereads` times; what stays in doubt is a warning. Raises
    ControllerError when a page cannot be read.
    """

    def __init__(
        self,
        controller: Controller,
        filters: Sequence[DeviceFilter],
        *,
        page_size: int = 500,
        side_by_side: int = 4,
        rereads: int = 2,
    ) -> None:
        self._controller = controller
        self._filters = tuple(filters)
        self._page_size = page_size
        self._side_by_side = side_by_side
        self._rereads = rereads
        self._ledger = PageLedger()
        self._count: int | None = 0
        self._missing = 0
        self._moved = False
        self._warnings: list[str] = []

    @property
    def summary(self) -> ListingSummary:
        """What was read so far; complete once the iteration has ended."""
        return ListingSummary(
            count=self._count,
            unique=self._ledger.unique,
            duplicates=self._ledger.duplicates,
            missing=self._missing,
            moved=self._moved,
            warnings=tuple(self._warnings),
        )

    async def __aiter__(self) -> AsyncGenerator[Page, None]:
        for wanted in self._filters:
            self._ledger.begin_listing()
            for _ in range(self._rereads + 1):
                self._ledger.begin_reading()
                async for page in self._read_through(wanted):
                    yield page
                if not self._ledger.has_moved:
                    break
                self._moved = True
            self._conclude(wanted)

    async def _read_through(self, wanted: DeviceFilter) -> AsyncIterator[Page]:
        """Read one listing once, from its first row to its last."""
        first = await self._controller.list_devices(wanted, offset=0, limit=self._page_size)
        self._ledger.is_repeated(first)
        yield self._taken(first)
        if first.rows == 0:
            return
        if first.count is None:
            # A bare array: nobody says where the end is.
            rest = self._follow(wanted, first.rows, self._page_size)
        else:
            # A controller may give fewer rows than asked for; from here on that is what is asked.
            capped = first.rows < min(self._page_size, first.count)
            rest = self._read_counted(wanted, first, first.rows if capped else self._page_size)
        async for page in rest:
            yield page

    async def _read_counted(
        self, wanted: DeviceFilter, last: Page, step: int
    ) -> AsyncIterator[Page]:
        """Read what follows the first page as far as the controller counts, side by side."""
        position = last.rows
        while position < (end := self._ledger.count or 0):
            offsets = range(position, end, step)[: self._side_by_side]
            pages = await self._fetch(wanted, offsets, step)
            for offset, page in zip(offsets, pages, strict=True):
                if self._ledger.is_repeated(page):
                    return
                yield self._taken(page)
                if page.rows > 0:  # a page that is too short leaves a hole
                    upto = min(offset + step, end)
                    async for more in self._follow(wanted, offset + page.rows, step, upto):
                        yield more
            if all(page.rows == 0 for page in pages):
                return
            last = pages[-1]
            position = offsets[-1] + step
        if last.has_next and last.rows > 0:
            async for page in self._follow(wanted, max(position, end), step):
                yield page

    async def _follow(
        self, wanted: DeviceFilter, offset: int, limit: int, upto: int | None = None
    ) -> AsyncIterator[Page]:
        """Read page after page until one is empty, repeats, or is the last."""
        while upto is None or offset < upto:
            rows = limit if upto is None else min(limit, upto - offset)
            page = await self._controller.list_devices(wanted, offset=offset, limit=rows)
            if page.rows == 0 or self._ledger.is_repeated(page):
                return
            yield self._taken(page)
            offset += page.rows
            if page.count is not None and not page.has_next:
                return

    async def _fetch(self, wanted: DeviceFilter, offsets: Sequence[int], limit: int) -> list[Page]:
        """Read several pages at once and give them in order; the first error ends the others."""
        if len(offsets) == 1:
            return [await self._controller.list_devices(wanted, offset=offsets[0], limit=limit)]
        pages: dict[int, Page] = {}
        errors: list[ControllerError] = []

        async def fetch(offset: int) -> None:
            try:
                pages[offset] = await self._controller.list_devices(
                    wanted, offset=offset, limit=limit
                )
            except ControllerError as error:
                errors.append(error)
                group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for offset in offsets:
                group.start_soon(fetch, offset)
        if errors:
            raise errors[0]
        return [pages[offset] for offset in offsets]

    def _taken(self, page: Page) -> Page:
        return replace(page, devices=self._ledger.take(page))

    def _conclude(self, wanted: DeviceFilter) -> None:
        """Add up one listing after its last reading, and say what is wrong with it."""
        ledger = self._ledger
        name = _name(wanted)
        if ledger.count is None:
            self._count = None
        elif self._count is not None:
            self._count += ledger.count
        self._missing += ledger.missing
        if ledger.missing > 0:
            self._warnings.append(
                f"{name}: {ledger.missing} of {ledger.count} devices never came,"
                f" although it was read {self._rereads + 1} times"
            )
        elif ledger.has_moved:
            self._warnings.append(
                f"{name}: it changed each of the {self._rereads + 1} times it was read;"
                " devices may be missing"
            )
        if ledger.unreadable > 0:
            self._warnings.append(
                f"{name}: {ledger.unreadable} rows cannot be read: {ledger.complaint}"
            )


def _name(wanted: DeviceFilter) -> str:
    if wanted.organization is None:
        return "the listing"
    return f"the listing of organization {wanted.organization}"
