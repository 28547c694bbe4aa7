"""Who may start next: free places for devices down and for requests, and the queues before them."""

from collections import deque
from collections.abc import Iterator

from orchestrator.engine.progressing import DeviceRun
from orchestrator.model.plans import Limits, PlannedDevice
from orchestrator.model.steps import OperationStep, Step

FRESH_AHEAD = 20.0
"""Seconds of sending for which records are read ahead, well within the guard's freshness."""


class Admissions:
    """The queues of a run. Devices in the middle of their chain go before those not yet begun.

    A place among the `max_down` is taken before a device's record is read for the guard and is
    held until evidence or verdict; so the limit holds at every moment, not on average.
    """

    def __init__(self, limits: Limits, steps: tuple[Step, ...]) -> None:
        self.limits = limits
        self.down = 0
        """Devices that hold a place because of a request that was intended."""
        self.in_flight = 0
        """Operation requests without an answer."""
        self._reserved: set[int] = set()
        self._approaching: set[int] = set()
        self._gentle: deque[DeviceRun] = deque()
        self._disruptive: deque[DeviceRun] = deque()
        self.cleared: deque[DeviceRun] = deque()
        """Devices whose record is fresh; they only wait for the pace."""
        self.guarding: set[int] = set()
        """Devices whose record is being read for the guard."""
        self._approach = _steps_before_disruption(steps)

    @property
    def free_places(self) -> int:
        """Devices that may still be taken out of service now."""
        return self.limits.max_down - self.down - len(self._reserved)

    def queue(self, run: DeviceRun) -> None:
        """A device may be tried as soon as there is room."""
        if run.operation.is_disruptive:
            self._disruptive.append(run)
        else:
            self._gentle.append(run)

    def draw(self, fresh: Iterator[PlannedDevice]) -> DeviceRun | PlannedDevice | None:
        """Take the next device that there is room for: one in its chain, else one not yet begun."""
        if self._gentle:
            return self._gentle.popleft()
        if self._disruptive:
            if self.free_places <= 0:
                return None
            return self._reserve(self._disruptive.popleft())
        return next(fresh, None) if self._may_begin() else None

    def begin(self, run: DeviceRun) -> None:
        """A device begins its walk; if a disruptive step is still ahead, it will need a place."""
        if self._approach == 0:
            self._reserve(run)
        elif self._approach is not None:
            self._approaching.add(run.id)

    def _may_begin(self) -> bool:
        return self._approach is None or self.free_places > len(self._approaching)

    def _reserve(self, run: DeviceRun) -> DeviceRun:
        self._reserved.add(run.id)
        self._approaching.discard(run.id)
        return run

    def release(self, run: DeviceRun) -> None:
        """A device gives back what it took before its request: sent by now, held back, or ended."""
        self._reserved.discard(run.id)
        self.guarding.discard(run.id)

    def ended(self, run: DeviceRun) -> None:
        """A device needs nothing any more."""
        self.release(run)
        self._approaching.discard(run.id)

    def ahead(self, gap: float) -> int:
        """How many devices may be made ready ahead of the pace."""
        by_pace = int(FRESH_AHEAD / gap) if gap > 0 else 1000
        return max(2 * self.limits.in_flight, min(by_pace, 1000))

    def drain(self) -> Iterator[DeviceRun]:
        """Give up every queue: nothing new is sent any more."""
        for queue in (self.cleared, self._gentle, self._disruptive):
            while queue:
                run = queue.popleft()
                self.release(run)
                yield run


def _steps_before_disruption(steps: tuple[Step, ...]) -> int | None:
    for number, step in enumerate(steps):
        if isinstance(step, OperationStep) and step.operation.is_disruptive:
            return number
    return None
