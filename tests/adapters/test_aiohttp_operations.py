"""An operation request reaches the wire at most once, and what became of it is told truly.

Against real sockets: aiohttp repeats a PUT by itself when the server hangs up (api.md 1.10-1).
"""

import asyncio
import itertools

import anyio
import anyio.lowlevel
import pytest

from orchestrator.adapters.controller.aiohttp_wire import Timeouts
from orchestrator.adapters.controller.departing import Departure
from orchestrator.adapters.controller.request_gate import RequestGate
from orchestrator.adapters.controller.token_source import TokenSource
from orchestrator.adapters.machine.system_clock import SystemClock
from orchestrator.model.answers import Accepted, Lost, Refusal, Refused, Unsent
from orchestrator.model.operations import Operation
from orchestrator.model.policies import RequestLimits
from tests.support.api_access import TOKEN, PushedClock, controller_at
from tests.support.fake_api import (
    CERTIFICATE,
    FakeApi,
    accept,
    answer,
    cut,
    hang_up,
    reset,
    say,
    server_tls,
    silence,
)


async def start(controller, device=7, operation=Operation.FACTORY):
    return await controller.start_operation(device, operation, intended=controller.clock.steady())


async def test_an_accepted_operation_is_one_put_with_the_documented_path_and_body():
    async with FakeApi(accept) as api, controller_at(api.url) as controller:
        outcome = await start(controller, 1007, Operation.DEVICE_FACTORY)

        assert isinstance(outcome, Accepted)
        [request] = api.requests
        assert (request.method, request.target) == (
            "PUT",
            "/api/v1/inventory_device_operation/1007/",
        )
        assert request.body == b'{"operation":"device_factory"}'
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.headers["Content-Type"] == "application/json"


LOSSES = {
    "hangs up": hang_up,
    "resets": reset,
    "answers half a status line": say(b"HTTP/1.1 20"),
    "answers garbage": say(b"\x00\x01 this is not HTTP\r\n\r\n"),
    "answers half the headers": say(b"HTTP/1.1 200 OK\r\nContent-Le"),
}


@pytest.mark.parametrize("act", LOSSES.values(), ids=LOSSES)
async def test_a_request_that_was_read_and_not_answered_is_in_doubt_and_sent_once(act):
    async with FakeApi(act, accept) as api, controller_at(api.url) as controller:
        outcome = await start(controller)

        assert isinstance(outcome, Lost)
        assert [request.method for request in api.requests] == ["PUT"]


@pytest.mark.parametrize("act", LOSSES.values(), ids=LOSSES)
async def test_the_same_holds_on_a_connection_that_was_kept_alive(act):
    async with FakeApi(accept, act, accept) as api, controller_at(api.url) as controller:
        await start(controller, 1)
        outcome = await start(controller, 2)

        assert isinstance(outcome, Lost)
        assert api.connections == 1
        assert len(api.requests) == 2


async def test_the_same_holds_over_tls():
    async with (
        FakeApi(accept, hang_up, accept, tls=True) as api,
        controller_at(api.url, ca_bundle=CERTIFICATE) as controller,
    ):
        first, second = await start(controller), await start(controller)

        assert isinstance(first, Accepted)
        assert isinstance(second, Lost)
        assert len(api.requests) == 2


async def test_a_connection_reset_before_the_request_was_read_is_never_an_accepted_operation():
    async def slam(writer, number):
        cut(writer)
        return False

    async with FakeApi(accept, on_connect=slam) as api, controller_at(api.url) as controller:
        outcome = await start(controller)

        assert isinstance(outcome, Lost | Unsent)
        assert api.requests == []


async def test_silence_until_the_timeout_is_in_doubt():
    async with (
        FakeApi(silence) as api,
        controller_at(api.url, timeouts=Timeouts(connect=0.02, answer=0.03)) as controller,
    ):
        outcome = await start(controller)

        assert isinstance(outcome, Lost)
        assert "no answer" in outcome.reason
        assert len(api.requests) == 1


async def test_a_truncated_body_does_not_undo_a_200():
    torn = say(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id": 7, "oper')
    async with FakeApi(torn) as api, controller_at(api.url) as controller:
        outcome = await start(controller)

        assert isinstance(outcome, Accepted)
        assert len(api.requests) == 1


async def test_an_answer_for_another_device_is_in_doubt():
    wrong = answer(200, {"id": 8, "operation": "factory"})
    async with FakeApi(wrong) as api, controller_at(api.url) as controller:
        outcome = await start(controller)

        assert outcome == Lost("the controller answered for device 8, asked was 7", 200)


async def test_a_refused_connection_is_unsent():
    async with FakeApi(accept) as api:
        url = api.url
    async with controller_at(url) as controller:
        outcome = await start(controller)

        assert isinstance(outcome, Unsent)
        assert not outcome.stale
        assert "cannot be reached" in outcome.reason


async def test_a_name_that_does_not_resolve_is_unsent():
    async with controller_at("https://no-such-host.invalid/api/v1") as controller:
        outcome = await start(controller)

        assert isinstance(outcome, Unsent)
        # A machine whose resolver is out of reach only runs into the timeout.
        assert "cannot be resolved" in outcome.reason or "no connection" in outcome.reason


async def test_an_untrusted_certificate_is_unsent_and_said_in_one_sentence():
    async with FakeApi(accept, tls=True) as api, controller_at(api.url) as controller:
        outcome = await start(controller)

        assert isinstance(outcome, Unsent)
        assert outcome.reason.startswith(f"the certificate of 127.0.0.1:{api.port} is not accepted")
        assert "\n" not in outcome.reason
        assert api.received == b""


async def test_a_server_that_speaks_no_tls_is_unsent():
    async def speak_plainly(writer, number):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return False

    async with FakeApi(accept, on_connect=speak_plainly) as api:
        async with controller_at(api.url.replace("http:", "https:")) as controller:
            outcome = await start(controller)

        assert isinstance(outcome, Unsent)
        assert api.received == b""


async def test_a_handshake_that_never_ends_is_unsent():
    async def stall(writer, number):
        await asyncio.Event().wait()

    async with FakeApi(accept, on_connect=stall) as api:
        timeouts = Timeouts(connect=0.03, answer=0.03)
        url = api.url.replace("http:", "https:")
        async with controller_at(url, timeouts=timeouts) as controller:
            outcome = await start(controller)

        assert isinstance(outcome, Unsent)
        assert "no connection" in outcome.reason


async def test_an_intention_that_grew_old_is_not_sent():
    async with FakeApi(accept) as api, controller_at(api.url) as controller:
        intended = controller.clock.steady()
        controller.clock.push(0.6)
        outcome = await controller.start_operation(7, Operation.REBOOT, intended=intended)

        assert isinstance(outcome, Unsent)
        assert outcome.stale
        assert api.received == b""


async def test_an_intention_that_grows_old_while_the_connection_is_made_is_not_sent():
    clock = PushedClock()

    async def freeze(writer, number):
        clock.push(0.6)
        await writer.start_tls(server_tls())
        return True

    async with FakeApi(accept, on_connect=freeze) as api:
        url = api.url.replace("http:", "https:")
        async with controller_at(url, clock=clock, ca_bundle=CERTIFICATE) as controller:
            outcome = await start(controller)
            fresh = await start(controller)

    assert isinstance(outcome, Unsent)
    assert outcome.stale
    assert isinstance(fresh, Unsent), "the second connection was just as slow"
    assert api.connections == 2
    assert api.received == b""


async def test_a_stale_intention_on_a_kept_connection_sends_not_one_byte():
    async with FakeApi(accept) as api, controller_at(api.url) as controller:
        await start(controller, 1)
        before = api.received
        intended = controller.clock.steady() - 0.51
        outcome = await controller.start_operation(2, Operation.REBOOT, intended=intended)
        after = await start(controller, 3)

        assert outcome.stale
        assert isinstance(after, Accepted)
        assert [request.target[-3:] for request in api.requests] == ["/1/", "/3/"]
        assert before in api.received


class Wiretap:
    """A connection that tells what the event loop had done by the time bytes were written."""

    def __init__(self, turns):
        self.transport = self
        self.turns = turns
        self.written = []
        self.should_close = False

    def is_closing(self):
        return False

    def get_extra_info(self, name):
        return None

    def write(self, data):
        self.written.append((bytes(data), list(self.turns)))


async def test_nothing_suspends_between_the_last_look_at_the_clock_and_the_bytes():
    turns = []

    class Watched(PushedClock):
        def steady(self):
            asyncio.get_running_loop().call_soon(turns.append, "the loop went on")
            return super().steady()

    wire = Wiretap(turns)
    clock = Watched()
    departure = Departure(clock, None, clock.steady())
    await asyncio.sleep(0)  # noqa: TID251 - lets the first look's trace run
    turns.clear()
    await departure.leave(wire, b"PUT / HTTP/1.1\r\nA: b\r\n\r\n{}")

    assert wire.written == [(b"PUT / HTTP/1.1\r\nA: b\r\n\r\n{}", [])]


async def test_an_operation_waits_no_longer_for_its_turn_than_an_intention_lives():
    limits = RequestLimits(delay=3600.0, in_flight=5, per_second=None)
    async with (
        FakeApi(accept) as api,
        controller_at(api.url, clock=SystemClock(), limits=limits) as controller,
    ):
        first = await start(controller, 1)
        intended = controller.clock.steady() - 0.48
        second = await controller.start_operation(2, Operation.REBOOT, intended=intended)

    assert isinstance(first, Accepted)
    assert isinstance(second, Unsent)
    assert second.stale
    assert len(api.requests) == 1


async def test_operations_keep_their_distance_as_they_leave():
    limits = RequestLimits(delay=0.03, in_flight=10, per_second=None)
    arrivals = []

    async def note(request, writer):
        arrivals.append(asyncio.get_running_loop().time())
        return await accept(request, writer)

    async with (
        FakeApi(note) as api,
        controller_at(api.url, clock=SystemClock(), limits=limits) as controller,
        anyio.create_task_group() as group,
    ):
        for device in range(4):
            group.start_soon(start, controller, device)
        await anyio.sleep(0.2)

    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    assert len(arrivals) == 4
    assert min(gaps) > 0.025


async def test_operations_keep_their_distance_even_when_their_connections_come_late():
    clock = SystemClock()
    gate = RequestGate(clock, RequestLimits(delay=0.03, in_flight=10, per_second=None))
    loop = asyncio.get_running_loop()
    departures = []

    async def leave():
        await Departure(clock, gate, clock.steady()).leave(Wiretap([]), b"PUT / HTTP/1.1\r\n\r\n")
        departures.append(loop.time())

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(leave)

    gaps = [later - earlier for earlier, later in itertools.pairwise(departures)]
    assert min(gaps) > 0.025


class StallingGate(RequestGate):
    """Has the first operation wait with its connection open."""

    waits = 1

    def departure_wait(self):
        self.waits -= 1
        return 0.02 if self.waits == 0 else 0.0


async def test_an_answer_that_came_before_the_question_answers_nothing():
    async def blurt(writer, number):
        if number == 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
            await anyio.sleep(0.05)
        return number > 1

    gate = StallingGate(SystemClock(), RequestLimits(delay=0.001, in_flight=5, per_second=None))
    async with (
        FakeApi(accept, on_connect=blurt) as api,
        controller_at(api.url, clock=SystemClock(), gate=gate) as controller,
    ):
        outcome = await start(controller)

    assert isinstance(outcome, Accepted)
    assert api.connections == 2
    assert len(api.requests) == 1


@pytest.mark.parametrize("tls", [False, True])
async def test_an_early_answer_that_the_busy_loop_has_not_read_yet_answers_nothing_either(tls):
    """The loop is blocked from before the words arrive until the request would leave."""
    words = asyncio.Event()

    async def twice(request, writer):
        await accept(request, writer)
        await writer.drain()
        await words.wait()
        await accept(request, writer)
        return True

    async with (
        FakeApi(twice, accept, tls=tls) as api,
        controller_at(api.url, ca_bundle=CERTIFICATE if tls else None) as controller,
    ):
        await start(controller)
        words.set()
        await anyio.lowlevel.checkpoint()  # the server says them, and nobody here has read them
        outcome = await start(controller)

        assert isinstance(outcome, Accepted)
        assert api.connections == 2
        assert len(api.requests) == 2


async def test_a_kept_connection_that_was_closed_meanwhile_costs_no_doubt():
    async def close_after_answer(request, writer):
        await accept(request, writer)
        await writer.drain()
        return False

    async with FakeApi(close_after_answer) as api, controller_at(api.url) as controller:
        outcomes = [await start(controller, device) for device in range(5)]

        assert [type(outcome) for outcome in outcomes] == [Accepted] * 5
        assert len(api.requests) == 5


REFUSALS = {
    "invalid": (400, Refusal.INVALID),
    "token": (401, Refusal.UNAUTHORISED),
    "forbidden": (403, Refusal.FORBIDDEN),
    "gone": (404, Refusal.GONE),
    "conflict": (409, Refusal.STATE),
    "state": (422, Refusal.STATE),
    "throttled": (429, Refusal.BUSY),
    "unavailable": (503, Refusal.BUSY),
}


@pytest.mark.parametrize(("status", "refusal"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_is_told_with_the_controllers_words_and_not_repeated(status, refusal):
    async with (
        FakeApi(answer(status, {"detail": "not now"})) as api,
        controller_at(api.url) as controller,
    ):
        outcome = await start(controller)

        assert isinstance(outcome, Refused)
        assert (outcome.refusal, outcome.status) == (refusal, status)
        assert outcome.reason.endswith(": not now")
        assert len(api.requests) == 1


async def test_a_redirect_is_not_followed():
    async with (
        FakeApi(answer(301, "", Location="/elsewhere/")) as api,
        controller_at(api.url) as controller,
    ):
        outcome = await start(controller)

        assert (outcome.refusal, outcome.status) == (Refusal.INVALID, 301)
        assert len(api.requests) == 1


async def test_retry_after_holds_every_later_request():
    busy = answer(429, {"detail": "slow down"}, Retry_After="20")
    async with FakeApi(busy, accept) as api, controller_at(api.url) as controller:
        outcome = await start(controller)
        held = await start(controller, 8)

        assert outcome.retry_after == 20.0
        assert isinstance(held, Accepted)
        assert controller.clock.slept[0] == pytest.approx(20.0, abs=1.0)


async def test_a_refused_token_is_read_anew_and_the_operation_not_resent(tmp_path):
    file = tmp_path / "token"
    file.write_text("old-token-111\n")
    token = TokenSource.from_file(file)
    async with (
        FakeApi(answer(401, {"detail": "no"}), accept) as api,
        controller_at(api.url, token=token) as controller,
    ):
        file.write_text("new-token-222\n")
        outcome = await start(controller)

        assert outcome.refusal is Refusal.UNAUTHORISED
        assert len(api.requests) == 1
        await start(controller)
        assert api.requests[1].headers["Authorization"] == "Bearer new-token-222"


async def test_a_refused_token_whose_file_is_gone_is_still_only_a_refusal(tmp_path):
    file = tmp_path / "token"
    file.write_text("old-token-111\n")
    token = TokenSource.from_file(file)
    async with FakeApi(answer(401)) as api, controller_at(api.url, token=token) as controller:
        file.unlink()
        outcome = await start(controller)

        assert outcome.refusal is Refusal.UNAUTHORISED


async def test_a_cancelled_operation_gives_its_place_back():
    limits = RequestLimits(delay=0.0, in_flight=1, per_second=None)
    async with FakeApi(silence, accept) as api, controller_at(api.url, limits=limits) as controller:
        with anyio.move_on_after(0.03):
            await start(controller)
        outcome = await start(controller)

        assert isinstance(outcome, Accepted)


async def test_an_unopened_controller_sends_nothing():
    async with controller_at("http://127.0.0.1:1/api") as controller:
        pass

    assert isinstance(await start(controller), Unsent)
