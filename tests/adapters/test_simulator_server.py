"""The model world over real sockets: answers, fates, and the ledger beside the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import aiohttp
import anyio
import orjson
import pytest
from yarl import URL

from orchestrator.adapters.simulated.simulator_server import serve
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.fleet import make_fleet
from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START, world

RIGHT = {"Authorization": "Bearer simulator-token"}
OPERATION = "/api/v1/inventory_device_operation/"


class MovedClock:
    """Stands still until it is moved; sleeping takes no time but is remembered."""

    def __init__(self) -> None:
        self.at = START
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await anyio.lowlevel.checkpoint()

    def steady(self) -> float:
        return self.at


@asynccontextmanager
async def served(
    asked: World, clock: MovedClock | None = None, **options: float
) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        serve(asked, clock or MovedClock(), **options) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=RIGHT) as session,
    ):
        yield session


def troubled(**rates: float) -> World:
    return world(30, faults=Faults(operations=Rates(**rates), reads=Rates(**rates)))


async def test_a_device_is_listed_read_and_operated_on_over_http() -> None:
    clock = MovedClock()
    asked = world(3)
    async with served(asked, clock, speed=60) as session:
        query = {"limit": "2", "offset": "0", "pending": "true"}
        async with session.get("/api/v1/inventory_device/", params=query) as answer:
            page = await answer.json()
        body = {"operation": "reboot"}
        async with session.put(f"{OPERATION}{FIRST}/", json=body) as answer:
            accepted = await answer.json()
            headers = answer.headers
        clock.at += 500
        async with session.get(f"/api/v1/inventory_device/{FIRST}/") as answer:
            row = await answer.json()

    assert (page["count"], len(page["results"])) == (3, 2)
    assert page["next"].startswith(f"http://127.0.0.1:{session._base_url.port}/api/v1/")
    assert accepted == {"id": FIRST, "operation": "reboot"}
    assert headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"
    assert headers["X-Simulated-Speed"] == "60"
    assert headers["Content-Type"] == "application/json"
    assert row["status"] == "Up"
    assert asked.ledger.applied(FIRST, "reboot") == (START,)


async def test_a_plus_in_a_query_arrives_when_it_was_encoded() -> None:
    asked = world(3)
    query = {"last_status_change_from": "2030-01-01 00:00:00+00:00"}
    async with (
        served(asked) as session,
        session.get("/api/v1/inventory_device/", params=query) as answer,
    ):
        page = await answer.json()

    assert page["count"] == 0


async def test_refusals_come_with_their_headers() -> None:
    async with served(world()) as session:
        async with session.get(
            "/api/v1/inventory_device/", headers={"Authorization": "Bearer no"}
        ) as answer:
            refused = answer.status, answer.headers["WWW-Authenticate"], await answer.json()
        async with session.put(f"{OPERATION}{FIRST}", allow_redirects=False) as answer:
            moved = answer.status, answer.headers["Location"]
        async with session.delete(f"/api/v1/inventory_device/{FIRST}/") as answer:
            deleted = answer.status, await answer.read()

    assert refused == (401, 'Bearer realm="api"', {"detail": "Invalid token."})
    assert moved == (301, f"{OPERATION}{FIRST}/")
    assert deleted == (204, b"")


@pytest.mark.parametrize(
    ("faults", "applied"),
    [
        (Faults(operations=Rates(reset_before=1.0)), 0),
        (Faults(operations=Rates(reset_after=1.0)), 1),
        (Faults(outages=((0.0, 10.0),)), 0),
    ],
    ids=["before", "after", "outage"],
)
async def test_a_reset_closes_the_connection_without_an_answer(faults, applied) -> None:
    asked = world(faults=faults)
    async with served(asked) as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            # PATCH, because aiohttp sends a PUT once more by itself.
            await session.patch(f"/api/v1/inventory_device/{FIRST}/", json={"reboot": True})

    assert len(asked.ledger.applied(FIRST, "reboot")) == applied
    assert asked.ledger.methods["PATCH"] == 1


async def test_a_truncated_answer_breaks_off_or_holds_half_of_the_json() -> None:
    asked = troubled(truncated=1.0)
    outcomes = set()
    async with served(asked) as session:
        for device in range(FIRST, FIRST + 30):
            try:
                async with session.get(f"/api/v1/inventory_device/{device}/") as answer:
                    text = await answer.text()
                    outcomes.add((answer.status, "half" if text[-1] != "}" else "whole"))
            except aiohttp.ClientPayloadError:
                outcomes.add((200, "broken off"))

    assert outcomes == {(200, "half"), (200, "broken off")}


async def test_trouble_of_the_proxy_is_html() -> None:
    async with (
        served(troubled(rate_502_html=1.0)) as session,
        session.get("/api/v1/inventory_device/") as answer,
    ):
        assert answer.status == 502
        assert answer.content_type == "text/html"
        assert "502 Bad Gateway" in await answer.text()


async def test_a_slow_answer_takes_the_clocks_time() -> None:
    clock = MovedClock()
    async with served(troubled(slow=1.0), clock) as session:
        await session.get("/api/v1/inventory_device/")

    assert len(clock.slept) == 1
    assert 2 <= clock.slept[0] <= 8


async def test_requests_under_way_at_once_are_counted_as_they_are() -> None:
    asked = troubled(slow=1.0)
    released = anyio.Event()

    class Gate(MovedClock):
        async def sleep(self, seconds: float) -> None:
            self.slept.append(seconds)
            self.at += 100  # the world believes that the earlier answers are long gone
            if len(self.slept) == 3:
                released.set()
            await released.wait()

    async with served(asked, Gate()) as session, anyio.create_task_group() as group:
        for device in range(FIRST, FIRST + 3):
            group.start_soon(session.get, f"/api/v1/inventory_device/{device}/")

    assert asked.ledger.peak_in_flight == 3


async def test_the_ledger_and_the_truth_are_readable_beside_the_api_without_a_token() -> None:
    clock = MovedClock()
    asked = world(2)
    async with served(asked, clock) as session:
        await session.put(f"{OPERATION}{FIRST}/", json={"operation": "factory"})
        clock.at += 500
        async with session.get("/_simulator/ledger", headers={"Authorization": ""}) as answer:
            ledger = await answer.json()
        async with session.get(f"/_simulator/devices/{FIRST}") as answer:
            device = await answer.json()
        async with session.get("/_simulator/health") as answer:
            health = await answer.json()

    assert ledger["truths"] == {str(FIRST): "in_service_unconfigured"}
    assert ledger["operations"][0]["arrived_at"] == START
    assert ledger["operations"][0]["returned_at"] > START
    assert ledger["requests"]["methods"] == {"PUT": 1}
    assert device["truth"] == "in_service_unconfigured"
    assert health == {"now": START + 500, "started_at": START, "devices": 2, "speed": 1.0}


async def test_faults_can_be_read_and_changed_while_it_runs() -> None:
    asked = world()
    async with served(asked) as session:
        async with session.post("/_simulator/faults", json="rate_500=1") as answer:
            by_text = answer.status
        async with session.put(f"{OPERATION}{FIRST}/", json={"operation": "sync"}) as answer:
            met = answer.status
        await session.post("/_simulator/faults", json={"outages": [[5, 6]]})
        async with session.get("/_simulator/faults") as answer:
            now = await answer.json()

    assert (by_text, met) == (200, 500)
    assert now["outages"] == [[5.0, 6.0]]
    assert asked.faults == Faults(outages=((5.0, 6.0),))


@pytest.mark.parametrize("body", [b"{", b'"gremlins=1"', b"[1]", b'{"gremlins": 1}'])
async def test_what_are_no_faults_is_refused_and_changes_nothing(body) -> None:
    asked = world()
    async with (
        served(asked) as session,
        session.post("/_simulator/faults", data=body) as answer,
    ):
        assert answer.status == 400
        assert "no faults" in (await answer.json())["detail"]
    assert asked.faults == Faults()


@pytest.mark.parametrize("path", ["/_simulator/else", "/_simulator/devices/x"])
async def test_other_addresses_beside_the_api_do_not_exist(path) -> None:
    async with served(world()) as session, session.get(path) as answer:
        assert answer.status == 404


async def test_a_port_that_is_taken_is_an_error() -> None:
    async with serve(world(), MovedClock()) as port:
        with pytest.raises(OSError, match="address already in use"):
            async with serve(world(), MovedClock(), port=port):
                pass


async def test_ten_thousand_devices_are_listed_in_pages_of_five_hundred() -> None:
    asked = World(make_fleet(10_000, 7), seed=7, started_at=START)
    seen: set[int] = set()
    async with served(asked) as session:
        for offset in range(0, 10_000, 500):
            query = {"limit": "500", "offset": str(offset)}
            async with session.get("/api/v1/inventory_device/", params=query) as answer:
                seen.update(row["id"] for row in (await answer.json())["results"])

    assert seen == set(range(1001, 11_001))


async def test_names_are_percent_encoded_and_may_hold_anything() -> None:
    asked = world(2)
    name = "Büro 3/4 100% #1"
    async with served(asked) as session:
        one = f"/api/v1/inventory_device/{FIRST}/"
        await session.patch(one, data=orjson.dumps({"name": name}))
        path = URL(f"/api/v1/inventory_device_name/{quote(name, safe='')}/", encoded=True)
        async with session.get(path) as answer:
            found = await answer.json()
        async with session.get("/api/v1/inventory_device_name/nobody/") as answer:
            missing = answer.status

    assert (found["id"], found["name"]) == (FIRST, name)
    assert missing == 404


async def test_the_ledger_beside_the_api_tells_the_changes_and_a_device_its_credentials() -> None:
    asked = world()
    async with served(asked) as session:
        one = f"/api/v1/inventory_device/{FIRST}/"
        await session.patch(one, data=orjson.dumps({"password": "hush"}))
        async with session.get("/_simulator/ledger") as answer:
            ledger = await answer.json()
        async with session.get(f"/_simulator/devices/{FIRST}") as answer:
            biography = await answer.json()

    assert ledger["changes"][0]["wrote"] == {"password": "***"}
    assert biography["credentials"]["is_waiting"] is True
