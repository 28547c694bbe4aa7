"""What a controller offers beside the documents is found out once, and never required."""

import json
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
from structlog.testing import capture_logs

from orchestrator.adapters.controller.aiohttp_offers import AiohttpOffers
from orchestrator.adapters.controller.aiohttp_wire import Timeouts
from orchestrator.model import moments, readings
from orchestrator.model.devices import DeviceId, Status
from orchestrator.model.errors import (
    ControllerError,
    GoneError,
    RefusedError,
    UnauthorisedError,
    UnreachableError,
)
from orchestrator.model.steps import Witness
from tests.support.api_access import TOKEN, controller_at
from tests.support.fake_api import FakeApi, answer, hang_up, silence

SEVEN = DeviceId(7)
RECORD = {"id": 7, "serial_number": "ZN/7 ü%", "name": "lab router", "status": "Up"}
MISSING = answer(404, {"detail": "Not found."})
SINCE = moments.from_text("2026-11-22T04:15:00Z")
BOTH = (Witness.UP_TIME, Witness.DEVICE_LOG)


def page(*rows, following=None):
    return answer(200, {"count": len(rows), "next": following, "results": list(rows)})


def routes(**acts):
    """Answer each endpoint in its way, the item apart from its collection; 404 for all else."""

    async def act(request, writer):
        name, _, item = request.target.split("?")[0].removeprefix("/api/v1/").partition("/")
        known = acts.get(name + ("_item" if item else ""), MISSING)
        return await known(request, writer)

    return act


def asked(api):
    """The path and the query of each request, read as the server reads them."""
    parts = [urlsplit(request.target) for request in api.requests]
    return [
        (part.path.removeprefix("/api/v1/"), {k: v[0] for k, v in parse_qs(part.query).items()})
        for part in parts
    ]


async def test_a_device_is_found_by_its_serial_number_written_whole_into_the_path():
    act = routes(inventory_device_serial_item=answer(200, RECORD))
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        reading = await controller.offers.find_by_serial("ZN/7 ü%")

        assert (reading.device_id, reading.device.status) == (7, Status.UP)
        assert reading.is_detail
        assert api.requests[0].target == (
            "/api/v1/inventory_device_serial/ZN%2F7%20%C3%BC%25/?pending=true"
        )
        assert api.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


async def test_a_device_is_found_by_its_name():
    act = routes(inventory_device_name_item=answer(200, RECORD))
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        reading = await controller.offers.find_by_name("lab router")

        assert reading.device_id == 7
        assert asked(api) == [("inventory_device_name/lab%20router/", {"pending": "true"})]


async def test_a_serial_number_nobody_has_is_told_apart_from_an_endpoint_that_is_not_there():
    act = routes(inventory_device_serial=page())
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        first = await controller.offers.find_by_serial("ZN8")
        second = await controller.offers.find_by_serial("ZN9")

        assert first.device is None
        assert second.device is None
        # The collection was asked once, to tell the two apart.
        assert [path for path, _ in asked(api)] == [
            "inventory_device_serial/ZN8/",
            "inventory_device_serial/",
            "inventory_device_serial/ZN9/",
        ]
        assert asked(api)[1][1] == {"limit": "1", "offset": "0"}


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_a_find_that_is_not_offered_is_asked_for_once_and_told_once(status):
    refusal = answer(status, {"detail": "no"})
    act = routes(inventory_device_serial=refusal, inventory_device_serial_item=refusal)
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        with capture_logs() as logs:
            found = [await controller.offers.find_by_serial("ZN7") for _ in range(3)]

        assert found == [None] * 3
        assert len(api.requests) <= 2
        assert [(line["endpoint"], line["status"]) for line in logs] == [
            ("inventory_device_serial", status)
        ]


async def test_a_device_that_is_not_ours_does_not_hide_the_others():
    forbidden = answer(403, {"detail": "no"})
    theirs = routes(inventory_device_serial=page(), inventory_device_serial_item=forbidden)
    ours = answer(200, {**RECORD, "serial_number": "ZN7"})
    async with FakeApi(theirs) as api, controller_at(api.url) as controller:
        with pytest.raises(RefusedError):
            await controller.offers.find_by_serial("ZN8")
        api.acts = [ours]
        reading = await controller.offers.find_by_serial("ZN7")

        assert reading.device_id == 7


async def test_a_list_that_gives_nothing_one_by_one_is_no_offer():
    act = routes(inventory_device_name=page(), inventory_device_name_item=answer(405, {}))
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        assert await controller.offers.find_by_name("x") is None
        assert await controller.offers.find_by_name("y") is None
        assert len(api.requests) == 1


async def test_several_who_ask_at_once_are_told_once_that_there_is_nothing():
    async with FakeApi(MISSING) as api, controller_at(api.url) as controller:
        with capture_logs() as logs:
            async with anyio.create_task_group() as group:
                for device in range(3):
                    group.start_soon(controller.offers.read_settings, device)

        assert len(api.requests) == 3
        assert len(logs) == 1


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_a_name_that_would_lead_elsewhere_is_nobodys(name):
    act = routes(inventory_device_name=page(RECORD))
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        reading = await controller.offers.find_by_name(name)

        assert reading.device is None
        assert asked(api)[0][0] == "inventory_device_name/"


async def test_a_name_that_no_address_can_hold_is_nobodys():
    act = routes(inventory_device_name=page())
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        reading = await controller.offers.find_by_name("half a pair \ud800")

        assert reading.device is None


LISTS = {"envelope": {"count": 1, "next": None, "results": [RECORD]}, "bare": [RECORD]}


@pytest.mark.parametrize("content", LISTS.values(), ids=LISTS)
async def test_a_list_with_the_device_in_it_is_understood_too(content):
    act = routes(inventory_device_name_item=answer(200, content))
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        found = await controller.offers.find_by_name("lab router")
        nobody = await controller.offers.find_by_name("Lab Router")

        assert found.device_id == 7
        assert nobody.device is None


NOT_IT = {
    "another device": answer(200, {**RECORD, "serial_number": "ZN8"}),
    "a record without one": answer(200, {"id": 7}),
    "several": answer(200, [RECORD, {**RECORD, "id": 8}]),
    "no record": answer(200, {"ok": True}),
    "HTML": answer(200, "<html>welcome</html>"),
}


@pytest.mark.parametrize("act", NOT_IT.values(), ids=NOT_IT)
async def test_an_answer_that_may_be_about_another_device_is_an_error(act):
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        with pytest.raises(ControllerError, match="cannot be used"):
            await controller.offers.find_by_serial("ZN/7 ü%")


async def test_settings_are_read_page_by_page_with_only_our_own_addresses():
    first = [{"variable_name": f"Device.X.{n}", "value": n} for n in range(3)]
    second = [{"name": "ssid", "value": "home"}]

    async def act(request, writer):
        far = "http://elsewhere.example/api/v1/inventory_device_setting/?limit=1&offset=99"
        reply = page(*second) if "offset=3" in request.target else page(*first, following=far)
        return await reply(request, writer)

    async with FakeApi(act) as api, controller_at(api.url) as controller:
        settings = await controller.offers.read_settings(SEVEN)

        assert settings == {"Device.X.0": 0, "Device.X.1": 1, "Device.X.2": 2, "ssid": "home"}
        assert asked(api) == [
            ("inventory_device_setting/", {"parent_id": "7", "offset": offset, "limit": "200"})
            for offset in ("0", "3")
        ]


async def test_rows_that_nobody_can_read_do_not_shift_the_next_page():
    first = page("?", {"name": "a", "value": 1}, following="x")
    async with FakeApi(first, page()) as api, controller_at(api.url) as controller:
        assert await controller.offers.read_settings(SEVEN) == {"a": 1}
        assert asked(api)[1][1]["offset"] == "2"


async def test_a_page_that_comes_again_ends_the_list():
    act = page({"name": "a", "value": 1}, following="x")
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        assert await controller.offers.read_settings(SEVEN) == {"a": 1}
        assert len(api.requests) == 2


async def test_a_list_without_an_end_is_an_error_and_no_half_truth():
    count = 0

    async def act(request, writer):
        nonlocal count
        count += 1
        return await page({"name": f"v{count}", "value": 1}, following="x")(request, writer)

    async with FakeApi(act) as api, controller_at(api.url) as controller:
        with pytest.raises(ControllerError, match="does not end"):
            await controller.offers.read_settings(SEVEN)
        assert len(api.requests) == 50


async def test_variables_are_asked_for_by_name():
    act = page({"variable_name": "Device.A", "value": {"deep": [1]}})
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        variables = await controller.offers.read_variables(SEVEN, ["Device.A", "Device.B&c"])

        assert variables == {"Device.A": {"deep": [1]}}
        assert asked(api) == [
            (
                "inventory_device_variables/",
                {
                    "parent_id": "7",
                    "parameter__variable_name": "Device.A,Device.B&c",
                    "dates": "true",
                    "offset": "0",
                    "limit": "200",
                },
            )
        ]


async def test_only_the_first_page_has_the_device_asked():
    first = page({"name": "a", "value": 1}, following="x")
    async with FakeApi(first, page()) as api, controller_at(api.url) as controller:
        await controller.offers.read_variables(SEVEN, refresh=True)

        assert [query.get("force_update") for _, query in asked(api)] == ["true", None]


async def test_a_refresh_is_given_time_and_never_repeated():
    timeouts = Timeouts(connect=0.02, read=0.02, update_status=0.1)
    async with FakeApi(silence) as api, controller_at(api.url, timeouts=timeouts) as controller:
        with pytest.raises(UnreachableError, match=r"within 0\.1 s"):
            await controller.offers.read_variables(SEVEN, refresh=True)

        assert len(api.requests) == 1


async def test_other_reads_are_repeated_as_the_controllers_own():
    act = page({"name": "a", "value": 1})
    async with (
        FakeApi(answer(502, "<html>x</html>"), hang_up, act) as api,
        controller_at(api.url) as controller,
    ):
        assert await controller.offers.read_settings(SEVEN) == {"a": 1}
        assert len(api.requests) == 3


async def test_what_is_not_offered_is_asked_for_once_each():
    async with FakeApi(MISSING) as api, controller_at(api.url) as controller:
        offers = controller.offers
        with capture_logs() as logs:
            for _ in range(2):
                assert await offers.find_by_name("x") is None
                assert await offers.read_settings(SEVEN) is None
                assert await offers.read_variables(SEVEN, refresh=True) is None
                assert await offers.read_testimony(SEVEN, BOTH, since_at=SINCE) is None
                assert await offers.list_types() is None

        assert len(logs) == 5
        # Five endpoints; the item of a name needs a second look at its collection.
        assert len(api.requests) == 6


@pytest.mark.parametrize(("status", "kind"), {403: RefusedError, 404: GoneError}.items())
async def test_once_offered_a_refusal_is_about_that_device(status, kind):
    good, bad = page({"name": "a", "value": 1}), answer(status, {"detail": "no"})
    async with FakeApi(good, bad, good) as api, controller_at(api.url) as controller:
        await controller.offers.read_settings(SEVEN)
        with pytest.raises(kind):
            await controller.offers.read_settings(DeviceId(8))

        assert await controller.offers.read_settings(SEVEN) == {"a": 1}


TROUBLE = {400: RefusedError, 401: UnauthorisedError, 500: RefusedError}


@pytest.mark.parametrize(("status", "kind"), TROUBLE.items())
async def test_other_trouble_is_an_error_and_says_nothing_of_what_is_offered(status, kind):
    bad = answer(status, {"detail": f"no {TOKEN}"})
    async with FakeApi(bad) as api, controller_at(api.url) as controller:
        with pytest.raises(kind) as caught:
            await controller.offers.read_settings(SEVEN)
        api.acts = [page()]

        assert await controller.offers.read_settings(SEVEN) == {}
        assert TOKEN not in str(caught.value)


UP_TIME = {"variable_name": "Device.DeviceInfo.UpTime", "value": "41"}
COMMAND = {"action": "command", "is_pending": False, "is_applied": True}


def at(text, **entry):
    return {"datetime": f"2026-11-22T{text}Z", **entry}


async def test_the_up_time_is_asked_of_the_device_and_comes_with_its_moment():
    variables = page(at("04:20:00", **UP_TIME))
    act = routes(inventory_device_variables=variables)
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        told = await controller.offers.read_testimony(SEVEN, [Witness.UP_TIME], since_at=SINCE)

        assert told == readings.Testimony(up_time=41.0, up_time_at=SINCE + 300)
        [(path, query)] = asked(api)
        assert path == "inventory_device_variables/"
        assert query["force_update"] == query["dates"] == "true"
        assert query["parameter__variable_name"] == (
            "Device.DeviceInfo.UpTime,InternetGatewayDevice.DeviceInfo.UpTime"
        )


async def test_the_log_is_read_by_cursors_since_the_moment_that_matters():
    boot = at("04:16:10", action="event", value="1 BOOT")
    older = at("04:15:05", **COMMAND)

    async def act(request, writer):
        far = "https://elsewhere.example/x/?cursor=cD0y%3D&limit=1&parent__id=8"
        second = "cursor" in request.target
        reply = page(older) if second else page(boot, following=far)
        return await reply(request, writer)

    async with FakeApi(act) as api, controller_at(api.url) as controller:
        told = await controller.offers.read_testimony(SEVEN, [Witness.DEVICE_LOG], since_at=SINCE)

        assert told == readings.Testimony(applied=True, booted=True)
        common = {
            "parent__id": "7",
            "datetime__gte": "2026-11-22 04:15:00+00:00",
            "limit": "200",
        }
        assert asked(api) == [
            ("inventory_device_log/", common),
            ("inventory_device_log/", {**common, "cursor": "cD0y="}),
        ]


async def test_two_witnesses_are_one_testimony():
    act = routes(
        inventory_device_variables=page(at("04:20:00", **UP_TIME)),
        inventory_device_log=page(at("04:15:05", **COMMAND)),
    )
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        told = await controller.offers.read_testimony(SEVEN, BOTH, since_at=SINCE)

        assert told == readings.Testimony(up_time=41.0, up_time_at=SINCE + 300, applied=True)


async def test_one_witness_is_heard_when_the_other_is_not_offered():
    act = routes(inventory_device_log=page())
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        assert (
            await controller.offers.read_testimony(SEVEN, BOTH, since_at=SINCE)
            == readings.Testimony()
        )


async def test_one_witness_is_heard_when_the_other_is_in_trouble():
    act = routes(
        inventory_device_variables=hang_up,
        inventory_device_log=page(at("04:15:05", **COMMAND)),
    )
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        told = await controller.offers.read_testimony(SEVEN, BOTH, since_at=SINCE)
        with pytest.raises(UnreachableError):
            await controller.offers.read_testimony(SEVEN, [Witness.UP_TIME], since_at=SINCE)

        assert told == readings.Testimony(applied=True)


async def test_nobody_is_asked_where_no_witness_is_wanted():
    async with FakeApi(MISSING) as api, controller_at(api.url) as controller:
        assert await controller.offers.read_testimony(SEVEN, [], since_at=SINCE) is None
        assert api.requests == []


async def test_types_are_known_by_both_their_names():
    types = page({"id": 15, "name": "Router X", "short_name": "rx"}, {"id": "16", "name": "AP"})
    async with FakeApi(types) as api, controller_at(api.url) as controller:
        assert await controller.offers.list_types() == {"Router X": 15, "rx": 15, "AP": 16}
        assert asked(api) == [("inventory_type/", {"limit": "200", "offset": "0"})]


async def test_the_offers_share_the_controllers_connections_and_its_memory():
    async with (
        FakeApi(answer(200, {**RECORD, "results": []})) as api,
        controller_at(api.url) as controller,
    ):
        await controller.read_device(SEVEN)
        await controller.offers.read_settings(SEVEN)

        assert isinstance(controller.offers, AiohttpOffers)
        assert controller.offers is controller.offers
        assert api.connections == 1


async def test_no_secret_setting_leaves_the_adapter():
    rows = [
        {"variable_name": "Device.WiFi.AccessPoint.1.Security.KeyPassphrase", "value": "hunter-22"},
        {"variable_name": "Device.ManagementServer.Username", "value": "hunter-22"},
        {"name": "login", "value": {"password": "hunter-22", "port": 80}},
        {"name": "empty password", "value": ""},
    ]
    async with FakeApi(page(*rows)) as api, controller_at(api.url) as controller:
        settings = await controller.offers.read_settings(SEVEN)

        assert "hunter-22" not in json.dumps(settings)
        assert settings["login"] == {"password": "***", "port": 80}
        assert settings["empty password"] == ""
