"""The frozen set of devices of a plan: a sequence in the plan's order that also knows each by its id.

A million devices are a million rows of JSON in one piece of memory; a device is made when it is asked
for.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import le
from typing import Self, overload

from orchestrator.model.devices import DeviceId
from orchestrator.model.planned_devices import PlannedDevice, device_of, lasting_part, row_of

HELD = 16_384
"""Devices up to which a set keeps those that were asked for: there they cost a few megabytes, and are
asked for again and again."""

_SHOWN = 3


class DeviceRows:
    """Rows of devices while they come in, one after the other."""

    __slots__ = ("ends", "ids", "rows")

    def __init__(self) -> None:
        self.rows = bytearray()
        self.ends = array("Q", (0,))
        self.ids = array("q")

    def add(self, device: PlannedDevice) -> None:
        """Take one more device."""
        self.add_row(device.id, row_of(device))

    def add_row(self, device: DeviceId, row: bytes) -> None:
        """Take the row of one more device, which has this id; whoever adds it has read it before."""
        self.rows += row
        self.ends.append(len(self.rows))
        self.ids.append(device)


def _rows_of(devices: Iterable[PlannedDevice]) -> DeviceRows:
    rows = DeviceRows()
    for device in devices:
        rows.add(device)
    return rows


class DeviceSet(Sequence[PlannedDevice]):
    """Planned devices in their order; equal to any sequence of equal devices.

    A slice of it shares its rows.
    """

    __slots__ = ("_by_id", "_first", "_held", "_past", "_places", "_rows")

    def __init__(
        self,
        devices: Iterable[PlannedDevice] | DeviceRows = (),
        *,
        first: int = 0,
        past: int | None = None,
    ) -> None:
        """Take devices, or rows as they are, to which nothing may be added any more; of rows those
        from the first place on, and before the place `past`.
        """
        rows = devices if isinstance(devices, DeviceRows) else _rows_of(devices)
        self._rows, self._first = rows, first
        self._past = len(rows.ids) if past is None else past
        self._held: dict[int, PlannedDevice] | None = {} if len(self) <= HELD else None
        self._places: dict[DeviceId, int] | None = None
        self._by_id: array[int] | None = None
        """Places in the order of the ids; made when somebody is looked for, as is the other."""

    @classmethod
    def of(cls, devices: Iterable[PlannedDevice]) -> Self:
        """Give the set of these devices; a set that is one already as it is."""
        return devices if isinstance(devices, cls) else cls(devices)

    def place(self, device: DeviceId) -> int | None:
        """Give where a device stands in the plan, from 0; None when it is not in it."""
        if self._held is not None:
            if self._places is None:
                self._places = {each: place for place, each in enumerate(self.ids())}
            return self._places.get(device)
        ids, first, past = self._rows.ids, self._first, self._past
        order = self._in_order()
        if order is None:
            found = bisect_right(ids, device, first, past) - 1
            return found - first if found >= first and ids[found] == device else None
        found = bisect_right(order, int(device), key=ids.__getitem__) - 1
        return order[found] - first if found >= 0 and ids[order[found]] == device else None

    def _in_order(self) -> "array[int] | None":
        """Give the places in the order of their ids; None when the plan has them in this order."""
        if self._by_id is None:
            ids, places = self._rows.ids, range(self._first, self._past)
            following = islice(ids, self._first + 1, self._past)
            is_sorted = all(map(le, islice(ids, self._first, self._past), following))
            self._by_id = array("I", () if is_sorted else sorted(places, key=ids.__getitem__))
        return self._by_id or None

    def find(self, device: DeviceId) -> PlannedDevice | None:
        """Give the device of this id; None when it is not in the plan."""
        place = self.place(device)
        return None if place is None else self._at(place)

    def ids(self) -> Iterator[DeviceId]:
        """Give the ids in the plan's order, without making the devices."""
        ids = self._rows.ids
        return (DeviceId(ids[place]) for place in range(self._first, self._past))

    def rows(self) -> Iterator[bytes]:
        """Give each device as its row of JSON, in the plan's order."""
        rows, ends = self._rows.rows, self._rows.ends
        return (
            bytes(rows[ends[place] : ends[place + 1]]) for place in range(self._first, self._past)
        )

    def lasting_rows(self) -> Iterator[bytes]:
        """Give the rows without what a run counts anew when it begins."""
        return map(lasting_part, self.rows())

    def _at(self, place: int) -> PlannedDevice:
        held = self._held
        if held is not None and (known := held.get(place)) is not None:
            return known
        found = self._made(place)
        if held is not None:
            held[place] = found
        return found

    def _made(self, place: int) -> PlannedDevice:
        rows, at = self._rows, self._first + place
        return device_of(rows.rows[rows.ends[at] : rows.ends[at + 1]])

    def __len__(self) -> int:
        return self._past - self._first

    @overload
    def __getitem__(self, place: int) -> PlannedDevice: ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: int | slice) -> PlannedDevice | Self:
        if not isinstance(place, slice):
            found = place + len(self) if place < 0 else place
            if not 0 <= found < len(self):
                raise IndexError(f"the set has {len(self)} devices, there is none at {place}")
            return self._at(found)
        places = range(len(self))[place]
        if places.step == 1:
            first = self._first + places.start
            return type(self)(self._rows, first=first, past=first + len(places))
        return type(self)(map(self._at, places))

    def __iter__(self) -> Iterator[PlannedDevice]:
        return map(self._at, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        # A task that gives a plan is written out whenever asyncio takes its signal handler back.
        more = len(self) - _SHOWN
        shown = ", ".join(map(repr, self[:_SHOWN]))
        return f"DeviceSet([{shown}{f', and {more} more' if more > 0 else ''}])"
