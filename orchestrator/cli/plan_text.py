"""A plan as text for people and as an object for programs."""

from collections import Counter
from collections.abc import Iterator

from orchestrator.cli import screen
from orchestrator.model import durations, moments
from orchestrator.model.plans import Limits, Plan
from orchestrator.model.steps import CheckStep, OperationStep, Step

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
    label = "steps"
    for number, step in enumerate(plan.playbook.steps, start=1):
        yield f"  {label:<9} {number}. {_step(step)}"
        label = ""
    label = "limits"
    for line in _limits(plan.limits):
        yield f"  {label:<9} {line}"
        label = ""
    reads = f"about {plan.reading_requests:,} reads"
    yield f"  requests  {plan.operation_requests:,} for operations, {reads}"


def full(plan: Plan, *, everyone: bool) -> Iterator[str]:
    """Give the whole plan: who is touched, who is not and why; all devices or a sample of them."""
    yield from brief(plan)
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
    limits = plan.limits
    return {
        "playbook": plan.playbook.name,
        "path": plan.source.path,
        "variables": dict(plan.source.variables),
        "controller": plan.controller,
        "created_at": moments.as_text(plan.created_at),
        "destructive": plan.playbook.is_destructive,
        "disruptive": plan.playbook.is_disruptive,
        "steps": [step.title for step in plan.playbook.steps],
        "limits": {
            "devices": limits.devices,
            "max_down": limits.max_down,
            "in_flight": limits.in_flight,
            "delay": limits.delay,
            "per_second": limits.per_second,
        },
        "operation_requests": plan.operation_requests,
        "reading_requests": plan.reading_requests,
        "listed": plan.listed,
        "left_out": [
            {"reason": out.reason, "count": out.count, "examples": list(out.examples)}
            for out in plan.left_out
        ],
        "warnings": list(plan.warnings),
        "devices": [
            {"device": device.id, "serial_number": device.serial_number, "name": device.name}
            for device in plan.devices
        ],
    }


def _step(step: Step) -> str:
    if isinstance(step, OperationStep):
        attempts = screen.counted(step.attempts, "attempt")
        within = ""
        if step.proof.within is not None:
            within = f", proof within {durations.as_text(step.proof.within)}"
        return f"{step.title}: at most {attempts}{within}"
    if isinstance(step, CheckStep) and step.within:
        return f"{step.title}: within {durations.as_text(step.within)}"
    return step.title


def _limits(limits: Limits) -> Iterator[str]:
    yield f"at most {screen.counted(limits.max_down, 'device')} out of service at once"
    yield f"{screen.counted(limits.in_flight, 'request')} in flight at once"
    yield f"{durations.as_text(limits.delay)} between operation requests"
    if limits.per_second is not None:
        yield f"{limits.per_second:g} requests a second"


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
