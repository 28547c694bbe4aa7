"""A listing brings every device once, whatever the controller does to its pages meanwhile."""

import anyio
import anyio.lowlevel
import pytest

from orchestrator.model.devices import device_from_record
from orchestrator.model.errors import UnreachableError
from orchestrator.model.readings import DeviceFilter, Page
from orchestrator.runtime.listing import Listing

EVERYTHING = (DeviceFilter(),)


class Shelf:
    """A controller that only lists; tests bend the rules that it pages by."""

    def __init__(self, *ids):
        self.ids = list(ids)
        self.asked = []
        self.cap = 10_000
        self.counts = True
        self.heeds_offset = True
        self.before_page = lambda: None
        self.at_once = 0
        self.most_at_once = 0

    async def list_devices(self, wanted, *, offset, limit):
        self.asked.append((offset, limit))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await anyio.lowlevel.checkpoint()
        self.at_once -= 1
        self.before_page()
        ids = self.matching(wanted)
        begin = offset if self.heeds_offset else 0
        rows = ids[begin : begin + min(limit, self.cap)]
        return Page(
            devices=tuple(device_from_record({"id": i}) for i in rows if i >= 0),
            count=self.announced(ids) if self.counts else None,
            has_next=self.counts and begin + len(rows) < len(ids),
            rows=len(rows),
            asked_at=0.0,
            server_at=0.0,
            unreadable=tuple("a device record needs an id" for i in rows if i < 0),
        )

    def matching(self, wanted):
        if wanted.organization is None:
            return self.ids
        return [i for i in self.ids if i // 1000 == wanted.organization or i % 1000 == 0]

    def announced(self, ids):
        return len(ids)


async def read(shelf, filters=EVERYTHING, **choices):
    listing = Listing(shelf, filters, **choices)
    ids = [device.id async for page in listing for device in page.devices]
    return ids, listing.summary


async def test_all_pages_are_read_in_order_and_each_device_comes_once():
    shelf = Shelf(*range(1, 1001))
    ids, summary = await read(shelf, page_size=100)

    assert ids == list(range(1, 1001))
    assert (summary.count, summary.unique, summary.missing) == (1000, 1000, 0)
    assert not summary.moved
    assert summary.warnings == ()
    assert len(shelf.asked) == 10


async def test_pages_after_the_first_are_read_side_by_side_but_bounded():
    shelf = Shelf(*range(1, 1001))
    await read(shelf, page_size=50, side_by_side=3)

    assert shelf.most_at_once == 3


async def test_every_request_carries_limit_and_offset():
    shelf = Shelf(*range(5))
    await read(shelf, page_size=2)

    assert shelf.asked == [(0, 2), (2, 2), (4, 2)]


async def test_an_empty_listing_is_one_request():
    shelf = Shelf()
    ids, summary = await read(shelf)

    assert ids == []
    assert (summary.count, summary.unique) == (0, 0)
    assert len(shelf.asked) == 1


async def test_the_page_size_is_learned_when_the_controller_gives_less():
    shelf = Shelf(*range(1, 951))
    shelf.cap = 100
    ids, summary = await read(shelf, page_size=500)

    assert ids == list(range(1, 951))
    assert shelf.asked[1:] == [(offset, 100) for offset in range(100, 950, 100)]
    assert not summary.moved


async def test_a_short_page_in_the_middle_leaves_no_hole():
    shelf = Shelf(*range(1, 101))
    calls = iter([10_000, 10_000, 7, 10_000])

    def shorten():
        shelf.cap = next(calls, 10_000)

    shelf.before_page = shorten
    ids, summary = await read(shelf, page_size=20)

    assert sorted(ids) == list(range(1, 101))
    assert not summary.moved


async def test_a_bare_array_that_is_paged_is_followed_to_its_end():
    shelf = Shelf(*range(1, 251))
    shelf.counts = False
    ids, summary = await read(shelf, page_size=100)

    assert ids == list(range(1, 251))
    assert summary.count is None
    assert not summary.moved


async def test_a_bare_array_that_ignores_paging_is_read_once():
    class Whole(Shelf):
        async def list_devices(self, wanted, *, offset, limit):
            return await super().list_devices(wanted, offset=offset, limit=10_000)

    whole = Whole(*range(1, 251))
    whole.counts, whole.heeds_offset = False, False
    ids, summary = await read(whole, page_size=100)

    assert ids == list(range(1, 251))
    assert len(whole.asked) == 2
    assert summary.duplicates == 0


async def test_a_controller_that_repeats_its_first_page_is_not_read_for_ever():
    shelf = Shelf(*range(1, 10_001))
    shelf.heeds_offset = False
    ids, summary = await read(shelf, page_size=10, side_by_side=4)

    assert ids == list(range(1, 11))
    assert len(shelf.asked) <= 3 * 5
    assert summary.missing == 9_990
    assert "9990 of 10000 devices never came" in summary.warnings[0]


async def test_a_controller_whose_pages_are_empty_is_not_read_for_ever():
    shelf = Shelf(*range(1, 11))
    shelf.announced = lambda ids: 1_000_000
    _, summary = await read(shelf, page_size=10, rereads=0)

    assert len(shelf.asked) <= 5
    assert summary.missing == 999_990


async def test_rows_that_slip_between_pages_are_found_by_reading_again():
    shelf = Shelf(*range(1, 101))
    moves = iter([False, False, True])

    def lose_the_first():
        if next(moves, False):
            shelf.ids.append(shelf.ids.pop(0))  # every row moves up by one

    shelf.before_page = lose_the_first
    ids, summary = await read(shelf, page_size=10, side_by_side=1)

    assert sorted(ids) == list(range(1, 101))
    assert len(ids) == 100
    assert summary.moved
    assert summary.missing == 0
    assert summary.warnings == ()


async def test_devices_that_come_while_it_is_read_are_found():
    shelf = Shelf(*range(1, 101))
    comings = iter([None, None, 101, None])

    def grow():
        if (new := next(comings, None)) is not None:
            shelf.ids.insert(0, new)

    shelf.before_page = grow
    ids, summary = await read(shelf, page_size=10, side_by_side=1)

    assert sorted(ids) == list(range(1, 102))
    assert summary.moved
    assert summary.count == 101


async def test_devices_that_go_while_it_is_read_hide_no_others():
    shelf = Shelf(*range(1, 101))
    goings = iter([False, False, True, True])

    def shrink():
        if next(goings, False):
            shelf.ids.pop(0)

    shelf.before_page = shrink
    ids, summary = await read(shelf, page_size=10, side_by_side=1)

    assert set(range(3, 101)) <= set(ids)
    assert summary.moved
    assert summary.count == 98
    assert summary.missing == 0


async def test_a_listing_that_never_rests_is_read_a_bounded_number_of_times_and_said_so():
    shelf = Shelf(*range(1, 101))
    shelf.before_page = lambda: shelf.ids.append(shelf.ids[-1] + 1)
    ids, summary = await read(shelf, page_size=50, side_by_side=1, rereads=1)

    assert len(ids) == len(set(ids))
    assert len(shelf.asked) <= 8
    assert summary.moved
    assert len(summary.warnings) == 1
    assert "2 times" in summary.warnings[0]


async def test_a_count_that_is_too_low_does_not_cut_the_listing_off():
    shelf = Shelf(*range(1, 26))
    shelf.announced = lambda ids: 10
    ids, summary = await read(shelf, page_size=5)

    assert ids == list(range(1, 26))
    assert summary.moved
    assert "changed each of the 3 times" in summary.warnings[0]


async def test_rows_that_repeat_are_given_once_and_counted():
    shelf = Shelf(*range(1, 11), *range(1, 3))
    shelf.announced = lambda ids: 10
    ids, summary = await read(shelf, page_size=4, side_by_side=1)

    assert ids == list(range(1, 11))
    assert summary.duplicates == 2
    assert summary.missing == 0


async def test_several_organizations_are_several_listings_merged():
    shelf = Shelf(*range(1000, 1010), *range(2000, 2010), *range(3000, 3010))
    filters = (DeviceFilter(organization=1), DeviceFilter(organization=2))
    ids, summary = await read(shelf, filters, page_size=5)

    assert len(ids) == len(set(ids)) == 21
    assert summary.unique == 21
    assert summary.count == 24
    assert summary.duplicates == 3
    assert not summary.moved
    assert summary.warnings == ()


async def test_unreadable_rows_are_told_with_the_first_reason():
    shelf = Shelf(1, 2, -1, 4, -2)
    ids, summary = await read(shelf, page_size=2)

    assert ids == [1, 2, 4]
    assert summary.missing == 0
    assert not summary.moved
    assert summary.warnings == ("the listing: 2 rows cannot be read: a device record needs an id",)


async def test_an_error_on_any_page_ends_the_listing_with_that_error():
    class Breaking(Shelf):
        async def list_devices(self, wanted, *, offset, limit):
            if offset == 30:
                raise UnreachableError("gone")
            return await super().list_devices(wanted, offset=offset, limit=limit)

    with pytest.raises(UnreachableError, match="gone"):
        await read(Breaking(*range(100)), page_size=10)


async def test_leaving_the_loop_early_is_allowed():
    shelf = Shelf(*range(100))
    pages = aiter(Listing(shelf, EVERYTHING, page_size=10))
    first = await anext(pages)
    await pages.aclose()

    assert first.rows == 10


async def test_nothing_but_ids_is_kept_of_many_devices():
    shelf = Shelf(*range(1, 20_001))
    listing = Listing(shelf, EVERYTHING, page_size=1000)
    biggest = 0
    async for page in listing:
        biggest = max(biggest, len(page.devices))

    assert biggest == 1000
    assert listing.summary.unique == 20_000
    assert all(isinstance(key, int) for key in listing._ledger._seen)
