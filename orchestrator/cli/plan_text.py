"""A plan as text for people and as an object for programs."""

from collections import Counter
from collections.abc import Iterator, Sequence

from orchestrator.cli import (
    plan_forecast,
    plan_rollout,
    plan_steps,
    plan_values,
    plan_window,
    screen,
)
from orchestrator.cli.plan_layout import clipped, clock_of, labelled, numbered
from orchestrator.model import moments
from orchestrator.model.devices import MOMENT_FIELDS, Device
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.model.steps import RecordStep, RequestStep
from orchestrator.report import conditions

_FEW = 20
_GROUPS = 6
_NAMES = 5
_VERSION = "software_version"


def brief(plan: Plan) -> Iterator[str]:
    """Give what a person wants to know right before the run."""
    yield from _outline(plan)
    yield from labelled("changes", plan_values.in_short(plan))
    yield from labelled("forecast", plan_forecast.brief(plan))


def full(plan: Plan, *, everyone: bool) -> Iterator[str]:
    """Give the whole plan: what it does, its risks and its forecast, who is touched, who is not and
    why; all devices or a sample of them.
    """
    yield from _outline(plan)
    yield from labelled("chosen", _chosen(plan))
    yield from labelled("plan", _good(plan))
    yield ""
    yield from _risks(plan)
    yield ""
    yield from plan_forecast.lines(plan)
    yield ""
    if plan.playbook.window is not None:
        yield from plan_window.openings(plan)
        yield ""
    changes = list(plan_values.lines(plan, everyone=everyone))
    if changes:
        yield from changes
        yield ""
    yield from _devices(plan, everyone=everyone)
    if plan.left_out:
        yield ""
        yield f"Not touched ({sum(out.count for out in plan.left_out):,}):"
        for out in plan.left_out:
            yield f"  {out.count:>7,}  {out.reason}"
            if out.examples:
                some = "; ".join(out.examples) + ("; ..." if out.count > len(out.examples) else "")
                yield screen.folded(some, indent=" " * 13)


def _outline(plan: Plan) -> Iterator[str]:
    yield f"{plan.playbook.name} on {plan.controller}"
    if plan.playbook.description:
        yield screen.folded(plan.playbook.description, indent="  ")
    yield ""
    listed = screen.counted(plan.listed, "listed device")
    new = sum(device.is_new for device in plan.devices)
    and_new = f", and {new:,} new" if new else ""
    yield f"  devices   {len(plan.devices) - new:,} of {listed}{and_new}"
    yield from labelled("deletes", _deletes(plan))
    yield from labelled("table", plan_steps.table(plan.playbook, new))
    yield from labelled("goes on", _goes_on(plan))
    yield from labelled("steps", plan_steps.steps(plan.playbook))
    yield from labelled("rescue", plan_steps.rescue(plan.playbook))
    yield from labelled("handed on", _exhausted(plan))
    yield from labelled("secrets", plan_steps.secrets(plan.playbook))
    yield from labelled("saves", plan_steps.saves(plan.playbook))
    yield from labelled("waves", plan_rollout.waves(plan))
    yield from labelled("limits", plan_rollout.limits(plan))
    yield from labelled("stops", plan_rollout.stops(plan))
    yield from labelled("window", plan_window.told(plan))
    yield from labelled("expected", plan_rollout.expected(plan))
    yield from labelled("tells", plan_rollout.tells(plan.playbook.notify))
    reads = f"about {plan.reading_requests:,} reads"
    yield f"  requests  {plan.operation_requests:,} for {_asked_for(plan)}, {reads}"


def as_object(plan: Plan) -> dict[str, object]:
    """Give the same to programs; moments are ISO 8601, durations seconds."""
    limits, playbook = plan.limits, plan.playbook
    return {
        "playbook": plan.playbook.name,
        "path": plan.source.path,
        "variables": dict(plan.source.variables),
        "controller": plan.controller,
        "created_at": moments.as_text(plan.created_at),
        "destructive": plan.playbook.is_destructive,
        "disruptive": plan.playbook.is_disruptive,
        "creates": plan.playbook.creates,
        "deletes": plan.playbook.deletes,
        "snapshots": playbook.snapshots.value,
        "table": None if playbook.table is None else playbook.table.name,
        "steps": [step.title for step in playbook.steps],
        "rescue": [step.title for step in playbook.rescue],
        "limits": {
            "devices": limits.devices,
            "max_down": limits.max_down,
            "in_flight": limits.in_flight,
            "delay": limits.delay,
            "per_second": limits.per_second,
            "max_down_per": [
                {"fields": list(limit.fields), "at_most": limit.at_most}
                for limit in limits.max_down_per
            ],
            "ramp": playbook.rollout.ramp,
        },
        **plan_rollout.as_object(plan),
        "window": plan_window.as_object(plan),
        "expected": list(plan.expected),
        "expected_from": plan.expected_from,
        "operation_requests": plan.operation_requests,
        "reading_requests": plan.reading_requests,
        "listed": plan.listed,
        "left_out": [
            {"reason": out.reason, "count": out.count, "examples": list(out.examples)}
            for out in plan.left_out
        ],
        "warnings": list(plan.warnings),
        "attributes": list(plan.attributes),
        "made_at": moments.as_text(plan.made_at),
        "expires_at": None if plan.expires_at is None else moments.as_text(plan.expires_at),
        "openings": plan_window.openings_as_object(plan),
        "goes_on_after": plan.goes_on_after,
        "forecast": plan_forecast.as_object(plan.forecast),
        "changes": plan_values.as_objects(plan),
        "devices": [_device(device, plan) for device in plan.devices],
    }


def _device(device: PlannedDevice, plan: Plan) -> dict[str, object]:
    attributes = plan.attributes
    told: dict[str, object] = {
        "device": device.id,
        "serial_number": device.serial_number,
        "name": device.name,
        "kind": device.kind,
        "location": device.location,
        **_condition(plan.records.get(device.id)),
    }
    if device.groups:
        told["groups"] = list(device.groups)
    if device.zone is not None:
        told["zone"] = device.zone
    if attributes:
        told["chosen_by"] = dict(map(_known, attributes, device.chosen_by))
    if device.begins_at:
        told["begins_at"] = device.begins_at
    if device.is_new:
        told["new"] = True
    if device.exhausted is not None:
        told["exhausted"] = device.exhausted
    return told


def _condition(record: Device | None) -> dict[str, object]:
    """Give what the record said when the set was frozen; null where nothing is known of it."""
    if record is None:
        return dict.fromkeys(("status", "status_change", "last_connection", "pending_settings"))
    return {
        "status": conditions.status_text(record.status),
        "status_change": _moment(record.status_change),
        "last_connection": _moment(record.last_connection),
        "pending_settings": conditions.pending_text(record.pending),
    }


def _moment(moment: float | None) -> str | None:
    return None if moment is None else moments.as_text(moment)


def _known(field: str, value: object) -> tuple[str, object]:
    if field in MOMENT_FIELDS and isinstance(value, float):
        return field, moments.as_text(value)
    return field, value


def _goes_on(plan: Plan) -> Iterator[str]:
    if plan.goes_on_after is None:
        return
    yield f"after run {plan.goes_on_after}, each device where it stopped:"
    steps = plan.playbook.all_steps
    for place, count in sorted(Counter(device.begins_at for device in plan.devices).items()):
        yield f"{screen.counted(count, 'device')} from step {place + 1}, {steps[place].title}"


def _deletes(plan: Plan) -> Iterator[str]:
    if plan.playbook.deletes:
        records = screen.counted(len(plan.devices), "record")
        yield screen.Loud(f"{records} WOULD BE DELETED, and nothing brings them back")


def _exhausted(plan: Plan) -> Iterator[str]:
    """Name those who had their share of operations already, by the reason."""
    found: dict[str, list[str]] = {}
    for device in plan.devices:
        if device.exhausted is not None:
            found.setdefault(device.exhausted, []).append(plan_values.device_name(device))
    for reason, names in found.items():
        some = ", ".join(names[:_NAMES]) + (", ..." if len(names) > _NAMES else "")
        yield f"{screen.counted(len(names), 'device')} to a person at once: {reason} ({some})"


def _asked_for(plan: Plan) -> str:
    """Name what the requests beside the reads are for."""
    kinds = {isinstance(s, RecordStep) for s in plan.playbook.steps if isinstance(s, RequestStep)}
    words = [word for is_record, word in _KINDS if is_record in kinds]
    return " and ".join(words) or "operations"


_KINDS = ((False, "operations"), (True, "changes of records"))


def _chosen(plan: Plan) -> Iterator[str]:
    if plan.attributes:
        yield f"by {', '.join(plan.attributes)}: who differs in one by then is skipped"


def _good(plan: Plan) -> Iterator[str]:
    if not plan.made_at:
        return
    clock = clock_of(plan)
    made = f"made {clock.full(plan.made_at)}"
    if plan.expires_at is None:
        yield f"{made}, clocks of {clock.zone}"
    else:
        yield f"{made}, good until {clock.full(plan.expires_at)}, clocks of {clock.zone}"


def _risks(plan: Plan) -> Iterator[str]:
    if not plan.warnings:
        yield "Risks: none was found."
        return
    yield f"Risks ({len(plan.warnings):,}), the heaviest first:"
    yield from numbered(plan.warnings)


def _devices(plan: Plan, *, everyone: bool) -> Iterator[str]:
    shown = plan.devices if everyone else plan.devices[:_FEW]
    if not plan.devices:
        yield "No device is touched."
        return
    yield f"Touched ({len(plan.devices):,}), in this order:"
    if len(plan.devices) > _FEW:
        yield from _groups(plan)
    limit = (screen.width() or screen.NARROWEST) - 2
    for line in screen.table(("", "", "", ""), _rows(plan, shown, limit), limit=limit):
        yield f"  {line}"
    hidden = len(plan.devices) - len(shown)
    if hidden:
        yield f"  and {hidden:,} more; --all lists everyone"


def _rows(plan: Plan, shown: Sequence[PlannedDevice], limit: int) -> Iterator[tuple[str, ...]]:
    """Name each device, and how it is doing: behind where it stands if there is room, else below."""
    named = [
        (
            "new" if device.is_new else str(device.id),
            clipped(device.serial_number),
            clipped(device.name),
        )
        for device in shown
    ]
    taken = sum(max(map(len, column)) + len(screen.GAP) for column in zip(*named, strict=True))
    for device, names in zip(shown, named, strict=True):
        where, doing = _where(device), _doing(plan, device)
        both = "; ".join(filter(None, (where, doing)))
        if not doing or not where or taken + len(both) <= limit:
            yield *names, both
        else:
            yield *names, where
            yield "", "", "", doing


def _doing(plan: Plan, device: PlannedDevice) -> str:
    found = plan.records.get(device.id)
    if found is None:
        return ""
    told = conditions.in_short(found.status, found.last_connection, found.pending, plan.created_at)
    return clipped(told)


def _where(device: PlannedDevice) -> str:
    words = [clipped(word) for word in (device.location, device.kind) if word]
    words += ["handed to a person"] if device.exhausted is not None else []
    return ", ".join(words)


def _groups(plan: Plan) -> Iterator[str]:
    named = (
        ("location", (device.location for device in plan.devices)),
        ("type", (device.kind for device in plan.devices)),
        ("software version", _versions(plan)),
    )
    for title, values in named:
        counted = Counter(str(value) for value in values if value not in (None, ""))
        if counted:
            some = ", ".join(
                f"{clipped(value)} ({n:,})" for value, n in counted.most_common(_GROUPS)
            )
            more = f", {len(counted) - _GROUPS:,} others" if len(counted) > _GROUPS else ""
            yield screen.folded(f"by {title}: {some}{more}", indent="  ")


def _versions(plan: Plan) -> Iterator[object]:
    """Give what is known of the versions: a plan from a file knows them if they were asked for."""
    if _VERSION in plan.attributes:
        place = plan.attributes.index(_VERSION)
        return (each.chosen_by[place] for each in plan.devices if len(each.chosen_by) > place)
    return (record.fields.get(_VERSION) for record in plan.records.values())
