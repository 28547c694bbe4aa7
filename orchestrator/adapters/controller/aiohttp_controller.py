"""The controller of both documents over aiohttp: every endpoint, behind one gate.

How a read is repeated stands in aiohttp_reads, what crosses the wire in aiohttp_wire, what an
answer means in http_answers and http_changes; what only some controllers offer is aiohttp_offers.
"""

import random
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
import orjson

from orchestrator.adapters.controller import http_answers, http_changes
from orchestrator.adapters.controller.aiohttp_offers import AiohttpOffers
from orchestrator.adapters.controller.aiohttp_reads import HttpReads, Missed, ReadRetries
from orchestrator.adapters.controller.aiohttp_wire import Failure, Timeouts, Wire, trust_from
from orchestrator.adapters.controller.departing import FRESH_SECONDS, Departure
from orchestrator.adapters.controller.http_answers import Reply, UnreadableError
from orchestrator.adapters.controller.http_requests import checked_base_url, listing_query
from orchestrator.adapters.controller.request_gate import RequestGate
from orchestrator.adapters.controller.token_source import TokenSource
from orchestrator.model.answers import Lost, OperationAnswer, Unsent
from orchestrator.model.commands import SendChange
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import SettingsError
from orchestrator.model.operations import Operation
from orchestrator.model.readings import DeviceFilter, Page, Probed, Reading
from orchestrator.ports import Clock

_NOT_FOUND = 404
_NOT_USABLE = (401, 403)
"""A blanket 403 is a bad token too (api.md 1.10-7)."""

_CLOSED_CONNECTIONS = 3
"""How many kept connections that turn out to be closed are passed over for one request."""

_BODIES = {code: orjson.dumps({"operation": code.value}) for code in Operation}


class AiohttpController:
    """Keeps the promises of ports.Controller against a real server; an async context manager.

    Raises SettingsError when the address or the CA bundle cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        token: TokenSource,
        gate: RequestGate,
        clock: Clock,
        *,
        timeouts: Timeouts | None = None,
        read_retries: ReadRetries | None = None,
        ca_bundle: Path | None = None,
        plain_http_allowed: bool = False,
        rng: random.Random | None = None,
    ) -> None:
        origin = checked_base_url(base_url, plain_http_allowed=plain_http_allowed)
        root = origin.raw_path.rstrip("/")
        self._devices = f"{root}/inventory_device/"
        self._operations = f"{root}/inventory_device_operation/"
        self._token = token
        self._gate = gate
        self._clock = clock
        self._wire = Wire(
            origin,
            token,
            clock,
            connections=gate.limits.in_flight,
            timeouts=timeouts or Timeouts(),
            trust=trust_from(ca_bundle),
        )
        self._reads = HttpReads(
            self._wire,
            token,
            gate,
            clock,
            retries=read_retries or ReadRetries(),
            rng=rng or random.Random(),
        )
        self._offers = AiohttpOffers(root, self._reads)

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._wire.__aexit__(kind, error, trace)

    @property
    def offers(self) -> AiohttpOffers:
        """What this controller offers beside the documents, over the same connections and limits."""
        return self._offers

    async def list_devices(self, wanted: DeviceFilter, *, offset: int, limit: int) -> Page:
        return await self._reads.read(
            self._page_target(wanted, offset, limit), http_answers.page_of_devices
        )

    async def read_device(self, device: DeviceId, *, update_status: bool = False) -> Reading:
        target = f"{self._devices}{device}/?pending=true"

        def understand(reply: Reply) -> Reading:
            found = None
            if reply.status != _NOT_FOUND:
                found = http_answers.one_device(reply)
                if found.id != device:
                    raise UnreadableError(f"it is about device {found.id}, asked was {device}")
            return Reading(device, found, reply.asked_at, reply.server_at)

        if update_status:
            target += "&update_status=true"
            return await self._reads.read_patiently(target, understand, also=(_NOT_FOUND,))
        return await self._reads.read(target, understand, also=(_NOT_FOUND,))

    async def probe(self) -> Probed:
        asked_at = self._clock.now()
        try:
            self._token.refresh()
        except SettingsError as error:
            return Probed(asked_at, usable=False, unauthorised=True, detail=str(error))
        target = self._page_target(DeviceFilter(), 0, 1)
        outcome = await self._reads.ask(target, http_answers.page_of_devices)
        if isinstance(outcome, Missed):
            unauthorised = outcome.error.status in _NOT_USABLE
            return Probed(asked_at, False, unauthorised, str(outcome.error))
        return Probed(outcome.asked_at, usable=True)

    async def start_operation(
        self, device: DeviceId, operation: Operation, *, intended: float
    ) -> OperationAnswer:
        target = f"{self._operations}{device}/"
        reply = await self._send_once("PUT", target, _BODIES[operation], intended=intended)
        if not isinstance(reply, Reply):
            return reply
        return http_answers.operation_answer(reply, device, operation, self._token.secrets)

    async def send_change(
        self, change: SendChange, secrets: Mapping[str, str], *, intended: float
    ) -> OperationAnswer:
        body = http_changes.body_of(change, secrets)
        if isinstance(body, Unsent):
            return body
        target = self._devices + http_changes.path_of(change)
        method = http_changes.METHODS[change.action]
        reply = await self._send_once(method, target, body, intended=intended)
        if not isinstance(reply, Reply):
            return reply
        hidden = (*self._token.secrets, *http_changes.secrets_of(change, secrets))
        return http_changes.change_answer(reply, change, hidden)

    def _page_target(self, wanted: DeviceFilter, offset: int, limit: int) -> str:
        return self._devices + listing_query(wanted, offset=offset, limit=limit)

    async def _send_once(
        self, method: str, target: str, body: bytes, *, intended: float
    ) -> Reply | Lost | Unsent:
        """Pass the gate as an operation and send once; the answer is whatever it is."""
        if not self._gate.try_enter(is_operation=True):
            # Who waits longer than an intention lives would be held back in the end anyway.
            left = FRESH_SECONDS - (self._clock.steady() - intended)
            with anyio.move_on_after(max(0.0, left)) as turn:
                await self._gate.enter(is_operation=True)
            if turn.cancelled_caught:
                return Unsent("held back: its turn came too late", stale=True)
        try:
            outcome = await self._tell(method, target, body, intended=intended)
        finally:
            self._gate.leave(is_operation=True)
        if isinstance(outcome, Failure):
            if outcome.was_sent:
                return Lost(outcome.reason)
            return Unsent(outcome.reason, stale=outcome.is_stale)
        self._reads.take_note(outcome)
        return outcome

    async def _tell(
        self, method: str, target: str, body: bytes, *, intended: float
    ) -> Reply | Failure:
        """Send once; only a connection on which nothing was written is replaced by another one."""
        for _ in range(_CLOSED_CONNECTIONS):
            departure = Departure(self._clock, self._gate, intended)
            outcome = await self._wire.tell(method, target, body, departure)
            if isinstance(outcome, Reply) or not outcome.found_closed:
                break
        return outcome
