"""What a run changed, as text for people and as an object for programs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.cli import screen
from orchestrator.model import moments
from orchestrator.model.operations import Action, Operation
from orchestrator.model.secrecy import NEVER_SHOWN, is_secret
from orchestrator.planning.restoring.settling import quoted
from orchestrator.report.differences import Certainty, Deed, DeviceDifferences

if TYPE_CHECKING:
    from orchestrator.model.devices import DeviceId
    from orchestrator.model.plans import Plan, PlannedDevice
    from orchestrator.planning.restoring.comparing import Divergence

_WORDS: Mapping[Operation | Action, str] = {
    Operation.REBOOT: "rebooted",
    Operation.FACTORY: "reset",
    Operation.DEVICE_FACTORY: "reset",
    Operation.SYNC: "synced",
    Operation.RECONF: "configured",
    Action.UPGRADE: "upgraded",
    Action.CREATE: "created",
    Action.DELETE: "deleted",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One run's differences, ready to be told."""

    run_id: str
    plan: "Plan"
    devices: Sequence[DeviceDifferences]
    is_over: bool
    others: int = 0
    """Devices that the run changed too, and that were not asked for."""
    now: "Mapping[DeviceId, Sequence[Divergence] | None] | None" = None
    """What snapshots and fleet differ in, by the run's ids; None in it for a record that is gone."""


def lines(shown: Shown) -> Iterator[str]:
    """Give the text: a head line, then device by device."""
    planned = {each.id: each for each in shown.plan.devices}
    so_far = "" if shown.is_over else " so far"
    name = f"Run {shown.run_id} ({shown.plan.playbook.name})"
    total = len(shown.devices) + shown.others
    if not total:
        yield f"{name} changed nothing{so_far}."
    else:
        asked = f"; {len(shown.devices):,} of them asked for" if shown.others else ""
        yield f"{name} changed {screen.counted(total, 'device')}{so_far}{asked}."
    for each in shown.devices:
        yield ""
        yield _title(each, planned.get(each.device))
        yield from _fields(each, shown.plan)
        if each.deeds:
            yield f"  {_deeds(each.deeds)}"
        if shown.now is not None:
            yield from _now(shown.now, each.device)


def _title(each: DeviceDifferences, planned: "PlannedDevice | None") -> str:
    names = [] if planned is None else [planned.serial_number, planned.name]
    moved = f"(record {each.record})" if each.record != each.device else None
    return "  ".join(str(part) for part in (each.device, *names, moved) if part)


def _fields(each: DeviceDifferences, plan: "Plan") -> Iterator[str]:
    rows = [
        (
            change.field,
            NEVER_SHOWN if is_secret(change.field) else quoted(change.before),
            quoted(change.after),
            f"{_step(plan, change.step)}{_unsure(change.certainty)}",
        )
        for change in each.fields
    ]
    if rows:
        for line in screen.table(("FIELD", "BEFORE", "AFTER", "STEP"), rows, limit=screen.width()):
            yield f"  {line}"


def _step(plan: "Plan", step: int) -> str:
    steps = plan.playbook.all_steps
    return f"{step + 1}, {steps[step].title}" if 0 <= step < len(steps) else str(step + 1)


def _unsure(certainty: Certainty) -> str:
    return {Certainty.ACCEPTED: " (not proven)", Certainty.IN_DOUBT: " (in doubt)"}.get(
        certainty, ""
    )


def _deeds(deeds: Sequence[Deed]) -> str:
    """Tell what was done in one line: "reset at ... and configured at ..."."""
    told = [
        f"{_WORDS[deed.what]} at {moments.as_short_text(deed.at)}{_unsure(deed.certainty)}"
        for deed in deeds
    ]
    *others, last = told
    return f"{', '.join(others)} and {last}" if others else last


def _now(
    now: "Mapping[DeviceId, Sequence[Divergence] | None]", device: "DeviceId"
) -> Iterator[str]:
    if device not in now:
        yield "  now: no snapshot was kept to compare with"
        return
    found = now[device]
    if found is None:
        yield "  now: the controller no longer has this device"
        return
    if not found:
        yield "  now: as it was before the run"
        return
    rows = [
        (
            each.name if each.part == "record" else f"{each.part} {each.name}",
            quoted(each.was),
            quoted(each.now),
            "the run" if each.by_run else "not the run",
        )
        for each in found
    ]
    head = ("NOW DIFFERS", "WAS", "IS", "BY")
    for line in screen.table(head, rows, limit=screen.width()):
        yield f"  {line}"


def as_object(shown: Shown) -> dict[str, object]:
    """Give the same to programs."""
    planned = {each.id: each for each in shown.plan.devices}
    return {
        "run": shown.run_id,
        "playbook": shown.plan.playbook.name,
        "over": shown.is_over,
        "changed": len(shown.devices) + shown.others,
        "devices": [_object(shown, each, planned.get(each.device)) for each in shown.devices],
    }


def _object(
    shown: Shown, each: DeviceDifferences, planned: "PlannedDevice | None"
) -> dict[str, object]:
    told: dict[str, object] = {
        "device": each.device,
        "record": each.record,
        "serial_number": None if planned is None else planned.serial_number,
        "name": None if planned is None else planned.name,
        "fields": [
            {
                "field": change.field,
                "before": change.before,
                "after": change.after,
                "step": change.step,
                "at": moments.as_text(change.at),
                "certainty": change.certainty.value,
            }
            for change in each.fields
        ],
        "operations": [
            {
                "operation": deed.what.value,
                "step": deed.step,
                "at": moments.as_text(deed.at),
                "certainty": deed.certainty.value,
            }
            for deed in each.deeds
        ],
    }
    if shown.now is not None:
        told["now"] = _now_object(shown.now, each.device)
    return told


def _now_object(
    now: "Mapping[DeviceId, Sequence[Divergence] | None]", device: "DeviceId"
) -> dict[str, object]:
    if device not in now:
        return {"snapshot": False}
    found = now[device]
    if found is None:
        return {"snapshot": True, "gone": True}
    differs = [
        {
            "part": each.part.value,
            "name": each.name,
            "was": each.was,
            "is": each.now,
            "by_run": each.by_run,
        }
        for each in found
    ]
    return {"snapshot": True, "gone": False, "differs": differs}
