"""The yardsticks measure what they say; how fast anything is, no test asks."""

import asyncio
import json
import math
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession

from orchestrator.adapters.controller import http_answers
from orchestrator.adapters.controller.http_answers import Reply
from tests.bench import bare, judging, measuring
from tests.bench.controller import Connection, Inventory


@asynccontextmanager
async def serving(inventory):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(inventory), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1"
    finally:
        server.close()
        await server.wait_closed()


async def test_the_plain_loop_sends_one_put_to_every_device():
    inventory = Inventory(30)
    async with serving(inventory) as url:
        await bare.put_all(url, iter(range(1000, 1030)), in_flight=4)

    assert judging.faults_of_requests(inventory.operations, 30) == []


async def test_the_server_answers_as_the_controller_does_and_tells_what_arrived():
    async with serving(Inventory(3)) as url, ClientSession() as session:
        async with session.get(f"{url}/inventory_device/?limit=2&offset=0&pending=true") as got:
            page = http_answers.page_of_devices(
                Reply(got.status, got.headers, await got.read(), 0, 0)
            )
        async with session.get(f"{url}/inventory_device/1002/?pending=true") as got:
            one = http_answers.one_device(Reply(got.status, got.headers, await got.read(), 0, 0))
        async with session.get(f"{url}/elsewhere") as got:
            nowhere = got.status
        async with session.get(url.replace("/api/v1", "/arrivals")) as got:
            arrivals = json.loads(await got.read())

    assert (page.count, page.has_next, [device.id for device in page.devices]) == (
        3,
        True,
        [1000, 1001],
    )
    assert (one.id, one.pending, one.serial_number) == (1002, (), "ZN0000001002")
    assert nowhere == 404
    assert (arrivals["operations"], len(arrivals["readings"])) == ([], 2)


async def test_a_request_that_comes_in_pieces_arrived_with_its_first_byte():
    inventory = Inventory(1)
    answers = []
    connection = Connection(inventory)
    connection.connection_made(_Transport(answers))
    whole = b"PUT /api/v1/inventory_device_operation/1000/ HTTP/1.1\r\nContent-Length: 20\r\n\r\n"
    connection.data_received(whole[:40])
    before = measuring.Stamp.now().at
    connection.data_received(whole[40:] + b'{"operation":"sync"}' + b"GET /")
    connection.data_received(b"nowhere HTTP/1.1\r\n\r\n")

    ((arrived, device),) = inventory.operations
    assert device == 1000
    assert arrived < before
    assert [answer.split(b"\r\n")[0] for answer in answers] == [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 404 Not Found",
    ]


class _Transport(asyncio.Transport):
    def __init__(self, written):
        super().__init__()
        self.write = written.append


@pytest.mark.parametrize(
    ("arrivals", "faults"),
    [
        ([(0.1, 1), (0.2, 2)], []),
        ([(0.1, 1)], ["1 devices got a PUT instead of 2"]),
        ([(0.1, 1), (0.2, 2), (0.3, 2)], ["1 devices got more than one PUT, such as 2"]),
    ],
)
def test_a_missing_and_a_repeated_put_are_faults(arrivals, faults):
    assert judging.faults_of_requests(arrivals, 2) == faults


@pytest.mark.parametrize(
    ("arrivals", "lead"),
    [
        ([(1.5, 1), (2.75, 2)], 0.5),
        ([(1.5, 1), (1.75, 2)], -0.25),
        ([(1.5, 1), (1.6, 1)], -math.inf),
        ([(1.5, 3)], -math.inf),
    ],
)
def test_the_shortest_lead_is_negative_for_a_put_before_its_intent(arrivals, lead):
    assert judging.shortest_lead(arrivals, [(1, 1.0), (2, 2.0)]) == lead


def test_idle_time_before_the_round_of_reading_is_no_work():
    figures = {"began": 10.0, "answered": 12.0, "ended": 19.0, "cpu": 2.5}
    figures |= {"peak_memory": 80.0, "events": 50, "syncs": 5}

    measured = judging.engine_round(figures, readings=[11.0, 18.0, 18.5], devices=3000)

    assert (measured.per_second, measured.sent_per_second, measured.idle) == (1000.0, 1500.0, 6.0)


def test_ratios_are_taken_round_by_round_because_the_machine_changes_its_pace():
    plain = [judging.Plain(per_second=n, cpu_micros=100.0, peak_memory=40.0) for n in (1000, 4000)]
    engine = [
        judging.Engine(n / 2, n, 200.0, 80.0, events=5, syncs=1, idle=0.0) for n in (1000, 4000)
    ]

    said = judging.summary(plain, engine)

    assert said["ratio"] == {
        "per_second": 0.5,
        "sent_per_second": 1.0,
        "cpu_micros": 2.0,
        "peak_memory": 2.0,
    }
    assert "0.50   0.50 to 0.50" in judging.table(said)
