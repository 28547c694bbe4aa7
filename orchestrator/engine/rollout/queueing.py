"""Queues in which whoever is blocked steps aside and holds up nobody behind."""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Hashable, Iterator, KeysView, Sequence
from heapq import heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")
Blocker = Callable[[T], Hashable | None]

_SLACK = 256
"""Places given up at the head of a line before it is moved together."""


class _Line:
    """Numbers that wait one behind the other, four bytes each."""

    __slots__ = ("_head", "_numbers")

    def __init__(self) -> None:
        self._numbers = array("I")
        self._head = 0

    def __len__(self) -> int:
        return len(self._numbers) - self._head

    def append(self, number: int) -> None:
        self._numbers.append(number)

    def put_back(self, number: int) -> None:
        """Put it before all others."""
        if self._head:
            self._head -= 1
            self._numbers[self._head] = number
        else:
            self._numbers.insert(0, number)

    def take(self) -> int:
        """Take the first; raises IndexError when nobody waits."""
        number = self._numbers[self._head]
        self._head += 1
        if self._head >= _SLACK and self._head * 2 >= len(self._numbers):
            del self._numbers[: self._head]
            self._head = 0
        return number


class _Waiting(ABC, Generic[T]):
    """Items in the order of their numbers; one that something blocks waits aside until it is freed.

    Whatever blocks is named by any hashable value. Freeing wakes one item, and each item that
    wakes wakes the next, so nothing here costs more for the many that wait.
    """

    def __init__(self, blocker: Blocker[T]) -> None:
        self._blocker = blocker
        self._ready: list[tuple[int, Hashable | None]] = []
        self._aside: dict[Hashable, _Line] = {}
        self._waking: set[Hashable] = set()

    @abstractmethod
    def _item(self, number: int) -> T:
        """Give the item of a number that waits."""

    @abstractmethod
    def _taken(self, number: int) -> T:
        """Give the item of a number that waits no longer."""

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
            number, woken_by = found
            blocker = self._blocker(self._item(number))
            if woken_by is not None:
                self._waking.discard(woken_by)
                if blocker != woken_by:
                    self.free(woken_by)
            if blocker is None:
                return self._taken(number)
            line = self._aside.get(blocker)
            if line is None:
                line = self._aside[blocker] = _Line()
            if blocker == woken_by:
                line.put_back(number)
            else:
                line.append(number)
        return None

    def _next(self) -> tuple[int, Hashable | None] | None:
        return heappop(self._ready) if self._ready else None

    def free(self, blocker: Hashable) -> None:
        """There may be room again: let the first of those who wait for this try."""
        if blocker in self._aside and blocker not in self._waking:
            self._waking.add(blocker)
            heappush(self._ready, (self._first(blocker), blocker))

    def _first(self, blocker: Hashable) -> int:
        line = self._aside[blocker]
        number = line.take()
        if not line:
            del self._aside[blocker]
        return number

    def dismiss(self, blocker: Hashable) -> Iterator[T]:
        """Take out those who wait for this; it will not be freed any more."""
        while blocker in self._aside:
            yield self._taken(self._first(blocker))

    def drain(self) -> Iterator[T]:
        """Take out everybody, in no certain order."""
        self._waking.clear()
        while (found := self._next()) is not None:
            yield self._taken(found[0])
        for blocker in tuple(self._aside):
            yield from self.dismiss(blocker)


class Lanes(_Waiting[T]):
    """Items that come one by one."""

    def __init__(self, blocker: Blocker[T]) -> None:
        super().__init__(blocker)
        self._items: dict[int, T] = {}
        self._number = 0

    def put(self, item: T) -> None:
        """Put one item behind all others."""
        self._number += 1
        self._items[self._number] = item
        heappush(self._ready, (self._number, None))

    def _item(self, number: int) -> T:
        return self._items[number]

    def _taken(self, number: int) -> T:
        return self._items.pop(number)


class Places(_Waiting[T]):
    """Members of a sequence, drawn by their places: nobody who waits is held, only his place.

    Whoever `is_gone` when his turn comes is passed over.
    """

    def __init__(
        self,
        members: Sequence[T],
        blocker: Blocker[T],
        is_gone: Callable[[T], bool] = lambda _: False,
    ) -> None:
        super().__init__(blocker)
        self.members = members
        self._is_gone = is_gone
        self._untried = iter(range(0))
        self._seen: tuple[int, T] | None = None
        """The place that was looked up last, for looking up may cost a decoding."""

    def fill(self, places: range) -> None:
        """Let those at these places have their turn, behind all others; each is looked up only then."""
        self._untried = iter(places)

    def _next(self) -> tuple[int, Hashable | None] | None:
        found = super()._next()
        if found is not None:
            return found
        for place in self._untried:
            if not self._is_gone(self._item(place)):
                return place, None
        return None

    def _item(self, number: int) -> T:
        if self._seen is None or self._seen[0] != number:
            self._seen = (number, self.members[number])
        return self._seen[1]

    def _taken(self, number: int) -> T:
        return self._item(number)
