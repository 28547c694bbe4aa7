"""A connection to a server that was spoken to before takes up its TLS session again."""

import ssl

import anyio
import pytest

from orchestrator.adapters.controller.tls_sessions import resuming
from orchestrator.model.answers import Accepted
from orchestrator.model.operations import Operation
from tests.support.api_access import controller_at
from tests.support.fake_api import CERTIFICATE, FakeApi, accept, server_tls

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


def test_a_session_under_which_a_handshake_failed_is_offered_no_more():
    context = resuming(ssl.create_default_context(cafile=str(CERTIFICATE)))
    server = server_tls()

    def hello():
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        return client, incoming, outgoing

    client, incoming, outgoing = hello()
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    peer = server.wrap_bio(there, back, server_side=True)
    there.write(outgoing.read())
    with pytest.raises(ssl.SSLWantReadError):
        peer.do_handshake()
    incoming.write(back.read())
    client.do_handshake()
    there.write(outgoing.read())
    peer.do_handshake()
    incoming.write(back.read())
    with pytest.raises(ssl.SSLWantReadError):
        client.read()

    refused, incoming, offer = hello()
    assert refused.session is not None
    incoming.write(b"\x15\x03\x03\x00\x02\x02\x2f")  # fatal: illegal parameter
    with pytest.raises(ssl.SSLError, match=r"(?i)illegal.parameter"):
        refused.do_handshake()

    assert len(hello()[2].read()) < len(offer.read())  # no ticket in it
