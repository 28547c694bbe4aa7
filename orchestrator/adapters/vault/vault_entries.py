"""What a vault holds: one entry for each value of a field of a device, and how they follow another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import orjson

from orchestrator.adapters.vault.hidden_text import Hidden


class State(StrEnum):
    """What is known of a value."""

    PREPARED = "prepared"
    """Stored before it is sent; whether the device has it is not known."""
    PRESENT = "present"
    """The device was seen with it."""
    PREVIOUS = "previous"
    """The one before; kept for people to look at."""
    RETIRED = "retired"
    """The last one of a device whose record was given to another one."""
    DROPPED = "dropped"
    """It was prepared and never sent, so no device can have it; what it was is not repeated."""


@dataclass(frozen=True, slots=True)
class Owner:
    """One field of one device of one controller."""

    controller: str
    device: str
    """The serial number; of a device without one the word `id` and its record's id."""
    field: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The step of a run that made a value; for the same one it is made only once."""

    run: str
    """Its id, `#` and a mark that tells it from another run of the same id."""
    device: int
    """As the run names it."""
    step: int
    field: str

    @property
    def run_id(self) -> str:
        """Name the run as people do."""
        return self.run.partition("#")[0]


@dataclass(frozen=True, slots=True)
class Entry:
    """One value, whose it is and how it came about."""

    state: State
    owner: Owner
    origin: Origin
    value: Hidden
    at: float
    record: int | None = None
    name: str | None = None

    @property
    def unnamed(self) -> "Entry":
        """Give it without the record, which is another device's now."""
        return replace(self, record=None, name=None)

    @property
    def dropped(self) -> "Entry":
        """Give the entry by which this one is dropped."""
        return replace(self, state=State.DROPPED, value=Hidden(""))

    def encoded(self) -> bytes:
        """Give the entry as it is encrypted; the only place where its value stands in clear."""
        return orjson.dumps(
            {
                "state": self.state.value,
                "controller": self.owner.controller,
                "serial": self.owner.device,
                "field": self.owner.field,
                "run": self.origin.run,
                "device": self.origin.device,
                "step": self.origin.step,
                "value": self.value.reveal(),
                "at": self.at,
                "record": self.record,
                "name": self.name,
            }
        )


def decoded(data: bytes) -> Entry:
    """Read an entry; raises ValueError without its text when it is none."""
    try:
        found: dict[str, Any] = orjson.loads(data)
        return Entry(
            State(found["state"]),
            Owner(found["controller"], found["serial"], found["field"]),
            Origin(found["run"], found["device"], found["step"], found["field"]),
            Hidden(found["value"]),
            found["at"],
            found["record"],
            found["name"],
        )
    except (KeyError, TypeError, ValueError):
        raise ValueError("this is no entry of a vault") from None


@dataclass(frozen=True, slots=True)
class Holding:
    """What is kept for one field of a device."""

    present: Entry | None = None
    previous: Entry | None = None
    prepared: tuple[Entry, ...] = ()
    """The oldest first: the device may have any of them, that of a step without `contact` for good
    until the device is seen with a later one."""

    @property
    def is_changing(self) -> bool:
        """True when the device may have another value than the present one."""
        return bool(self.prepared)

    @property
    def is_retired(self) -> bool:
        """True when the record of the device was given to another one, and nothing was stored since."""
        return self.newest.state is State.RETIRED

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Give all of them in an order from which the same holding comes about again."""
        kept = tuple(each for each in (self.previous, self.present) if each is not None)
        return kept + self.prepared

    @property
    def newest(self) -> Entry:
        """Give the one that was stored last; there always is one."""
        return self.entries[-1]

    def after(self, entry: Entry) -> "Holding":
        """Give what is kept once this entry was read as well; the same one twice changes nothing."""
        match entry.state:
            case State.PREVIOUS:
                return replace(self, previous=entry)
            case State.PREPARED:
                if entry.origin in {each.origin for each in self.entries}:
                    return self
                return replace(self, prepared=(*self.prepared, entry))
            case State.PRESENT:
                return self._seen_with(entry)
            case State.RETIRED:
                rest = self._prepared_but(entry)
                return Holding(None, entry, tuple(each.unnamed for each in rest))
            case State.DROPPED:
                return replace(self, prepared=self._prepared_but(entry))

    def _prepared_but(self, entry: Entry) -> tuple[Entry, ...]:
        return tuple(each for each in self.prepared if each.origin != entry.origin)

    def _seen_with(self, entry: Entry) -> "Holding":
        if entry.origin in {each.origin for each in (self.present, self.previous) if each}:
            return self
        origins = [each.origin for each in self.prepared]
        # What was prepared before the value that the device has now, it cannot have any more.
        behind = origins.index(entry.origin) + 1 if entry.origin in origins else 0
        before = self.previous if self.present is None else replace(self.present, state=_OLD)
        return Holding(entry, before, self.prepared[behind:])


_OLD = State.PREVIOUS
_Step = tuple[str, int, int]


@dataclass(slots=True)
class Book:
    """All that a vault holds, as its entries say one after another."""

    holdings: dict[Owner, Holding] = field(default_factory=dict)
    _made: dict[_Step, dict[str, Entry]] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Take the next entry."""
        before = self.holdings.get(entry.owner, Holding())
        after = before.after(entry)
        if after.entries:
            self.holdings[entry.owner] = after
        else:
            self.holdings.pop(entry.owner, None)
        for gone in before.entries:
            self._made_in(gone.origin).pop(gone.origin.field, None)
        for kept in after.entries:
            self._made_in(kept.origin)[kept.origin.field] = kept

    def _made_in(self, origin: Origin) -> dict[str, Entry]:
        return self._made.setdefault((origin.run, origin.device, origin.step), {})

    def made_in(self, run: str, device: int, step: int) -> Mapping[str, Entry]:
        """Give every value that was made for this step, by field."""
        return self._made.get((run, device, step), {})

    def entries(self) -> Iterator[Entry]:
        """Give what is needed to have the same book again."""
        for holding in self.holdings.values():
            yield from holding.entries

    def of_device(self, wanted: str) -> Sequence[Holding]:
        """Give what is kept for a device by its serial number, its record's id or its name."""
        return [h for h in self.holdings.values() if wanted in names_of(h.newest)]


def names_of(entry: Entry) -> frozenset[str]:
    """Give every name under which a person may look for a device."""
    names = {entry.owner.device, entry.name, None if entry.record is None else str(entry.record)}
    return frozenset(name for name in names if name)
