"""The leases port in memory: the twin of the locks on disk, for runs that share one table."""

import os
from collections.abc import Callable
from types import TracebackType
from typing import Self

from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import RunError

RECENT_SECONDS = 120.0


class MemoryLeaseTable:
    """The machine that several twins are on; `wall` is its clock."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self.wall = wall
        self.held: dict[tuple[str, DeviceId], MemoryLeases] = {}
        self.living: set[MemoryLeases] = set()
        self.ended: list[tuple[str, str, float]] = []
        """Controller, run and moment of each end."""


class MemoryLeases:
    """Holds devices in a table; what it holds is free again when it is closed."""

    def __init__(self, table: MemoryLeaseTable, controller: str, run_id: str) -> None:
        self._table = table
        self._controller = controller.rstrip("/")
        self._run_id = run_id
        table.living.add(self)

    def __str__(self) -> str:
        return f"run {self._run_id} (process {os.getpid()}, in memory)"

    def hold(self, device: DeviceId) -> str | None:
        self._check_open()
        holder = self._table.held.setdefault((self._controller, device), self)
        return None if holder is self else str(holder)

    def release(self, device: DeviceId) -> None:
        if self._table.held.get((self._controller, device)) is self:
            del self._table.held[self._controller, device]

    @property
    def is_alone(self) -> bool:
        self._check_open()
        others = (each for each in self._table.living if each is not self)
        if any(each._controller == self._controller for each in others):  # noqa: SLF001 - its twin
            return False
        now = self._table.wall()
        return not any(
            controller == self._controller and run != self._run_id and now - at < RECENT_SECONDS
            for controller, run, at in self._table.ended
        )

    def close(self) -> None:
        """Give every device back and leave word when this run ended."""
        if self in self._table.living:
            self._table.living.discard(self)
            self._table.ended.append((self._controller, self._run_id, self._table.wall()))
        for key in [key for key, holder in self._table.held.items() if holder is self]:
            del self._table.held[key]

    def _check_open(self) -> None:
        if self not in self._table.living:
            raise RunError("the leases in memory are given up; open them anew")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
