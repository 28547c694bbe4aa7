"""The model world is a controller in this process."""

import pytest

from orchestrator.adapters.simulated.simulated_controller import SimulatedController
from orchestrator.model.answers import Accepted, Lost, Refusal, Refused, Unsent
from orchestrator.model.commands import SendChange
from orchestrator.model.errors import UnauthorisedError
from orchestrator.model.operations import Action, Operation
from orchestrator.model.readings import DeviceFilter
from orchestrator.ports import Controller
from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START, world


class VirtualClock:
    """Sleeping moves it on; steady time is set by hand."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.steady_now = 100.0

    def now(self) -> float:
        return START + self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds

    def steady(self) -> float:
        return self.steady_now


def connected(asked: World, **options: object) -> tuple[Controller, VirtualClock]:
    clock = VirtualClock()
    return SimulatedController(asked, clock, **options), clock


async def test_answers_take_the_worlds_time() -> None:
    controller, clock = connected(world(rules=Rules(latency=0.25)))
    page = await controller.list_devices(DeviceFilter(), offset=0, limit=10)
    reading = await controller.read_device(FIRST)
    answer = await controller.start_operation(FIRST, Operation.REBOOT, intended=100.0)
    probed = await controller.probe()

    assert clock.passed == 1.0
    assert page.devices[0].id == reading.device.id == FIRST
    assert (page.asked_at, reading.asked_at) == (START, START + 0.25)
    assert answer == Accepted(200, START)
    assert probed.usable


async def test_an_intention_that_has_grown_old_is_not_sent() -> None:
    asked = world()
    controller, clock = connected(asked)
    clock.steady_now = 100.6
    stale = await controller.start_operation(FIRST, Operation.REBOOT, intended=100.0)
    fresh = await controller.start_operation(FIRST, Operation.SYNC, intended=100.2)

    assert isinstance(stale, Unsent)
    assert stale.stale
    assert isinstance(fresh, Accepted)
    assert len(asked.ledger.operation_arrivals) == 1


async def test_patience_is_the_time_out() -> None:
    controller, clock = connected(world(faults=Faults(operations=Rates(slow=1.0))), patience=1.5)
    answer = await controller.start_operation(FIRST, Operation.REBOOT, intended=100.0)

    assert isinstance(answer, Lost)
    assert clock.passed == 1.5


async def test_a_wrong_token_is_an_error_for_reads_and_an_answer_for_operations() -> None:
    controller, _ = connected(world(), token="wrong")
    with pytest.raises(UnauthorisedError):
        await controller.read_device(FIRST)
    with pytest.raises(UnauthorisedError):
        await controller.list_devices(DeviceFilter(), offset=0, limit=1)
    answer = await controller.start_operation(FIRST, Operation.REBOOT, intended=100.0)

    assert isinstance(answer, Refused)
    assert (await controller.probe()).unauthorised


async def test_update_status_asks_the_device_and_takes_its_time() -> None:
    controller, clock = connected(world())
    reading = await controller.read_device(FIRST, update_status=True)

    assert reading.device.last_connection == START
    assert 1 <= clock.passed <= 2


def change(action: Action, record: int | None, **fields: object) -> SendChange:
    return SendChange(record or 1, 0, 1, action, record, fields)


async def test_records_are_created_replaced_updated_and_deleted() -> None:
    asked = world()
    controller, _ = connected(asked)
    fields = {"name": "n", "customer_id": "c", "type": 15, "organization_id": 123}
    new = change(Action.CREATE, None, **fields, serial_number="ZN-1")
    created = await controller.send_change(new, {"password": "hush"}, intended=100.0)
    again = await controller.send_change(new, {}, intended=100.0)
    for each in (
        change(Action.REPLACE, 1002, **{**fields, "name": "m"}),
        change(Action.UPDATE, 1002, debug=True),
    ):
        assert await controller.send_change(each, {}, intended=100.0) == Accepted(200, START)
    reading = await controller.read_device(1002)
    deleted = await controller.send_change(change(Action.DELETE, 1002), {}, intended=100.0)

    assert created == Accepted(201, START, 1002)
    assert (again.refusal, again.status) == (Refusal.REJECTED, 409)
    assert (reading.device.name, reading.device.fields["debug"]) == ("m", True)
    assert deleted == Accepted(204, START)


async def test_a_change_whose_intention_has_grown_old_is_not_sent() -> None:
    asked = world()
    controller, clock = connected(asked)
    clock.steady_now = 100.6
    answer = await controller.send_change(
        change(Action.UPDATE, FIRST, debug=True), {}, intended=100.0
    )

    assert answer == Unsent("the intention had grown too old", stale=True)
    assert not asked.ledger.changes


async def test_a_change_takes_the_worlds_time() -> None:
    controller, clock = connected(world(rules=Rules(latency=0.25)))
    await controller.send_change(change(Action.UPDATE, FIRST, debug=True), {}, intended=100.0)

    assert clock.passed == 0.25
