"""Changes of records are sent at most once, and nobody is told their secrets."""

import traceback

import orjson
import pytest

from orchestrator.model.devices import DeviceId, Status
from orchestrator.model.errors import (
    ControllerError,
    GoneError,
    RefusedError,
    UnauthorisedError,
    UnreachableError,
)
from orchestrator.model.operations import Operation
from tests.support.api_access import TOKEN, controller_at
from tests.support.fake_api import FakeApi, answer, hang_up, reset, say

SEVEN = DeviceId(7)
PASSWORD = 'pa"ss<wörd>-71'
USERNAME = "cpe-user-44"
FIELDS = {"name": "x", "username": USERNAME, "password": PASSWORD}
ECHO = {**FIELDS, "id": 7, "status": "Down", "pending_settings": "initial"}

CHANGES = {
    "create": (lambda c: c.create_device(FIELDS), "POST", "/api/v1/inventory_device/"),
    "replace": (lambda c: c.replace_device(SEVEN, FIELDS), "PUT", "/api/v1/inventory_device/7/"),
    "update": (lambda c: c.update_device(SEVEN, FIELDS), "PATCH", "/api/v1/inventory_device/7/"),
    "delete": (lambda c: c.delete_device(SEVEN), "DELETE", "/api/v1/inventory_device/7/"),
}
ALL = pytest.mark.parametrize(("change", "method", "target"), CHANGES.values(), ids=CHANGES)


@ALL
async def test_each_change_is_one_request_with_the_documented_verb_and_path(change, method, target):
    async with FakeApi(answer(201, ECHO)) as api, controller_at(api.url) as controller:
        await change(controller)

        [request] = api.requests
        assert (request.method, request.target) == (method, target)
        assert request.body == (b"" if method == "DELETE" else orjson.dumps(FIELDS))


async def test_the_answer_to_a_change_is_a_reading_without_the_credentials():
    async with FakeApi(answer(201, ECHO)) as api, controller_at(api.url) as controller:
        reading = await controller.create_device(FIELDS)

        assert (reading.device_id, reading.device.status) == (7, Status.DOWN)
        assert not reading.is_detail
        assert PASSWORD not in repr(reading)
        assert USERNAME not in repr(reading)


@ALL
@pytest.mark.parametrize("act", [hang_up, reset, say(b"HTTP/1.1 2")])
async def test_a_change_without_an_answer_is_sent_once_and_said_to_be_in_doubt(
    change, method, target, act
):
    async with FakeApi(act, answer(201, ECHO)) as api, controller_at(api.url) as controller:
        with pytest.raises(UnreachableError, match="not known"):
            await change(controller)

        assert len(api.requests) == 1


@ALL
async def test_a_change_that_never_left_is_not_said_to_be_in_doubt(change, method, target):
    async with FakeApi(hang_up) as api:
        url = api.url
    async with controller_at(url) as controller:
        with pytest.raises(UnreachableError) as caught:
            await change(controller)

    assert "not known" not in str(caught.value)


REFUSALS = {
    400: RefusedError,
    401: UnauthorisedError,
    404: GoneError,
    409: RefusedError,
    502: RefusedError,
    307: RefusedError,
}


@pytest.mark.parametrize(("status", "kind"), REFUSALS.items())
@ALL
async def test_a_refused_change_is_an_error_of_its_kind(change, method, target, status, kind):
    async with (
        FakeApi(answer(status, {"detail": "no"}, Location="/api/v1/")) as api,
        controller_at(api.url) as controller,
    ):
        with pytest.raises(kind) as caught:
            await change(controller)

        assert caught.value.status == status
        assert len(api.requests) == 1


async def test_an_empty_204_is_all_that_a_deletion_needs():
    async with (
        FakeApi(say(b"HTTP/1.1 204 No Content\r\n\r\n")) as api,
        controller_at(api.url) as controller,
    ):
        await controller.delete_device(SEVEN)

        assert len(api.requests) == 1


async def test_a_change_that_was_taken_but_not_described_says_so():
    async with FakeApi(answer(200, "<html>ok</html>")) as api, controller_at(api.url) as controller:
        with pytest.raises(ControllerError, match="took the change"):
            await controller.update_device(SEVEN, FIELDS)


def whole_chain(error):
    """Everything an exception could tell: its chain as printed, and each one's arguments."""
    told = "".join(traceback.format_exception(error))
    while error is not None:
        told += repr(error) + repr(error.args) + repr(vars(error))
        error = error.__cause__ or error.__context__
    return told


TELLTALES = {
    "an error that echoes the body": answer(
        400, {"password": [f"{PASSWORD!s} is too weak"], "username": [f"{USERNAME} is taken"]}
    ),
    "a page that echoes the headers": answer(
        500, f"<html><title>Bearer {TOKEN} {PASSWORD}</title></html>"
    ),
    "a traceback of the server": answer(500, f"KeyError: {orjson.dumps(FIELDS).decode()} {TOKEN}"),
    "a hang-up": hang_up,
    "garbage with the token": say(f"HTTP/9.9 {TOKEN} {PASSWORD}\r\n\r\n".encode()),
    "a torn body": say(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
    "an answer that is no record": answer(200, {"id": PASSWORD}),
}


@pytest.mark.parametrize("act", TELLTALES.values(), ids=TELLTALES)
async def test_no_secret_is_in_any_exception_however_the_controller_answers(act, caplog):
    caplog.set_level(0)
    async with FakeApi(act) as api, controller_at(api.url) as controller:
        with pytest.raises(ControllerError) as caught:
            await controller.update_device(SEVEN, FIELDS)
        with pytest.raises(ControllerError) as read:
            await controller.read_device(SEVEN)
        outcome = await controller.start_operation(
            SEVEN, Operation.SYNC, intended=controller.clock.steady()
        )
        probed = await controller.probe()

    told = whole_chain(caught.value) + repr(outcome) + repr(probed) + repr(controller)
    # The reads know nothing of the password: only of the token.
    assert TOKEN not in told + whole_chain(read.value) + caplog.text
    assert USERNAME not in whole_chain(caught.value) + caplog.text
    assert "pa\\" not in whole_chain(caught.value)
    assert "wörd" not in whole_chain(caught.value) + caplog.text
