"""Snapshots against the fleet as it is now: what differs, and whether the run or somebody else did it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from orchestrator.engine.walking.rendering import is_as_wanted
from orchestrator.model.devices import Device
from orchestrator.model.secrecy import MASK, is_secret
from orchestrator.model.snapshots import Extras, Snapshot
from orchestrator.planning.drafting.freezing import PASSING
from orchestrator.report.differences import DeviceDifferences

_FINGERPRINT = "fp:"
_COUNTING = ("uptime", "up_time")
"""How the names of variables end that count by themselves."""


class Part(StrEnum):
    """Where a value stands."""

    RECORD = "record"
    SETTING = "setting"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True)
class Divergence:
    """One value that is not what the snapshot says."""

    part: Part
    name: str
    was: object
    now: object
    by_run: bool
    """It is what the run wrote; else somebody, or the device, did it."""


def divergences(
    snapshot: Snapshot, record: Device, extras: Extras, changes: DeviceDifferences | None
) -> list[Divergence]:
    """Give what a device's record, settings and variables say now and did not say in a snapshot.

    What changes by itself is passed over, and so is what is secret: fingerprints of two runs tell
    nothing of each other. Settings and variables count where both sides know them.
    """
    written = {} if changes is None else {each.field: each.after for each in changes.fields}
    found = [
        Divergence(
            Part.RECORD,
            name,
            was,
            now,
            by_run=name in written and is_as_wanted(name, written[name], now),
        )
        for name, was, now in _pairs(snapshot.record, record.fields)
        if name not in PASSING
    ]
    kept = snapshot.extras or Extras()
    for part, was_all, now_all in (
        (Part.SETTING, kept.settings, extras.settings),
        (Part.VARIABLE, kept.variables, extras.variables),
    ):
        if was_all is not None and now_all is not None:
            found += [Divergence(part, *each, by_run=False) for each in _pairs(was_all, now_all)]
    return found


def _pairs(
    was: Mapping[str, object], now: Mapping[str, object]
) -> Iterable[tuple[str, object, object]]:
    for name in dict.fromkeys((*was, *now)):
        one, other = was.get(name), now.get(name)
        hidden = (
            is_secret(name)
            or name.lower().endswith(_COUNTING)
            or _is_hidden(one)
            or _is_hidden(other)
        )
        if not hidden and not is_as_wanted(name, one, other):
            yield name, one, other


def _is_hidden(value: object) -> bool:
    return isinstance(value, str) and (value == MASK or value.startswith(_FINGERPRINT))


def first_of(snapshots: Iterable[Snapshot], *, deep: bool = True) -> Sequence[Snapshot]:
    """Give the first snapshot of each device, in the order in which they were taken.

    Unless `deep`, without settings and variables, which may be very many.
    """
    found: dict[int, Snapshot] = {}
    for snapshot in snapshots:
        if snapshot.device not in found:
            found[snapshot.device] = snapshot if deep else replace(snapshot, extras=None)
    return tuple(found.values())
