"""An event loop whose time jumps to the next timer whenever nothing is left to do."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import anyio
from anyio import to_thread

from orchestrator.adapters.runs.file_journal import FileJournal

T = TypeVar("T")

START = 1_800_000_000.0
"""The moment at which every virtual campaign begins."""


class JumpLoop(asyncio.SelectorEventLoop):
    """Waits for threads and sockets in real time, and for timers not at all."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.at_work = 0
        """Threads, and appends to a journal, whose end has to come before any later moment."""
        super().__init__(_JumpSelector(self))

    def time(self) -> float:
        return self.elapsed


class _JumpSelector(selectors.DefaultSelector):
    """Where a loop would sleep, time passes instead, unless somebody is still at work."""

    def __init__(self, loop: JumpLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or (timeout > 0 and self._loop.at_work):
            return super().select(None)
        found = super().select(0)
        if not found:
            self._loop.elapsed += timeout
        return found


class JumpClock:
    """The clock port on the loop's own time; CPU takes none of it."""

    speed = 1.0

    def now(self) -> float:
        return START + asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            await anyio.sleep(seconds)

    def steady(self) -> float:
        return asyncio.get_running_loop().time()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Do it to the end in virtual time; threads and journals are waited for in real time."""
    with asyncio.Runner(loop_factory=JumpLoop) as runner, _waiting_for_work():
        return runner.run(main)


@contextmanager
def _waiting_for_work() -> Iterator[None]:
    """Have every thread's piece of work and every append keep the time from jumping."""
    in_thread, append = to_thread.run_sync, FileJournal.append
    to_thread.run_sync, FileJournal.append = _counted(in_thread), _counted(append)
    try:
        yield
    finally:
        to_thread.run_sync, FileJournal.append = in_thread, append


def _counted(work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def counted(*arguments: object, **named: object) -> object:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpLoop)
        loop.at_work += 1
        try:
            return await work(*arguments, **named)
        finally:
            loop.at_work -= 1

    return counted
