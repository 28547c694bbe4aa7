"""An answer that is overdue breaks its connection off, and no other."""

import asyncio

import anyio
import pytest

from orchestrator.adapters.controller.aiohttp_reads import ReadRetries
from orchestrator.adapters.controller.aiohttp_wire import Timeouts
from orchestrator.adapters.controller.answer_deadlines import AnswerDeadlines
from orchestrator.model.answers import Accepted
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import UnreachableError
from orchestrator.model.operations import Operation
from tests.support.api_access import controller_at
from tests.support.fake_api import CERTIFICATE, FakeApi, accept, answer, silence

ONE, TWO = DeviceId(1), DeviceId(2)


class Line:
    """A connection that notes when it is broken off."""

    def __init__(self):
        self.aborted_at = None

    def abort(self):
        self.aborted_at = asyncio.get_running_loop().time()


@pytest.mark.looptime
async def test_each_connection_is_broken_off_when_its_own_time_is_over():
    deadlines, early, late = AnswerDeadlines(10.0), Line(), Line()
    deadlines.begin(early)
    await anyio.sleep(4)
    deadlines.begin(late)
    await anyio.sleep(20)

    assert (early.aborted_at, late.aborted_at) == (10.0, 14.0)
    assert deadlines.has_passed(early)


@pytest.mark.looptime
async def test_a_connection_that_answered_in_time_is_left_alone_and_counted_anew():
    deadlines, line = AnswerDeadlines(10.0), Line()
    deadlines.begin(line)
    await anyio.sleep(9)
    deadlines.end(line)
    deadlines.begin(line)
    await anyio.sleep(9)

    assert line.aborted_at is None
    assert not deadlines.has_passed(line)
    await anyio.sleep(2)
    assert line.aborted_at == 19.0


@pytest.mark.looptime
async def test_after_the_end_nothing_is_broken_off():
    deadlines, line = AnswerDeadlines(10.0), Line()
    deadlines.begin(line)
    deadlines.close()
    await anyio.sleep(20)

    assert line.aborted_at is None


async def drip(request, writer):
    """Send a byte of an endless header now and then."""
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await anyio.sleep(0.01)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_an_answer_that_only_drips_is_overdue_all_the_same(tls):
    timeouts = Timeouts(connect=2.0, read=0.1)
    async with (
        FakeApi(drip, tls=tls) as api,
        controller_at(
            api.url,
            timeouts=timeouts,
            read_retries=ReadRetries(attempts=1),
            ca_bundle=CERTIFICATE if tls else None,
        ) as controller,
    ):
        with pytest.raises(UnreachableError, match=r"no answer from 127.0.0.1:\d+ within 0.1 s"):
            await controller.read_device(ONE)


async def test_an_overdue_answer_costs_the_requests_beside_it_nothing():
    async def slow_for_one(request, writer):
        if request.target.endswith("/1/"):
            await anyio.sleep(0.2)
        return await accept(request, writer)

    async with (
        FakeApi(slow_for_one) as api,
        controller_at(api.url, timeouts=Timeouts(connect=2.0, answer=0.1)) as controller,
    ):
        outcomes = {}

        async def start(device):
            outcomes[device] = await controller.start_operation(
                device, Operation.SYNC, intended=controller.clock.steady()
            )

        async with anyio.create_task_group() as group:
            group.start_soon(start, ONE)
            await anyio.sleep(0.05)
            group.start_soon(start, TWO)

    assert "no answer" in outcomes[ONE].reason
    assert isinstance(outcomes[TWO], Accepted)


async def test_a_body_without_a_length_that_is_broken_off_is_not_whole():
    async def endless(request, writer):
        writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"id": 2}')
        await asyncio.Event().wait()

    async with (
        FakeApi(endless) as api,
        controller_at(api.url, timeouts=Timeouts(connect=2.0, read=0.05)) as controller,
    ):
        reply = await controller._wire.ask("/api/v1/inventory_device/1/")

    assert (reply.status, reply.is_whole) == (200, False)


async def test_a_connection_that_is_closed_by_us_is_not_called_overdue():
    async with FakeApi(silence) as api, controller_at(api.url) as controller:
        wire = controller._wire
        asking = asyncio.ensure_future(wire.ask("/api/v1/inventory_device/1/"))
        await anyio.sleep(0.05)
        await wire.__aexit__(None, None, None)
        failure = await asking

    assert "broke before an answer came" in failure.reason


async def test_an_interim_answer_is_not_the_answer():
    async def patient(request, writer):
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n")
        return await answer(200, {"id": 1, "status": "Up"})(request, writer)

    async with FakeApi(patient) as api, controller_at(api.url) as controller:
        first, second = await controller.read_device(ONE), await controller.read_device(ONE)

        assert first.device.id == second.device.id == ONE
        assert api.connections == 1


async def test_what_a_server_says_unasked_is_no_answer_to_the_next_read():
    async def twice(request, writer):
        await answer(200, {"id": 1, "status": "Up"})(request, writer)
        await writer.drain()
        return await answer(200, {"id": 1, "status": "Down"})(request, writer)

    async with FakeApi(twice, answer(200, {"id": 1, "status": "Up"})) as api:
        async with controller_at(api.url) as controller:
            await controller.read_device(ONE)
            await anyio.sleep(0.05)
            reading = await controller.read_device(ONE)

        assert reading.device.status == "Up"
        assert api.connections == 2
