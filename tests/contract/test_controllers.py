"""One promise, two keepers: the controller over HTTP and its twin in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from orchestrator.adapters.aiohttp_controller import AiohttpController
from orchestrator.adapters.request_gate import RequestGate
from orchestrator.adapters.simulated_controller import SimulatedController
from orchestrator.adapters.simulator_server import serve
from orchestrator.adapters.system_clock import SystemClock
from orchestrator.adapters.token_source import TokenSource
from orchestrator.model.answers import Accepted, Lost, Refusal, Refused, Unsent
from orchestrator.model.devices import DeviceId, Status
from orchestrator.model.errors import GoneError, RefusedError, UnauthorisedError
from orchestrator.model.operations import Operation
from orchestrator.model.policies import RequestLimits
from orchestrator.model.readings import DeviceFilter
from orchestrator.ports import Controller
from orchestrator.simulator.endpoints import DEFAULT_TOKEN
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.fleet import FleetPlan, make_fleet
from orchestrator.simulator.world import World

FIRST = DeviceId(1001)
MISSING = DeviceId(9)
LIMITS = RequestLimits(delay=0.0, in_flight=8, per_second=None)


class Keeper:
    """One of the two, and how to meet it with a world."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.clock = SystemClock()

    @asynccontextmanager
    async def meets(
        self, *, faults: Faults | None = None, token: str = DEFAULT_TOKEN, count: int = 5
    ) -> AsyncIterator[Controller]:
        fleet = make_fleet(count, 7, FleetPlan.plain())
        world = World(fleet, seed=7, started_at=self.clock.now(), faults=faults)
        if self.name == "in process":
            yield SimulatedController(world, self.clock, token)
            return
        async with (
            serve(world, self.clock) as port,
            AiohttpController(
                f"http://127.0.0.1:{port}/api/v1",
                TokenSource(token),
                RequestGate(self.clock, LIMITS),
                self.clock,
            ) as controller,
        ):
            yield controller

    async def start(self, controller: Controller, device: DeviceId, operation: Operation):
        return await controller.start_operation(device, operation, intended=self.clock.steady())


@pytest.fixture(params=["over HTTP", "in process"])
def keeper(request) -> Keeper:
    return Keeper(request.param)


async def test_a_page_holds_the_devices_and_the_count(keeper):
    async with keeper.meets() as controller:
        page = await controller.list_devices(DeviceFilter(), offset=0, limit=3)

    assert [device.id for device in page.devices] == [1001, 1002, 1003]
    assert (page.count, page.rows, page.has_next) == (5, 3, True)
    assert all(device.pending == () for device in page.devices)


async def test_the_last_page_has_no_next(keeper):
    async with keeper.meets() as controller:
        page = await controller.list_devices(DeviceFilter(), offset=3, limit=3)

    assert (page.rows, page.has_next) == (2, False)


async def test_a_filter_reaches_the_controller(keeper):
    async with keeper.meets(count=40) as controller:
        page = await controller.list_devices(DeviceFilter(organization=456), offset=0, limit=50)

    assert page.devices
    assert {device.fields["organization_id"] for device in page.devices} == {456}


async def test_a_filter_on_status_is_understood(keeper):
    async with keeper.meets() as controller:
        page = await controller.list_devices(DeviceFilter(status=Status.DOWN), offset=0, limit=50)

    assert page.count == 0


async def test_a_single_record_comes_with_its_detail(keeper):
    async with keeper.meets() as controller:
        reading = await controller.read_device(FIRST)

    assert reading.is_detail
    assert reading.device is not None
    assert reading.device.update_frequency is not None
    assert reading.device.firmware_is_pending is False


async def test_no_record_holds_a_secret(keeper):
    async with keeper.meets() as controller:
        reading = await controller.read_device(FIRST)

    assert reading.device is not None
    assert not {"username", "password"} & set(reading.device.fields)


async def test_a_device_that_does_not_exist_is_a_reading_without_a_device(keeper):
    async with keeper.meets() as controller:
        reading = await controller.read_device(MISSING)

    assert reading.device is None


async def test_an_accepted_operation_says_when_by_the_controllers_clock(keeper):
    async with keeper.meets() as controller:
        before = keeper.clock.now()
        answer = await keeper.start(controller, FIRST, Operation.REBOOT)

    assert isinstance(answer, Accepted)
    assert abs(answer.server_at - before) < 2


async def test_a_pending_operation_shows_in_the_record(keeper):
    async with keeper.meets() as controller:
        await keeper.start(controller, FIRST, Operation.REBOOT)
        reading = await controller.read_device(FIRST)

    assert reading.device is not None
    assert any("reboot" in name for name in reading.device.pending or ())


async def test_an_operation_on_a_missing_device_is_refused_as_gone(keeper):
    async with keeper.meets() as controller:
        answer = await keeper.start(controller, MISSING, Operation.REBOOT)

    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.GONE


async def test_a_wrong_token_is_told_everywhere(keeper):
    async with keeper.meets(token="not-the-token") as controller:
        answer = await keeper.start(controller, FIRST, Operation.REBOOT)
        probed = await controller.probe()
        with pytest.raises(UnauthorisedError):
            await controller.read_device(FIRST)

    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.UNAUTHORISED
    assert (probed.usable, probed.unauthorised) == (False, True)


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "rate_502_html"])
async def test_a_request_without_an_answer_is_lost_and_never_raises(keeper, fault):
    faults = Faults(operations=Rates(**{fault: 1.0}))
    async with keeper.meets(faults=faults) as controller:
        answer = await keeper.start(controller, FIRST, Operation.FACTORY)

    assert isinstance(answer, Lost)


@pytest.mark.parametrize("fault", ["rate_429", "rate_503"])
async def test_a_refusal_for_load_says_how_long_to_wait(keeper, fault):
    faults = Faults(operations=Rates(**{fault: 1.0}))
    async with keeper.meets(faults=faults) as controller:
        answer = await keeper.start(controller, FIRST, Operation.FACTORY)

    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.BUSY
    assert answer.retry_after is not None


async def test_an_intention_that_has_grown_old_is_not_acted_on(keeper):
    async with keeper.meets() as controller:
        answer = await controller.start_operation(
            FIRST, Operation.FACTORY, intended=keeper.clock.steady() - 1
        )
        reading = await controller.read_device(FIRST)

    assert isinstance(answer, Unsent)
    assert answer.stale
    assert reading.device is not None
    assert reading.device.pending == ()


async def test_a_usable_controller_is_probed_as_such(keeper):
    async with keeper.meets() as controller:
        probed = await controller.probe()

    assert probed.usable


async def test_a_record_is_created_changed_and_deleted(keeper):
    fields = {
        "name": "new",
        "customer_id": "c-1",
        "type": 15,
        "serial_number": "SN-NEW",
        "organization_id": 123,
        "username": "u",
        "password": "p",
    }
    async with keeper.meets() as controller:
        created = await controller.create_device(fields)
        changed = await controller.update_device(created.device_id, {"description": "mine"})
        await controller.delete_device(created.device_id)
        after = await controller.read_device(created.device_id)

    assert created.device is not None
    assert created.device.serial_number == "SN-NEW"
    assert changed.device is not None
    assert changed.device.fields["description"] == "mine"
    assert after.device is None


async def test_a_serial_number_is_created_once(keeper):
    async with keeper.meets() as controller:
        first = await controller.read_device(FIRST)
        assert first.device is not None
        fields = {**first.device.fields, "username": "u", "password": "p"}
        with pytest.raises(RefusedError):
            await controller.create_device(fields)


async def test_changing_a_record_that_is_gone_is_told(keeper):
    async with keeper.meets() as controller:
        with pytest.raises(GoneError):
            await controller.update_device(MISSING, {"description": "nobody"})
