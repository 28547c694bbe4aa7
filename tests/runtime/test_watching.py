"""The watcher reads the pages on which waiting devices stand, and hands on who is not there."""

import anyio
import pytest

from orchestrator.model.devices import device_from_record
from orchestrator.model.errors import ControllerError, UnreachableError
from orchestrator.model.readings import Page, Reading, ReadingFailed
from orchestrator.runtime.inbox import Inbox
from orchestrator.runtime.watching import Watcher
from tests.support.virtual import LoopClock, operation, plan_for

pytestmark = pytest.mark.looptime

ROWS = 10
IDS = tuple(range(1001, 1101))


class Listed:
    """A controller that lists these devices and remembers what it was asked for."""

    def __init__(self, ids=IDS):
        self.ids = list(ids)
        self.asked = []
        self.trouble = None
        self.trouble_from = 0
        self.unreadable = ()

    async def list_devices(self, wanted, *, offset, limit):
        if self.trouble is not None and offset >= self.trouble_from:
            raise self.trouble
        self.asked.append((offset, limit))
        ids = () if offset in self.unreadable else self.ids[offset : offset + limit]
        rows = [device_from_record({"id": each}) for each in ids]
        more = offset + limit < len(self.ids)
        return Page(tuple(rows), len(self.ids), more, limit, 5.0, 6.0)


class Watching:
    def __init__(self, ids=IDS):
        self.clock = LoopClock()
        self.inbox = Inbox(self.clock)
        self.controller = Listed(ids)
        plan = plan_for(IDS, operation("reboot"))
        self.watcher = Watcher(plan, self.controller, self.clock, self.inbox, ROWS)

    async def read(self, due):
        """Give the offsets that were listed, whose readings came, and who is left."""
        self.controller.asked.clear()
        left = await self.watcher.read(tuple(due))
        came = {each.device_id for each in self.inbox.take() if isinstance(each, Reading)}
        return [offset for offset, limit in self.controller.asked if limit == ROWS], came, left


async def test_the_first_round_of_many_reads_every_page_and_later_ones_only_where_somebody_waits():
    watching = Watching()

    assert await watching.read(IDS) == (list(range(0, 100, ROWS)), set(IDS), [])
    assert await watching.read(IDS[30:40]) == ([30], set(IDS[30:40]), [])
    assert await watching.read(IDS[35:45]) == ([30, 40], set(IDS[30:50]), [])


async def test_a_device_that_waits_alone_is_read_alone():
    watching = Watching()
    await watching.read(IDS)

    assert await watching.read([IDS[3], IDS[77]]) == ([], set(), [IDS[3], IDS[77]])


async def test_a_device_that_slipped_to_another_page_is_read_alone_and_found_again():
    watching = Watching()
    await watching.read(IDS)
    del watching.controller.ids[:5]

    offsets, came, left = await watching.read(IDS[30:40])

    assert offsets == [30]
    assert set(left) == set(IDS[30:35])
    assert set(IDS[35:40]) <= came


async def test_a_round_tells_how_many_requests_it_took():
    watching = Watching()
    assert watching.watcher.pages == 10

    await watching.read(IDS)
    assert watching.watcher.pages == 10
    for _ in range(20):
        await watching.read(IDS[30:40])
    assert watching.watcher.pages == 1


async def test_trouble_with_a_page_is_trouble_for_everybody_who_waited_for_it():
    watching = Watching()
    await watching.read(IDS)
    watching.controller.trouble = UnreachableError("it cannot be reached")

    assert await watching.watcher.read(IDS[:20]) == []

    [failed] = watching.inbox.take()
    assert isinstance(failed, ReadingFailed)
    assert (failed.device_ids, failed.unreachable) == (IDS[:20], True)


async def test_devices_that_the_listing_does_not_show_count_in_what_a_round_takes():
    watching = Watching()
    await watching.read(IDS)
    del watching.controller.ids[20:]
    await watching.read(IDS)

    offsets, _, left = await watching.read(IDS)

    assert (offsets, len(left)) == ([0, 10], 80)
    assert watching.watcher.pages >= 82


async def test_trouble_with_one_page_is_none_for_those_who_were_seen_before():
    watching = Watching()
    watching.controller.trouble = ControllerError("the controller answered 500", status=500)
    watching.controller.trouble_from = 50

    assert await watching.watcher.read(IDS) == []

    *_, failed = watching.inbox.take()
    assert failed.device_ids == IDS[50:]


@pytest.mark.parametrize(
    ("trouble", "left"),
    [
        (ControllerError("the controller answered 500", status=500), list(IDS[50:])),
        (ControllerError("the controller answered 503", status=503), []),
        (UnreachableError("it cannot be reached"), []),
    ],
)
async def test_whose_page_cannot_be_read_twice_running_is_read_alone(trouble, left):
    watching = Watching()
    watching.controller.trouble, watching.controller.trouble_from = trouble, 50

    assert (await watching.read(IDS))[2] == []
    assert (await watching.read(IDS))[2] == left


async def test_a_page_without_a_readable_row_does_not_end_the_listing():
    watching = Watching()
    watching.controller.unreadable = (20,)

    offsets, came, left = await watching.read(IDS)

    assert len(offsets) == 10
    assert left == list(IDS[20:30])
    assert came == set(IDS) - set(left)


async def test_a_listing_without_any_readable_row_comes_to_an_end():
    watching = Watching()
    watching.controller.unreadable = range(0, 10_000, ROWS)

    assert (await watching.read(IDS))[0] == [0, 10, 20]


async def test_the_pages_of_a_round_are_read_side_by_side_but_not_all_at_once():
    watching = Watching()
    at_once, most = 0, 0
    answer = watching.controller.list_devices

    async def slowly(wanted, **asked):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await anyio.sleep(1)
        at_once -= 1
        return await answer(wanted, **asked)

    watching.controller.list_devices = slowly
    for due in (IDS, IDS[:80]):
        begun = watching.clock.now()
        _, came, left = await watching.read(due)
        assert set(due) <= came
        assert left == []
        assert watching.clock.now() - begun <= 4

    assert 1 < most <= 4


async def test_a_controller_that_gives_the_same_page_for_every_offset_is_not_asked_on():
    watching = Watching()
    answer = watching.controller.list_devices

    async def stubborn(wanted, *, offset, limit):
        return await answer(wanted, offset=0, limit=limit)

    watching.controller.list_devices = stubborn

    offsets, came, left = await watching.read(IDS)

    assert len(offsets) <= 5
    assert came == set(IDS[:ROWS])
    assert left == list(IDS[ROWS:])
