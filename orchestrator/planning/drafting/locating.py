"""Whole places that are Down: an outage to be mended there, and no reason to touch each device."""

from collections.abc import Sequence

from orchestrator.engine.choosing.grouping import place_of
from orchestrator.engine.choosing.matching import Rejection, printable
from orchestrator.model.devices import Device, DeviceId, Status

FEWEST = 2
"""Devices that a place has at least for its silence to be an outage."""


class Places:
    """Counts the active devices of each place, and those of them that are Down."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = tuple(fields)
        self._named = ", ".join(fields)
        self._known: dict[DeviceId, tuple[str, bool, bool]] = {}
        """The place of each device, whether it is Down, and whether it is active."""
        self._active: dict[str, int] = {}
        self._down: dict[str, int] = {}

    def see(self, device: Device) -> None:
        """Look at one listed record; one that comes again replaces the one before."""
        if not self._fields:
            return
        before = self._known.pop(device.id, None)
        if before is not None:
            self._count(*before, -1)
        place = place_of(device, self._fields)
        if place is not None:
            seen = place, device.status is Status.DOWN, device.is_active is not False
            self._known[device.id] = seen
            self._count(*seen, 1)

    def outage(self, device: Device) -> Rejection | None:
        """Say whether a Down device is part of an outage of its whole place; None when it is not."""
        found = self._known.get(device.id)
        if found is None:
            return None
        place, is_down, _ = found
        active = self._active.get(place, 0)
        if not is_down or active < FEWEST or self._down.get(place, 0) < active:
            return None
        return Rejection(
            f"its whole {self._named} is Down: an outage, not a device",
            f"its whole {self._named} '{printable(place)}' is Down ({active} devices): an outage,"
            " not a device",
        )

    def _count(self, place: str, is_down: bool, is_active: bool, one: int) -> None:
        if is_active:
            self._active[place] = self._active.get(place, 0) + one
            self._down[place] = self._down.get(place, 0) + (one if is_down else 0)
