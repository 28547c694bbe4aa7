"""Reading single records side by side, where list pages do not say enough."""

import pytest

from orchestrator.adapters.simulated.simulated_controller import SimulatedController
from orchestrator.model.devices import device_from_record
from orchestrator.model.errors import UnreachableError
from orchestrator.model.policies import RequestLimits
from orchestrator.runtime.looking import read_in_full
from orchestrator.simulator.faults import Faults
from tests.support.virtual import LoopClock, fleet_ids
from tests.support.worlds import world

pytestmark = pytest.mark.looptime

LISTED = [device_from_record({"id": each}) for each in fleet_ids(7)]


async def in_full(known, devices):
    controller = SimulatedController(known, LoopClock())
    return [each async for each in read_in_full(controller, devices, RequestLimits(in_flight=3))]


async def test_every_record_comes_whole_and_in_order():
    found = await in_full(world(7), LISTED)

    assert [device.id for device in found] == list(fleet_ids(7))
    assert all(device.update_frequency == 60 for device in found)


async def test_a_record_that_is_gone_is_left_out():
    found = await in_full(world(6), LISTED)

    assert [device.id for device in found] == list(fleet_ids(6))


async def test_an_error_comes_out_as_it_is():
    with pytest.raises(UnreachableError):
        await in_full(world(7, faults=Faults(outages=((0.0, 100.0),))), LISTED)
