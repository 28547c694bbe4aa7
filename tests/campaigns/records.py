"""The promises of campaigns that change records, judged by the world's records and its ledger.

Every function gives a sentence for each breach, as those of `invariants` do.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from orchestrator.model import events
from orchestrator.model.operations import Action, Operation
from orchestrator.model.policies import Depth
from orchestrator.model.secrecy import is_secret
from orchestrator.model.steps import CheckStep, DoneStep, EscalateStep, RecordStep, RequestStep
from orchestrator.model.values import Secret, Template
from orchestrator.model.verdicts import Verdict
from orchestrator.simulator.devices import SimulatedDevice
from tests.campaigns.history import Attempt, History
from tests.support.campaigns import without_one_verdict

Promise = Callable[[History], Iterator[str]]

LEFT_ALONE = ("skipped", "not_started", "already_ok")
SHORTEST_SECRET = 5
"""Characters from which on a text is no coincidence."""


def _present(history: History, device: int) -> SimulatedDevice | None:
    """Give the device as the world has it in the end, under whichever id."""
    population = history.life.world.population
    identity = population.present_id(history.ids[device][-1])
    return population.device(identity, history.life.now)


def _well_ended(history: History, device: int) -> bool:
    ended = history.finished.get(device)
    return ended is not None and Verdict(ended.verdict).is_success


def one_verdict(history: History) -> Iterator[str]:
    """Every device has exactly one verdict, and the run ends."""
    yield from without_one_verdict(history.life)


def left_alone(history: History) -> Iterator[str]:
    """Whoever was skipped, not started or already as wanted was changed by nothing of this run."""
    for device, ended in history.finished.items():
        if ended.verdict not in LEFT_ALONE:
            continue
        attempts = history.attempts_of(device)
        if any(each.was_applied for each in attempts):
            yield f"{device} is {ended.verdict} although something was applied to it"
        if ended.verdict == "already_ok" and any(each.arrival for each in attempts):
            yield f"{device} is already_ok and something was asked of it"


# --- what was written -------------------------------------------------------------------------------


def records_show(history: History) -> Iterator[str]:
    """Whoever succeeded shows what its steps wrote, unless a later step or a reset changed it."""
    for device in history.finished:
        if not _well_ended(history, device):
            continue
        present, wanted, is_deleted = _present(history, device), _wanted(history, device), False
        for event in history.of_device[device]:
            if isinstance(event, events.StepSucceeded):
                step = history.steps[event.step]
                is_deleted |= isinstance(step, RecordStep) and step.action is Action.DELETE
        if is_deleted or present is None:
            if not (is_deleted and present is None):
                yield f"{device} succeeded; deleted by its steps: {is_deleted}, record: {present}"
            continue
        for field, (value, step) in wanted.items():
            shown = present.fields.get(field)
            if not _is_same(value, shown):
                yield f"{device}: {field} is {shown!r}, step {step + 1} wrote {value!r}"


def _wanted(history: History, device: int) -> dict[str, tuple[object, int]]:
    """Give what the record has to say in the end, and because of which step."""
    wanted: dict[str, tuple[object, int]] = {}
    written: dict[int, dict[str, object]] = {}
    has_moved: set[int] = set()
    for event in history.of_device[device]:
        if isinstance(event, events.OperationIntended):
            if event.after is not None:
                written.setdefault(event.step, {}).update(event.after)
        elif isinstance(event, events.DeviceFound):
            wanted.clear()  # it has another record since its reset
            has_moved.add(event.step)
        elif isinstance(event, events.StepSucceeded):
            step = history.steps[event.step]
            if isinstance(step, RecordStep):
                found = {**_literals(history, device, step), **written.get(event.step, {})}
                if event.step in has_moved:  # what was so already before the reset was not written
                    found = written.get(event.step, {})
                wanted |= {
                    name: (value, event.step)
                    for name, value in found.items()
                    if not is_secret(name)
                }
    return wanted


def _literals(history: History, device: int, step: RecordStep) -> dict[str, object]:
    """Give what a step writes as far as the playbook alone tells, whether it was sent or not."""
    if step.action is Action.CREATE:
        return {}  # where there was a record before, it stays as it is
    found: dict[str, object] = {}
    table = history.playbook.table
    if step.takes_row and table is not None:
        row = table.row_of(history.serials[device]) or {}
        found = {k: v for k, v in row.items() if k != table.key and k not in table.secrets}
    if step.action is Action.DEACTIVATE:
        found["is_active"] = False
    for each in step.assignments:
        if isinstance(each.value, Template | Secret):
            found.pop(each.field, None)
        else:
            found[each.field] = each.value
    return found


def _is_same(wanted: object, shown: object) -> bool:
    if wanted in (None, "") or shown in (None, ""):
        return wanted in (None, "") and shown in (None, "")
    try:
        return float(wanted) == float(shown)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return wanted == shown


def steps_had_their_effect(history: History) -> Iterator[str]:
    """No step succeeded whose request was never applied, or had not had its effect by then."""
    for event in history.of(events.StepSucceeded):
        step = history.steps[event.step]
        mine = [
            each
            for each in history.attempts_of(event.device)
            if each.intended.step == event.step and each.intended.at <= event.at
        ]
        if not isinstance(step, RequestStep) or not mine:
            continue
        where = f"{event.device}: {step.title} succeeded"
        if not any(each.was_applied for each in mine) and not _was_there(history, event, step):
            yield f"{where} and was never applied: {event.evidence}"
            continue
        applied = [each.applied for each in mine if each.applied is not None]
        is_hidden = not step.operation.is_disruptive and not history.drawn.rules.shows_operations
        is_done = any(a.done_at is not None and a.done_at <= event.at for a in applied)
        if applied and not is_hidden and not is_done:
            yield f"{where} before it was done: {event.evidence}"


def _was_there(history: History, event: events.StepSucceeded, step: RequestStep) -> bool:
    """Say whether an attempt that was refused was followed by finding that nothing is to be done."""
    before = [e for e in history.of_device[event.device] if e.at <= event.at]
    refused = [e for e in before if isinstance(e, events.OperationRefused)]
    found = "already" in event.evidence or "no longer has" in event.evidence
    return isinstance(step, RecordStep) and bool(refused) and found


def doubts_resolved(history: History) -> Iterator[str]:
    """What the run made of a request without an answer is what happened."""
    for attempt in history.attempts:
        resolved = attempt.resolved
        if resolved is None or not history.obeys(attempt.device):
            continue
        mine = [attempt]
        if attempt.operation.may_be_repeated or attempt.operation is Action.CREATE:
            step = attempt.intended.step
            mine = [
                each
                for each in history.attempts_of(attempt.device)
                if each.intended.step == step and each.place <= attempt.place
            ]
        applied = any(each.was_applied for each in mine)
        if applied != resolved.applied:
            yield f"{attempt.device}: applied is {applied}, the run says: {resolved.sign}"


def looks_that_disturb(history: History) -> Iterator[str]:
    """The controller is made to contact a device at a last look, a check that says so, no more."""
    allowed: Counter[int] = Counter()
    for event in history.of(events.LastLookTaken, events.StepStarted, events.DeviceFound):
        step = history.steps[event.step]
        asks = isinstance(step, CheckStep | DoneStep) and step.refresh
        if asks or not isinstance(event, events.StepStarted):
            allowed[event.device] += 1
    resumed = len(history.of(events.RunResumed)) + 1
    of_record = {record: device for device, ids in history.ids.items() for record in ids}
    refreshed = Counter(
        of_record.get(each.device or 0, 0) for each in history.ledger.arrivals if each.refreshed
    )
    for device, count in refreshed.items():
        if count > allowed[device] * resumed:
            yield f"{device} was asked {count} times to update its status, allowed {allowed[device]}"


# --- records that come and go -----------------------------------------------------------------------


def created_once(history: History) -> Iterator[str]:
    """At most one record for each serial number, however often a process ended."""
    new = {device.serial_number for device in history.plan.devices if device.is_new}
    present = Counter(
        each.fields["serial_number"] for each in history.life.world.population._devices.values()
    )
    made = Counter(
        each.wrote.get("serial_number")
        for each in history.ledger.changes
        if each.method == "POST" and each.applied
    )
    for serial in new:
        if present[serial] > 1 or made[serial] > 1:
            yield f"{serial} has {present[serial]} records, {made[serial]} were made"
    for device in history.plan.devices:
        if device.is_new and _well_ended(history, device.id):
            record = history.life.world.population.with_serial(str(device.serial_number))
            if record is None or record != history.ids[device.id][-1]:
                yield f"{device.serial_number} succeeded; its record is {record}, not as the run knows"
    for event in history.of(events.OperationAccepted):
        if event.record is not None and event.record not in history.life.world.population:
            yield f"{event.device}: the record {event.record} that it got is not there"


# --- snapshots --------------------------------------------------------------------------------------


def snapshots(history: History) -> Iterator[str]:
    """Whatever is changed or reset was saved before, as the journal says it was."""
    depth = history.playbook.snapshots
    saved_before: set[int] = set()
    for attempt in history.attempts:
        event, step = attempt.intended, history.steps[attempt.intended.step]
        where = f"{event.device}: {event.operation} of step {event.step + 1}"
        wanted = depth is not Depth.NONE and _is_saved(step)
        if (event.snapshot is not None) != wanted:
            yield f"{where} has the snapshot {event.snapshot}, snapshots are {depth}"
        if event.snapshot is None:
            continue
        expected = "full" if depth is Depth.FULL and event.device not in saved_before else "record"
        if event.snapshot != expected:
            yield f"{where} has the snapshot {event.snapshot}, not {expected}"
        saved_before.add(event.device)
        yield from _saved(history, attempt, where)


def _is_saved(step: object) -> bool:
    if isinstance(step, RecordStep):
        return step.action is not Action.CREATE
    assert isinstance(step, RequestStep)
    return step.operation.is_destructive or step.operation is Operation.RECONF


def _saved(history: History, attempt: Attempt, where: str) -> Iterator[str]:
    event = attempt.intended
    mine = [
        snapshot
        for length, snapshot in history.life.chronicle.snapshots
        if length <= attempt.place
        and (snapshot.device, snapshot.step) == (event.device, event.step)
    ]
    if not mine:
        yield f"{where} was intended before anything was saved"
        return
    for field, before in (event.before or {}).items():
        if mine[-1].record.get(field) != before:
            shown = mine[-1].record.get(field)
            yield f"{where}: {field} was {before!r}, and was saved as {shown!r}"
    if event.snapshot == "full" and mine[-1].extras is None:
        yield f"{where} is said to be saved in full and was not"


# --- people -----------------------------------------------------------------------------------------


def handed_over(history: History) -> Iterator[str]:
    """Whoever had its share of an operation gets none; a person is told of everybody handed over."""
    limited = {each.operation for each in history.playbook.allowances}
    exhausted = {device.id for device in history.plan.devices if device.exhausted}
    for attempt in history.attempts:
        if attempt.device in exhausted and attempt.operation in limited:
            yield f"{attempt.device} had its share of {attempt.operation} and is asked again"
    told = Counter((each.device, each.step) for each in history.life.chronicle.notices)
    killed = history.life.chronicle.kills
    for event in history.of(events.StepSucceeded):
        if isinstance(history.steps[event.step], EscalateStep):
            count = told[event.device, event.step]
            if count > 1 or (not count and not killed):
                yield f"{event.device} was handed to a person, who was told {count} times"


# --- secrets ----------------------------------------------------------------------------------------


def nobody_locked_out(history: History) -> Iterator[str]:
    """Every device's own password is one that somebody keeps; after a proven step the new one."""
    vault = history.life.chronicle.vault
    members = {member.id: member for member in history.drawn.members}
    for device in history.ids:
        made = vault.of_device(device, "password")
        present = _present(history, device)
        if not made or present is None:
            continue
        own = present.credentials.present.password
        member = members.get(device)
        before = {""} if member is None else {"", str(member.fields["password"])}
        recorded = str(present.fields["password"])
        if own not in {*before, *made.values()} and not _has_new_record(history, device):
            yield f"{device} has a password that nobody keeps"
        proven = [step for step in made if (device, step) in vault.proven]
        if not proven or _is_overwritten(history, device, max(proven)):
            continue
        wanted = made[max(proven)]
        if recorded != wanted or (
            own != wanted and not _was_reset_after(history, device, max(proven))
        ):
            yield f"{device} took the password of step {max(proven) + 1}, as proven, and has another"


def _has_new_record(history: History, device: int) -> bool:
    population = history.life.world.population
    return population.present_id(device) != device


def _is_overwritten(history: History, device: int, step: int) -> bool:
    """Say whether a later request may have written another password, or none."""
    for attempt in history.attempts_of(device):
        if attempt.intended.step > step and attempt.intended.action is not None:
            writes = "password" in (attempt.intended.after or {})
            if attempt.was_applied and (writes or attempt.intended.action == Action.REPLACE):
                return True
    return _has_new_record(history, device) and _was_reset_after(history, device, step)


def _was_reset_after(history: History, device: int, step: int) -> bool:
    return any(
        attempt.intended.step > step and attempt.was_applied and attempt.operation.is_destructive
        for attempt in history.attempts_of(device)
    )


def nothing_secret_is_told(history: History) -> Iterator[str]:
    """No secret value stands in the journal, in a snapshot, or in what people are told."""
    vault, chronicle = history.life.chronicle.vault, history.life.chronicle
    values = set(vault.kept.values())
    for member in history.drawn.members:
        values |= {str(member.fields["password"]), str(member.fields["username"])}
    told = "\n".join((repr(history.journal), repr(chronicle.snapshots), repr(chronicle.notices)))
    for value in values:
        if len(value) >= SHORTEST_SECRET and value in told:
            at = told.index(value)
            yield f"a secret value is told: {told[max(0, at - 120) : at]}"


ON_RECORDS: tuple[Promise, ...] = (
    one_verdict,
    left_alone,
    records_show,
    steps_had_their_effect,
    doubts_resolved,
    looks_that_disturb,
    created_once,
    snapshots,
    handed_over,
    nobody_locked_out,
    nothing_secret_is_told,
)
