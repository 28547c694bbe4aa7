"""The windows of a run, one in each time zone its devices live in, and who still fits into them."""

import math
from bisect import bisect_left, insort
from collections import deque

from orchestrator.engine.rollout import windowing
from orchestrator.engine.rollout.windowing import Openings
from orchestrator.engine.walking.progressing import DeviceRun
from orchestrator.model import events
from orchestrator.model.events import Event
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.model.windows import Opening

ENOUGH = 20
"""Device runs of this very run from which its own durations replace those of the plan."""

REMEMBERED = 500
"""Device runs whose durations are kept."""


class Zones:
    """Where and until when devices may be started; without a window always and everywhere."""

    def __init__(self, plan: Plan) -> None:
        self.window = plan.playbook.window
        self._zones: dict[str, Openings] = {}
        if self.window is not None:
            names = {device.zone or self.window.timezone for device in plan.devices}
            self._zones = {name: Openings(self.window, name) for name in sorted(names)}
        self.open_until: dict[str, float] = {}
        """Zones whose window is open, as far as recorded, and until when."""
        self.closed: dict[str, float | None] = {}
        """Zones whose window is closed, as far as recorded, and when it opens next."""
        self.over: list[str] = []
        """Zones whose window never opens again."""
        self.are_over = self.window is not None and not self._zones
        """True when no window of any zone ever opens again."""
        self._edge = -math.inf

    def zone_of(self, planned: PlannedDevice) -> str:
        """Name the time zone whose window holds for a device."""
        return planned.zone or (self.window.timezone if self.window else "")

    def may_start(self, planned: PlannedDevice, now: float, remaining: float) -> bool:
        """Say whether a device that needs this many seconds more may be started now."""
        if self.window is None:
            return True
        zone = self.zone_of(planned)
        if zone not in self.open_until:
            return False
        opening = self._zones[zone].at(now)
        return opening is not None and windowing.may_start(self.window, opening, now, remaining)

    def is_over(self, planned: PlannedDevice) -> bool:
        """Say whether the device's window is closed and never opens again."""
        zone = self.zone_of(planned)
        return zone in self.closed and self.closed[zone] is None

    @property
    def is_any_open(self) -> bool:
        """True when somebody may be started at all."""
        return self.window is None or bool(self.open_until)

    @property
    def next_edge(self) -> float | None:
        """The next moment, by our clock, at which a window opens or closes."""
        if not self._zones:
            return None
        edges = [*self.open_until.values(), *(at for at in self.closed.values() if at is not None)]
        if len(edges) + len(self.over) < len(self._zones):
            return 0.0  # of some nothing is recorded yet
        return min(edges, default=None)

    def decide(self, now: float) -> list[Event]:
        """Say which windows have opened and closed by now."""
        if now < self._edge:
            return []
        happened: list[Event] = []
        for zone, openings in self._zones.items():
            happened += self._of_zone(zone, openings, now)
        if not happened:
            self._edge = self.next_edge if self.next_edge is not None else math.inf
        return happened

    def _of_zone(self, zone: str, openings: Openings, now: float) -> list[Event]:
        opening = openings.at(now)
        until = self.open_until.get(zone)
        happened: list[Event] = []
        if until is None:
            if opening is not None:
                happened.append(events.WindowOpened(now, opening.end, zone))
            elif self._is_news(zone, now):
                happened.append(_closed(zone, openings.following(now), now))
        elif opening is None or now >= until:
            if opening is None or opening.start >= until:
                happened.append(_closed(zone, opening or openings.following(now), now))
            if opening is not None:  # the next one, or one whose end was not in sight
                happened.append(events.WindowOpened(now, opening.end, zone))
        return happened

    def _is_news(self, zone: str, now: float) -> bool:
        """Nothing is recorded of the zone, or it should have opened and did not."""
        if zone not in self.closed:
            return True
        next_at = self.closed[zone]
        return next_at is not None and next_at <= now

    def after(self, event: events.WindowOpened | events.WindowClosed) -> None:
        """Fold what happened to a window."""
        self._edge = -math.inf
        if isinstance(event, events.WindowOpened):
            self.closed.pop(event.zone, None)
            self.open_until[event.zone] = event.until_at
        else:
            self.open_until.pop(event.zone, None)
            self.closed[event.zone] = event.next_at
        self.over = [zone for zone, next_at in self.closed.items() if next_at is None]
        self.are_over = self.window is not None and len(self.over) == len(self._zones)


def _closed(zone: str, following: Opening | None, now: float) -> Event:
    return events.WindowClosed(now, zone, None if following is None else following.start)


class Durations:
    """How long devices take, as the plan expects and as this run shows."""

    def __init__(self, plan: Plan) -> None:
        main = len(plan.playbook.steps)
        expected = plan.expected[:main] or (0,) * main
        self._remaining = [float(sum(expected[step:])) for step in range(main)]
        self._main = main
        window = plan.playbook.window
        # What a run shows may not keep everybody out for ever: half of an opening is for beginning.
        self._most = math.inf if window is None else window.lasts / 2
        self._sorted: list[float] = []
        self._newest: deque[float] = deque()

    def remaining(self, step: int) -> float:
        """Give the seconds that nine of ten devices need from this step to the end."""
        if step >= self._main:
            return 0.0
        planned = self._remaining[step]
        if len(self._sorted) < ENOUGH or not self._remaining[0]:
            return planned
        measured = self._sorted[min(len(self._sorted) - 1, len(self._sorted) * 9 // 10)]
        longest = max(self._remaining[0], self._most)
        return min(measured, longest) * planned / self._remaining[0]

    def took(self, run: DeviceRun, active: float) -> None:
        """A device has succeeded in all its steps."""
        if run.began_at is None or run.planned.begins_at:
            return
        ended = active if run.idle_since is None else run.idle_since
        seconds = ended - run.began_at
        insort(self._sorted, seconds)
        self._newest.append(seconds)
        if len(self._newest) > REMEMBERED:
            oldest = self._newest.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]
