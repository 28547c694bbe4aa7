"""Does one device's walk fit into the window, in whose night does it open, how long is a plan good."""

from collections import Counter
from collections.abc import Mapping, Sequence

from orchestrator.engine.choosing.matching import is_missing, printable
from orchestrator.engine.rollout.windowing import is_zone, may_start, upcoming
from orchestrator.model import durations, moments
from orchestrator.model.devices import Device
from orchestrator.model.errors import SelectionError
from orchestrator.model.playbooks import Playbook
from orchestrator.model.windows import Opening, Window
from orchestrator.planning.tallying import Tally, counted

AHEAD = 7
"""Openings that are looked at."""

SOON = 3600.0
"""Seconds up to which a person hardly has the time to read a plan and start it."""


class Zones:
    """Gives each device the time zone of its own window, and remembers who has none."""

    def __init__(self, window: Window | None) -> None:
        self._window = window
        self._own: Counter[str] = Counter()
        self._without = Tally()
        self._known: dict[str, bool] = {}

    def zone_of(self, device: Device) -> str | None:
        """Give the device's own zone; None when it has no usable one, or it is the playbook's."""
        window = self._window
        if window is None or window.timezone_field is None:
            return None
        value = device.value(window.timezone_field)
        name = value.strip() if isinstance(value, str) else ""
        if not self._is_zone(name):
            self._without.add(device, "" if is_missing(value) else printable(value))
            return None
        if name == window.timezone:
            return None
        self._own[name] += 1
        return name

    def _is_zone(self, name: str) -> bool:
        if name not in self._known:
            self._known[name] = is_zone(name)
        return self._known[name]

    def warnings(self, *, now: float) -> list[str]:
        """Say who has no zone of its own, and whose window never opens."""
        window = self._window
        if window is None:
            return []
        warnings = []
        if self._without.count:
            warnings.append(
                f"{counted(self._without.count, 'device')} without a usable time zone in"
                f" {printable(window.timezone_field)}; {window.timezone} holds for them:"
                f" {self._without}"
            )
        warnings += [
            f"the window never opens any more in {zone}: {counted(count, 'device')} there"
            " will be deferred"
            for zone, count in self._own.items()
            if not upcoming(window, zone, now, 1)
        ]
        return warnings

    @property
    def names(self) -> tuple[str, ...]:
        """Give every zone that a window is reckoned in, the playbook's first."""
        return () if self._window is None else (self._window.timezone, *self._own)

    def openings(self, *, now: float) -> dict[str, tuple[Opening, ...]]:
        """Give the next openings in each of these zones; none where the window opens no more."""
        window = self._window
        if window is None:
            return {}
        return {zone: tuple(upcoming(window, zone, now, AHEAD)) for zone in self.names}


def check_window(playbook: Playbook, expected: Sequence[int], zones: Zones, *, now: float) -> None:
    """Raise SelectionError when the window never opens any more, or is too short for one device."""
    window = playbook.window
    if window is None:
        return
    needed = sum(expected[: len(playbook.steps)])
    longest = 0.0
    for zone in zones.names:
        for opening in upcoming(window, zone, now, AHEAD):
            longest = max(longest, opening.end - max(opening.start, now))
        if longest and needed <= longest:
            return
    if not longest:
        raise SelectionError(
            "the window never opens any more: give `window.opens` a moment that is still to come"
            " and no blackout covers"
        )
    raise SelectionError(
        f"one device is expected to take {durations.as_text(needed)} for its steps, and no opening"
        f" of the window lasts longer than {durations.as_text(longest)}; lengthen `window.lasts`,"
        " or give the steps a shorter `within`"
    )


def good_until(
    playbook: Playbook,
    openings: Mapping[str, Sequence[Opening]],
    expected: Sequence[int],
    *,
    now: float,
    lifetime: float,
) -> float:
    """Give the moment from which a plan is too old: after its lifetime, and never before the end of
    the first opening in which devices can be started, in each of the zones.
    """
    window, latest = playbook.window, now + lifetime
    if window is None:
        return latest
    needed = sum(expected[: len(playbook.steps)])
    for found in openings.values():
        usable = (
            opening.end
            for opening in found
            if may_start(window, opening, max(opening.start, now), needed)
        )
        latest = max(latest, next(usable, latest))
    return latest


def expiry_warnings(expires_at: float, *, now: float) -> list[str]:
    """Warn of a plan that is hardly made before it is too old."""
    left = expires_at - now
    if left > SOON:
        return []
    last = moments.as_short_text(expires_at)
    return [
        f"the plan is good for {durations.as_text(left)} only: it has to be started before {last}"
    ]
