"""The frozen set of devices of a plan: a sequence in the plan's order that also knows each by its id."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Self, overload

from orchestrator.model.devices import DeviceId

if TYPE_CHECKING:
    from orchestrator.model.plans import PlannedDevice


class DeviceSet(Sequence["PlannedDevice"]):
    """Planned devices in their order; equal to any sequence of equal devices."""

    __slots__ = ("_devices", "_places")

    def __init__(self, devices: Iterable["PlannedDevice"] = ()) -> None:
        self._devices = tuple(devices)
        self._places = {device.id: place for place, device in enumerate(self._devices)}

    @classmethod
    def of(cls, devices: "Iterable[PlannedDevice]") -> Self:
        """Give the set of these devices; a set that is one already as it is."""
        return devices if isinstance(devices, cls) else cls(devices)

    def place(self, device: DeviceId) -> int | None:
        """Give where a device stands in the plan, from 0; None when it is not in it."""
        return self._places.get(device)

    def find(self, device: DeviceId) -> "PlannedDevice | None":
        """Give the device of this id; None when it is not in the plan."""
        place = self._places.get(device)
        return None if place is None else self._devices[place]

    def ids(self) -> Iterator[DeviceId]:
        """Give the ids in the plan's order, without making the devices."""
        return (device.id for device in self._devices)

    def __len__(self) -> int:
        return len(self._devices)

    @overload
    def __getitem__(self, place: int) -> "PlannedDevice": ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: int | slice) -> "PlannedDevice | Self":
        found = self._devices[place]
        return type(self)(found) if isinstance(found, tuple) else found

    def __iter__(self) -> Iterator["PlannedDevice"]:
        return iter(self._devices)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(self._devices)

    def __repr__(self) -> str:
        return f"DeviceSet({list(self)!r})"
