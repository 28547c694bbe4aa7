"""Where secret values come from: a generator, a command, the environment, a sealed table, a table."""

import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.runs.journal_reading import why
from orchestrator.adapters.vault.hidden_text import Hidden
from orchestrator.adapters.vault.password_command import asked
from orchestrator.adapters.vault.sealed_table import unseal
from orchestrator.adapters.vault.vault_key import VaultKey
from orchestrator.model.errors import PlaybookError, SecretError
from orchestrator.model.playbooks import PlaybookSource
from orchestrator.model.values import Secret, SecretKind, Table
from orchestrator.playbook.loading import text_digest
from orchestrator.playbook.tables.tables import secret_cells

LONGEST = 256
"""Characters of a secret: what devices take for a password at most (TR-069)."""
MAX_FILE_BYTES = 64 * 1024 * 1024
SIGNS = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))
"""Letters and digits that nobody mistakes for another when reading them aloud."""
_KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits)

Rows = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Subject:
    """The device that a value is for."""

    id: int | None
    serial_number: str | None
    name: str | None
    row: str | None
    """What names its row in the playbook's table."""

    def __str__(self) -> str:
        if self.serial_number is not None:
            return f"device {self.serial_number}"
        return "a device without an id" if self.id is None else f"device {self.id}"


class SecretSources:
    """The sources of one playbook's secrets; files are read once, when first needed."""

    def __init__(
        self,
        source: PlaybookSource,
        table: Table | None,
        *,
        key: VaultKey | None,
        command: str | None,
        environment: Mapping[str, str],
    ) -> None:
        self._source = source
        self._table = table
        self._key = key
        self._command = command
        self._environment = environment
        self._rows: dict[str, dict[str, dict[str, Hidden]]] = {}

    def check(self, wanted: Iterable[Secret]) -> None:
        """Raise SecretError for the first source that is not there, is shut, or was changed."""
        for secret in wanted:
            match secret.kind:
                case SecretKind.COMMAND:
                    self._needed_command()
                case SecretKind.ENV:
                    self._from_environment(secret)
                case SecretKind.FILE:
                    self._sealed_rows(secret.name)
                case SecretKind.ROW:
                    self._table_rows()
                case SecretKind.GENERATE:
                    pass

    async def value_of(self, field: str, secret: Secret, subject: Subject) -> Hidden:
        """Make or fetch one value; raises SecretError in one sentence that does not repeat it."""
        match secret.kind:
            case SecretKind.GENERATE:
                return Hidden(generated(secret.length))
            case SecretKind.COMMAND:
                return await self._from_command(field, subject)
            case SecretKind.ENV:
                return self._from_environment(secret)
            case SecretKind.FILE:
                rows = self._sealed_rows(secret.name)
                return _cell(rows, secret.name, subject.serial_number, field, subject)
            case SecretKind.ROW:
                rows = self._table_rows()
                return _cell(rows, self._table_name, subject.row, secret.name, subject)

    async def _from_command(self, field: str, subject: Subject) -> Hidden:
        device = {
            "id": subject.id,
            "serial_number": subject.serial_number,
            "name": subject.name,
            "field": field,
        }
        printed = await asked(self._needed_command(), device)
        return _checked(printed, f"what the password command printed for {subject}")

    def _needed_command(self) -> str:
        if self._command is None:
            raise SecretError(
                "the playbook takes a secret from a command; name one in ORCHESTRATOR_PASSWORD_COMMAND"
            )
        return self._command

    def _from_environment(self, secret: Secret) -> Hidden:
        value = self._environment.get(secret.name)
        if not value:
            raise SecretError(f"the environment variable {secret.name} is not set")
        return _checked(value, f"the environment variable {secret.name}")

    def _sealed_rows(self, name: str) -> dict[str, dict[str, Hidden]]:
        if name not in self._rows:
            text = self._source.files.get(name)
            if text is None or self._key is None:
                raise SecretError(f"{name} cannot be opened: it or the vault's key is missing")
            table = unseal(text, self._key, name)
            self._rows[name] = _hidden(rows_of(table.name, table.text, "serial_number"))
        return self._rows[name]

    @property
    def _table_name(self) -> str:
        return "the table" if self._table is None else self._table.name

    def _table_rows(self) -> dict[str, dict[str, Hidden]]:
        if self._table is None:
            raise SecretError("the playbook takes a secret from its table, and has none")
        name = self._table.name
        if name not in self._rows:
            text = read_text(Path(self._source.path).resolve().parent / name.removeprefix("@"))
            if text_digest(text) != self._source.digests.get(name):
                raise SecretError(f"{name} changed since the plan was made; make a new plan")
            self._rows[name] = _hidden(rows_of(name, text, self._table.key))
        return self._rows[name]


def generated(length: int) -> str:
    """Make a secret of letters and digits, some of each kind where there is room for them."""
    while True:
        made = "".join(secrets.choice(SIGNS) for _ in range(length))
        if length < len(_KINDS) or all(set(made) & set(kind) for kind in _KINDS):
            return made


def read_text(path: Path) -> str:
    """Give a file's text without its byte order mark; raises SecretError when it cannot be had."""
    try:
        if path.exists() and not path.is_file():
            raise SecretError(f"{path} cannot be read: it is not a file")
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            raise SecretError(f"{path} cannot be read: it is larger than 64 MB")
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise SecretError(f"{path} cannot be read: {why(error)}") from None
    except UnicodeDecodeError:
        raise SecretError(f"{path} cannot be read: it is not UTF-8 text") from None


def rows_of(name: str, text: str, key: str) -> Rows:
    """Give a table's secret cells, row by row under their key; an empty cell is not in its row.

    Raises SecretError with the first thing that is wrong, and where.
    """
    try:
        return secret_cells(name, text, key)
    except PlaybookError as error:
        fault = error.faults[0]
        raise SecretError(f"{fault.path}:{fault.line}:{fault.column}: {fault.message}") from None


def _hidden(rows: Rows) -> dict[str, dict[str, Hidden]]:
    return {
        device: {column: Hidden(value) for column, value in cells.items()}
        for device, cells in rows.items()
    }


def _cell(
    rows: Mapping[str, Mapping[str, Hidden]],
    name: str,
    row: str | None,
    column: str,
    subject: Subject,
) -> Hidden:
    found = None if row is None else rows.get(row, {}).get(column)
    if found is None:
        raise SecretError(f"{name} has no {column} for {subject}")
    return _checked(found.reveal(), f"the {column} of {subject} in {name}")


def _checked(value: str, what: str) -> Hidden:
    if not value.strip():
        raise SecretError(f"{what} is empty")
    if len(value) > LONGEST:
        raise SecretError(f"{what} is longer than {LONGEST} characters")
    if not value.isprintable():
        raise SecretError(f"{what} is not one line of plain text")
    if value != value.strip():
        raise SecretError(f"{what} begins or ends with a blank")
    return Hidden(value)
