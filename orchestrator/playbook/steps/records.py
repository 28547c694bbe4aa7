"""Steps on records: what they write, and the keys they have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.model.devices import WRITABLE_FIELDS
from orchestrator.model.operations import Action, Operation, Request
from orchestrator.model.policies import RetryPolicy
from orchestrator.model.secrecy import is_secret
from orchestrator.model.steps import RecordStep
from orchestrator.model.values import (
    Assignment,
    Origin,
    Plain,
    Reference,
    Secret,
    SecretKind,
    Table,
    Template,
)
from orchestrator.playbook import composing
from orchestrator.playbook.composing import Scalar
from orchestrator.playbook.shapes import INVALID, JsonSchema, Key, Keys, Spot
from orchestrator.playbook.steps.proofs import PROOF, proof_of
from orchestrator.playbook.steps.secret_values import SecretValue
from orchestrator.playbook.tables.cells import (
    READ_ONLY_FIELDS,
    Wrong,
    is_typed,
    near_writable,
    null_of,
    schema_of,
    value_of,
)
from orchestrator.playbook.values import FLAG, Whole

ROW = "row"
_FLAGS = (Operation.REBOOT, Operation.SYNC, Operation.FACTORY)
_NO_FLAGS = (Operation.DEVICE_FACTORY, Operation.RECONF)
_SECRET = SecretValue()
_EXAMPLE = 'write the fields, such as {description: "..."}'


@dataclass(frozen=True, slots=True)
class Given:
    """What one step writes, as far as it could be read, and where it stands."""

    assignments: tuple[Assignment, ...] = ()
    flags: tuple[Operation, ...] = ()
    takes_row: bool = False
    spots: Mapping[str, Spot] = field(default_factory=dict)
    """By field and flag, each at its value."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Name the fields that are written one by one."""
        return tuple(each.field for each in self.assignments)

    @property
    def references(self) -> tuple[tuple[str, Reference], ...]:
        """Give every reference with the field it is written into, secret columns included."""
        found: list[tuple[str, Reference]] = []
        for each in self.assignments:
            if isinstance(each.value, Template):
                parts = each.value.parts
                found += [(each.field, part) for part in parts if isinstance(part, Reference)]
            elif isinstance(each.value, Secret) and each.value.kind is SecretKind.ROW:
                found.append((each.field, Reference(Origin.ROW, each.value.name)))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Changes:
    """Fields with what is written into them, or `row` for all columns of the device's row."""

    action: Action

    def read(self, spot: Spot) -> Any:
        """Give a Given."""
        node = spot.node
        if isinstance(node, Scalar):
            if not node.is_known:
                return INVALID
            if node.text == ROW:
                return Given(takes_row=True)
            said = repr(node.text[:40]) if not node.is_null else "this"
            return spot.fault(
                f"{said} says nothing that could be written",
                f"{_EXAMPLE}, or `row` for every column of the table",
            )
        if not isinstance(node, composing.Mapping):
            return spot.fault("expected the fields that are written, found a list", _EXAMPLE)
        if not node.entries:
            return spot.fault("no field is written, so nothing would be changed", _EXAMPLE)
        assignments: list[Assignment] = []
        flags: list[Operation] = []
        spots: dict[str, Spot] = {}
        is_whole = True
        for entry in node.entries:
            name = entry.key.text
            spots[name] = spot.entry(entry)
            if name in tuple(Operation):
                is_whole = self._flag(spot.at_key(entry), spots[name], name, flags) and is_whole
                continue
            wrong = self._unwritable(name, is_plain=entry.key.is_plain)
            value: Any = spot.at_key(entry).fault(*wrong) if wrong else _value(spots[name], name)
            if value is INVALID:
                is_whole = False
            else:
                assignments.append(Assignment(name, value))
        return Given(tuple(assignments), tuple(flags), spots=spots) if is_whole else INVALID

    def _flag(self, at_key: Spot, at: Spot, name: str, flags: list[Operation]) -> bool:
        if name in _NO_FLAGS:
            at_key.fault(
                f"{name} is an operation, and no record has a flag for it",
                f"write a step of its own: `- operation: {name}`",
            )
            return False
        if self.action is not Action.UPDATE:
            at_key.fault(
                f"{name} is a flag, and only update sets one", f"write `- operation: {name}`"
            )
            return False
        value = FLAG.read(at)
        if value is False:
            at.fault(f"{name}: false asks for nothing", "remove it")
        if value is True:
            flags.append(Operation(name))
        return value is True

    def _unwritable(self, name: str, *, is_plain: bool) -> tuple[str, str] | None:
        if name in READ_ONLY_FIELDS:
            return f"{name} is not written: the controller or the device alone sets it", "remove it"
        if name == ROW:
            word = self.action.value
            return "row is no field", f"write `{word}: row`, or each column as ${{row.column}}"
        if not name.strip():
            return "there is no field name here", ""
        meant = near_writable(name) if is_plain else None
        if meant is None:
            return None
        hint = f"did you mean {meant!r}? If the record has such a field, write the name in quotes"
        return f"{name!r} is no documented field of a record", hint

    def schema(self) -> JsonSchema:
        """An object of writable fields, of flags where they are possible, or `row`."""
        properties: dict[str, Any] = {}
        for name in WRITABLE_FIELDS:
            shape = _SECRET.schema() if is_secret(name) else schema_of(name)
            properties[name] = {"description": f"What is written into {name}.", **shape}
        if self.action is Action.UPDATE:
            for flag in _FLAGS:
                what = f"true: ask for a {flag.value} in the same request; it counts as one."
                properties[flag.value] = {"description": what, "enum": [True, 1]}
        flags = _NO_FLAGS if self.action is Action.UPDATE else tuple(Operation)
        refused = (*sorted(READ_ONLY_FIELDS), *flags, ROW)
        fields: JsonSchema = {
            "type": "object",
            "minProperties": 1,
            "properties": properties | dict.fromkeys(map(str, refused), False),
        }
        return {"anyOf": [{"const": ROW}, {"type": "string", "pattern": r"\$\{"}, fields]}


def _value(spot: Spot, name: str) -> Any:
    """Read what is written into one field."""
    if is_secret(name):
        return _SECRET.read(spot)
    node = spot.node
    if not isinstance(node, Scalar):
        what = "a list" if isinstance(node, composing.Sequence) else "a mapping"
        return spot.fault(f"expected one value for {name}, found {what}")
    if not node.is_known:
        return INVALID
    if node.parts:
        return _template(spot, name, node)
    value: Plain | Wrong
    if not node.is_null:
        value = value_of(name, node.text, is_text=not node.is_plain)
    elif not node.text:
        hint = 'write null to empty the field, or "" for a text without a sign'
        return spot.fault("there is no value here", hint)
    else:
        value = null_of(name)
    return spot.fault(value.message, value.hint) if isinstance(value, Wrong) else value


def _template(spot: Spot, name: str, node: Scalar) -> Any:
    for part in node.parts:
        if isinstance(part, Reference) and part.origin is Origin.ROW and is_secret(part.name):
            return spot.fault(
                f"{part} is a secret, and anybody may read {name}",
                "a secret column goes into a secret field, alone",
            )
    if is_typed(name) and len(node.parts) > 1:
        return spot.fault(
            f"{name} is no text, so nothing can be put together for it",
            "write one reference and nothing else",
        )
    return Template(node.parts)


def record_step_keys(common: Mapping[str, Key], hints: Mapping[str, str]) -> dict[str, Keys]:
    """Give the keys of every kind of step on records; `common` are those that all of them have."""
    return {
        kind: Keys(
            {
                kind: key,
                "proof": Key(PROOF, "What has to be read back before the step counts."),
                "attempts": Key(
                    Whole(least=1), "How often it may be tried in all. Default: retry.attempts."
                ),
                **common,
            },
            f"{'an' if kind == 'update' else 'a'} {kind} step",
            {**hints, **dict.fromkeys(WRITABLE_FIELDS, f"a field stands under `{kind}`")},
        )
        for kind, key in _kinds().items()
    }


def _kinds() -> dict[str, Key]:
    return {
        "update": Key(
            Changes(Action.UPDATE),
            "Change these fields of the record and leave all others (PATCH). reboot, sync or factory:"
            " true asks for that operation in the same request. `row`: every column.",
            is_required=True,
        ),
        "replace": Key(
            Changes(Action.REPLACE),
            "Write the whole record as it is now, with these changes (PUT). The controller may empty"
            " what it does not show, such as a password.",
            is_required=True,
        ),
        "create": Key(
            Changes(Action.CREATE),
            "Make a record of each row that no device answers to. First step only, with a table whose"
            " key is serial_number.",
            is_required=True,
        ),
        "deactivate": Key(
            _Yes("deactivate"),
            "true: set the record inactive, which can be undone.",
            is_required=True,
        ),
        "delete": Key(
            _Yes("delete"),
            "true: delete the record, which nothing brings back. Last step only.",
            is_required=True,
        ),
    }


@dataclass(frozen=True, slots=True)
class _Yes:
    """`true` and nothing else."""

    kind: str

    def read(self, spot: Spot) -> Any:
        """Give True."""
        value = FLAG.read(spot)
        if value is False:
            return spot.fault(f"{self.kind}: false does nothing", "remove the step")
        return value

    def schema(self) -> JsonSchema:
        """The truth value, or a variable."""
        return {"anyOf": [{"enum": [True, 1]}, {"type": "string", "pattern": r"\$\{"}]}


ACTIONS: Mapping[str, Action] = {
    "update": Action.UPDATE,
    "replace": Action.REPLACE,
    "create": Action.CREATE,
    "deactivate": Action.DEACTIVATE,
    "delete": Action.DELETE,
}


def given_of(kind: str, step: Mapping[str, Any]) -> Given:
    """Give what a step of this kind writes; nothing for one that names no fields."""
    given = step.get(kind)
    return given if isinstance(given, Given) else Given()


def action_of(kind: str, step: Mapping[str, Any], table: Table | None) -> Action:
    """Give what a step asks for: an update that writes firmware_image is an upgrade."""
    given = given_of(kind, step)
    columns = table.columns if given.takes_row and table else ()
    if kind == "update" and "firmware_image" in (*given.fields, *columns):
        return Action.UPGRADE
    return ACTIONS[kind]


def request_of(kind: str, step: Mapping[str, Any], table: Table | None) -> Request:
    """Give what a step counts as everywhere: its flag's operation, else its action."""
    flags = given_of(kind, step).flags
    return flags[0] if flags else action_of(kind, step, table)


def writes_secrets(kind: str, step: Mapping[str, Any], table: Table | None) -> bool:
    """Say whether a step writes a secret value, a column of the row included."""
    given = given_of(kind, step)
    from_row = given.takes_row and table is not None and bool(table.secrets)
    return from_row or any(isinstance(each.value, Secret) for each in given.assignments)


def needs_contact(kind: str, step: Mapping[str, Any], table: Table | None) -> bool:
    """Say whether the device itself has to be seen after the step."""
    default = writes_secrets(kind, step, table) and kind in ("update", "replace")
    return bool(step.get("proof", {}).get("contact", default))


def record_step(
    kind: str, step: Mapping[str, Any], retry: RetryPolicy, table: Table | None
) -> RecordStep:
    """Make the model's step of what was read."""
    given = given_of(kind, step)
    operation = request_of(kind, step, table)
    assignments = given.assignments
    if kind == "create" and not given.takes_row and table is not None:
        named = Template((Reference(Origin.ROW, table.key),))
        assignments = (Assignment(table.key, named), *assignments)
    contact = needs_contact(kind, step, table)
    return RecordStep(
        operation=operation,
        proof=proof_of(operation, step.get("proof", {}), contact=contact),
        attempts=step.get("attempts", retry.attempts),
        continue_on=step.get("continue_on", ()),
        action=action_of(kind, step, table),
        assignments=assignments,
        takes_row=given.takes_row,
        flag=given.flags[0] if given.flags else None,
    )
