"""Watches the journal's sync from outside."""

import os
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.adapters.runs import file_journal
from tests.bench.measuring import Stamp


class DurableBytes:
    """Notes before each sync of the journal how much there is, and after it when that was durable."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.moments: list[float] = []
        self._sync = file_journal._sync

    @contextmanager
    def watching(self) -> Iterator["DurableBytes"]:
        """Stand before the journal's sync for as long as this lasts."""
        file_journal._sync = self
        try:
            yield self
        finally:
            file_journal._sync = self._sync

    def __call__(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        self._sync(descriptor)
        self.sizes.append(size)
        self.moments.append(Stamp.now().at)

    def since(self, end: int) -> float:
        """Give the moment from which the first `end` bytes of the journal were durable."""
        return self.moments[bisect_left(self.sizes, end)]
