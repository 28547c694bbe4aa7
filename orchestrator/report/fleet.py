"""A fleet in numbers: how many devices are Up, Down or unknown, in all and by what they have in common."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.model.devices import Device, Status
from orchestrator.report.wording import devices, printable

_HOUR = 3600.0
_DAY = 86_400.0
UNKNOWN = "unknown"


class Dimension(StrEnum):
    """What devices are counted by."""

    STATUS = "status"
    TYPE = "type"
    ORGANIZATION = "organization"
    LOCATION = "location"
    FIRMWARE = "firmware"
    LAST_CONTACT = "last_contact"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Count:
    """Devices that have one thing in common."""

    label: str
    devices: int
    up: int
    down: int
    unknown: int
    """Their status is neither."""
    pending: int
    """Something is known to be pending on them."""


@dataclass(frozen=True, slots=True)
class Section:
    """All devices, told apart by one dimension; the largest count first, classes in their order."""

    by: Dimension
    counts: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A fleet at one moment."""

    at: float
    """The controller's clock when the listing was begun."""
    total: Count
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    """What an operator should know of the listing."""


_UP, _DOWN, _UNKNOWN, _PENDING = range(4)
_PLACE = {Status.UP: _UP, Status.DOWN: _DOWN, Status.UNKNOWN: _UNKNOWN}


class Census:
    """Counts devices as they come; holds numbers only, never a record."""

    def __init__(self, by: Sequence[Dimension], now: float) -> None:
        """Ages are judged by `now`, the controller's clock."""
        self._now = now
        self._by = tuple(dict.fromkeys(by))
        self._total = [0, 0, 0, 0]
        self._groups: dict[Dimension, dict[str, list[int]]] = {each: {} for each in self._by}

    def add(self, device: Device) -> None:
        """Count one device."""
        place, is_pending = _PLACE[device.status], bool(device.pending)
        tallies = [
            self._groups[each].setdefault(_LABELS[each](device, self._now), [0, 0, 0, 0])
            for each in self._by
        ]
        for tally in (self._total, *tallies):
            tally[place] += 1
            tally[_PENDING] += is_pending

    def picture(self, notes: Iterable[str] = ()) -> Picture:
        """Give what was counted so far."""
        sections = tuple(Section(each, _ordered(each, self._groups[each])) for each in self._by)
        return Picture(self._now, _count("all", self._total), sections, tuple(notes))


def _count(label: str, tally: Sequence[int]) -> Count:
    up, down, unknown, pending = tally
    return Count(label, up + down + unknown, up, down, unknown, pending)


def _ordered(by: Dimension, groups: Mapping[str, Sequence[int]]) -> tuple[Count, ...]:
    counts = [_count(label, tally) for label, tally in groups.items()]
    classes = _CLASSES.get(by)
    if classes is not None:
        return tuple(sorted(counts, key=lambda count: classes.index(count.label)))
    return tuple(sorted(counts, key=lambda c: (c.label == UNKNOWN, -c.devices, c.label)))


def _status(device: Device, _now: float) -> str:
    return device.status.value if device.status is not Status.UNKNOWN else UNKNOWN


_NEVER = "never"
_AGES = (("< 1 h", _HOUR), ("< 1 d", _DAY), ("< 7 d", 7 * _DAY))
_OLDER = "older"


def _last_contact(device: Device, now: float) -> str:
    """Tell how long ago it was; a time that is ahead of the controller's clock is just now."""
    if device.last_connection is None:
        return _NEVER if device.fields.get("last_connection", UNKNOWN) in (None, "") else UNKNOWN
    age = now - device.last_connection
    return next((label for label, most in _AGES if age < most), _OLDER)


_CLEAR, _SOME, _INITIAL = "nothing", "something", "first configuration"


def _pending(device: Device, _now: float) -> str:
    if device.pending is None:
        return UNKNOWN
    if "initial" in device.pending:
        return _INITIAL
    return _SOME if device.pending else _CLEAR


def _field(*names: str) -> Callable[[Device, float], str]:
    """Take the first of these fields that has a value."""

    def label(device: Device, _now: float) -> str:
        for name in names:
            value = device.fields.get(name)
            if isinstance(value, str | int | float) and str(value).strip():
                return str(value).strip()
        return UNKNOWN

    return label


_LABELS: Mapping[Dimension, Callable[[Device, float], str]] = {
    Dimension.STATUS: _status,
    Dimension.TYPE: _field("type_short_name", "type"),
    Dimension.ORGANIZATION: _field("organization_id"),
    Dimension.LOCATION: _field("location_name", "location"),
    Dimension.FIRMWARE: _field("software_version"),
    Dimension.LAST_CONTACT: _last_contact,
    Dimension.PENDING: _pending,
}
_CLASSES: Mapping[Dimension, tuple[str, ...]] = {
    Dimension.STATUS: (Status.UP.value, Status.DOWN.value, UNKNOWN),
    Dimension.LAST_CONTACT: (*(label for label, _ in _AGES), _OLDER, _NEVER, UNKNOWN),
    Dimension.PENDING: (_CLEAR, _SOME, _INITIAL, UNKNOWN),
}


def as_object(picture: Picture) -> dict[str, object]:
    """Give a picture for programs."""
    return {
        "at": picture.at,
        "devices": _numbers(picture.total),
        "by": {
            section.by.value: [
                {"value": count.label, **_numbers(count)} for count in section.counts
            ]
            for section in picture.sections
        },
        "notes": list(picture.notes),
    }


def _numbers(count: Count) -> dict[str, int]:
    return {
        "devices": count.devices,
        "up": count.up,
        "down": count.down,
        "unknown": count.unknown,
        "pending": count.pending,
    }


MOST_LINES = 12
"""Counts of one dimension that a table shows; what is left is added up in its last line."""


def as_lines(
    picture: Picture, *, columns: int, most: int = MOST_LINES, full: str = "█", empty: str = "░"
) -> list[str]:
    """Draw the picture as tables with bars, within so many columns, each of at most so many lines."""
    total = picture.total
    told = f"{devices(total.devices)}: {total.up:,} Up, {total.down:,} Down,"
    lines = [f"{told} {total.unknown:,} unknown; {total.pending:,} with something pending"]
    for section in picture.sections:
        lines += ["", *_table(section, most, total.devices, columns, full + empty)]
    return lines


_HEADS = ("DEVICES", "UP", "DOWN", "PENDING")
_WIDEST_LABEL = 28
_SHORTEST_BAR = 6
_LONGEST_BAR = 40
_GAP = "  "


def _table(section: Section, most: int, total: int, columns: int, signs: str) -> list[str]:
    counts = _shortened(section.counts, most)
    title = section.by.value.replace("_", " ").upper()
    numbers = [(f"{c.devices:,}", f"{c.up:,}", f"{c.down:,}", f"{c.pending:,}") for c in counts]
    table = (_HEADS, *numbers)
    widths = [max(len(row[place]) for row in table) for place in range(len(_HEADS))]
    room = columns - sum(widths) - len(_GAP) * len(widths)
    longest = max(len(title), *(len(count.label) for count in counts), 1) if counts else len(title)
    label = max(len(title), min(longest, _WIDEST_LABEL, room - len(_GAP) - _SHORTEST_BAR))
    bar = max(0, min(_LONGEST_BAR, room - label - len(_GAP)))
    if bar < _SHORTEST_BAR:
        bar = 0
    lines = [_line(title, label, _HEADS, widths)]
    for count, row in zip(counts, numbers, strict=True):
        drawn = _bar(count.devices, total, bar, signs)
        lines.append(_line(count.label, label, row, widths) + (_GAP + drawn if bar else ""))
    return lines


def _shortened(counts: Sequence[Count], most: int) -> Sequence[Count]:
    if len(counts) <= most:
        return counts
    shown, rest = counts[: most - 1], counts[most - 1 :]
    others = Count(
        f"{len(rest):,} others",
        sum(each.devices for each in rest),
        sum(each.up for each in rest),
        sum(each.down for each in rest),
        sum(each.unknown for each in rest),
        sum(each.pending for each in rest),
    )
    return (*shown, others)


def _line(label: str, width: int, cells: Sequence[str], widths: Sequence[int]) -> str:
    label = printable(label)
    shown = label if len(label) <= width else label[: max(1, width - 1)] + "…"
    numbers = (f"{cell:>{wide}}" for cell, wide in zip(cells, widths, strict=True))
    return _GAP.join((f"{shown:<{width}}", *numbers))


def _bar(count: int, total: int, width: int, signs: str) -> str:
    """Whatever there is gets at least one column, and only everything fills the bar."""
    if not total or not width:
        return ""
    filled = count * width // total
    if count and not filled:
        filled = 1
    full, empty = signs[0], signs[1]
    return full * filled + empty * (width - filled)
