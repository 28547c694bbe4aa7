"""A change of a record reaches the wire at most once, and nobody is told its secrets.

Against real sockets: aiohttp repeats a PUT and a DELETE by itself when the server hangs up
(api.md 1.10-1).
"""

import asyncio
import itertools
import json

import anyio
import pytest

from orchestrator.adapters.controller.aiohttp_wire import Timeouts
from orchestrator.adapters.controller.request_gate import RequestGate
from orchestrator.adapters.machine.system_clock import SystemClock
from orchestrator.model.answers import Accepted, Lost, Refusal, Refused, Unsent
from orchestrator.model.commands import SendChange
from orchestrator.model.devices import DeviceId
from orchestrator.model.operations import Action, Operation
from orchestrator.model.policies import RequestLimits
from orchestrator.model.values import Secret, SecretKind
from tests.support.api_access import TOKEN, controller_at
from tests.support.fake_api import FakeApi, accept, answer, hang_up, reset, say, silence

SEVEN = DeviceId(7)
PASSWORD = 'pa"ss<wörd>-71'
USERNAME = "cpe-user-44"
FIELDS = {"name": "x", "debug": True, "update_frequency": 300, "description": None}
SECRETS = {"username": USERNAME, "password": PASSWORD}
WANTED = {name: Secret(SecretKind.GENERATE) for name in SECRETS}
ECHO = {**FIELDS, **SECRETS, "id": 7, "status": "Down", "pending_settings": "initial"}
NO_CONTENT = say(b"HTTP/1.1 204 No Content\r\n\r\n")
ITEM = "/api/v1/inventory_device/7/"

VERBS = {
    Action.CREATE: ("POST", "/api/v1/inventory_device/"),
    Action.UPDATE: ("PATCH", ITEM),
    Action.UPGRADE: ("PATCH", ITEM),
    Action.DEACTIVATE: ("PATCH", ITEM),
    Action.REPLACE: ("PUT", ITEM),
    Action.DELETE: ("DELETE", ITEM),
}
ALL = pytest.mark.parametrize("action", VERBS)


def change(action, fields=None, secrets=None):
    is_bare = action is Action.DELETE
    return SendChange(
        device=SEVEN,
        step=0,
        attempt=1,
        action=action,
        record=None if action is Action.CREATE else SEVEN,
        fields={} if is_bare else FIELDS if fields is None else fields,
        secrets={} if is_bare else WANTED if secrets is None else secrets,
    )


async def send(controller, action, *, intended=None, **parts):
    return await controller.send_change(
        change(action, **parts),
        {} if action is Action.DELETE else SECRETS,
        intended=controller.clock.steady() if intended is None else intended,
    )


@ALL
async def test_each_change_is_one_request_with_the_documented_verb_path_and_body(action):
    async with FakeApi(answer(200, ECHO)) as api, controller_at(api.url) as controller:
        outcome = await send(controller, action)

        assert isinstance(outcome, Accepted)
        [request] = api.requests
        assert (request.method, request.target) == VERBS[action]
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        if action is Action.DELETE:
            assert request.body == b""
        else:
            assert request.headers["Content-Type"] == "application/json"
            assert json.loads(request.body) == {**FIELDS, **SECRETS}


async def test_a_created_record_is_told_by_its_id():
    async with FakeApi(answer(201, {**ECHO, "id": 1234})) as api, controller_at(api.url) as c:
        outcome = await send(c, Action.CREATE)

        assert (outcome.status, outcome.record) == (201, 1234)


NOBODY_KNOWS = {
    "HTML": answer(201, "<html>ok</html>"),
    "nothing": answer(201, ""),
    "a torn record": say(b'HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{"id": 12'),
    "a list": answer(200, {"count": 1, "next": None, "results": [ECHO]}),
    "a record without an id": answer(201, FIELDS),
}


@pytest.mark.parametrize("act", NOBODY_KNOWS.values(), ids=NOBODY_KNOWS)
async def test_a_creation_whose_answer_does_not_tell_the_id_is_in_doubt(act):
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        outcome = await send(controller, Action.CREATE)

        assert isinstance(outcome, Lost)
        assert "does not tell the id" in outcome.reason
        assert len(api.requests) == 1


@pytest.mark.parametrize("status", [204, 404, 410])
async def test_a_record_that_is_gone_is_deleted_whoever_did_it(status):
    act = NO_CONTENT if status == 204 else answer(status, {"detail": "Not found."})
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        outcome = await send(controller, Action.DELETE)

        assert isinstance(outcome, Accepted)
        assert outcome.status == status


LOSSES = {
    "hangs up": hang_up,
    "resets": reset,
    "answers half a status line": say(b"HTTP/1.1 2"),
    "answers garbage": say(b"\x00\x01 this is not HTTP\r\n\r\n"),
    "answers half the headers": say(b"HTTP/1.1 200 OK\r\nContent-Le"),
}


@ALL
@pytest.mark.parametrize("act", LOSSES.values(), ids=LOSSES)
async def test_a_change_that_was_read_and_not_answered_is_in_doubt_and_sent_once(action, act):
    async with FakeApi(act, answer(201, ECHO)) as api, controller_at(api.url) as controller:
        outcome = await send(controller, action)

        assert isinstance(outcome, Lost)
        assert [request.method for request in api.requests] == [VERBS[action][0]]


@ALL
@pytest.mark.parametrize("act", LOSSES.values(), ids=LOSSES)
async def test_the_same_holds_on_a_connection_that_was_kept_alive(action, act):
    good = answer(200, ECHO)
    async with FakeApi(good, act, good) as api, controller_at(api.url) as controller:
        await send(controller, action)
        outcome = await send(controller, action)

        assert isinstance(outcome, Lost)
        assert api.connections == 1
        assert len(api.requests) == 2


@ALL
async def test_silence_until_the_timeout_is_in_doubt(action):
    timeouts = Timeouts(connect=0.02, answer=0.03)
    async with FakeApi(silence) as api, controller_at(api.url, timeouts=timeouts) as controller:
        outcome = await send(controller, action)

        assert isinstance(outcome, Lost)
        assert "no answer" in outcome.reason
        assert len(api.requests) == 1


@ALL
async def test_a_refused_connection_is_unsent(action):
    async with FakeApi(hang_up) as api:
        url = api.url
    async with controller_at(url) as controller:
        outcome = await send(controller, action)

    assert isinstance(outcome, Unsent)
    assert not outcome.stale
    assert "cannot be reached" in outcome.reason


@ALL
async def test_an_intention_that_grew_old_sends_not_one_byte(action):
    good = answer(200, ECHO)
    async with FakeApi(good) as api, controller_at(api.url) as controller:
        intended = controller.clock.steady()
        controller.clock.push(0.6)
        outcome = await send(controller, action, intended=intended)

        assert isinstance(outcome, Unsent)
        assert outcome.stale
        assert api.received == b""


@ALL
async def test_an_old_intention_on_a_kept_connection_sends_not_one_byte_either(action):
    async with FakeApi(answer(200, ECHO)) as api, controller_at(api.url) as controller:
        await send(controller, action)
        before = api.received
        outcome = await send(controller, action, intended=controller.clock.steady() - 0.51)

        assert outcome.stale
        assert api.received == before


@ALL
async def test_a_kept_connection_that_was_closed_meanwhile_costs_no_doubt(action):
    async def close_after_answer(request, writer):
        await answer(200, ECHO)(request, writer)
        await writer.drain()
        return False

    async with FakeApi(close_after_answer) as api, controller_at(api.url) as controller:
        outcomes = [await send(controller, action) for _ in range(4)]

        assert [type(outcome) for outcome in outcomes] == [Accepted] * 4
        assert len(api.requests) == 4


async def test_changes_and_operations_keep_their_common_distance():
    limits = RequestLimits(delay=0.03, in_flight=10, per_second=None)
    arrivals = []

    async def note(request, writer):
        arrivals.append(asyncio.get_running_loop().time())
        return await answer(200, ECHO)(request, writer)

    async with (
        FakeApi(note) as api,
        controller_at(api.url, clock=SystemClock(), limits=limits) as controller,
        anyio.create_task_group() as group,
    ):

        async def operate():
            await controller.start_operation(
                SEVEN, Operation.SYNC, intended=controller.clock.steady()
            )

        group.start_soon(send, controller, Action.UPDATE)
        group.start_soon(operate)
        group.start_soon(send, controller, Action.DELETE)
        group.start_soon(send, controller, Action.REPLACE)

    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    assert len(arrivals) == 4
    assert min(gaps) > 0.025


async def test_the_distance_is_counted_from_when_a_change_left():
    clock = SystemClock()
    gate = RequestGate(clock, RequestLimits(delay=3600.0, in_flight=5, per_second=None))
    async with (
        FakeApi(answer(200, ECHO)) as api,
        controller_at(api.url, clock=clock, gate=gate) as controller,
    ):
        await send(controller, Action.UPDATE)

        assert gate.departure_wait() > 3500


async def test_a_change_waits_no_longer_for_its_turn_than_an_intention_lives():
    limits = RequestLimits(delay=3600.0, in_flight=5, per_second=None)
    async with (
        FakeApi(answer(200, ECHO)) as api,
        controller_at(api.url, clock=SystemClock(), limits=limits) as controller,
    ):
        await send(controller, Action.UPDATE)
        late = controller.clock.steady() - 0.48
        outcome = await send(controller, Action.UPDATE, intended=late)

        assert isinstance(outcome, Unsent)
        assert outcome.stale
        assert len(api.requests) == 1


async def test_a_cancelled_change_gives_its_place_back():
    limits = RequestLimits(delay=0.0, in_flight=1, per_second=None)
    act = answer(200, ECHO)
    async with FakeApi(silence, act) as api, controller_at(api.url, limits=limits) as controller:
        with anyio.move_on_after(0.03):
            await send(controller, Action.REPLACE)
        outcome = await send(controller, Action.REPLACE)

        assert isinstance(outcome, Accepted)


@ALL
@pytest.mark.parametrize("status", [301, 307, 308])
async def test_a_redirect_is_not_followed(action, status):
    act = answer(status, "", Location="/api/v1/elsewhere/")
    async with FakeApi(act, answer(200, ECHO)) as api, controller_at(api.url) as controller:
        outcome = await send(controller, action)

        assert isinstance(outcome, Refused)
        assert outcome.refusal is Refusal.INVALID
        assert len(api.requests) == 1


async def test_retry_after_holds_every_later_request():
    busy = answer(429, {"detail": "slow down"}, Retry_After="20")
    async with FakeApi(busy, accept) as api, controller_at(api.url) as controller:
        outcome = await send(controller, Action.UPDATE)
        await controller.start_operation(SEVEN, Operation.SYNC, intended=controller.clock.steady())

        assert (outcome.refusal, outcome.retry_after) == (Refusal.BUSY, 20.0)
        assert controller.clock.slept[0] == pytest.approx(20.0, abs=1.0)


async def test_a_change_whose_secret_value_is_missing_is_not_sent():
    async with FakeApi(answer(200, ECHO)) as api, controller_at(api.url) as controller:
        outcome = await controller.send_change(
            change(Action.REPLACE), {"username": USERNAME}, intended=controller.clock.steady()
        )

        assert outcome == Unsent("not sent: there is no value for password")
        assert api.received == b""


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
async def test_a_number_that_json_does_not_know_is_not_sent_as_something_else(value):
    async with FakeApi(answer(200, ECHO)) as api, controller_at(api.url) as controller:
        outcome = await send(controller, Action.UPDATE, fields={"latitude": value})

        assert isinstance(outcome, Unsent)
        assert api.received == b""


@pytest.mark.parametrize("value", [2**80, "half a pair: \ud800", ""])
async def test_every_value_that_json_knows_arrives_as_it_is(value):
    async with FakeApi(answer(200, ECHO)) as api, controller_at(api.url) as controller:
        outcome = await send(controller, Action.UPDATE, fields={"description": value}, secrets={})

        assert isinstance(outcome, Accepted)
        assert json.loads(api.requests[0].body)["description"] == value


TELLTALES = {
    "an error that echoes the body": answer(
        400, {"password": [f"{PASSWORD!s} is too weak"], "username": [f"{USERNAME} is taken"]}
    ),
    "a record with its secrets": answer(400, ECHO),
    "a page that echoes the headers": answer(
        500, f"<html><title>Bearer {TOKEN} {PASSWORD}</title></html>"
    ),
    "a traceback of the server": answer(500, f"KeyError: {json.dumps(ECHO)} {TOKEN}"),
    "a hang-up": hang_up,
    "garbage with the token": say(f"HTTP/9.9 {TOKEN} {PASSWORD}\r\n\r\n".encode()),
    "a torn body": say(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
    "an answer that is no record": answer(200, {"id": PASSWORD}),
    "a redirect with the secret": answer(302, "", Location=f"/?p={USERNAME}"),
    "a good answer that echoes them": answer(201, ECHO),
}


@ALL
@pytest.mark.parametrize("act", TELLTALES.values(), ids=TELLTALES)
async def test_no_secret_is_in_any_answer_or_log_however_the_controller_answers(
    action, act, caplog
):
    caplog.set_level(0)
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        outcome = await controller.send_change(
            change(action), SECRETS, intended=controller.clock.steady()
        )
        told = repr(outcome) + repr(controller) + repr(vars(controller)) + caplog.text

    assert TOKEN not in told
    assert USERNAME not in told
    assert "wörd" not in told
    assert "pa\\" not in told


async def test_a_secret_among_the_plain_fields_is_hidden_too():
    act = answer(400, {"wifi_password": ["hunter-22 is too weak"]})
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        outcome = await send(controller, Action.UPDATE, fields={"wifi_password": "hunter-22"})

        assert outcome.reason.endswith("wifi_password: *** is too weak")
