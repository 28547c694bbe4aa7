"""What the plain loop does with answers that the bench's own server never gives."""

from types import SimpleNamespace

import pytest
from aiohttp import ClientResponse, ClientResponseError
from aioresponses import aioresponses

from tests.bench import bare

URL = "https://control.test/api/v1"
RECORD = f"{URL}/inventory_device/1000/"
OPERATION = f"{URL}/inventory_device_operation/1000/"


class NewerResponse(ClientResponse):
    """What aioresponses 0.7.9 builds lacks an argument that aiohttp 3.14 asks for."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("stream_writer", SimpleNamespace(output_size=0))
        super().__init__(*args, **kwargs)


@pytest.fixture
def controller():
    with aioresponses() as mocked:
        yield mocked


def asked(controller):
    return [method for method, _ in controller.requests]


async def test_it_is_correct_enough_to_stop_at_a_refusal(controller):
    controller.put(OPERATION, status=503, response_class=NewerResponse)

    with pytest.raises(ExceptionGroup) as stopped:
        await bare.put_all(URL, iter([1000]), in_flight=1)

    [refusal] = stopped.value.exceptions
    assert isinstance(refusal, ClientResponseError)
    assert refusal.status == 503


@pytest.mark.parametrize(
    "record", [{"status": "Down", "is_active": True}, {"status": "Up", "is_active": False}]
)
async def test_with_care_it_sends_nothing_to_a_device_that_is_not_fit(controller, record):
    controller.get(RECORD, payload=record, response_class=NewerResponse)

    await bare.put_all(URL, iter([1000]), in_flight=1, is_careful=True)

    assert asked(controller) == ["GET"]


async def test_with_care_it_sends_to_a_device_that_is_fit(controller):
    controller.get(
        RECORD, payload={"status": "Up", "is_active": True}, response_class=NewerResponse
    )
    controller.put(OPERATION, payload={}, response_class=NewerResponse)

    await bare.put_all(URL, iter([1000]), in_flight=1, is_careful=True)

    assert asked(controller) == ["GET", "PUT"]
