"""The moment at which a request leaves: one last look, then all its bytes in one piece."""

import asyncio
import select
from dataclasses import dataclass, field

import anyio.lowlevel
from aiohttp.client_proto import ResponseHandler

from orchestrator.adapters.controller.request_gate import RequestGate
from orchestrator.ports import Clock

FRESH_SECONDS = 0.5
"""An intention older than this, in real seconds, is decided anew instead of sent (design 5)."""

_PEER_GONE = getattr(select, "POLLRDHUP", 0)
_TURNS = 2
"""Turns of the event loop in which it takes in what had arrived: one to see it, one to read it."""


class HeldBackError(Exception):
    """Nothing was written; the request's Departure says why."""


class BrokenError(Exception):
    """The connection cannot carry the request."""


@dataclass(slots=True)
class Departure:
    """The rules for the moment a request's bytes leave, and what became of them."""

    clock: Clock
    gate: RequestGate | None = None
    """Keeps the distance of operations and changes as they leave."""
    intended: float | None = None
    """Reading of `Clock.steady` when the intention became durable; None never grows stale."""
    has_left: bool = field(default=False, init=False)
    is_stale: bool = field(default=False, init=False)
    found_closed: bool = field(default=False, init=False)

    def is_too_late(self) -> bool:
        """Say whether the intention has outlived itself by now."""
        return self.intended is not None and self.clock.steady() - self.intended > FRESH_SECONDS

    async def leave(self, protocol: ResponseHandler, request: bytes) -> None:
        """Write the request, or raise HeldBackError with not one byte of it on the wire.

        Behind the decision nothing suspends.
        """
        if _is_told_something(protocol):
            for _ in range(_TURNS):
                await anyio.lowlevel.checkpoint()
        gate = self.gate
        if gate is not None and gate.spaces_operations:
            while (wait := gate.departure_wait()) > 0 and not self.is_too_late():
                await self.clock.sleep(min(wait, FRESH_SECONDS))
        transport = protocol.transport
        if transport is None or _is_used_up(protocol):
            self.found_closed = True
            raise HeldBackError
        if self.is_too_late():
            self.is_stale = True
            raise HeldBackError
        self.has_left = True
        if gate is not None:
            gate.departed()
        transport.write(request)


def leave_freely(protocol: ResponseHandler, request: bytes) -> None:
    """Write a request that changes nothing. Raises BrokenError when the connection is used up."""
    transport = protocol.transport
    if transport is None or transport.is_closing() or protocol.should_close:
        raise BrokenError
    transport.write(request)


def _is_told_something(protocol: ResponseHandler) -> bool:
    """Say whether something has arrived that nobody has read yet.

    A loop that was busy does not know of an answer that came before the question, and would take it
    for the answer to this request. TLS sends its tickets unasked too: only what was read can tell.
    """
    transport = protocol.transport
    return transport is not None and _has(transport, select.POLLIN)


def _is_used_up(protocol: ResponseHandler) -> bool:
    """Say whether the other side has hung up or answered already, as far as this machine knows."""
    transport = protocol.transport
    if transport is None or transport.is_closing():
        return True
    if protocol.should_close:
        return True  # what came before the question answers nothing
    return _has(transport, _PEER_GONE)


def _has(transport: asyncio.Transport, wanted: int) -> bool:
    """Ask the system what stands on a connection's socket."""
    connection = transport.get_extra_info("socket")
    if connection is None or connection.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), wanted)
    return bool(poll.poll(0))
