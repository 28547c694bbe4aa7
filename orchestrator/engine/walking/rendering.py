"""What a step on a record would write for one device, and what that changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.engine.choosing.matching import is_missing, is_same
from orchestrator.model.devices import SECRET_FIELDS, WRITABLE_FIELDS, Device
from orchestrator.model.operations import Action
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

Row = Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One device's values for a step; empty for one that only deletes."""

    fields: Mapping[str, Plain]
    """What is written, without the flag and the secret values."""
    secrets: Mapping[str, Secret]
    unknown: tuple[str, ...] = ()
    """One sentence for each reference that has no value for this device."""


def rendered(
    step: RecordStep, device: Device | None, row: Row | None, *, table: Table | None = None
) -> Rendered:
    """Give what the step writes, from the fresh record and the device's row.

    A replacement starts from every writable field of the record. `table` tells its key, which is
    written only where a record is created, and its secret columns.
    """
    draft = _Draft(device, row)
    if step.action is Action.REPLACE and device is not None:
        draft.fields |= written_of(device)
    if step.action is Action.DEACTIVATE:
        draft.fields["is_active"] = False
    if step.takes_row:
        draft.take_row(table, with_key=step.action is Action.CREATE)
    for each in step.assignments:
        draft.assign(each)
    return Rendered(draft.fields, draft.secrets, tuple(draft.unknown))


class _Draft:
    """What a step writes for one device, as it comes together."""

    def __init__(self, device: Device | None, row: Row | None) -> None:
        self.fields: dict[str, Plain] = {}
        self.secrets: dict[str, Secret] = {}
        self.unknown: list[str] = []
        self._device = device
        self._row = row

    def take_row(self, table: Table | None, *, with_key: bool) -> None:
        """Write every column; the key only where a record is created."""
        if self._row is None or table is None:
            self.unknown.append("it has no row in the table")
            return
        for column, value in self._row.items():
            if column in table.secrets:
                self.secrets[column] = Secret(SecretKind.ROW, column)
            elif with_key or column != table.key:
                self.fields[column] = value

    def assign(self, each: Assignment) -> None:
        """Write one field; it takes the place of what the row or the record says."""
        match each.value:
            case Secret(SecretKind.ROW, column) if not (self._row or {}).get(column):
                self.unknown.append(f"its row has no {column}")
            case Secret():
                self.secrets[each.field] = each.value
                self.fields.pop(each.field, None)
            case Template(parts):
                try:
                    self.fields[each.field] = _filled(parts, self._device, self._row)
                except LookupError as missing:
                    self.unknown.append(missing.args[0])
            case _:
                self.fields[each.field] = each.value


def as_assignments(secrets: Mapping[str, Secret]) -> Iterator[Assignment]:
    """Give secret values as a step would name them."""
    for name, secret in secrets.items():
        yield Assignment(name, secret)


def written_of(device: Device) -> dict[str, Plain]:
    """Give the writable fields that a record shows; secrets never are among them."""
    shown = device.fields
    return {
        field: value
        for field in WRITABLE_FIELDS
        if field in shown and isinstance(value := shown[field], str | int | float | bool | None)
    }


def blanked(found: Rendered, device: Device) -> tuple[str, ...]:
    """Name what a replacement of the whole record leaves out, and so may empty (api.md 1.4).

    A user name and a password are never shown by the controller, so they are named unless written.
    """
    given = found.fields.keys() | found.secrets.keys()
    hidden = [field for field in sorted(SECRET_FIELDS) if field not in given]
    unsaid = [f for f in WRITABLE_FIELDS if f in device.fields and f not in given]
    return (*unsaid, *hidden)


def differences(found: Rendered, device: Device | None) -> dict[str, tuple[object, Plain]]:
    """Give the fields whose value the record does not show yet: what it shows, and what is written."""
    shown = {} if device is None else device.fields
    return {
        field: (shown.get(field), wanted)
        for field, wanted in found.fields.items()
        if not is_as_wanted(field, wanted, shown.get(field))
    }


def is_as_wanted(field: str, wanted: object, shown: object) -> bool:
    """Say whether a record's value is the one that was wanted: text to the letter, numbers by value."""
    if is_missing(wanted) or is_missing(shown):
        return is_missing(wanted) and is_missing(shown)
    if isinstance(wanted, str) and isinstance(shown, str) and field not in _DECIMAL_TEXTS:
        return wanted == shown
    return is_same(wanted, shown)


_DECIMAL_TEXTS = ("latitude", "longitude")
"""Numbers that the controller gives as text, with as many digits as it likes (api.md 1.9)."""


def _filled(parts: tuple[str | Reference, ...], device: Device | None, row: Row | None) -> Plain:
    if len(parts) == 1 and isinstance(parts[0], Reference):
        return _value(parts[0], device, row)
    return "".join(
        part if isinstance(part, str) else _as_text(_value(part, device, row)) for part in parts
    )


def _value(reference: Reference, device: Device | None, row: Row | None) -> Plain:
    if reference.origin is Origin.ROW:
        value: object = (row or {}).get(reference.name)
        where = "its row"
    else:
        value = None if device is None else device.fields.get(reference.name)
        where = "its record"
    if is_missing(value):
        raise LookupError(f"{where} has no {reference.name}")
    if not isinstance(value, str | int | float | bool):
        raise LookupError(f"{reference.name} of {where} is no single value")  # noqa: TRY004 - looked up
    return value


def _as_text(value: Plain) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
