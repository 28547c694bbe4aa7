"""The yardsticks measure what they say; how fast anything is, no test asks."""

import asyncio
import json
import math
from contextlib import asynccontextmanager
from importlib import import_module

import pytest
from aiohttp import ClientSession

from orchestrator.adapters.controller import http_answers
from orchestrator.adapters.controller.http_answers import Reply
from tests.bench import bare, careful, judging, measuring
from tests.bench.controller import Connection, Inventory


@asynccontextmanager
async def serving(inventory, seconds=0.0):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(inventory, seconds), "127.0.0.1", 0)
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
    assert inventory.readings == []


async def test_the_careful_loop_looks_at_every_device_before_it_sends():
    inventory = Inventory(30)
    async with serving(inventory) as url:
        await bare.put_all(url, iter(range(1000, 1030)), in_flight=4, is_careful=True)

    assert judging.faults_of_requests(inventory.operations, 30) == []
    assert judging.faults_of_care(inventory.operations, inventory.readings) == []
    assert len(inventory.readings) == 30


async def test_the_careful_user_looks_sends_once_and_looks_for_the_proof():
    inventory = Inventory(1)
    async with serving(inventory) as url:
        verdict = await asyncio.to_thread(careful_verdict, url)

    assert verdict == "succeeded"
    assert ([each for _, each in inventory.readings], len(inventory.operations)) == (
        [1000, 1000],
        1,
    )
    assert judging.faults_of_care(inventory.operations, inventory.readings) == []


def careful_verdict(url):
    with careful.new_session() as session:
        return careful.redeploy(session, url, 1000)


@pytest.mark.parametrize("yardstick", ["in_threads", "in_nornir"])
async def test_both_tools_do_the_whole_careful_work_on_every_device(yardstick, tmp_path):
    if yardstick == "in_nornir":
        pytest.importorskip("nornir", reason="it is installed for the bench only")
    run = import_module(f"tests.bench.{yardstick}").run
    inventory = Inventory(20)
    async with serving(inventory) as url:
        measured = await asyncio.to_thread(
            run, base_url=url, devices=20, in_flight=4, folder=tmp_path
        )

    lines = [json.loads(line) for line in (tmp_path / "done.jsonl").read_text().splitlines()]
    assert measured["proven"] == 20
    assert {line["device"] for line in lines} == set(range(1000, 1020))
    assert judging.faults_of_requests(inventory.operations, 20) == []
    assert judging.faults_of_care(inventory.operations, inventory.readings) == []


def test_the_careful_user_repeats_no_put():
    retry = careful.new_session().get_adapter("http://controller").max_retries

    assert retry.is_retry("GET", 503)
    assert not retry.is_retry("PUT", 503)
    assert not retry._is_method_retryable("PUT")


async def test_an_answer_takes_as_long_as_the_server_is_told():
    async with serving(Inventory(20), seconds=0.05) as url:
        before = measuring.Stamp.now().at
        await bare.put_all(url, iter(range(1000, 1020)), in_flight=10)
        taken = measuring.Stamp.now().at - before

    assert taken >= 2 * 0.05


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


@pytest.mark.parametrize(
    ("readings", "faults"),
    [
        ([(0.5, 1), (0.75, 2), (0.1, None)], []),
        ([(0.5, 1), (0.1, None)], ["1 devices got a PUT without a look before it, such as 2"]),
        ([(1.75, 1), (2.75, 2)], ["2 devices got a PUT without a look before it, such as 1"]),
    ],
)
def test_a_put_without_a_look_at_that_very_device_before_it_is_a_fault(readings, faults):
    assert judging.faults_of_care([(1.5, 1), (2.5, 2)], readings) == faults


def test_idle_time_before_the_round_of_reading_is_no_work():
    figures = {"started": 9.0, "began": 10.0, "answered": 12.0, "ended": 19.0, "cpu": 2.5}
    figures |= {"peak_memory": 80.0, "events": 50, "syncs": 5}
    readings = [(11.0, 1000), (18.0, None), (18.5, None)]

    measured = judging.engine_round(figures, readings, requests=3000)

    assert (measured.per_second, measured.sent_per_second, measured.idle) == (1000.0, 1500.0, 6.0)
    assert measured.sending == 3.0


def test_the_next_round_is_expected_to_send_as_long_as_the_last_did():
    plain = judging.Plain(per_second=1000.0, cpu_micros=100.0, peak_memory=40.0)
    engine = judging.Engine(500.0, 800.0, 200.0, 80.0, events=5, syncs=1, idle=0.0, sending=2.5)

    assert judging.expected_sending([], [], 2000) is None
    assert judging.expected_sending([plain], [], 2000) == 3.5
    assert judging.expected_sending([plain], [engine], 2000) == 2.5


@pytest.mark.parametrize("expected", [None, 0.5, 2.0, 9.0, 30.0])
def test_a_run_begins_ahead_so_that_its_round_of_reading_comes_soon_after_its_last_answer(expected):
    from tests.bench.engine import beginning

    began = beginning(1_000_003.0, expected)
    late = 9.9 if expected is None else expected * 1.25 + 0.2

    assert 1_000_003.0 < began <= 1_000_023.0
    assert round((began + late) % 10, 6) in (0.0, 10.0)
