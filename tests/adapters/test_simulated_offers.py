"""What the model world offers beside the two documents, in the words of the port."""

import pytest

from orchestrator.adapters.simulated.simulated_offers import SimulatedOffers
from orchestrator.model import readings
from orchestrator.model.errors import RefusedError, UnauthorisedError, UnreachableError
from orchestrator.model.steps import Witness
from orchestrator.ports import Offers
from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START, ask, record, start, world

SSID = "Device.WiFi.SSID.1.SSID"
KEY = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase"
UP_TIME = "Device.DeviceInfo.UpTime"
BOTH = (Witness.UP_TIME, Witness.DEVICE_LOG)
NOTHING = Rules(offers=frozenset())


class StandingClock:
    """Stands where it is put; sleeping is remembered."""

    def __init__(self, after: float) -> None:
        self.at = START + after
        self.slept = 0.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds


def offers(asked: World, after: float = 0.0, **options: object) -> Offers:
    return SimulatedOffers(asked, StandingClock(after), **options)


async def test_a_device_is_found_by_serial_number_and_by_name() -> None:
    asked = world(3)
    row = record(asked, 0, 1002)
    by_serial = await offers(asked).find_by_serial(row["serial_number"])
    by_name = await offers(asked).find_by_name(row["name"])

    assert by_serial == by_name
    assert by_serial.device_id == by_serial.device.id == 1002
    assert by_serial.is_detail
    assert by_serial.device.pending == ()


async def test_a_name_may_hold_anything() -> None:
    asked = world()
    body = {"name": "a/b ü 100%"}
    ask(asked, "PATCH", f"inventory_device/{FIRST}/", body=body)

    assert (await offers(asked).find_by_name("a/b ü 100%")).device.id == FIRST


async def test_nobody_is_a_reading_without_a_device() -> None:
    reading = await offers(world()).find_by_serial("nobody")

    assert reading.device is None


async def test_settings_and_variables_come_by_name_with_every_page_and_no_secret() -> None:
    asked = world(rules=Rules(max_limit=2))
    settings = await offers(asked).read_settings(FIRST)
    variables = await offers(asked).read_variables(FIRST)
    some = await offers(asked).read_variables(FIRST, (UP_TIME, SSID))

    assert len(settings) == 6
    assert settings[SSID] == variables[SSID]
    assert settings[KEY] == variables[KEY] == "***"
    assert set(some) == {UP_TIME, SSID}


async def test_a_refresh_asks_the_device_first_and_takes_its_time() -> None:
    asked = world(rules=Rules(max_limit=2))
    clock = StandingClock(500)
    await SimulatedOffers(asked, clock).read_variables(FIRST, refresh=True)

    assert 1 <= clock.slept <= 2
    assert asked.population.device(FIRST, START + 500).contacts_asked == 1


async def test_types_come_by_name_and_by_short_name() -> None:
    types = await offers(world()).list_types()

    assert types["router-b"] == types["Norvik NR-400"] == 16


async def test_both_witnesses_tell_of_a_reboot() -> None:
    asked = world()
    start(asked, "reboot", after=100)
    told = await offers(asked, 900).read_testimony(FIRST, BOTH, since_at=START + 100)

    assert 0 < told.up_time < 800
    assert told.up_time_at <= START + 900
    assert (told.applied, told.booted) == (True, True)


async def test_before_the_delivery_the_witnesses_know_no_better() -> None:
    asked = world()
    start(asked, "reboot", after=100)
    told = await offers(asked, 100).read_testimony(FIRST, BOTH, since_at=START + 100)

    assert told.up_time > 86400
    assert (told.applied, told.booted) == (None, False)


async def test_a_device_that_ignores_the_command_never_boots() -> None:
    asked = world(temperament="ignores")
    start(asked, "reboot", after=100)
    told = await offers(asked, 900).read_testimony(
        FIRST, (Witness.DEVICE_LOG,), since_at=START + 100
    )

    assert told == readings.Testimony(applied=True, booted=False)


async def test_a_failed_upgrade_was_not_applied() -> None:
    asked = world(temperament="upgrade_fails")
    body = {"firmware_image": 140 + record(asked, 0)["type"]}
    ask(asked, "PATCH", f"inventory_device/{FIRST}/", after=100, body=body)
    told = await offers(asked, 900).read_testimony(
        FIRST, (Witness.DEVICE_LOG,), since_at=START + 100
    )

    assert (told.applied, told.booted) == (False, True)


async def test_a_witness_that_knows_nothing_says_nothing() -> None:
    told = await offers(world(), 900).read_testimony(
        FIRST, (Witness.DEVICE_LOG,), since_at=START + 100
    )

    assert told == readings.Testimony()


async def test_a_long_log_is_read_to_its_end() -> None:
    asked = world(rules=Rules(max_limit=3))
    start(asked, "reboot", after=100)
    for each in range(8):
        ask(asked, "PATCH", f"inventory_device/{FIRST}/", after=900, body={"password": f"p{each}"})
    told = await offers(asked, 900).read_testimony(FIRST, BOTH, since_at=START + 100)

    assert (told.applied, told.booted) == (True, True)


async def test_what_is_not_offered_is_none() -> None:
    asked = offers(world(rules=NOTHING))

    assert await asked.find_by_serial("x") is None
    assert await asked.find_by_name("x") is None
    assert await asked.read_settings(FIRST) is None
    assert await asked.read_variables(FIRST) is None
    assert await asked.read_testimony(FIRST, BOTH, since_at=START) is None
    assert await asked.list_types() is None


async def test_one_witness_may_be_missing() -> None:
    asked = world(rules=Rules(offers=frozenset({"inventory_device_variables"})))
    told = await offers(asked).read_testimony(FIRST, BOTH, since_at=START)

    assert told.up_time is not None
    assert told.applied is None


@pytest.mark.parametrize(
    ("options", "faults", "error"),
    [
        ({"token": "wrong"}, Faults(), UnauthorisedError),
        ({}, Faults(outages=((0.0, 9.0),)), UnreachableError),
        ({}, Faults(reads=Rates(rate_500=1.0)), RefusedError),
        ({"patience": 0.5}, Faults(reads=Rates(slow=1.0)), UnreachableError),
    ],
    ids=["token", "outage", "500", "slow"],
)
async def test_other_trouble_is_an_error(options, faults, error) -> None:
    asked = offers(world(faults=faults), **options)
    for trouble in (
        asked.find_by_serial("x"),
        asked.read_settings(FIRST),
        asked.read_variables(FIRST),
        asked.read_testimony(FIRST, BOTH, since_at=START),
        asked.list_types(),
    ):
        with pytest.raises(error):
            await trouble
