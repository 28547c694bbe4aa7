"""What is to be put back, held against the fleet as it is now: nobody's later work is undone unasked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.engine.choosing.matching import printable
from orchestrator.engine.walking.rendering import is_as_wanted
from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.plans import LeftOut, Plan
from orchestrator.model.values import Plain
from orchestrator.planning.restoring.undoing import Former, Undo, Undoing
from orchestrator.planning.tallying import EXAMPLES


@dataclass(frozen=True, slots=True)
class Settled:
    """Whom something is put back on, and whom not."""

    rows: Mapping[DeviceId, Mapping[str, Plain]]
    """By the id of the record what is written, the device that was changed last first."""
    left_out: tuple[LeftOut, ...]


@dataclass(slots=True)
class _Left:
    count: int = 0
    examples: list[str] = field(default_factory=list)


def settle(
    found: Undoing, plan: Plan, records: Mapping[DeviceId, Device], *, force: bool = False
) -> Settled:
    """Give what is written now to put back what the run changed.

    A device is left out when its record is gone or another device's, when it is as it was already,
    and, unless forced, when a field is neither as the run left it nor as it was before.
    """
    serials = {each.id: each.serial_number for each in plan.devices}
    rows: dict[DeviceId, Mapping[str, Plain]] = {}
    left: dict[str, _Left] = {}
    for undo in found.devices:
        record = records.get(undo.record)
        fields, rule, told = _judge(undo, record, serials.get(undo.device), force=force)
        if fields:
            rows[undo.record] = fields
            continue
        out = left.setdefault(rule, _Left())
        out.count += 1
        if len(out.examples) < EXAMPLES:
            out.examples.append(f"{undo.record}{told}")
    reasons = [LeftOut(rule, out.count, tuple(out.examples)) for rule, out in left.items()]
    return Settled(rows, tuple(sorted(reasons, key=lambda out: (-out.count, out.reason))))


def _judge(
    undo: Undo, record: Device | None, serial: str | None, *, force: bool
) -> tuple[Mapping[str, Plain], str, str]:
    """Give what is written, or nothing with the rule that says why and what to tell of the device."""
    if record is None:
        return {}, "the controller no longer has this device", ""
    renamed = any(former.field == "serial_number" for former in undo.fields)
    if serial is not None and record.serial_number not in (serial, None) and not renamed:
        shown = printable(record.serial_number or "")
        return {}, "its record shows another serial number", f": {shown}, was {printable(serial)}"
    fields: dict[str, Plain] = {}
    for former in undo.fields:
        now = record.fields.get(former.field)
        if is_as_wanted(former.field, former.value, now):
            continue
        if not force and not any(is_as_wanted(former.field, w, now) for w in former.written):
            return {}, CHANGED_SINCE, _changed(former, now)
        fields[former.field] = former.value
    return fields, "is as it was before the run", ""


CHANGED_SINCE = "somebody changed it since the run; --force puts it back all the same"


def _changed(former: Former, now: object) -> str:
    return f": {former.field} is {quoted(now)}, the run wrote {quoted(former.written[-1])}"


def quoted(value: object) -> str:
    """Give a value of a record as people read it, on one line and not long."""
    if value in (None, "", [], ()):
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return printable(", ".join(map(str, value)))
    return printable(value)
