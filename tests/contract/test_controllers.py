"""One promise, two keepers: the controller over HTTP and its twin in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from orchestrator.adapters.controller.aiohttp_controller import AiohttpController
from orchestrator.adapters.controller.request_gate import RequestGate
from orchestrator.adapters.controller.token_source import TokenSource
from orchestrator.adapters.simulated.simulated_controller import SimulatedController
from orchestrator.adapters.simulated.simulated_offers import SimulatedOffers
from orchestrator.adapters.simulated.simulator_server import serve
from orchestrator.model.answers import Accepted, Lost, Refusal, Refused, Unsent
from orchestrator.model.commands import SendChange
from orchestrator.model.devices import DeviceId, Status
from orchestrator.model.errors import UnauthorisedError
from orchestrator.model.operations import Action, Operation
from orchestrator.model.policies import RequestLimits
from orchestrator.model.readings import DeviceFilter
from orchestrator.model.steps import Witness
from orchestrator.model.values import Secret, SecretKind
from orchestrator.ports import Controller, Offers
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.fleet import FleetPlan, make_fleet
from orchestrator.simulator.rules import DEFAULT_TOKEN, Rules
from orchestrator.simulator.world import World
from tests.support.api_access import PushedClock

FIRST = DeviceId(1001)
MISSING = DeviceId(9)
LIMITS = RequestLimits(delay=0.0, in_flight=8, per_second=None)


class Keeper:
    """One of the two, and how to meet it with a world."""

    offers: Offers

    def __init__(self, name: str) -> None:
        self.name = name
        self.clock = PushedClock()

    @asynccontextmanager
    async def meets(
        self,
        *,
        faults: Faults | None = None,
        token: str = DEFAULT_TOKEN,
        count: int = 5,
        rules: Rules | None = None,
    ) -> AsyncIterator[Controller]:
        fleet = make_fleet(count, 7, FleetPlan.plain())
        world = World(fleet, seed=7, started_at=self.clock.now(), faults=faults, rules=rules)
        if self.name == "in process":
            self.offers = SimulatedOffers(world, self.clock, token)
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
            self.offers = controller.offers
            yield controller

    async def start(self, controller: Controller, device: DeviceId, operation: Operation):
        return await controller.start_operation(device, operation, intended=self.clock.steady())

    async def send(
        self,
        controller: Controller,
        action: Action,
        record: DeviceId | None,
        fields=None,
        secrets=None,
        *,
        age: float = 0.0,
    ):
        secrets = secrets or {}
        change = SendChange(
            device=record or DeviceId(2**48),
            step=0,
            attempt=1,
            action=action,
            record=record,
            fields=fields or {},
            secrets={name: Secret(SecretKind.GENERATE) for name in secrets},
        )
        return await controller.send_change(change, secrets, intended=self.clock.steady() - age)


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


NEW = {
    "name": "new",
    "customer_id": "c-1",
    "type": 15,
    "serial_number": "SN-NEW",
    "organization_id": 123,
}
CREDENTIALS = {"username": "cpe-new", "password": "made-up-44"}
WHOLE = {**NEW, "serial_number": "SN-OTHER", "description": "replaced"}


async def test_a_created_record_is_told_by_its_new_id_and_shows_what_was_written(keeper):
    async with keeper.meets() as controller:
        answer = await keeper.send(controller, Action.CREATE, None, NEW, CREDENTIALS)
        reading = await controller.read_device(answer.record)

    assert isinstance(answer, Accepted)
    assert reading.device is not None
    assert {name: reading.device.fields[name] for name in NEW} == NEW


CHANGES = {
    "update": (Action.UPDATE, {"description": "mine", "debug": True}, CREDENTIALS),
    "upgrade": (Action.UPGRADE, {"firmware_image": 155}, {}),
    "deactivate": (Action.DEACTIVATE, {"is_active": False}, {}),
    "replace": (Action.REPLACE, WHOLE, CREDENTIALS),
}


@pytest.mark.parametrize(("action", "fields", "secrets"), CHANGES.values(), ids=CHANGES)
async def test_an_accepted_change_shows_in_the_record(keeper, action, fields, secrets):
    async with keeper.meets() as controller:
        created = await keeper.send(controller, Action.CREATE, None, NEW)
        before = keeper.clock.now()
        answer = await keeper.send(controller, action, created.record, fields, secrets)
        reading = await controller.read_device(created.record)

    assert isinstance(answer, Accepted)
    assert answer.record is None
    assert abs(answer.server_at - before) < 2
    assert reading.device is not None
    assert {name: reading.device.fields[name] for name in fields} == fields


async def test_a_deleted_record_is_gone_and_deleting_it_again_is_no_refusal(keeper):
    async with keeper.meets() as controller:
        first = await keeper.send(controller, Action.DELETE, FIRST)
        reading = await controller.read_device(FIRST)
        again = await keeper.send(controller, Action.DELETE, FIRST)

    assert isinstance(first, Accepted)
    assert reading.device is None
    assert isinstance(again, Accepted)


async def test_a_flag_asks_for_its_operation(keeper):
    async with keeper.meets() as controller:
        answer = await keeper.send(controller, Action.UPDATE, FIRST, {"reboot": True})
        reading = await controller.read_device(FIRST)

    assert isinstance(answer, Accepted)
    assert reading.device is not None
    assert any("reboot" in name for name in reading.device.pending or ())


async def test_a_serial_number_is_created_once(keeper):
    async with keeper.meets() as controller:
        await keeper.send(controller, Action.CREATE, None, NEW)
        answer = await keeper.send(controller, Action.CREATE, None, {**NEW, "name": "again"})

    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.REJECTED


async def test_a_serial_number_that_another_device_has_is_rejected(keeper):
    async with keeper.meets() as controller:
        await keeper.send(controller, Action.CREATE, None, NEW)
        taken = {"serial_number": NEW["serial_number"]}
        answer = await keeper.send(controller, Action.UPDATE, FIRST, taken)

    assert isinstance(answer, Refused)
    assert (answer.refusal, answer.status) == (Refusal.REJECTED, 409)


async def test_values_that_the_controller_does_not_take_are_rejected_by_their_field(keeper):
    async with keeper.meets() as controller:
        answer = await keeper.send(controller, Action.UPDATE, FIRST, {"debug": "perhaps"})

    assert isinstance(answer, Refused)
    assert (answer.refusal, answer.status) == (Refusal.REJECTED, 400)
    assert "debug: Must be a valid boolean." in answer.reason


async def test_a_record_that_waits_for_something_is_not_deleted_now(keeper):
    async with keeper.meets() as controller:
        await keeper.start(controller, FIRST, Operation.REBOOT)
        answer = await keeper.send(controller, Action.DELETE, FIRST)

    assert isinstance(answer, Refused)
    assert (answer.refusal, answer.status) == (Refusal.STATE, 409)


async def test_changing_a_record_that_is_gone_is_told(keeper):
    async with keeper.meets() as controller:
        answer = await keeper.send(controller, Action.UPDATE, MISSING, {"debug": True})

    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.GONE


async def test_a_change_with_a_wrong_token_is_refused(keeper):
    async with keeper.meets(token="not-the-token") as controller:
        answer = await keeper.send(controller, Action.UPDATE, FIRST, {"debug": True})

    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.UNAUTHORISED


async def test_a_change_whose_intention_has_grown_old_is_not_sent(keeper):
    async with keeper.meets() as controller:
        answer = await keeper.send(controller, Action.DELETE, FIRST, age=1.0)
        reading = await controller.read_device(FIRST)

    assert isinstance(answer, Unsent)
    assert answer.stale
    assert reading.device is not None


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "rate_502_html"])
@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
async def test_a_change_without_an_answer_is_lost_and_never_raises(keeper, fault, action):
    async with keeper.meets(faults=Faults(operations=Rates(**{fault: 1.0}))) as controller:
        answer = await keeper.send(controller, action, FIRST, {"debug": True})

    assert isinstance(answer, Lost)


async def test_an_update_whose_answer_is_cut_short_is_accepted_all_the_same(keeper):
    async with keeper.meets(faults=Faults(operations=Rates(truncated=1.0))) as controller:
        answer = await keeper.send(controller, Action.UPDATE, FIRST, {"debug": True})

    assert isinstance(answer, Accepted)


async def test_a_creation_whose_answer_is_cut_short_told_no_id_and_is_lost(keeper):
    async with keeper.meets(faults=Faults(operations=Rates(truncated=1.0))) as controller:
        answer = await keeper.send(controller, Action.CREATE, None, NEW, CREDENTIALS)

    assert isinstance(answer, Lost)


@pytest.mark.parametrize("fault", ["rate_429", "rate_503"])
async def test_a_change_refused_for_load_says_how_long_to_wait(keeper, fault):
    async with keeper.meets(faults=Faults(operations=Rates(**{fault: 1.0}))) as controller:
        answer = await keeper.send(controller, Action.UPDATE, FIRST, {"debug": True})

    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.BUSY
    assert answer.retry_after is not None


async def test_a_device_is_found_by_its_serial_number_and_by_its_name(keeper):
    async with keeper.meets() as controller:
        first = (await controller.read_device(FIRST)).device
        assert first is not None
        by_serial = await keeper.offers.find_by_serial(first.serial_number or "")
        by_name = await keeper.offers.find_by_name(first.name or "")

    for found in (by_serial, by_name):
        assert found is not None
        assert found.device_id == FIRST
        assert found.is_detail
        assert found.device is not None
        assert found.device.serial_number == first.serial_number
        assert found.device.pending == ()


AWKWARD = "Süd/2 100% #1?"


async def test_a_name_is_found_whatever_letters_it_has(keeper):
    async with keeper.meets() as controller:
        await keeper.send(controller, Action.UPDATE, FIRST, {"name": AWKWARD})
        found = await keeper.offers.find_by_name(AWKWARD)

    assert found is not None
    assert found.device_id == FIRST


async def test_a_serial_number_nobody_has_is_a_reading_without_a_device(keeper):
    async with keeper.meets():
        found = [await keeper.offers.find_by_serial("nobody") for _ in range(2)]

    assert all(reading is not None and reading.device is None for reading in found)


async def test_settings_and_variables_are_told_by_their_names_and_secrets_are_masked(keeper):
    async with keeper.meets():
        settings = await keeper.offers.read_settings(FIRST)
        variables = await keeper.offers.read_variables(FIRST)

    assert settings is not None
    assert variables is not None
    assert settings["Device.Time.NTPServer1"] == variables["Device.Time.NTPServer1"]
    assert settings["Device.WiFi.AccessPoint.1.Security.KeyPassphrase"] == "***"
    assert variables["Device.WiFi.AccessPoint.1.Security.KeyPassphrase"] == "***"


async def test_only_the_variables_that_are_asked_for_are_told(keeper):
    names = ["Device.DeviceInfo.UpTime", "Device.Time.NTPServer1", "Device.No.Such"]
    async with keeper.meets():
        variables = await keeper.offers.read_variables(FIRST, names, refresh=True)

    assert variables is not None
    assert set(variables) == set(names[:2])


async def test_every_page_of_a_list_is_read(keeper):
    async with keeper.meets(rules=Rules(max_limit=2)):
        settings = await keeper.offers.read_settings(FIRST)

    assert settings is not None
    assert len(settings) > 2


async def test_types_are_known_by_both_their_names(keeper):
    async with keeper.meets():
        types = await keeper.offers.list_types()

    assert types is not None
    assert types["router-a"] == types["Norvik NR-200"] == 15


BOTH = (Witness.UP_TIME, Witness.DEVICE_LOG)


async def test_after_a_reboot_both_witnesses_tell_of_it(keeper):
    async with keeper.meets() as controller:
        answer = await keeper.start(controller, FIRST, Operation.REBOOT)
        await keeper.clock.sleep(1800)
        told = await keeper.offers.read_testimony(FIRST, BOTH, since_at=answer.server_at)

    assert told is not None
    assert (told.applied, told.booted) == (True, True)
    assert told.up_time is not None
    assert told.up_time_at is not None
    assert told.up_time_at - told.up_time > answer.server_at


async def test_before_a_reboot_no_witness_tells_of_it(keeper):
    async with keeper.meets() as controller:
        answer = await keeper.start(controller, FIRST, Operation.REBOOT)
        told = await keeper.offers.read_testimony(
            FIRST, [Witness.DEVICE_LOG], since_at=answer.server_at
        )

    assert told is not None
    assert told.applied is None
    assert not told.booted


async def test_a_controller_without_the_optional_endpoints_offers_nothing(keeper):
    async with keeper.meets(rules=Rules(offers=frozenset())):
        offers = keeper.offers
        for _ in range(2):
            assert await offers.find_by_serial("x") is None
            assert await offers.find_by_name("x") is None
            assert await offers.read_settings(FIRST) is None
            assert await offers.read_variables(FIRST) is None
            assert await offers.read_testimony(FIRST, BOTH, since_at=0.0) is None
            assert await offers.list_types() is None


async def test_one_witness_is_enough(keeper):
    async with keeper.meets(rules=Rules(offers=frozenset({"inventory_device_log"}))):
        told = await keeper.offers.read_testimony(FIRST, BOTH, since_at=keeper.clock.now())

    assert told is not None
    assert told.up_time is None


async def test_a_wrong_token_is_trouble_and_no_missing_offer(keeper):
    async with keeper.meets(token="not-the-token"):
        with pytest.raises(UnauthorisedError):
            await keeper.offers.find_by_serial("x")
        with pytest.raises(UnauthorisedError):
            await keeper.offers.read_settings(FIRST)
