"""Who may start next: free places for devices down and for requests, and the queues before them."""

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeGuard

from orchestrator.engine.rollout.queueing import Lanes, Places
from orchestrator.engine.rollout.sparing import Group, Groups
from orchestrator.engine.walking.progressing import DeviceRun
from orchestrator.model.plans import Limits, PlannedDevice
from orchestrator.model.steps import RequestStep, Step

FRESH_AHEAD = 20.0
"""Seconds of sending for which records are read ahead, well within the guard's freshness."""

CENSUS = "census"
"""Blocks everybody in a group while nobody knows which devices are down anyway."""

BlockedBy = Callable[[PlannedDevice], Hashable | None]


class Admissions:
    """The queues of a run. Devices in the middle of their chain go before those not yet begun.

    A place among the `max_down`, and in each of the device's groups, is taken before its record is
    read for the guard and is held until evidence or verdict; so the limits hold at every moment.
    """

    def __init__(
        self,
        limits: Limits,
        steps: tuple[Step, ...],
        devices: Sequence[PlannedDevice] = (),
        *,
        has_begun: Callable[[PlannedDevice], bool] = lambda _: False,
        is_closed: BlockedBy = lambda _: None,
        knows_census: Callable[[], bool] = lambda: True,
    ) -> None:
        self.limits = limits
        self.groups = Groups(limits.max_down_per)
        self.down = 0
        """Devices that hold a place because of a request that was intended."""
        self.in_flight = 0
        """Operation requests without an answer."""
        self._is_closed = is_closed
        self._knows_census = knows_census
        self._reserved: set[int] = set()
        self._approaching: set[int] = set()
        self._gentle: deque[DeviceRun] = deque()
        self._disruptive = Lanes[DeviceRun](self._blocks_disruption)
        self.fresh = Places[PlannedDevice](devices, self._blocks_beginning, has_begun)
        """Devices of the present wave that were not begun yet."""
        self.cleared: deque[DeviceRun] = deque()
        """Devices whose record is fresh; they only wait for the pace."""
        self.holding: set[int] = set()
        """Devices that are being taken for this run, so that no other run touches them."""
        self.guarding: set[int] = set()
        """Devices whose record is being read for the guard."""
        self._approach = _steps_before_disruption(steps)
        """For each step a walk may begin at: the steps before the first disruptive one; None is none."""

    @property
    def free_places(self) -> int:
        """Devices that may still be taken out of service now."""
        return self.limits.max_down - self.down - len(self._reserved)

    @property
    def getting_ready(self) -> int:
        """Devices on their way from a queue to the wire."""
        return len(self.cleared) + len(self.guarding) + len(self.holding)

    # --- who blocks whom --------------------------------------------------------------------------

    def _blocks_beginning(self, planned: PlannedDevice) -> Hashable | None:
        closed = self._is_closed(planned)
        if closed is not None or self._approach[planned.begins_at] != 0:
            return closed
        return self._no_room_in_group(planned)

    def _blocks_disruption(self, run: DeviceRun) -> Hashable | None:
        if run.is_out_of_patience:
            return self.groups.full_of_ours_for(run.planned)
        return self._no_room_in_group(run.planned)

    def _no_room_in_group(self, planned: PlannedDevice) -> Hashable | None:
        if not planned.groups:
            return None
        return self.groups.full_for(planned) if self._knows_census() else CENSUS

    def free(self, groups: tuple[Group, ...]) -> None:
        """There may be room in these groups again."""
        for group in groups:
            self._disruptive.free(group)
            self.fresh.free(group)

    def census_taken(self) -> None:
        """It is known again which devices are down."""
        self._disruptive.free(CENSUS)
        self.fresh.free(CENSUS)

    @property
    def blocked_groups(self) -> list[Group]:
        """Groups that hold somebody back now."""
        return [each for each in self._disruptive.blockers | self.fresh.blockers if _is_group(each)]

    @property
    def is_group_full(self) -> bool:
        """True while a group holds somebody back."""
        return any(map(_is_group, self._disruptive.blockers)) or any(
            map(_is_group, self.fresh.blockers)
        )

    def dismiss(self, group: Group) -> Iterator[DeviceRun | PlannedDevice]:
        """Take out whoever waits for a group that will not have room."""
        yield from self._disruptive.dismiss(group)
        yield from self.fresh.dismiss(group)

    # --- the queues -------------------------------------------------------------------------------

    def queue(self, run: DeviceRun) -> None:
        """A device may be tried as soon as there is room."""
        if run.operation.is_disruptive and not run.holds_slot:
            self._disruptive.put(run)
        else:
            self._gentle.append(run)

    def draw(self, may_begin: bool) -> DeviceRun | PlannedDevice | None:
        """Take the next device that there is room for: one in its chain, else one not yet begun."""
        if self._gentle:
            return self._gentle.popleft()
        if self.free_places > 0:
            waiting = self._disruptive.draw()
            if waiting is not None:
                return self._reserve(waiting)
        return self.fresh.draw() if may_begin and self._may_begin() else None

    def begin(self, run: DeviceRun) -> None:
        """A device begins its walk; if a disruptive step is still ahead, it will need a place."""
        approach = self._approach[run.planned.begins_at]
        if approach == 0:
            self._reserve(run)
        elif approach is not None:
            self._approaching.add(run.id)

    def _may_begin(self) -> bool:
        return self._approach[0] is None or self.free_places > len(self._approaching)

    def _reserve(self, run: DeviceRun) -> DeviceRun:
        self._reserved.add(run.id)
        self._approaching.discard(run.id)
        self.groups.take(run.planned)
        return run

    def is_beyond(self, run: DeviceRun) -> bool:
        """Say whether there is no room any more for a device that has its place.

        A limit was lowered meanwhile, or others in its group went out of service.
        """
        if run.id not in self._reserved:
            return False
        if self.free_places < 0:
            return True
        if run.is_out_of_patience:
            return self.groups.full_of_ours_for(run.planned) is not None
        return self.groups.are_beyond(run.planned)

    def release(self, run: DeviceRun) -> None:
        """A device gives back what it took before its request: sent by now, held back, or ended."""
        self.guarding.discard(run.id)
        self.holding.discard(run.id)
        if run.id in self._reserved:
            self._reserved.discard(run.id)
            if not run.holds_slot:
                self.free(self.groups.give_back(run.planned))

    def slot_taken(self, run: DeviceRun) -> None:
        """A request was intended that takes the device out of service."""
        self.down += 1
        self.groups.take(run.planned)

    def slot_given_back(self, run: DeviceRun) -> None:
        """The device is back, or was given up."""
        self.down -= 1
        self.free(self.groups.give_back(run.planned))

    def ended(self, run: DeviceRun) -> None:
        """A device needs nothing any more."""
        self.release(run)
        self._approaching.discard(run.id)

    def ahead(self, gap: float) -> int:
        """How many devices may be made ready ahead of the pace."""
        by_pace = int(FRESH_AHEAD / gap) if gap > 0 else 1000
        return max(2 * self.limits.in_flight, min(by_pace, 1000))

    def withdraw(self) -> Iterator[DeviceRun]:
        """Take back whoever is in a queue or ready to be sent; each has to be considered anew."""
        waiting = [*self.cleared, *self._gentle, *self._disruptive.drain()]
        self.cleared.clear()
        self._gentle.clear()
        for run in waiting:
            self.release(run)
            yield run

    @property
    def waits_for_group(self) -> bool:
        """True while somebody waits to be taken out of service, so that a census is worth its cost."""
        return self._disruptive.is_anybody_aside


def _is_group(blocker: Hashable) -> TypeGuard[Group]:
    return isinstance(blocker, tuple) and isinstance(blocker[0], int)


def _steps_before_disruption(steps: tuple[Step, ...]) -> tuple[int | None, ...]:
    """Give for each step how many there are from it to the next disruptive one."""
    found: list[int | None] = []
    ahead: int | None = None
    for step in reversed(steps):
        if isinstance(step, RequestStep) and step.operation.is_disruptive:
            ahead = 0
        elif ahead is not None:
            ahead += 1
        found.append(ahead)
    return tuple(reversed(found))
