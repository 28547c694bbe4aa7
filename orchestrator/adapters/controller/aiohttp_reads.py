"""How a read is asked for: behind the gate, repeated where that is safe, each failure one error.

What crosses the wire stands in aiohttp_wire, what an answer means in http_answers.
"""

import random
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from orchestrator.adapters.controller import http_answers
from orchestrator.adapters.controller.aiohttp_wire import Failure, Wire
from orchestrator.adapters.controller.http_answers import Reply, UnreadableError
from orchestrator.adapters.controller.request_gate import LONGEST_HOLD, RequestGate
from orchestrator.adapters.controller.token_source import TokenSource
from orchestrator.model.errors import ControllerError, SettingsError, UnreachableError
from orchestrator.ports import Clock

_T = TypeVar("_T")

_UNAUTHORISED = 401


@dataclass(frozen=True, slots=True)
class ReadRetries:
    """How often a read is tried when the controller or the network is in trouble."""

    attempts: int = 4
    """The first included."""
    first_wait: float = 1.0
    """Seconds; doubles each time, with full jitter."""
    longest_wait: float = 30.0


@dataclass(frozen=True, slots=True)
class Missed:
    """A read that brought nothing usable."""

    error: ControllerError
    may_repeat: bool
    retry_after: float | None = None


class HttpReads:
    """Reads over one wire; shared by all who read from the same controller."""

    def __init__(
        self,
        wire: Wire,
        token: TokenSource,
        gate: RequestGate,
        clock: Clock,
        *,
        retries: ReadRetries,
        rng: random.Random,
    ) -> None:
        self._wire = wire
        self._token = token
        self._gate = gate
        self._clock = clock
        self._retries = retries
        self._rng = rng

    async def read(
        self, target: str, understand: Callable[[Reply], _T], *, also: Container[int] = ()
    ) -> _T:
        """Read, and repeat while the trouble is a passing one; `also` are statuses that are understood.

        Raises ControllerError.
        """
        # Plainly once: the retry machinery is dear, and seldom needed.
        outcome = await self.ask(target, understand, also=also)
        if isinstance(outcome, Missed) and outcome.may_repeat and self._retries.attempts > 1:
            outcome = await self._read_again(target, understand, also, outcome)
        if isinstance(outcome, Missed):
            raise outcome.error
        return outcome

    async def read_patiently(
        self, target: str, understand: Callable[[Reply], _T], *, also: Container[int] = ()
    ) -> _T:
        """Read what has the controller contact the device first: given longer, and never repeated.

        Raises ControllerError.
        """
        outcome = await self.ask(target, understand, also=also, is_patient=True)
        if isinstance(outcome, Missed):
            raise outcome.error
        return outcome

    async def ask(
        self,
        target: str,
        understand: Callable[[Reply], _T],
        *,
        also: Container[int] = (),
        is_patient: bool = False,
    ) -> _T | Missed:
        """Read once; once more if the token was refused and its file holds a new one by now."""
        token = self._token.header
        reply = await self._ask_once(target, is_patient=is_patient)
        refused = isinstance(reply, Reply) and reply.status == _UNAUTHORISED
        if refused and self._token.header != token:
            reply = await self._ask_once(target, is_patient=is_patient)
        if isinstance(reply, Failure):
            return Missed(UnreachableError(reply.reason), not reply.is_certificate)
        if not reply.is_success and reply.status not in also:
            error = http_answers.refusal_error(reply, self._token.secrets)
            wait = reply.retry_after
            may_repeat = reply.is_passing_trouble and (wait is None or wait <= LONGEST_HOLD)
            return Missed(error, may_repeat, wait)
        try:
            return understand(reply)
        except UnreadableError as trouble:
            message = f"the controller's answer to a read cannot be used: {trouble}"
        message = http_answers.hidden(message, self._token.secrets)
        return Missed(ControllerError(message, status=reply.status), may_repeat=True)

    def take_note(self, reply: Reply) -> None:
        """Let everything wait when the controller says so; read the token anew when refused."""
        if reply.is_busy and reply.retry_after is not None:
            self._gate.hold_until(self._clock.now() + reply.retry_after)
        if reply.status == _UNAUTHORISED:
            self._renew_token()

    async def _ask_once(self, target: str, *, is_patient: bool) -> Reply | Failure:
        await self._gate.enter(is_operation=False)
        try:
            reply = await self._wire.ask(target, is_patient=is_patient)
        finally:
            self._gate.leave(is_operation=False)
        if isinstance(reply, Reply):
            self.take_note(reply)
        return reply

    async def _read_again(
        self, target: str, understand: Callable[[Reply], _T], also: Container[int], missed: Missed
    ) -> _T | Missed:
        first: list[Missed] = [missed]

        async def attempt() -> _T | Missed:
            return first.pop() if first else await self.ask(target, understand, also=also)

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
        if isinstance(missed, Missed) and missed.retry_after is not None:
            wait += missed.retry_after
        return wait

    def _renew_token(self) -> None:
        try:
            self._token.refresh()
        except SettingsError:
            return  # the refusal is what gets reported


def _may_repeat(outcome: object) -> bool:
    return isinstance(outcome, Missed) and outcome.may_repeat
