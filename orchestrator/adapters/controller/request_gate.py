"""The one door of the process for requests: how many at once, how often, how far apart."""

import asyncio
import math
from collections import deque

from orchestrator.model.policies import RequestLimits
from orchestrator.ports import Clock

LONGEST_HOLD = 300.0
"""Seconds that a Retry-After may hold everything; a controller cannot put us to sleep for a day."""

_CATCH_UP = 0.1
"""Seconds a waiter may make up for: timers wake late, and the rate is to be reached still."""

_HAIR = 1e-6
"""Wider than the grain of a moment since 1970, so that rounding never breaks a limit."""


class RequestGate:
    """Holds the limits over all requests of the process; operations pass before waiting reads.

    Every `enter` that returned needs one `leave`. Safe to cancel anywhere. Times are the clock's.
    """

    def __init__(self, clock: Clock, limits: RequestLimits) -> None:
        if limits.in_flight < 1:
            raise ValueError("at least one request has to be allowed in flight")
        if limits.per_second is not None and not limits.per_second > 0:
            raise ValueError("a rate is above zero; None is no limit")
        self.limits = limits
        self._clock = clock
        self._reads_limit = max(1, limits.in_flight // 2)
        self._in_flight = 0
        self._reads = 0
        self._waiting_operations: deque[_Waiter] = deque()
        self._waiting_reads: deque[_Waiter] = deque()
        self._spacing = 0.0
        self._window = 1.0
        self._starts: deque[float] = deque()
        if limits.per_second is not None:
            whole = max(1, math.floor(limits.per_second))
            self._spacing = 1 / limits.per_second
            self._window = max(1.0, self._spacing)
            self._starts = deque(maxlen=whole)
        self._due = -math.inf
        self._hold_until = -math.inf
        self._admitted_at = -math.inf
        self._departed_at = -math.inf
        self._delay = limits.delay

    @property
    def in_flight(self) -> int:
        """Requests that are under way now."""
        return self._in_flight

    @property
    def spaces_operations(self) -> bool:
        """True when operation requests have to keep a distance."""
        return self._delay > 0

    async def enter(self, *, is_operation: bool) -> None:
        """Return when a request may start; it is counted from then until `leave`."""
        if not self.try_enter(is_operation=is_operation):
            await self._wait_for_turn(is_operation=is_operation)

    def try_enter(self, *, is_operation: bool) -> bool:
        """Count a request in if it may start right now, without overtaking anybody."""
        queue = self._waiting_operations if is_operation else self._waiting_reads
        if queue or self._blocked_for(is_operation=is_operation) > 0:
            return False
        self._start(is_operation=is_operation, lateness=0.0)
        return True

    def leave(self, *, is_operation: bool) -> None:
        """Count a request out."""
        self._in_flight -= 1
        if not is_operation:
            self._reads -= 1
        if self._waiting_operations or self._waiting_reads:
            self._wake()

    def hold_until(self, moment: float) -> None:
        """Start nothing before that moment (Retry-After), but at most LONGEST_HOLD from now."""
        bounded = min(moment, self._clock.now() + LONGEST_HOLD)
        self._hold_until = max(self._hold_until, bounded)

    def departure_wait(self) -> float:
        """Give the seconds until the next operation request may leave the machine; 0 is now."""
        return max(0.0, self._departed_at + self._delay - self._clock.now())

    def departed(self) -> None:
        """Take note that the bytes of an operation request are leaving now."""
        if self._delay > 0:
            self._departed_at = self._clock.now()

    async def _wait_for_turn(self, *, is_operation: bool) -> None:
        queue = self._waiting_operations if is_operation else self._waiting_reads
        waiter = _Waiter()
        queue.append(waiter)
        try:
            while True:
                wait = math.inf
                if queue[0] is waiter:
                    wait = self._blocked_for(is_operation=is_operation)
                if wait <= 0:
                    self._start(is_operation=is_operation, lateness=_CATCH_UP)
                    return
                if wait < math.inf:
                    # Nothing makes a wait for a moment shorter, so only time need wake us.
                    await self._clock.sleep(wait)
                else:
                    await waiter.woken()
        finally:
            queue.remove(waiter)
            self._wake()

    def _blocked_for(self, *, is_operation: bool) -> float:
        """Give the seconds until it may start; infinite when another one has to end first."""
        if self._in_flight >= self.limits.in_flight:
            return math.inf
        if not is_operation and self._reads >= self._reads_limit:
            return math.inf
        if not is_operation and self._waiting_operations and self._operation_is_due():
            return math.inf
        free_at = max(self._hold_until, self._due)
        if self._starts and len(self._starts) == self._starts.maxlen:
            free_at = max(free_at, self._starts[0] + self._window + _HAIR)
        if is_operation and self._delay > 0:
            free_at = max(free_at, self._admitted_at + self._delay, self._departed_at + self._delay)
        if free_at == -math.inf:
            return 0.0
        return free_at - self._clock.now()

    def _operation_is_due(self) -> bool:
        """Say whether the delay allows the next operation; reads pass until it does."""
        last = max(self._admitted_at, self._departed_at)
        return self._delay <= 0 or self._clock.now() >= last + self._delay

    def _start(self, *, is_operation: bool, lateness: float) -> None:
        self._in_flight += 1
        if not is_operation:
            self._reads += 1
        if self._spacing > 0 or (is_operation and self._delay > 0):
            now = self._clock.now()
            if self._spacing > 0:
                self._starts.append(now)
                self._due = max(self._due, now - lateness) + self._spacing
            if is_operation:
                self._admitted_at = now

    def _wake(self) -> None:
        if self._waiting_operations:
            self._waiting_operations[0].wake()
        if self._waiting_reads:
            self._waiting_reads[0].wake()


class _Waiter:
    """One request's place in the queue; woken to look again, never granted from outside."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None

    async def woken(self) -> None:
        self._future = asyncio.get_running_loop().create_future()
        await self._future

    def wake(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)
