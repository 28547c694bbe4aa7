"""What is asked of the controller for a device's step, once its record is fresh and the guard agrees."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.engine.choosing.selecting import row_name, row_of, why_not
from orchestrator.engine.walking import rendering
from orchestrator.engine.walking.progressing import DeviceRun
from orchestrator.engine.walking.rendering import Rendered
from orchestrator.model import events
from orchestrator.model.commands import (
    Command,
    PrepareDevice,
    SaveSnapshot,
    SendChange,
    SendOperation,
)
from orchestrator.model.devices import WRITABLE_FIELDS, Device, DeviceId
from orchestrator.model.operations import Action, Operation
from orchestrator.model.playbooks import Playbook
from orchestrator.model.policies import Depth
from orchestrator.model.readings import Reading
from orchestrator.model.snapshots import Snapshot
from orchestrator.model.steps import RecordStep, RequestStep, Step


@dataclass(frozen=True, slots=True)
class Intention:
    """The event that makes a request durable, and what is done then."""

    event: events.OperationIntended
    commands: tuple[Command, ...]


def may_need_preparation(playbook: Playbook, step: Step) -> bool:
    """Say whether some device has to be read in another way than any before this step."""
    if isinstance(step, RecordStep):
        return True
    is_saved = isinstance(step, RequestStep) and _is_saved_before(step)
    return is_saved and playbook.snapshots is Depth.FULL


def preparation(playbook: Playbook, run: DeviceRun) -> PrepareDevice | None:
    """Give how a device has to be read before its step; None where any fresh reading will do."""
    step = run.operation_step
    deep = _is_deep(playbook, run, step)
    if not isinstance(step, RecordStep) and not deep:
        return None
    secrets = step.secrets if isinstance(step, RecordStep) else ()
    row = None if playbook.table is None else row_name(playbook.table, run.planned)
    if isinstance(step, RecordStep) and step.takes_row and playbook.table is not None:
        found = rendering.rendered(step, None, playbook.table.row_of(row), table=playbook.table)
        secrets = tuple(rendering.as_assignments(found.secrets))
    record = run.record if run.has_record else None
    serial = run.serial_number
    return PrepareDevice(run.id, run.step, record, serial, deep, secrets, row)


def is_prepared(wanted: PrepareDevice, reading: Reading) -> bool:
    """Say whether a reading holds all that the step needs."""
    if not wanted.deep and not wanted.secrets:
        return reading.is_detail
    return reading.step == wanted.step


def _is_deep(playbook: Playbook, run: DeviceRun, step: RequestStep) -> bool:
    """Settings and variables are taken once, before this run changes anything of the device."""
    is_wanted = playbook.snapshots is Depth.FULL and not run.is_saved and run.has_record
    return is_wanted and _is_saved_before(step)


def _is_saved_before(step: RequestStep) -> bool:
    if isinstance(step, RecordStep):
        return step.action is not Action.CREATE
    return step.operation.is_destructive or step.operation is Operation.RECONF


@dataclass(frozen=True, slots=True)
class Finding:
    """What a step on a record comes to for one device, before anything is sent."""

    found: Rendered
    differences: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    hindrance: str | None = None
    """Why nothing can be written."""
    as_wanted: str | None = None
    """Why nothing has to be written."""


def finding(playbook: Playbook, run: DeviceRun, step: RecordStep, reading: Reading) -> Finding:
    """Hold what the step would write against the fresh record."""
    device = reading.device
    table = playbook.table
    found = rendering.rendered(step, device, row_of(table, run.planned), table=table)
    unknown = (*found.unknown, *_not_in_record(step, found, device))
    if unknown:
        return Finding(found, hindrance="; ".join(unknown))
    differences = rendering.differences(found, device)
    return Finding(found, differences, as_wanted=_why_nothing(step, found, differences, reading))


def _not_in_record(step: RecordStep, found: Rendered, device: Device | None) -> Iterator[str]:
    """Name what no record of this controller has: it would be taken without a word, and be lost."""
    if device is None or step.action is Action.CREATE:
        return
    for name in found.fields:
        if name not in device.fields and name not in WRITABLE_FIELDS:
            yield f"its record has no field {name}"


def _why_nothing(
    step: RecordStep,
    found: Rendered,
    differences: Mapping[str, tuple[object, object]],
    reading: Reading,
) -> str | None:
    """Give what shows that the device is as wanted already; flags and secrets are always sent."""
    device = reading.device
    match step.action:
        case Action.CREATE:
            return None if device is None else f"already there as device {device.id}"
        case Action.DELETE:
            return None
        case Action.UPGRADE if device is not None:
            shows = why_not(step.proof.conditions, device, reading.server_at) is None
            if shows and device.firmware_is_pending is not True:
                return f"already runs {device.fields.get('software_version')}"
            return None
    if step.flag is not None or found.secrets or differences:
        return None
    return "already so: " + (", ".join(found.fields) or "nothing to write")


def intention(
    playbook: Playbook, run: DeviceRun, reading: Reading, at: float, finding: Finding | None
) -> Intention:
    """Give the request for a device's step, with what has to be saved before it."""
    attempt, step = run.attempt + 1, run.operation_step
    commands: list[Command] = []
    saved = _snapshot(playbook, run, step, reading)
    if saved is not None:
        commands.append(SaveSnapshot(saved))
    action = before = after = None
    if isinstance(step, RecordStep):
        assert finding is not None
        action = step.action
        before, after = _facts(step, finding, reading)
        commands.append(_change(run, step, finding, attempt))
    else:
        assert isinstance(step.operation, Operation)
        moved = None if run.record == run.id else run.record
        commands.append(SendOperation(run.id, run.step, attempt, step.operation, moved))
    event = events.OperationIntended(
        at=at,
        device=run.id,
        step=run.step,
        attempt=attempt,
        operation=step.operation.value,
        server_at=round(reading.server_at + at - reading.asked_at, 6),
        baseline=events.baseline_of(reading.device, read_at=reading.server_at),
        action=action,
        before=before,
        after=after,
        snapshot=None if saved is None else ("record" if saved.extras is None else "full"),
    )
    return Intention(event, tuple(commands))


def _snapshot(
    playbook: Playbook, run: DeviceRun, step: RequestStep, reading: Reading
) -> Snapshot | None:
    device = reading.device
    if device is None or playbook.snapshots is Depth.NONE or not _is_saved_before(step):
        return None
    extras = None if run.is_saved else reading.extras
    return Snapshot(run.id, run.step, reading.server_at, dict(device.fields), extras)


def _facts(
    step: RecordStep, finding: Finding, reading: Reading
) -> tuple[dict[str, object], dict[str, object]]:
    device: Device | None = reading.device
    if step.action is Action.DELETE:
        return ({} if device is None else dict(rendering.written_of(device))), {}
    before = {name: was for name, (was, _) in finding.differences.items()}
    after: dict[str, object] = {name: now for name, (_, now) in finding.differences.items()}
    fingerprints = dict.fromkeys(finding.found.secrets, "fp:unknown") | dict(reading.fingerprints)
    return before, after | {name: fingerprints[name] for name in finding.found.secrets}


def _change(run: DeviceRun, step: RecordStep, finding: Finding, attempt: int) -> SendChange:
    """Write only what differs, but for a whole record, and an image that may have to be taken again."""
    found = finding.found
    is_whole = step.action in (Action.REPLACE, Action.UPGRADE)
    fields = {
        name: value
        for name, value in found.fields.items()
        if is_whole or name in finding.differences
    }
    if step.flag is not None:
        fields[step.flag.value] = True
    record: DeviceId | None = None if step.action is Action.CREATE else run.record
    return SendChange(
        device=run.id,
        step=run.step,
        attempt=attempt,
        action=step.action,
        record=record,
        fields=fields,
        secrets=found.secrets,
        serial_number=run.serial_number,
    )
