"""The story of one seed for whoever has to understand it: what was drawn, done, and broken."""

from collections.abc import Iterator, Sequence

from orchestrator.model.durations import as_text
from orchestrator.model.events import Event
from orchestrator.model.steps import CheckStep, RecordStep, RequestStep, Step
from orchestrator.report.telling import describe
from tests.campaigns.drawing import Drawn

_PLACE = 6


def told(drawn: Drawn, journal: Sequence[Event], devices: Sequence[int] = ()) -> Iterator[str]:
    """Tell what was drawn, and the journal; with devices, only what concerns the run or them."""
    yield from _drawn(drawn)
    steps = drawn.playbook.all_steps
    for place, event in enumerate(journal):
        device = getattr(event, "device", None)
        if device is not None and devices and device not in devices:
            continue
        sentence = describe(event, step_name=lambda step: f"step {step + 1} {steps[step].title}")
        yield f"{place:>{_PLACE}} {event.at - drawn.started_at:>11.3f}  {sentence}"


def _drawn(drawn: Drawn) -> Iterator[str]:
    playbook, limits = drawn.playbook, drawn.plan_made.limits
    yield f"{len(drawn.members)} devices in the world, {limits.devices} in the plan"
    yield f"selection   {playbook.selection}"
    for number, step in enumerate(playbook.all_steps, start=1):
        kind = "step" if number <= len(playbook.steps) else "rescue"
        yield f"{kind:<11} {number}: {_step(step)}"
    if drawn.changes is not None:
        yield f"changes     {drawn.changes}, snapshots {playbook.snapshots}, table {playbook.table}"
    yield f"rollout     {playbook.rollout}"
    yield f"limits      {limits}"
    yield f"requests    {playbook.requests}"
    if playbook.window is not None:
        yield f"window      {playbook.window}"
        yield f"expected    {', '.join(as_text(each) for each in drawn.plan_made.expected)}"
    yield f"faults      {drawn.faults}"
    for name in ("storms", "absences", "holdings", "interruptions", "acts"):
        for each in getattr(drawn, name):
            yield f"{name:<11} {each}"
    kinds = {member.id: member.temperament.name for member in drawn.members}
    yield "devices     " + ", ".join(f"{device} {kind}" for device, kind in kinds.items())


def _step(step: Step) -> str:
    told = step.title
    if isinstance(step, RequestStep):
        told += f", attempts {step.attempts}, within {step.proof.within or 'default'}"
    if isinstance(step, RecordStep):
        written = ", ".join(f"{each.field}: {each.value}" for each in step.assignments)
        told += f", contact {step.proof.contact}, writes {written or 'the row'}"
    if getattr(step, "refresh", False):
        told += ", refresh"
    if isinstance(step, RequestStep | CheckStep) and step.continue_on:
        told += f", continue_on {', '.join(step.continue_on)}"
    return told
