"""The controller of both documents over aiohttp: every endpoint, behind one gate.

What crosses the wire stands in aiohttp_wire, what an answer means in http_answers.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import anyio
import orjson
import tenacity
from yarl import URL

from orchestrator.adapters import http_answers
from orchestrator.adapters.aiohttp_wire import (
    FRESH_SECONDS,
    Departure,
    Failure,
    Timeouts,
    Wire,
    trust_from,
)
from orchestrator.adapters.http_answers import Reply, UnreadableError
from orchestrator.adapters.http_requests import checked_base_url, listing_query
from orchestrator.adapters.request_gate import LONGEST_HOLD, RequestGate
from orchestrator.adapters.token_source import TokenSource
from orchestrator.model.answers import Lost, OperationAnswer, Unsent
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import ControllerError, SettingsError, UnreachableError
from orchestrator.model.operations import Operation
from orchestrator.model.readings import DeviceFilter, Page, Probed, Reading
from orchestrator.ports import Clock

_T = TypeVar("_T")

_UNAUTHORISED = 401
_NOT_FOUND = 404
_NOT_USABLE = (401, 403)
"""A blanket 403 is a bad token too (api.md 1.10-7)."""

_CLOSED_CONNECTIONS = 3
"""How many kept connections that turn out to be closed are passed over for one request."""

_BODIES = {code: orjson.dumps({"operation": code.value}) for code in Operation}


@dataclass(frozen=True, slots=True)
class ReadRetries:
    """How often a read is tried when the controller or the network is in trouble."""

    attempts: int = 4
    """The first included."""
    first_wait: float = 1.0
    """Seconds; doubles each time, with full jitter."""
    longest_wait: float = 30.0


@dataclass(frozen=True, slots=True)
class _Missed:
    """A read that brought nothing usable."""

    error: ControllerError
    may_repeat: bool
    retry_after: float | None = None


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
        self._devices = f"{origin}/inventory_device/"
        self._operations = f"{origin}/inventory_device_operation/"
        self._token = token
        self._gate = gate
        self._clock = clock
        self._retries = read_retries or ReadRetries()
        self._rng = rng or random.Random()
        self._wire = Wire(
            origin,
            token,
            clock,
            connections=gate.limits.in_flight,
            timeouts=timeouts or Timeouts(),
            trust=trust_from(ca_bundle),
        )

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

    async def list_devices(self, wanted: DeviceFilter, *, offset: int, limit: int) -> Page:
        return await self._read(
            self._page_address(wanted, offset, limit), http_answers.page_of_devices
        )

    async def read_device(self, device: DeviceId, *, update_status: bool = False) -> Reading:
        query = "?pending=true&update_status=true" if update_status else "?pending=true"
        url = URL(f"{self._devices}{device}/{query}", encoded=True)

        def understand(reply: Reply) -> Reading:
            found = None
            if reply.status != _NOT_FOUND:
                found = http_answers.one_device(reply)
                if found.id != device:
                    raise UnreadableError(f"it is about device {found.id}, asked was {device}")
            return Reading(device, found, reply.asked_at, reply.server_at)

        if not update_status:
            return await self._read(url, understand, also=_NOT_FOUND)
        # Each such read has the controller contact the device: never repeated by itself.
        outcome = await self._ask(url, understand, also=_NOT_FOUND, is_patient=True)
        if isinstance(outcome, _Missed):
            raise outcome.error
        return outcome

    async def probe(self) -> Probed:
        asked_at = self._clock.now()
        try:
            self._token.refresh()
        except SettingsError as error:
            return Probed(asked_at, usable=False, unauthorised=True, detail=str(error))
        url = self._page_address(DeviceFilter(), 0, 1)
        outcome = await self._ask(url, http_answers.page_of_devices)
        if isinstance(outcome, _Missed):
            unauthorised = outcome.error.status in _NOT_USABLE
            return Probed(asked_at, False, unauthorised, str(outcome.error))
        return Probed(outcome.asked_at, usable=True)

    async def start_operation(
        self, device: DeviceId, operation: Operation, *, intended: float
    ) -> OperationAnswer:
        if not self._gate.try_enter(is_operation=True):
            # Who waits longer than an intention lives would be held back in the end anyway.
            left = FRESH_SECONDS - (self._clock.steady() - intended)
            with anyio.move_on_after(max(0.0, left)) as turn:
                await self._gate.enter(is_operation=True)
            if turn.cancelled_caught:
                return Unsent("held back: its turn came too late", stale=True)
        try:
            url = URL(f"{self._operations}{device}/", encoded=True)
            outcome = await self._tell("PUT", url, _BODIES[operation], intended=intended)
        finally:
            self._gate.leave(is_operation=True)
        if isinstance(outcome, Failure):
            if outcome.was_sent:
                return Lost(outcome.reason)
            return Unsent(outcome.reason, stale=outcome.is_stale)
        self._take_note(outcome)
        return http_answers.operation_answer(outcome, device, operation, self._token.secrets)

    async def create_device(self, fields: Mapping[str, object]) -> Reading:
        url = URL(self._devices, encoded=True)
        return self._as_changed(await self._change("POST", url, fields), fields)

    async def replace_device(self, device: DeviceId, fields: Mapping[str, object]) -> Reading:
        url = self._address(device)
        return self._as_changed(await self._change("PUT", url, fields), fields)

    async def update_device(self, device: DeviceId, fields: Mapping[str, object]) -> Reading:
        url = self._address(device)
        return self._as_changed(await self._change("PATCH", url, fields), fields)

    async def delete_device(self, device: DeviceId) -> None:
        await self._change("DELETE", self._address(device), None)

    def _address(self, device: DeviceId) -> URL:
        return URL(f"{self._devices}{device}/", encoded=True)

    def _page_address(self, wanted: DeviceFilter, offset: int, limit: int) -> URL:
        return URL(self._devices + listing_query(wanted, offset=offset, limit=limit), encoded=True)

    async def _read(self, url: URL, understand: Callable[[Reply], _T], *, also: int = 0) -> _T:
        """Read plainly once: the retry machinery is dear, and seldom needed."""
        outcome = await self._ask(url, understand, also=also)
        if isinstance(outcome, _Missed) and outcome.may_repeat and self._retries.attempts > 1:
            outcome = await self._read_again(url, understand, also, outcome)
        if isinstance(outcome, _Missed):
            raise outcome.error
        return outcome

    async def _read_again(
        self, url: URL, understand: Callable[[Reply], _T], also: int, missed: _Missed
    ) -> _T | _Missed:
        first: list[_Missed] = [missed]

        async def attempt() -> _T | _Missed:
            return first.pop() if first else await self._ask(url, understand, also=also)

        retrying = tenacity.AsyncRetrying(
            sleep=self._clock.sleep,
            stop=tenacity.stop_after_attempt(self._retries.attempts),
            wait=self._wait_before_retry,
            retry=tenacity.retry_if_result(_may_repeat),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        return await retrying(attempt)

    def _wait_before_retry(self, state: tenacity.RetryCallState) -> float:
        """Give full jitter, on top of what the controller asked for."""
        policy = self._retries
        highest = min(policy.longest_wait, policy.first_wait * 2 ** (state.attempt_number - 1))
        wait = self._rng.uniform(0.0, highest)
        missed = state.outcome and state.outcome.result()
        if isinstance(missed, _Missed) and missed.retry_after is not None:
            wait += missed.retry_after
        return wait

    async def _ask(
        self,
        url: URL,
        understand: Callable[[Reply], _T],
        *,
        also: int = 0,
        is_patient: bool = False,
    ) -> _T | _Missed:
        """Read once; once more if the token was refused and its file holds a new one by now."""
        token = self._token.header
        reply = await self._ask_once(url, is_patient=is_patient)
        refused = isinstance(reply, Reply) and reply.status == _UNAUTHORISED
        if refused and self._token.header != token:
            reply = await self._ask_once(url, is_patient=is_patient)
        if isinstance(reply, Failure):
            return _Missed(UnreachableError(reply.reason), not reply.is_certificate)
        if not reply.is_success and reply.status != also:
            error = http_answers.refusal_error(reply, self._token.secrets)
            wait = reply.retry_after
            may_repeat = reply.is_passing_trouble and (wait is None or wait <= LONGEST_HOLD)
            return _Missed(error, may_repeat, wait)
        try:
            return understand(reply)
        except UnreadableError as trouble:
            message = f"the controller's answer to a read cannot be used: {trouble}"
        message = http_answers.hidden(message, self._token.secrets)
        return _Missed(ControllerError(message, status=reply.status), may_repeat=True)

    async def _ask_once(self, url: URL, *, is_patient: bool) -> Reply | Failure:
        await self._gate.enter(is_operation=False)
        try:
            reply = await self._wire.ask(url, is_patient=is_patient)
        finally:
            self._gate.leave(is_operation=False)
        if isinstance(reply, Reply):
            self._take_note(reply)
        return reply

    async def _tell(
        self, method: str, url: URL, body: bytes, *, intended: float | None = None
    ) -> Reply | Failure:
        """Send once; only a connection on which nothing was written is replaced by another one."""
        gate = None if intended is None else self._gate
        for _ in range(_CLOSED_CONNECTIONS):
            departure = Departure(self._clock, gate, intended)
            outcome = await self._wire.tell(method, url, body, departure)
            if isinstance(outcome, Reply) or not outcome.found_closed:
                break
        return outcome

    async def _change(self, method: str, url: URL, fields: Mapping[str, object] | None) -> Reply:
        body = b"" if fields is None else orjson.dumps(dict(fields))
        await self._gate.enter(is_operation=False)
        try:
            outcome = await self._tell(method, url, body)
        finally:
            self._gate.leave(is_operation=False)
        if isinstance(outcome, Failure):
            doubt = "; whether the change was made is not known" if outcome.was_sent else ""
            raise UnreachableError(outcome.reason + doubt)
        self._take_note(outcome)
        if not outcome.is_success:
            raise http_answers.refusal_error(outcome, self._secrets(fields))
        return outcome

    def _take_note(self, reply: Reply) -> None:
        """Let everything wait when the controller says so; read the token anew when refused."""
        if reply.is_busy and reply.retry_after is not None:
            self._gate.hold_until(self._clock.now() + reply.retry_after)
        if reply.status == _UNAUTHORISED:
            self._renew_token()

    def _as_changed(self, reply: Reply, fields: Mapping[str, object]) -> Reading:
        try:
            device = http_answers.one_device(reply)
        except UnreadableError as trouble:
            message = f"the controller took the change, but its answer cannot be used: {trouble}"
        else:
            return Reading(device.id, device, reply.asked_at, reply.server_at, is_detail=False)
        message = http_answers.hidden(message, self._secrets(fields))
        raise ControllerError(message, status=reply.status)

    def _secrets(self, fields: Mapping[str, object] | None) -> tuple[str, ...]:
        return (*self._token.secrets, *http_answers.secrets_among(fields or {}))

    def _renew_token(self) -> None:
        try:
            self._token.refresh()
        except SettingsError:
            return  # the refusal is what gets reported


def _may_repeat(outcome: object) -> bool:
    return isinstance(outcome, _Missed) and outcome.may_repeat
