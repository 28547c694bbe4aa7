"""A thread for one thing alone: work is handed to it sooner than to a pool of threads."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")
_Order = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class OwnThread:
    """Does one piece of work after another; begun with the first, ended by `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._thread: Thread | None = None

    def run(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Promise what the work gives or raises; the loop goes on meanwhile."""
        if self._thread is None:
            # A process must be able to end although somebody forgot to close.
            self._thread = Thread(target=_obey, args=(self._orders,), name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        self._orders.put((work, loop, outcome))
        return outcome

    def close(self) -> None:
        """Wait for the work at hand and end the thread; work given afterwards begins another."""
        if self._thread is not None:
            self._orders.put(None)
            self._thread.join()
            self._thread = None


def _obey(orders: "SimpleQueue[_Order | None]") -> None:
    while (order := orders.get()) is not None:
        work, loop, outcome = order
        try:
            tell, told = outcome.set_result, work()
        except BaseException as error:  # noqa: BLE001 - raised where the work is awaited
            tell, told = outcome.set_exception, error
        with suppress(RuntimeError):  # nobody waits any more: the loop was closed
            loop.call_soon_threadsafe(_settle, outcome, tell, told)
        # An order holds on to what the work is done for.
        del order, work, loop, outcome, tell, told


def _settle(outcome: "asyncio.Future[Any]", tell: Callable[[Any], None], told: Any) -> None:
    if not outcome.done():
        tell(told)
