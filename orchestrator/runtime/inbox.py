"""Where answers, readings and orders arrive for the one task that decides."""

from collections import deque

import anyio

from orchestrator.model.events import Event
from orchestrator.model.readings import Observation
from orchestrator.ports import Clock, Placed

LONGEST_WAIT = 5.0
"""Real seconds after which the loop looks up unasked: a machine that was suspended wakes late."""


class Inbox:
    """Two queues with one reader that can also be woken by the time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._items: deque[Event | Observation] = deque()
        self._orders: deque[Placed] = deque()
        self._bell = anyio.Event()

    def put(self, item: Event | Observation) -> None:
        """Leave something for the reader."""
        self._items.append(item)
        self._bell.set()

    def put_order(self, placed: Placed) -> None:
        """Leave an order for the reader, who owes an answer to it."""
        self._orders.append(placed)
        self._bell.set()

    def ring(self) -> None:
        """Wake the reader without leaving anything."""
        self._bell.set()

    def take(self) -> list[Event | Observation]:
        """Give everything that is there now but the orders."""
        items = list(self._items)
        self._items.clear()
        return items

    def take_order(self) -> Placed | None:
        """Give the oldest order; None when there is none."""
        return self._orders.popleft() if self._orders else None

    async def wait(self, until: float | None) -> None:
        """Return when something arrives, when the moment has come, or after a few real seconds."""
        if not self._items and not self._orders:
            seconds = LONGEST_WAIT
            if until is not None:
                seconds = min(seconds, (until - self._clock.now()) / self._clock.speed)
            with anyio.move_on_after(max(0.0, seconds)):
                await self._bell.wait()
        if self._bell.is_set():
            self._bell = anyio.Event()
