"""A connection to a server that was spoken to before takes up its TLS session again."""

import ssl

import anyio
import pytest

from orchestrator.model.answers import Accepted
from orchestrator.model.operations import Operation
from tests.support.api_access import controller_at
from tests.support.fake_api import CERTIFICATE, FakeApi, accept

LOOPS = {"asyncio": False, "uvloop": True}
VERSIONS = {"TLS 1.2": ssl.TLSVersion.TLSv1_2, "TLS 1.3": ssl.TLSVersion.TLSv1_3}


async def accept_and_close(request, writer):
    await accept(request, writer)
    await writer.drain()
    return False


async def handshakes(version, *, gives_tickets):
    """Connect three times, and give for each connection whether the server resumed a session."""
    reused = []

    async def note(writer, number):
        reused.append(writer.get_extra_info("ssl_object").session_reused)
        return True

    async with FakeApi(accept_and_close, tls=True, on_connect=note) as api:
        context = api.context
        context.maximum_version = context.minimum_version = version
        if not gives_tickets:
            context.options |= ssl.OP_NO_TICKET
            context.num_tickets = 0
        async with controller_at(api.url, ca_bundle=CERTIFICATE) as controller:
            for device in range(3):
                intended = controller.clock.steady()
                outcome = await controller.start_operation(
                    device, Operation.SYNC, intended=intended
                )
                assert isinstance(outcome, Accepted)
    return reused


def run(call, loop):
    if LOOPS[loop]:
        pytest.importorskip("uvloop")
    return anyio.run(call, backend_options={"use_uvloop": LOOPS[loop]})


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
def test_every_connection_after_the_first_takes_the_session_up_again(version, loop):
    async def call():
        return await handshakes(version, gives_tickets=True)

    assert run(call, loop) == [False, True, True]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_that_takes_no_session_up_gets_a_full_handshake(loop):
    async def call():
        return await handshakes(ssl.TLSVersion.TLSv1_3, gives_tickets=False)

    assert run(call, loop) == [False, False, False]
