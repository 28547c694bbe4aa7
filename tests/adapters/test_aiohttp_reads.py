"""Reads are repeated only where that is safe, and every failure is one sentence of its kind."""

import anyio
import pytest

from orchestrator.adapters.controller.aiohttp_controller import ReadRetries
from orchestrator.adapters.controller.aiohttp_wire import Timeouts, trust_from
from orchestrator.adapters.controller.token_source import TokenSource
from orchestrator.model.devices import DeviceId, Status
from orchestrator.model.errors import (
    ControllerError,
    GoneError,
    RefusedError,
    SettingsError,
    UnauthorisedError,
    UnreachableError,
)
from orchestrator.model.policies import RequestLimits
from orchestrator.model.readings import DeviceFilter
from tests.support.api_access import TOKEN, controller_at
from tests.support.fake_api import CERTIFICATE, FakeApi, answer, hang_up, reset, say, silence

SEVEN = DeviceId(7)
READ = "/api/v1/inventory_device/7/?pending=true"


class Table(FakeApi):
    """A server that gives each target the answers laid down for it, in their order, and no other."""

    def __init__(self):
        super().__init__(self._answer)
        self._answers = {}
        self.asked = 0

    def get(self, target, *answers):
        self._answers[target] = list(answers)

    async def _answer(self, request, writer):
        self.asked += 1
        left = self._answers.get(request.target) if request.method == "GET" else None
        status, content, headers = left.pop(0) if left else (418, "nobody laid this down", {})
        return await answer(status, content, **headers)(request, writer)


@pytest.fixture
async def table():
    async with Table() as served:
        yield served


RECORD = {"id": 7, "status": "Up", "serial_number": "ZN7", "pending_settings": "none"}
GOOD = (200, RECORD, {})

PASSING = {
    "internal error": (500, "<html><title>Oops</title></html>", {}),
    "bad gateway": (502, "<html>x</html>", {}),
    "unavailable": (503, {"detail": "soon"}, {"Retry-After": "3"}),
    "gateway timeout": (504, "", {}),
    "throttled": (429, {"detail": "slow"}, {"Retry-After": "7"}),
    "torn JSON": (200, '{"id": 7, "sta', {}),
    "HTML instead of JSON": (200, "<html>login</html>", {}),
    "another device's record": (200, {"id": 8}, {}),
}


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
async def test_passing_trouble_is_read_over(table, trouble):
    table.get(READ, trouble, trouble, GOOD)
    async with controller_at(table.url) as controller:
        reading = await controller.read_device(SEVEN)

        assert reading.device.status is Status.UP
        assert table.asked == 3
        assert len(controller.clock.slept) >= 2


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
async def test_trouble_that_lasts_is_an_error_after_few_attempts(table, trouble):
    table.get(READ, *[trouble] * 5)
    async with controller_at(table.url) as controller:
        with pytest.raises(ControllerError) as caught:
            await controller.read_device(SEVEN)

        assert caught.value.status == trouble[0]
        assert table.asked == 3


LASTING = {
    400: RefusedError,
    401: UnauthorisedError,
    403: RefusedError,
    409: RefusedError,
    302: RefusedError,
}


@pytest.mark.parametrize(("status", "kind"), LASTING.items())
async def test_what_will_not_change_is_asked_once(table, status, kind):
    table.get(READ, *[(status, {"detail": "no"}, {})] * 3)
    async with controller_at(table.url) as controller:
        with pytest.raises(kind) as caught:
            await controller.read_device(SEVEN)

        assert caught.value.status == status
        assert table.asked == 1


async def test_a_read_with_update_status_is_never_repeated(table):
    table.get(f"{READ}&update_status=true", *[(502, "", {})] * 3)
    async with controller_at(table.url) as controller:
        with pytest.raises(RefusedError):
            await controller.read_device(SEVEN, update_status=True)

        assert table.asked == 1


async def test_update_status_is_asked_for_only_when_wanted(table):
    table.get(f"{READ}&update_status=true", GOOD)
    async with controller_at(table.url) as controller:
        reading = await controller.read_device(SEVEN, update_status=True)

        assert reading.device.pending == ()


async def test_a_device_that_is_gone_is_a_reading_without_one(table):
    table.get(READ, (404, {"detail": "Not found."}, {"Date": "Mon, 21 Sep 2026 14:13:20 GMT"}))
    async with controller_at(table.url) as controller:
        reading = await controller.read_device(SEVEN)

        assert reading.device is None
        assert reading.device_id == SEVEN
        assert reading.server_at == 1_790_000_000.0


async def test_a_listing_that_is_not_there_is_an_error(table):
    target = "/api/v1/inventory_device/?limit=10&offset=0&pending=true"
    table.get(target, (404, "<html><title>Page not found</title></html>", {}))
    async with controller_at(table.url) as controller:
        with pytest.raises(GoneError, match="Page not found"):
            await controller.list_devices(DeviceFilter(), offset=0, limit=10)


async def test_a_long_retry_after_is_not_waited_for(table):
    table.get(READ, *[(503, "", {"Retry-After": "3600"})] * 3)
    async with controller_at(table.url) as controller:
        with pytest.raises(RefusedError):
            await controller.read_device(SEVEN)

        assert table.asked == 1


async def test_retry_after_is_waited_for(table):
    table.get(READ, (429, "", {"Retry-After": "40"}), GOOD)
    async with controller_at(table.url) as controller:
        before = controller.clock.now()
        await controller.read_device(SEVEN)

        assert 40.0 <= controller.clock.now() - before < 43.0


async def test_retries_can_be_switched_off(table):
    table.get(READ, *[(502, "", {})] * 3)
    async with controller_at(table.url, read_retries=ReadRetries(attempts=1)) as controller:
        with pytest.raises(RefusedError):
            await controller.read_device(SEVEN)

        assert table.asked == 1


async def test_a_page_is_asked_for_with_the_documented_filters_in_their_documented_forms():
    wanted = DeviceFilter(12, 15, Status.DOWN, 1_790_000_000.75)
    async with (
        FakeApi(answer(200, {"count": 0, "next": None, "results": []})) as api,
        controller_at(api.url + "/") as controller,
    ):
        await controller.list_devices(wanted, offset=40, limit=20)

        [request] = api.requests
        assert request.target == (
            "/api/v1/inventory_device/?limit=20&offset=40&pending=true&organization=12&type=15"
            "&status=0&last_status_change_from=2026-09-21%2014%3A13%3A20%2B00%3A00"
        )


async def test_a_next_link_to_another_host_is_never_followed():
    evil = {"count": 9, "next": "http://127.0.0.1:9/steal?offset=1", "results": [{"id": 1}]}
    async with FakeApi(answer(200, evil)) as api, controller_at(api.url) as controller:
        page = await controller.list_devices(DeviceFilter(status=Status.UP), offset=0, limit=1)

        assert page.has_next
        assert page.rows == 1
        assert [request.target for request in api.requests] == [
            "/api/v1/inventory_device/?limit=1&offset=0&pending=true&status=1"
        ]


@pytest.mark.parametrize("act", [hang_up, reset, say(b"garbage\r\n\r\n"), silence])
async def test_a_broken_connection_is_tried_again_through_the_gate(act):
    async with (
        FakeApi(act, answer(200, RECORD)) as api,
        controller_at(api.url, timeouts=Timeouts(connect=0.02, read=0.03)) as controller,
    ):
        reading = await controller.read_device(SEVEN)

        assert reading.device.id == SEVEN
        assert len(api.requests) == 2
        assert len(controller.clock.slept) == 1


async def test_a_torn_answer_is_read_again():
    torn = say(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"id": 7}')
    async with FakeApi(torn, answer(200, RECORD)) as api, controller_at(api.url) as controller:
        await controller.read_device(SEVEN)

        assert len(api.requests) == 2


async def test_a_controller_that_is_not_there_is_unreachable():
    async with FakeApi(hang_up) as api:
        url = api.url
    async with controller_at(url) as controller:
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await controller.read_device(SEVEN)


async def test_an_untrusted_certificate_is_one_clear_sentence_and_not_tried_again():
    async with FakeApi(answer(200, RECORD), tls=True) as api:
        async with controller_at(api.url) as controller:
            with pytest.raises(UnreachableError, match=r"certificate .* not accepted: self"):
                await controller.read_device(SEVEN)

        assert api.received == b""
        assert controller.clock.slept == []


async def test_a_ca_bundle_makes_its_server_trusted_and_a_wrong_host_is_not():
    async with FakeApi(answer(200, RECORD), tls=True) as api:
        async with controller_at(api.url, ca_bundle=CERTIFICATE) as controller:
            reading = await controller.read_device(SEVEN)
        other_name = api.url.replace("127.0.0.1", "127.0.0.2")
        async with controller_at(other_name, ca_bundle=CERTIFICATE) as controller:
            with pytest.raises(UnreachableError):
                await controller.read_device(SEVEN)

        assert reading.device.id == SEVEN
        assert len(api.requests) == 1


def test_an_unusable_ca_bundle_is_refused(tmp_path):
    junk = tmp_path / "ca.pem"
    junk.write_text("no certificate")

    with pytest.raises(SettingsError, match="holds no certificates"):
        trust_from(junk)
    with pytest.raises(SettingsError, match="no such file"):
        trust_from(tmp_path / "none.pem")
    assert trust_from(tmp_path) is not None


async def test_a_new_token_is_used_at_once_when_the_old_one_is_refused(tmp_path):
    file = tmp_path / "token"
    file.write_text("old-token-1")
    token = TokenSource.from_file(file)
    file.write_text("new-token-2")
    async with (
        FakeApi(answer(401, {"detail": "no"}), answer(200, RECORD)) as api,
        controller_at(api.url, token=token) as controller,
    ):
        await controller.read_device(SEVEN)

        sent = [request.headers["Authorization"] for request in api.requests]
        assert sent == ["Bearer old-token-1", "Bearer new-token-2"]


async def test_a_probe_says_that_the_controller_can_be_used():
    async with (
        FakeApi(answer(200, {"count": 5, "next": "x", "results": [{"id": 1}]})) as api,
        controller_at(api.url) as controller,
    ):
        probed = await controller.probe()

        assert probed.usable
        assert api.requests[0].target.endswith("/inventory_device/?limit=1&offset=0&pending=true")


@pytest.mark.parametrize("status", [401, 403])
async def test_a_probe_that_is_forbidden_means_a_bad_token(status):
    async with (
        FakeApi(answer(status, {"detail": "no"})) as api,
        controller_at(api.url) as controller,
    ):
        probed = await controller.probe()

        assert (probed.usable, probed.unauthorised) == (False, True)
        assert len(api.requests) == 1


async def test_a_probe_of_a_broken_controller_asks_once_and_raises_nothing():
    async with FakeApi(hang_up) as api, controller_at(api.url) as controller:
        probed = await controller.probe()

        assert (probed.usable, probed.unauthorised) == (False, False)
        assert "broke" in probed.detail
        assert len(api.requests) == 1


async def test_a_probe_without_a_token_asks_nobody(tmp_path):
    file = tmp_path / "token"
    file.write_text("token-1")
    token = TokenSource.from_file(file)
    file.unlink()
    async with FakeApi(hang_up) as api, controller_at(api.url, token=token) as controller:
        probed = await controller.probe()

        assert (probed.usable, probed.unauthorised) == (False, True)
        assert "cannot be read" in probed.detail
        assert api.requests == []


async def test_reads_share_the_gate_with_everything_else():
    limits = RequestLimits(delay=0.0, in_flight=4, per_second=None)
    most = 0

    async def count(request, writer):
        nonlocal most
        most = max(most, controller._gate.in_flight)
        await anyio.sleep(0.005)
        return await answer(200, RECORD)(request, writer)

    async with FakeApi(count) as api, controller_at(api.url, limits=limits) as controller:
        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(controller.read_device, SEVEN)

        assert most == 2
        assert len(api.requests) == 12


async def test_cookies_of_the_controller_are_not_kept():
    async with (
        FakeApi(answer(200, RECORD, Set_Cookie="session=evil")) as api,
        controller_at(api.url) as controller,
    ):
        await controller.read_device(SEVEN)
        await controller.read_device(SEVEN)

        assert "Cookie" not in api.requests[1].headers
        assert api.connections == 1


ADDRESSES = {
    "clear http to a stranger": "http://control.example/api/v1",
    "credentials": f"https://user:{TOKEN}@control.example/api",
    "a user name": "https://user@control.example/api",
    "a query": "https://control.example/api?x=1",
    "no scheme": "control.example/api",
    "another scheme": "ftp://control.example/api",
    "no host": "https:///api",
    "nothing": "",
    "an impossible port": "https://control.example:99999/",
}


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
async def test_an_unsafe_address_is_refused_without_showing_secrets(address):
    with pytest.raises(SettingsError) as caught:
        async with controller_at(address):
            pass

    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["http://localhost:1/", "http://[::1]:1/api", "HTTPS://x.example"]
)
async def test_loopback_and_https_are_welcome(address):
    async with controller_at(address) as controller:
        assert controller is not None


async def test_clear_http_can_be_allowed_by_name():
    async with controller_at("http://lab.example/api", plain_http_allowed=True) as controller:
        assert controller is not None
