"""What has changed since a plan was made: its playbook's text, its devices, its limits."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, islice

from orchestrator.engine.choosing.matching import is_same, printable, rejection
from orchestrator.engine.choosing.selecting import Chooser
from orchestrator.engine.walking.guarding import demands
from orchestrator.model import durations
from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.plans import Limits, Plan, PlannedDevice
from orchestrator.model.playbooks import PlaybookSource
from orchestrator.model.readings import Reading
from orchestrator.model.steps import RequestStep

MOST_LINES = 3
"""Differing lines that are named."""
_COMPARABLE = 2000
"""Lines up to which it is worth finding out which of them were put in or taken out."""


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line that differs; None is no line at all."""

    path: str
    line: int
    """Where it is now; where it was, if it is gone; 0 is somewhere among the secret values."""
    was: str | None
    now: str | None

    def __str__(self) -> str:
        """Name it as a message does."""
        if self.line == 0:
            return f"{self.path} holds other secret values"
        where = f"{self.path}, line {self.line}"
        if self.was is None:
            return f"{where} is new: `{printable(self.now)}`"
        if self.now is None:
            return f"{where} is gone: `{printable(self.was)}`"
        return f"{where} was `{printable(self.was)}`, is `{printable(self.now)}`"


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value that differs, both as text for people."""

    name: str
    was: str
    now: str

    def __str__(self) -> str:
        """Name it as a message does."""
        return f"{self.name} was {self.was}, is {self.now}"


@dataclass(frozen=True, slots=True)
class Departure:
    """A device of the older plan that the newer one does not have."""

    device: PlannedDevice
    reason: str


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """A device of both plans that is not what it was."""

    device: PlannedDevice
    values: tuple[ValueChange, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between a plan and the same plan made anew."""

    lines: tuple[LineChange, ...]
    """The first differing lines of the playbook and the files it names."""
    variables: tuple[ValueChange, ...]
    arrived: tuple[PlannedDevice, ...]
    departed: tuple[Departure, ...]
    changed: tuple[DeviceChange, ...]
    limits: tuple[ValueChange, ...]
    unchanged: int
    """Devices of both plans that are what they were."""

    @property
    def is_any(self) -> bool:
        """True when anything differs."""
        found = (self.lines, self.variables, self.arrived, self.departed, self.changed, self.limits)
        return any(found)


class Onlooker:
    """Remembers what became of a plan's devices while the inventory is read again."""

    def __init__(self, plan: Plan) -> None:
        self._wanted = {device.id: None for device in plan.devices}
        self._listed: dict[DeviceId, Device] = {}
        self._unlisted: dict[DeviceId, Device | None] = {}

    @property
    def missing(self) -> list[DeviceId]:
        """Give the devices that were not seen, in the plan's order."""
        return [device for device in self._wanted if device not in self._listed]

    def see(self, device: Device) -> None:
        """Look at one listed record."""
        if device.id in self._wanted:
            self._listed[device.id] = device

    def look_up(self, reading: Reading) -> None:
        """Look at one that was read because the controller did not list it."""
        self._unlisted[reading.device_id] = reading.device

    def why_out(self, device: DeviceId, chooser: Chooser, limit: int | None) -> str:
        """Say in one sentence why a selection leaves a device out."""
        record = self._listed.get(device)
        if record is not None:
            return chooser.why_not(record) or _why_beyond(limit)
        if device in self._unlisted and self._unlisted[device] is None:
            return "its record is gone"
        record = self._unlisted.get(device)
        reason = None if record is None else chooser.why_not(record)
        return reason or "the controller does not list it for these filters any more"


def _why_beyond(limit: int | None) -> str:
    """Say what only many records together tell of one that could be chosen by itself."""
    return _IN_OUTAGE if limit is None else f"it is beyond the limit of {limit} devices"


_IN_OUTAGE = "its whole place is Down: an outage, not a device"


def changed_lines(was: PlaybookSource, now: PlaybookSource) -> tuple[LineChange, ...]:
    """Name the first lines that differ in a playbook's text and in the files it names."""
    texts = [(now.path, was.text, now.text)]
    names = [*was.files, *(name for name in now.files if name not in was.files)]
    texts += [(name, was.files.get(name, ""), now.files.get(name, "")) for name in names]
    found = (change for path, before, after in texts for change in _lines_of(path, before, after))
    lines = tuple(islice(found, MOST_LINES))
    return lines or tuple(islice(_secrets_of(was, now), MOST_LINES))


def changes(was: Plan, now: Plan, onlooker: Onlooker) -> Changes:
    """Compare a plan with the same plan made anew while the onlooker of its devices looked on."""
    before = {device.id: device for device in was.devices}
    after = {device.id: device for device in now.devices}
    both = [device for device in now.devices if device.id in before]
    attributes = _shared_attributes(was, now)
    changed = [
        DeviceChange(device, values)
        for device in both
        if (values := tuple(_values(before[device.id], device, attributes, _group_names(was, now))))
    ]
    return Changes(
        lines=changed_lines(was.source, now.source),
        variables=tuple(_variables(was.source, now.source)),
        arrived=tuple(device for device in now.devices if device.id not in before),
        departed=tuple(_departed((d for d in was.devices if d.id not in after), now, onlooker)),
        changed=tuple(changed),
        limits=tuple(_limits(was.limits, now.limits)),
        unchanged=len(both) - len(changed),
    )


def to_do(plan: Plan) -> int:
    """Count the devices that the guard would let through to their first operation right now.

    Without an operation all of them count, and so does each that is still to be created; only a plan
    that has its records can be asked.
    """
    first = next((step for step in plan.playbook.steps if isinstance(step, RequestStep)), None)
    if first is None:
        return len(plan.devices)
    conditions = demands(plan.playbook.guard, first)
    records = [plan.records[device.id] for device in plan.devices if not device.is_new]
    passing = sum(rejection(conditions, record, plan.created_at) is None for record in records)
    return passing + len(plan.devices) - len(records)


def _lines_of(path: str, before: str, after: str) -> Iterator[LineChange]:
    if before == after:
        return
    was, now = before.splitlines(), after.splitlines()
    if was == now:  # they differ only in how lines end
        was, now = (
            [repr(line) for line in text.splitlines(keepends=True)] for text in (before, after)
        )
    start = _shared_length(was, now)
    end = _shared_length(was[start:][::-1], now[start:][::-1])
    was, now = was[start : len(was) - end], now[start : len(now) - end]
    for before_at, after_at, old, new in _differing(was, now):
        line = start + (before_at if new is None else after_at) + 1
        yield LineChange(path, line, old, new)


def _secrets_of(was: PlaybookSource, now: PlaybookSource) -> Iterator[LineChange]:
    """Give the files that read the same but for the values that are not kept."""
    for name, digest in was.digests.items():
        if now.digests.get(name, digest) != digest:
            yield LineChange(name, 0, None, None)


def _shared_length(first: Sequence[str], second: Sequence[str]) -> int:
    pairs = zip(first, second, strict=False)
    longest = min(len(first), len(second))
    return next((n for n, (one, other) in enumerate(pairs) if one != other), longest)


def _differing(
    was: Sequence[str], now: Sequence[str]
) -> Iterator[tuple[int, int, str | None, str | None]]:
    """Pair lines that stand for each other; give their places among these lines."""
    spans: Iterable[tuple[int, int, int, int]] = [(0, len(was), 0, len(now))]
    if len(was) + len(now) <= _COMPARABLE:
        codes = SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
        spans = [(i, j, k, m) for kind, i, j, k, m in codes if kind != "equal"]
    for first, last, begin, end in spans:
        for offset in range(max(last - first, end - begin)):
            old = was[first + offset] if first + offset < last else None
            new = now[begin + offset] if begin + offset < end else None
            if old != new:
                yield first + offset, begin + offset, old, new


def _variables(was: PlaybookSource, now: PlaybookSource) -> Iterator[ValueChange]:
    names = [*was.variables, *(name for name in now.variables if name not in was.variables)]
    for name in names:
        before, after = was.variables.get(name), now.variables.get(name)
        if before != after:
            yield ValueChange(name, _shown(before), _shown(after))


def _shared_attributes(was: Plan, now: Plan) -> tuple[tuple[str, int, int], ...]:
    places = {name: place for place, name in enumerate(now.attributes)}
    return tuple(
        (name, place, places[name]) for place, name in enumerate(was.attributes) if name in places
    )


def _group_names(was: Plan, now: Plan) -> tuple[str, ...]:
    """Name the groups that devices of both plans have; none if the plans group them differently."""
    fields = [limit.fields for limit in was.limits.max_down_per]
    if fields != [limit.fields for limit in now.limits.max_down_per]:
        return ()
    return tuple(", ".join(each) for each in fields)


def _values(
    was: PlannedDevice,
    now: PlannedDevice,
    attributes: Sequence[tuple[str, int, int]],
    groups: Sequence[str],
) -> Iterator[ValueChange]:
    if was.serial_number != now.serial_number:
        yield ValueChange("serial_number", _shown(was.serial_number), _shown(now.serial_number))
    told = {"serial_number"}
    for name, before_at, after_at in attributes:
        before, after = was.chosen_by[before_at], now.chosen_by[after_at]
        if name not in told and not is_same(before, after):
            told.add(name)
            yield ValueChange(name, _shown(before), _shown(after))
    for name, old, new in zip(groups, was.groups, now.groups, strict=False):
        if old != new and name not in told:
            yield ValueChange(name, _shown(old), _shown(new))
    if was.zone != now.zone:
        yield ValueChange("time zone", _zone(was), _zone(now))


def _zone(device: PlannedDevice) -> str:
    return "the playbook's" if device.zone is None else printable(device.zone)


def _departed(gone: Iterable[PlannedDevice], now: Plan, onlooker: Onlooker) -> Iterator[Departure]:
    selection = now.playbook.selection
    chooser = Chooser.of(now.playbook, now.created_at)
    for device in gone:
        if device.is_new:
            yield Departure(device, "it has a record by now, or no row any more")
            continue
        yield Departure(device, onlooker.why_out(device.id, chooser, selection.limit))


def _limits(was: Limits, now: Limits) -> Iterator[ValueChange]:
    before, after = dict(_named(was)), dict(_named(now))
    for name in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(name, "not set"), after.get(name, "not set")
        if old != new:
            yield ValueChange(name, old, new)


def _named(limits: Limits) -> Iterator[tuple[str, str]]:
    yield "max_down", str(limits.max_down)
    for group in limits.max_down_per:
        yield f"max_down_per {', '.join(group.fields)}", str(group.at_most)
    yield "in_flight", str(limits.in_flight)
    yield "delay", durations.as_text(limits.delay)
    yield "per_second", "not set" if limits.per_second is None else f"{limits.per_second:g}"
    sizes = [(n, len(list(same))) for n, same in groupby(wave.devices for wave in limits.waves)]
    waves = ", ".join(f"{times} x {n}" if times > 1 else str(n) for n, times in sizes)
    yield "waves", waves or "one"
    needed = [(n, len(list(same))) for n, same in groupby(w.must_succeed for w in limits.waves)]
    told = ", ".join(f"{times} x {n}" if times > 1 else str(n) for n, times in needed)
    yield "devices that must succeed in each wave", told or "none"
    budget = limits.budget
    for name in ("failed", "unconfirmed", "in_doubt"):
        amount = getattr(budget, name)
        yield f"stop_when {name}", "not set" if amount is None else str(amount)
    rate = budget.failure_rate
    yield "stop_when failure_rate", "not set" if rate is None else f"{rate} after {budget.after}"


def _shown(value: object) -> str:
    return "not known" if value is None else printable(value)
