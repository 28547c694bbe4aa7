"""Does one device's walk fit into the window, and in whose night does it open."""

from collections import Counter
from collections.abc import Sequence

from orchestrator.engine.choosing.matching import is_missing, printable
from orchestrator.engine.rollout.windowing import is_zone, upcoming
from orchestrator.model import durations
from orchestrator.model.devices import Device
from orchestrator.model.errors import SelectionError
from orchestrator.model.playbooks import Playbook
from orchestrator.model.windows import Window
from orchestrator.planning.tallying import Tally, counted

AHEAD = 7
"""Openings that are looked at."""


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
