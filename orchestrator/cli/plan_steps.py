"""The steps of a plan in words: what each does to a device, in one line."""

from collections.abc import Iterator, Sequence

from orchestrator.cli import screen
from orchestrator.engine.walking.chaining import NO_CHAIN, chain_ends
from orchestrator.model import durations
from orchestrator.model.operations import Action, Operation
from orchestrator.model.playbooks import Playbook
from orchestrator.model.policies import Approver, Depth
from orchestrator.model.selections import Condition, Equals
from orchestrator.model.steps import (
    ApproveStep,
    CheckStep,
    DoneStep,
    EscalateStep,
    NotifyStep,
    OperationStep,
    RecordStep,
    RequestStep,
    SleepStep,
    Step,
)
from orchestrator.model.values import Assignment, Secret, SecretKind
from orchestrator.model.verdicts import Verdict


def steps(playbook: Playbook) -> Iterator[str]:
    """Give the steps, numbered, and where a device is finished even if the run is stopped."""
    for number, step in enumerate(playbook.steps, start=1):
        yield f"{number}. {step_line(step)}"
    ends = chain_ends(playbook.steps)
    for inside, end in enumerate(ends):
        if end != NO_CHAIN and ends[inside - 1] != end:
            yield f"between {inside} and {end + 1} a device is finished even if the run is stopped"


def rescue(playbook: Playbook) -> Iterator[str]:
    """Give the steps of the rescue, numbered behind the others."""
    for number, step in enumerate(playbook.rescue, start=len(playbook.steps) + 1):
        yield f"{number}. {step_line(step)}"
    if playbook.rescue:
        yield "only for a device whose step ended failed or unconfirmed"


def step_line(step: Step) -> str:
    """Say in one line what a step does."""
    match step:
        case OperationStep() | RecordStep():
            return _request(step)
        case CheckStep():
            within = f": within {durations.as_text(step.within)}" if step.within else ""
            refreshed = f"{step.title}{_refreshed(refresh=step.refresh)}"
            return f"{refreshed}{within}{_forgiven(step.continue_on)}"
        case DoneStep():
            refreshed = f"{step.title}{_refreshed(refresh=step.refresh)}"
            return f"{refreshed}: a device that is so gets nothing more"
        case ApproveStep():
            by = " (by another person)" if step.by is Approver.ANOTHER else ""
            return f"{step.title}: {step.question}{by}"
        case NotifyStep():
            return f"{step.title}: {step.text}"
        case EscalateStep():
            return f"{step.title} to a person: {step.text}"
        case SleepStep():
            return step.title


def _refreshed(*, refresh: bool) -> str:
    return ", asked of the device itself" if refresh else ""


def _request(step: RequestStep) -> str:
    title = _record_title(step) if isinstance(step, RecordStep) else step.title
    attempts = screen.counted(step.attempts, "attempt")
    return f"{title}: at most {attempts}{_proof(step)}{_forgiven(step.continue_on)}"


def _record_title(step: RecordStep) -> str:
    flag = f"; {step.flag.value}" if step.flag else ""
    if flag and not (step.assignments or step.takes_row):
        return step.title
    return f"{step.title.removesuffix(f', {step.flag.value}' if step.flag else '')}{flag}"


def _proof(step: RequestStep) -> str:
    proof = step.proof
    wanted = list(map(_shown, proof.conditions))
    wanted += ["a contact of the device"] if proof.contact else []
    wanted += [witness.value.replace("_", " ") for witness in proof.witnesses]
    by = f" by {', '.join(wanted)}" if wanted else ""
    within = f" within {durations.as_text(proof.within)}" if proof.within is not None else ""
    return f", proof{by}{within}" if by or within else ""


def _shown(condition: Condition) -> str:
    match condition.test:
        case Equals(values):
            return f"{condition.field} {' or '.join(map(str, values))}"
        case _:
            return condition.field


def _forgiven(verdicts: Sequence[Verdict]) -> str:
    words = " or ".join(verdict.value for verdict in verdicts)
    return f"; goes on when {words}" if words else ""


def table(playbook: Playbook, new: int) -> Iterator[str]:
    """Say which table gives the devices their values, and how many become new ones."""
    found = playbook.table
    if found is not None:
        yield f"{found.name}: {screen.counted(len(found.rows), 'row')} by {found.key}"
    if new:
        yield f"{screen.counted(new, 'row')} without a record: new, to be created"


def secrets(playbook: Playbook) -> Iterator[str]:
    """Say where each secret value comes from; none of them stands in a plan."""
    told: dict[str, None] = {}
    for step in playbook.all_steps:
        if isinstance(step, RecordStep):
            told |= dict.fromkeys(f"{each.field}: {_origin(each)}" for each in step.secrets)
            columns = sorted(playbook.table.secrets) if playbook.table and step.takes_row else ()
            told |= dict.fromkeys(f"{column}: a column of the table" for column in columns)
    yield from told


def _origin(assignment: Assignment) -> str:
    assert isinstance(assignment.value, Secret)
    return origin_of(assignment.value)


def origin_of(secret: Secret) -> str:
    """Say where a secret value comes from, in a few words."""
    match secret.kind:
        case SecretKind.GENERATE:
            return f"generated, {screen.counted(secret.length, 'character')}"
        case SecretKind.COMMAND:
            return "printed by the command of the settings"
        case SecretKind.ENV:
            return f"from the environment variable {secret.name}, the same for every device"
        case SecretKind.FILE:
            return f"from the sealed table {secret.name}"
        case SecretKind.ROW:
            return f"from the column {secret.name} of the table"


_SAVED = {
    Depth.FULL: "each device's record, settings and variables before it is changed",
    Depth.RECORD: "each device's record before it is changed",
    Depth.NONE: "nothing (snapshots: none), so nothing can be put back from this run",
}


def saves(playbook: Playbook) -> Iterator[str]:
    """Say what is kept of a device before it is changed, where steps change records."""
    if any(map(_is_saved_before, playbook.all_steps)):
        yield _SAVED[playbook.snapshots]


def _is_saved_before(step: Step) -> bool:
    if isinstance(step, RecordStep):
        return step.action is not Action.CREATE
    return isinstance(step, RequestStep) and step.operation in _CONFIGURING


_CONFIGURING = (Operation.RECONF, Operation.FACTORY, Operation.DEVICE_FACTORY)


def allowances(playbook: Playbook) -> Iterator[str]:
    """Say how often a device may get an operation over all runs."""
    for each in playbook.allowances:
        noun = _noun(each.operation)
        yield (
            f"at most {screen.counted(each.at_most, noun)} of one device in"
            f" {durations.as_text(each.per)}, all runs counted"
        )


def _noun(operation: Operation) -> str:
    return operation.value.replace("_", " ")
