"""Known devices are read again with as few requests as that takes."""

import pytest

from orchestrator.adapters.simulated.simulated_controller import SimulatedController
from orchestrator.runtime.rereading import reread
from tests.support.playbooks import minimal, playbook
from tests.support.virtual import LoopClock, fleet_ids
from tests.support.worlds import world

pytestmark = pytest.mark.looptime

ANY = playbook(minimal("status: up"))
IN_FULL = playbook(minimal("{status: up, where: {product_class: x}}"))


class Counting(SimulatedController):
    """Counts the requests of each kind."""

    def __init__(self, known):
        super().__init__(known, LoopClock())
        self.pages = self.records = 0

    async def list_devices(self, wanted, *, offset, limit):
        self.pages += 1
        assert wanted.status is None
        return await super().list_devices(wanted, offset=offset, limit=limit)

    async def read_device(self, device, *, update_status=False):
        self.records += 1
        return await super().read_device(device, update_status=update_status)


async def read(controller, devices, *, wanted=ANY, listed=20, page_size=10):
    return await reread(
        wanted, devices, controller, LoopClock(), listed=listed, page_size=page_size
    )


async def test_few_devices_are_read_one_by_one():
    controller = Counting(world(20))

    now = await read(controller, fleet_ids(2))

    assert (controller.pages, controller.records) == (0, 2)
    assert set(now.records) == set(fleet_ids(2))
    assert now.server_at > 0


async def test_many_devices_are_taken_from_list_pages():
    controller = Counting(world(20))

    now = await read(controller, fleet_ids(20))

    assert (controller.pages, controller.records) == (2, 0)
    assert set(now.records) == set(fleet_ids(20))


async def test_what_no_page_shows_is_asked_for_and_may_be_gone():
    controller = Counting(world(20))

    now = await read(controller, fleet_ids(21))

    assert (controller.pages, controller.records) == (2, 1)
    assert set(now.records) == set(fleet_ids(20))


async def test_conditions_that_pages_do_not_tell_need_every_record_in_full():
    controller = Counting(world(20))

    await read(controller, fleet_ids(20), wanted=IN_FULL)

    assert (controller.pages, controller.records) == (0, 20)


async def test_a_listing_that_has_grown_is_not_read_to_its_end():
    controller = Counting(world(100))

    now = await read(controller, fleet_ids(100)[-4:], listed=20)

    assert (controller.pages, controller.records) == (1, 4)
    assert len(now.records) == 4


async def test_nobody_costs_nothing():
    controller = Counting(world(3))

    assert (await read(controller, ())).records == {}
    assert (controller.pages, controller.records) == (0, 0)
