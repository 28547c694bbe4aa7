"""Queues in which whoever is blocked steps aside and holds up nobody behind."""

from collections import deque
from collections.abc import Callable, Hashable, Iterator, KeysView
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")
Blocker = Callable[[T], Hashable | None]


class Lanes(Generic[T]):
    """Items in their order; one that something blocks waits aside until that something is freed.

    Whatever blocks is named by any hashable value. Freeing wakes one item, and each item that
    wakes wakes the next, so nothing here costs more for the many that wait.
    """

    def __init__(self, blocker: Blocker[T]) -> None:
        self._blocker = blocker
        self._source: Iterator[tuple[int, T]] = iter(())
        self._ready: list[tuple[int, int, T, Hashable | None]] = []
        self._ties = count()
        self._aside: dict[Hashable, deque[tuple[int, T]]] = {}
        self._waking: set[Hashable] = set()
        self._order = 0

    def fill(self, items: Iterator[T]) -> None:
        """Put these behind all others, drawing each from the iterator when its turn comes."""
        self._source = enumerate(items, start=self._order + 1)

    def put(self, item: T) -> None:
        """Put one item behind those that came by `put`."""
        self._order += 1
        heappush(self._ready, (self._order, next(self._ties), item, None))

    @property
    def blockers(self) -> KeysView[Hashable]:
        """Whatever holds somebody aside now."""
        return self._aside.keys()

    @property
    def is_anybody_aside(self) -> bool:
        """True while something holds somebody back."""
        return bool(self._aside)

    def aside(self, blocker: Hashable) -> int:
        """Count those who wait for this."""
        return len(self._aside.get(blocker, ()))

    def draw(self) -> T | None:
        """Take the first item that nothing blocks."""
        while (found := self._next()) is not None:
            position, item, woken_by = found
            blocker = self._blocker(item)
            if woken_by is not None:
                self._waking.discard(woken_by)
                if blocker != woken_by:
                    self.free(woken_by)
            if blocker is None:
                return item
            waiting = self._aside.setdefault(blocker, deque())
            if blocker == woken_by:
                waiting.appendleft((position, item))
            else:
                waiting.append((position, item))
        return None

    def _next(self) -> tuple[int, T, Hashable | None] | None:
        if self._ready:
            position, _, item, woken_by = heappop(self._ready)
            return position, item, woken_by
        drawn = next(self._source, None)
        if drawn is None:
            return None
        self._order = max(self._order, drawn[0])
        return drawn[0], drawn[1], None

    def free(self, blocker: Hashable) -> None:
        """There may be room again: let the first of those who wait for this try."""
        waiting = self._aside.get(blocker)
        if not waiting or blocker in self._waking:
            return
        position, item = waiting.popleft()
        if not waiting:
            del self._aside[blocker]
        self._waking.add(blocker)
        heappush(self._ready, (position, next(self._ties), item, blocker))

    def dismiss(self, blocker: Hashable) -> Iterator[T]:
        """Take out those who wait for this; it will not be freed any more."""
        while waiting := self._aside.get(blocker):
            _, item = waiting.popleft()
            if not waiting:
                del self._aside[blocker]
            yield item

    def drain(self) -> Iterator[T]:
        """Take out everybody, in no certain order."""
        self._waking.clear()
        while self._ready:
            yield heappop(self._ready)[2]
        for blocker in tuple(self._aside):
            yield from self.dismiss(blocker)
        while (drawn := next(self._source, None)) is not None:
            yield drawn[1]
