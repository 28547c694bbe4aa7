"""Records of any number of devices, each as it came: a few as they are, many packed together."""

import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import overload

import msgspec

from orchestrator.model.devices import Device, DeviceId

HELD = 10_000
"""Records up to which they stay as they are, at 1.5 kB each; more are packed, at 0.1 kB."""

_BLOCK = 32
"""Records that are packed together: more take less, but are all unpacked to read one."""

_PART = 100_000
"""Records that stand in memory side by side, still as bytes, while others are put in order."""

_FEWEST_SLOTS = 1 << 10

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Device).decode


class DeviceRecords(Mapping[DeviceId, Device]):
    """Records by the ids of their devices, in the order in which they were added.

    Whoever asks for them in this order reads each block once.
    """

    __slots__ = (
        "_blocks",
        "_ends",
        "_gone",
        "_held",
        "_ids",
        "_most",
        "_open",
        "_slots",
        "_unpacked",
    )

    def __init__(self, devices: Iterable[Device] = (), *, held: int | None = None) -> None:
        """Take records, of which up to `held` stay as they are, else as many as is usual."""
        self._most = HELD if held is None else held
        self._ids = array("q")
        self._slots = array("I", bytes(4 * _FEWEST_SLOTS))
        """Places, counted from 1, by a hash of the id; at least half of them are empty."""
        self._gone: set[int] = set()
        """Places of records that were removed."""
        self._held: list[Device] | None = [] if self._most else None
        self._blocks: list[bytes] = []
        self._open: list[bytes] = []
        """Records that do not fill a block yet."""
        self._ends = array("I")
        """Where each record ends within its block."""
        self._unpacked = -1, b""
        for device in devices:
            self.add(device)

    def add(self, device: Device) -> None:
        """Put a record behind all others; one of the same device is removed."""
        self.remove(device.id)
        if self._held is not None:
            self._held.append(device)
        else:
            self._pack(_encode(device))
        self._place(device.id)
        if self._held is not None and len(self._held) > self._most:
            for each in self._held:
                self._pack(_encode(each))
            self._held = None

    def remove(self, device: DeviceId) -> Device | None:
        """Remove the record of a device and give it; None when there is none."""
        place = self._find(device)
        if place is None:
            return None
        found = self.at(place)
        self._gone.add(place)
        return found

    def in_sequence(self) -> "RecordSequence":
        """Give the records one after the other; nothing may be added or removed any more."""
        return RecordSequence(self, self._places())

    def arranged(self, places: Sequence[int]) -> "DeviceRecords":
        """Give those at these places among the records, in this order; the same ones when these are all
        of them as they stand.
        """
        there = self._places()
        if len(places) == len(there) and all(a == b for a, b in enumerate(places)):
            return self
        if self._held is not None:
            return DeviceRecords((self.at(there[place]) for place in places), held=self._most)
        made = DeviceRecords(held=self._most if len(places) <= self._most else 0)
        for begin in range(0, len(places), _PART):
            part = [there[place] for place in places[begin : begin + _PART]]
            found = {place: self._packed(place) for place in sorted(part)}
            for place in part:
                made.add_packed(DeviceId(self._ids[place]), found[place])
        return made

    def add_packed(self, device: DeviceId, packed: bytes) -> None:
        """Put a record behind all others as another of these mappings has it packed; of a device that
        has none here.
        """
        if self._held is not None:
            self._held.append(_decode(packed))
        else:
            self._pack(packed)
        self._place(device)

    def at(self, place: int) -> Device:
        """Give the record at a place, from 0, among all that were ever added."""
        return _decode(self._packed(place)) if self._held is None else self._held[place]

    def _places(self) -> Sequence[int]:
        places = range(len(self._ids))
        if not self._gone:
            return places
        return array("I", (place for place in places if place not in self._gone))

    def _pack(self, packed: bytes) -> None:
        self._open.append(packed)
        before = self._ends[-1] if len(self._open) > 1 else 0
        self._ends.append(before + len(packed))
        if len(self._open) == _BLOCK:
            self._blocks.append(zlib.compress(b"".join(self._open), 1))
            self._open.clear()

    def _packed(self, place: int) -> bytes:
        block, number = divmod(place, _BLOCK)
        if block == len(self._blocks):
            return self._open[number]
        if self._unpacked[0] != block:
            self._unpacked = block, zlib.decompress(self._blocks[block])
        begins = self._ends[place - 1] if number else 0
        return self._unpacked[1][begins : self._ends[place]]

    def _place(self, device: DeviceId) -> None:
        self._ids.append(device)
        if 2 * len(self._ids) <= len(self._slots):
            self._enter(len(self._ids) - 1)
            return
        self._slots = array("I", bytes(8 * len(self._slots)))
        for place in self._places():
            self._enter(place)

    def _enter(self, place: int) -> None:
        slots, past = self._slots, len(self._slots)
        slot = _hashed(self._ids[place], past)
        while slots[slot]:
            slot = (slot + 1) % past
        slots[slot] = place + 1

    def _find(self, device: DeviceId) -> int | None:
        slots, ids, past = self._slots, self._ids, len(self._slots)
        slot = _hashed(device, past)
        while place := slots[slot]:
            if ids[place - 1] == device and place - 1 not in self._gone:
                return place - 1
            slot = (slot + 1) % past
        return None

    def __getitem__(self, device: DeviceId) -> Device:
        place = self._find(device)
        if place is None:
            raise KeyError(device)
        return self.at(place)

    def __contains__(self, device: object) -> bool:
        return isinstance(device, int) and self._find(DeviceId(device)) is not None

    def __iter__(self) -> Iterator[DeviceId]:
        ids = self._ids
        return (DeviceId(ids[place]) for place in self._places())

    def __len__(self) -> int:
        return len(self._ids) - len(self._gone)

    def __repr__(self) -> str:
        return f"DeviceRecords({len(self)} records)"


class RecordSequence(Sequence[Device]):
    """Records one after the other, each made when it is asked for; a slice shares them."""

    __slots__ = ("_places", "_records")

    def __init__(self, records: DeviceRecords, places: Sequence[int]) -> None:
        self._records = records
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> Device: ...
    @overload
    def __getitem__(self, place: slice) -> "RecordSequence": ...
    def __getitem__(self, place: int | slice) -> "Device | RecordSequence":
        if isinstance(place, slice):
            return RecordSequence(self._records, self._places[place])
        return self._records.at(self._places[place])

    def __iter__(self) -> Iterator[Device]:
        return map(self._records.at, self._places)


def _hashed(device: int, slots: int) -> int:
    # Ids that follow one another, or differ by a power of two, come to stand far apart.
    return (device * 0x9E3779B97F4A7C15 >> 20) % slots
