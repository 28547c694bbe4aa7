"""What a plan's changes would turn in each device's record, as far as that is known beforehand."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from msgspec import structs

from orchestrator.cli import screen
from orchestrator.cli.plan_layout import clipped
from orchestrator.cli.plan_steps import origin_of
from orchestrator.engine.choosing.selecting import row_of
from orchestrator.engine.walking.rendering import (
    Rendered,
    blanked,
    is_as_wanted,
    rendered,
)
from orchestrator.model.operations import Action
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.model.secrecy import NEVER_SHOWN, masked
from orchestrator.model.steps import RecordStep, RequestStep
from orchestrator.report.telling_changes import value_of

_FEW = 10
_LONGEST = 24
_UNKNOWN = "not known yet"


@dataclass(frozen=True, slots=True)
class Turn:
    """One field of one device that a step would write."""

    step: int
    field: str
    """Empty where only a reference is known that has no value yet."""
    before: object
    after: object
    is_known: bool = True
    """False when what the record says is read only right before the request."""
    secret: str = ""
    """Where the value comes from, of a secret one."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would become of one device's record."""

    device: PlannedDevice
    turns: tuple[Turn, ...]
    blanks: tuple[str, ...] = ()
    """Fields that a replacement leaves out."""
    is_deleted: bool = False
    is_so: bool = False
    """Everything that would be written is there already, and nothing else is asked for."""


def outlooks(plan: Plan) -> Iterator[Outlook]:
    """Give what would become of each device's record, in the plan's order."""
    if any(isinstance(step, RecordStep) for step in plan.playbook.steps):
        for device in plan.devices:
            yield _outlook(plan, device)


def _outlook(plan: Plan, planned: PlannedDevice) -> Outlook:
    playbook = plan.playbook
    if planned.exhausted is not None:
        return Outlook(planned, ())
    row = row_of(playbook.table, planned)
    record = plan.records.get(planned.id)
    turns: list[Turn] = []
    blanks: dict[str, None] = {}
    now, is_sent = record, False
    shown: Mapping[str, object] = {} if record is None else record.fields
    for place, step in enumerate(playbook.steps):
        if place < planned.begins_at or not isinstance(step, RequestStep):
            continue
        if not isinstance(step, RecordStep) or step.flag is not None:
            is_sent = True
        if not isinstance(step, RecordStep) or not _concerns(step, planned):
            continue
        if now is not None and shown is not now.fields:
            now = structs.replace(now, fields=shown)  # what the step before left
        found = rendered(step, now, row, table=playbook.table)
        turns += _turns(place, found, shown, is_new=planned.is_new)
        if step.action is Action.REPLACE and now is not None:
            blanks |= dict.fromkeys(blanked(found, now))
        shown = {**shown, **found.fields}
    deletes = any(isinstance(s, RecordStep) and s.action is Action.DELETE for s in playbook.steps)
    is_so = record is not None and not (turns or deletes or is_sent)
    return Outlook(planned, tuple(turns), tuple(blanks), deletes, is_so)


def _concerns(step: RecordStep, planned: PlannedDevice) -> bool:
    """A record that is there is not created, and one that is deleted is not written."""
    if step.action is Action.CREATE:
        return planned.is_new
    return step.action is not Action.DELETE


def _turns(
    place: int, found: Rendered, shown: Mapping[str, object], *, is_new: bool
) -> Iterator[Turn]:
    for field, after in found.fields.items():
        is_known = is_new or field in shown  # list pages lack some fields (api.md 1.9)
        if not is_known or not is_as_wanted(field, after, shown.get(field)):
            yield Turn(place, field, shown.get(field), after, is_known)
    for field, secret in found.secrets.items():
        yield Turn(place, field, None, None, secret=origin_of(secret))
    for sentence in found.unknown:
        yield Turn(place, "", None, None, is_known=False, note=sentence)


def in_short(plan: Plan) -> Iterator[str]:
    """Count whose records would change and who is so already; nothing where no record is known."""
    found = list(outlooks(plan)) if plan.records else []
    changed, so = sum(bool(each.turns) for each in found), sum(each.is_so for each in found)
    if changed or so:
        told = f"the records of {screen.counted(changed, 'device')}"
        yield f"{told}; {_so(so)}" if so else told


def _so(count: int) -> str:
    are = "1 is already so and gets" if count == 1 else f"{count:,} are already so and get"
    return f"{are} nothing"


def lines(plan: Plan, *, everyone: bool) -> Iterator[str]:
    """Show what would change, of all devices or the first of them; nothing without such steps."""
    found = list(outlooks(plan))
    rows = [each for each in found if each.turns]
    if not rows and not any(each.is_so for each in found):
        return
    yield from _told(found)
    shown = rows if everyone else rows[:_FEW]
    many = len({turn.step for each in rows for turn in each.turns}) > 1
    head = ("DEVICE", *(("STEP",) if many else ()), "FIELD", "IS", "BECOMES")
    cells = [cell for each in shown for cell in _cells(each, with_step=many)]
    if cells:
        limit = (screen.width() or screen.NARROWEST) - 2
        yield from (f"  {line}" for line in screen.table(head, cells, limit=limit))
    hidden = len(rows) - len(shown)
    if hidden:
        yield f"  and {hidden:,} more; --all lists everyone"


def _told(found: list[Outlook]) -> Iterator[str]:
    changed = sum(bool(each.turns) for each in found)
    so = sum(each.is_so for each in found)
    yield f"What would change ({screen.counted(changed, 'device')}):"
    if so:
        yield f"  {_so(so)}"
    if any(not turn.is_known for each in found for turn in each.turns):
        yield "  what is not known yet is read right before the change"
    blanks = Counter(field for each in found for field in each.blanks)
    for count in sorted(set(blanks.values()), reverse=True):
        fields = ", ".join(field for field, n in blanks.items() if n == count)
        of = screen.counted(count, "device")
        told = f"MAY BE BLANKED, as the replacement leaves it out: {fields} (of {of})"
        yield screen.Loud(screen.folded(told, indent="  "))


def _cells(found: Outlook, *, with_step: bool) -> Iterator[tuple[str, ...]]:
    name = device_name(found.device)
    for turn in found.turns:
        step = (str(turn.step + 1),) if with_step else ()
        before, after = _sides(found, turn)
        yield (name, *step, turn.field, before, after)
        name = ""


def _sides(found: Outlook, turn: Turn) -> tuple[str, str]:
    if turn.note:
        return "", f"{_UNKNOWN}: {turn.note}"
    if turn.secret:
        return NEVER_SHOWN, turn.secret
    before = _clip(value_of(turn.field, turn.before))
    if found.device.is_new:
        before = "new"
    elif not turn.is_known:
        before = _UNKNOWN
    return before, value_of(turn.field, turn.after)


def _clip(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def device_name(device: PlannedDevice) -> str:
    """Give what a device is called in a narrow column: its id, or its serial number while it has none."""
    if device.is_new:
        return clipped(device.serial_number) or "new"
    return str(device.id)


def as_objects(plan: Plan) -> list[dict[str, object]]:
    """Give everything to programs, a device each; of secrets only where they come from."""
    return [
        {
            "device": each.device.id,
            "serial_number": each.device.serial_number,
            "new": each.device.is_new,
            "already_so": each.is_so,
            "deleted": each.is_deleted,
            "may_be_blanked": list(each.blanks),
            "fields": [_turn(turn) for turn in each.turns],
        }
        for each in outlooks(plan)
    ]


def _turn(turn: Turn) -> dict[str, object]:
    return {
        "step": turn.step,
        "field": turn.field or None,
        "known": turn.is_known,
        "before": masked(turn.field, turn.before),
        "after": masked(turn.field, turn.after),
        "secret": turn.secret or None,
        "note": turn.note or None,
    }
