"""What a step writes into a record: plain values, templates, and secrets that are fetched when needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Plain = str | int | float | bool | None


class Origin(StrEnum):
    """Where a reference of a template takes its text from."""

    DEVICE = "device"
    """The device's record, as it was read right before the request."""
    ROW = "row"
    """The device's row of the playbook's table."""


@dataclass(frozen=True, slots=True)
class Reference:
    """`${device.field}` or `${row.column}`."""

    origin: Origin
    name: str

    def __str__(self) -> str:
        return f"${{{self.origin.value}.{self.name}}}"


@dataclass(frozen=True, slots=True)
class Template:
    """Text with references; one reference and nothing else gives the value as it is, with its type."""

    parts: tuple[str | Reference, ...]


class SecretKind(StrEnum):
    """Who makes or keeps a secret value."""

    GENERATE = "generate"
    """Made here, of letters and digits, by a cryptographic generator."""
    COMMAND = "command"
    """Printed by the command that the settings name (never one from a playbook)."""
    ENV = "env"
    """An environment variable; the same for every device."""
    FILE = "file"
    """A sealed table: one row a device, encrypted with the vault's key."""
    ROW = "row"
    """A secret column of the playbook's table; read anew from the file, never kept in a plan."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that no plan, journal, log or report ever holds; they hold its fingerprint."""

    kind: SecretKind
    name: str = ""
    """The variable, the file or the column."""
    length: int = 24
    """Characters to generate."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One field and what is written into it."""

    field: str
    value: Plain | Template | Secret


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values, one a device, from a file beside the playbook."""

    name: str
    """The file as the playbook names it."""
    key: str
    """The column that names the device, and the field it is compared with: id, serial_number or name."""
    columns: tuple[str, ...]
    """All of them, the key among them, in the file's order."""
    rows: Mapping[str, Mapping[str, Plain]]
    """By the key's text as it stands in the file; a cell that is empty is not in its row. Secret columns
    hold only whether there is a value."""
    lines: Mapping[str, int]
    """Where each row stands, counted from 1."""
    secrets: frozenset[str] = frozenset()
    """Columns whose values are secret."""

    def row_of(self, name: str | None) -> Mapping[str, Plain] | None:
        """Give a device's row; None when it has none."""
        return None if name is None else self.rows.get(name)
