"""What really happened: what arrived, what was applied, which devices were out of service and when.

A run is judged by this and not by what it believes.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise
from math import inf
from typing import NamedTuple

from orchestrator.model.operations import Request


class Arrival(NamedTuple):
    """One request that reached the controller."""

    at: float
    method: str
    path: str
    device: int | None
    operation: str | None
    """What it asked for when it was an operation request, known or not; a flag, a firmware image."""
    applied: bool
    """Whether the world changed by it."""
    status: int
    """The status that was answered, or would have been."""
    fate: str
    answered_at: float
    refreshed: bool
    """Whether it asked for update_status."""


class Change(NamedTuple):
    """One request to make, change or delete a record (api.md 1.2 to 1.6)."""

    at: float
    method: str
    device: int | None
    """The record's id, also where the request made it; None where there is no such record."""
    wrote: Mapping[str, object]
    """What its body said; secret values as `***`."""
    applied: bool
    status: int
    """The status that was answered, or would have been."""


@dataclass(slots=True)
class AppliedOperation:
    """One operation that the controller took on; the device fills in what became of it."""

    device: int
    operation: Request
    """A firmware image that has to be taken is an `upgrade`."""
    arrived_at: float
    was_back: bool
    """False when the device was still out of service through an earlier operation."""
    delivered_at: float | None = None
    down_at: float | None = None
    returned_at: float | None = None
    """The boot inform after a disruptive operation."""
    done_at: float | None = None
    """When it had its effect: the return, or the configuration being applied; None when it failed."""


class Ledger:
    """The record of one world; complete for what has been settled up to a moment."""

    def __init__(self, keep_arrivals: int = 200_000) -> None:
        self.arrivals: deque[Arrival] = deque(maxlen=keep_arrivals)
        """The latest requests of every kind."""
        self.operation_arrivals: list[Arrival] = []
        """Every operation request ever, refused ones included."""
        self.operations: list[AppliedOperation] = []
        self.changes: list[Change] = []
        """Every request to make, change or delete a record, refused ones included."""
        self.methods: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.fates: Counter[str] = Counter()
        self.refreshes = 0
        self.peak_in_flight = 0
        self._of_device: dict[int, list[AppliedOperation]] = {}
        self._changes_of: dict[int, list[Change]] = {}
        self._under_way: list[float] = []

    def note_arrival(self, arrival: Arrival) -> None:
        """Write down a request; arrivals come in order of time."""
        self.arrivals.append(arrival)
        self.methods[arrival.method] += 1
        self.statuses[arrival.status] += 1
        self.fates[arrival.fate] += 1
        self.refreshes += arrival.refreshed
        if arrival.operation is not None:
            self.operation_arrivals.append(arrival)
        while self._under_way and self._under_way[0] <= arrival.at:
            heappop(self._under_way)
        heappush(self._under_way, arrival.answered_at)
        self.note_in_flight(len(self._under_way))

    def note_in_flight(self, requests: int) -> None:
        """Write down how many requests are under way at once, as a face counts them."""
        self.peak_in_flight = max(self.peak_in_flight, requests)

    def note_change(self, change: Change) -> None:
        """Write down a request about a record; they come in order of time."""
        self.changes.append(change)
        if change.device is not None:
            self._changes_of.setdefault(change.device, []).append(change)

    def note_applied(self, device: int, operation: Request, at: float) -> AppliedOperation:
        """Write down that the controller took an operation on."""
        before = self._of_device.setdefault(device, [])
        was_back = all(
            not each.operation.is_disruptive or (each.returned_at or inf) <= at for each in before
        )
        applied = AppliedOperation(device, operation, at, was_back)
        before.append(applied)
        self.operations.append(applied)
        return applied

    def of_device(self, device: int) -> Sequence[AppliedOperation]:
        """Give everything that was applied to one device, in order."""
        return tuple(self._of_device.get(device, ()))

    def changes_of(self, device: int, method: str | None = None) -> Sequence[Change]:
        """Give every request to make, change or delete one record, of one method or of all."""
        changes = self._changes_of.get(device, ())
        return tuple(each for each in changes if method in (None, each.method))

    def touched(self) -> Iterable[int]:
        """Give every device to which an operation was applied."""
        return self._of_device.keys()

    def applied(self, device: int, operation: str) -> tuple[float, ...]:
        """Give the moments at which an operation was applied to a device."""
        return tuple(
            each.arrived_at for each in self.of_device(device) if each.operation == operation
        )

    def arrived(self, device: int, operation: str) -> tuple[float, ...]:
        """Give the moments at which an operation was asked for, applied or not."""
        return tuple(
            each.at
            for each in self.operation_arrivals
            if each.device == device and each.operation == operation
        )

    def operation_gaps(self) -> tuple[float, ...]:
        """Give the seconds between the arrivals of one operation request and the next."""
        moments = [each.at for each in self.operation_arrivals]
        return tuple(later - earlier for earlier, later in pairwise(moments))

    def overlapping_operations(self) -> tuple[AppliedOperation, ...]:
        """Give the operations applied to a device not yet back from an earlier disruptive one."""
        return tuple(each for each in self.operations if not each.was_back)

    def out_of_service(self, at: float) -> frozenset[int]:
        """Give the devices that a disruptive operation kept from service at a moment.

        It counts from the request's arrival to the boot inform.
        """
        return frozenset(
            each.device
            for each in self.operations
            if each.operation.is_disruptive
            and each.arrived_at <= at < (inf if each.returned_at is None else each.returned_at)
        )

    def peak_out_of_service(self, exclude: Collection[int] = ()) -> int:
        """Give how many devices operations kept from service at once, at most.

        `exclude` leaves devices out that nobody waits for any more.
        """
        changes = []
        for each in self.operations:
            if each.operation.is_disruptive and each.device not in exclude:
                until = inf if each.returned_at is None else each.returned_at
                changes += [(each.arrived_at, 1, each.device), (until, -1, each.device)]
        down: Counter[int] = Counter()
        peak = now_down = 0
        for _, change, device in sorted(changes):
            was_down = down[device] > 0
            down[device] += change
            now_down += (down[device] > 0) - was_down
            peak = max(peak, now_down)
        return peak

    def summary(self) -> dict[str, object]:
        """Give the whole ledger as plain data for JSON; moments are seconds since 1970."""
        gaps = self.operation_gaps()
        return {
            "requests": {
                "methods": dict(self.methods),
                "statuses": {str(status): count for status, count in self.statuses.items()},
                "fates": dict(self.fates),
                "update_status": self.refreshes,
                "peak_in_flight": self.peak_in_flight,
            },
            "operation_requests": [each._asdict() for each in self.operation_arrivals],
            "smallest_operation_gap": min(gaps, default=None),
            "operations": [operation_facts(each) for each in self.operations],
            "changes": [each._asdict() for each in self.changes],
            "peak_out_of_service": self.peak_out_of_service(),
            "overlapping_operations": [
                operation_facts(each) for each in self.overlapping_operations()
            ],
        }


def operation_facts(applied: AppliedOperation) -> dict[str, object]:
    """Give one applied operation as plain data for JSON."""
    return {
        "device": applied.device,
        "operation": applied.operation.value,
        "arrived_at": applied.arrived_at,
        "delivered_at": applied.delivered_at,
        "down_at": applied.down_at,
        "returned_at": applied.returned_at,
        "done_at": applied.done_at,
        "was_back": applied.was_back,
    }
