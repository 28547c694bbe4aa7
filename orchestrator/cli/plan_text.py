"""A plan as text for people and as an object for programs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from orchestrator.cli import plan_rollout, plan_window, screen
from orchestrator.engine.walking.chaining import NO_CHAIN, chain_ends
from orchestrator.model import durations, moments
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.model.playbooks import Playbook
from orchestrator.model.policies import Approver
from orchestrator.model.steps import (
    ApproveStep,
    CheckStep,
    NotifyStep,
    OperationStep,
    SleepStep,
    Step,
)
from orchestrator.model.verdicts import Verdict

_MARGIN = " " * 12
_FEW = 20
_GROUPED_BY = ("location_name", "type_short_name", "software_version")
_GROUPS = 6


def brief(plan: Plan) -> Iterator[str]:
    """Give what a person wants to know right before the run."""
    yield f"{plan.playbook.name} on {plan.controller}"
    if plan.playbook.description:
        yield screen.folded(plan.playbook.description, indent="  ")
    yield ""
    listed = screen.counted(plan.listed, "listed device")
    yield f"  devices   {len(plan.devices):,} of {listed}"
    yield from _labelled("steps", _steps(plan.playbook))
    yield from _labelled("rescue", _rescue(plan.playbook))
    yield from _labelled("waves", plan_rollout.waves(plan))
    yield from _labelled("limits", plan_rollout.limits(plan))
    yield from _labelled("stops", plan_rollout.stops(plan))
    yield from _labelled("window", plan_window.told(plan))
    yield from _labelled("expected", plan_rollout.expected(plan))
    yield from _labelled("tells", plan_rollout.tells(plan.playbook.notify))
    reads = f"about {plan.reading_requests:,} reads"
    yield f"  requests  {plan.operation_requests:,} for operations, {reads}"


def _labelled(label: str, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield f"  {label:<9} {screen.folded(line, indent=_MARGIN).removeprefix(_MARGIN)}"
        label = ""


def full(plan: Plan, *, everyone: bool) -> Iterator[str]:
    """Give the whole plan: who is touched, who is not and why; all devices or a sample of them."""
    yield from brief(plan)
    yield ""
    if plan.playbook.window is not None:
        yield from plan_window.openings(plan)
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
        "devices": [_device(device) for device in plan.devices],
    }


def _device(device: PlannedDevice) -> dict[str, object]:
    told: dict[str, object] = {
        "device": device.id,
        "serial_number": device.serial_number,
        "name": device.name,
    }
    if device.groups:
        told["groups"] = list(device.groups)
    if device.zone is not None:
        told["zone"] = device.zone
    return told


def _steps(playbook: Playbook) -> Iterator[str]:
    for number, step in enumerate(playbook.steps, start=1):
        yield f"{number}. {_step(step)}"
    ends = chain_ends(playbook.steps)
    for inside, end in enumerate(ends):
        if end != NO_CHAIN and ends[inside - 1] != end:
            yield f"between {inside} and {end + 1} a device is finished even if the run is stopped"


def _rescue(playbook: Playbook) -> Iterator[str]:
    for number, step in enumerate(playbook.rescue, start=len(playbook.steps) + 1):
        yield f"{number}. {_step(step)}"
    if playbook.rescue:
        yield "only for a device whose step ended failed or unconfirmed"


def _step(step: Step) -> str:
    match step:
        case OperationStep():
            attempts = screen.counted(step.attempts, "attempt")
            within = ""
            if step.proof.within is not None:
                within = f", proof within {durations.as_text(step.proof.within)}"
            return f"{step.title}: at most {attempts}{within}{_forgiven(step.continue_on)}"
        case CheckStep():
            within = f": within {durations.as_text(step.within)}" if step.within else ""
            return f"{step.title}{within}{_forgiven(step.continue_on)}"
        case ApproveStep():
            by = " (by another person)" if step.by is Approver.ANOTHER else ""
            return f"{step.title}: {step.question}{by}"
        case NotifyStep():
            return f"{step.title}: {step.text}"
        case SleepStep():
            return step.title


def _forgiven(verdicts: Sequence[Verdict]) -> str:
    words = " or ".join(verdict.value for verdict in verdicts)
    return f"; goes on when {words}" if words else ""


def _devices(plan: Plan, *, everyone: bool) -> Iterator[str]:
    shown = plan.devices if everyone else plan.devices[:_FEW]
    if not plan.devices:
        yield "No device is touched."
        return
    yield f"Touched ({len(plan.devices):,}), in this order:"
    rows = [(device.id, device.serial_number or "", device.name or "") for device in shown]
    for line in screen.table(("", "", ""), rows):
        yield f"  {line}"
    hidden = len(plan.devices) - len(shown)
    if hidden:
        yield f"  and {hidden:,} more; --all lists everyone"
        yield from _groups(plan)


def _groups(plan: Plan) -> Iterator[str]:
    for field in _GROUPED_BY:
        values = [record.fields.get(field) for record in plan.records.values()]
        counted = Counter(str(value) for value in values if value not in (None, ""))
        if counted:
            some = ", ".join(f"{value} ({n:,})" for value, n in counted.most_common(_GROUPS))
            more = f", {len(counted) - _GROUPS:,} others" if len(counted) > _GROUPS else ""
            yield screen.folded(f"by {field.replace('_', ' ')}: {some}{more}", indent="  ")
