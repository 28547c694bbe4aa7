"""Tables beside a playbook: one row of values a device, checked whole before anything else is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from orchestrator.model.errors import Fault, PlaybookError
from orchestrator.model.secrecy import MASK, is_secret
from orchestrator.model.values import Plain, Table
from orchestrator.playbook.composing import FORBIDDEN
from orchestrator.playbook.decoding import AS_UTF8
from orchestrator.playbook.device_lists import unsafe_name
from orchestrator.playbook.faults import Place, may_show_secret, nearest
from orchestrator.playbook.shapes import INVALID, JsonSchema, Spot, scalar
from orchestrator.playbook.tables.cells import (
    READ_ONLY_FIELDS,
    Wrong,
    near_writable,
    null_of,
    shown,
    value_of,
)
from orchestrator.playbook.tables.sheet_csv import read_csv
from orchestrator.playbook.tables.sheet_jsonl import read_jsonl
from orchestrator.playbook.tables.sheet_masking import masked_text
from orchestrator.playbook.tables.sheet_yaml import read_yaml
from orchestrator.playbook.tables.sheets import (
    LONGEST_NAME,
    Cell,
    Complain,
    Row,
    Sheet,
    split_lines,
)
from orchestrator.playbook.values import Words

KEYS = ("id", "serial_number", "name")
DEFAULT_KEY = "serial_number"
MOST_FAULTS = 20
_READERS: Mapping[str, Callable[[str, Complain], Sheet]] = {
    ".csv": read_csv,
    ".jsonl": read_jsonl,
    ".yaml": read_yaml,
    ".yml": read_yaml,
}
_FORMS = "a table is a file named *.csv, *.jsonl or *.yaml"
FLAGS = ("reboot", "sync", "factory", "device_factory", "reconf")
"""Words that ask for an operation, and so are no columns of values."""

KEY = Words(
    {key: key for key in KEYS},
    f"a column that names devices: {', '.join(KEYS)}",
    KEYS,
    {"serial": "did you mean 'serial_number'?", "sn": "did you mean 'serial_number'?"},
)


@dataclass(frozen=True, slots=True)
class TableName:
    """`"@file.csv"`: the name of a table beside the playbook."""

    def read(self, spot: Spot) -> Any:
        """Give the name without the @."""
        wanted = 'a table such as "@sites.csv"'
        node = scalar(spot, wanted)
        if node is None:
            return INVALID
        name = node.text.strip()
        if not name.startswith("@"):
            hint = f'write "@{name}"' if is_table_name(name) else _FORMS
            return spot.fault(f"{shown(name)} is not {wanted}", hint)
        wrong = unsafe_name(name[1:])
        if wrong:
            hint = "name a file in the playbook's own folder, or in one below it"
            return spot.fault(wrong, hint)
        if not is_table_name(name[1:]):
            return spot.fault(f"{shown(name[1:])} is no table that can be read", _FORMS)
        return name[1:]

    def schema(self) -> JsonSchema:
        """Text that begins with @."""
        return {"type": "string", "pattern": r"^\s*(@|\$\{)"}


def path_beside(playbook: str, name: str) -> str:
    """Give the path by which messages name a file beside the playbook."""
    return str(PurePosixPath(playbook).parent / name)


def is_table_name(name: str) -> bool:
    """Say whether a file of this name is read as a table."""
    return _form(name) is not None


def _form(name: str) -> Callable[[str, Complain], Sheet] | None:
    return _READERS.get(PurePosixPath(name).suffix.lower())


def table_of(path: str, text: str, key: str, *, is_written: bool = False) -> Table:
    """Read a table that stands alone, and check it whole; `is_written`: all columns go into records.

    Raises PlaybookError with every fault, at most 20 of them one by one.
    """
    table, faults = read_table(path, text, key, path=path, is_written=is_written)
    if faults or table is None:
        raise PlaybookError(faults)
    return table


def read_table(
    name: str, text: str, key: str, *, path: str, fault_key: str = "", is_written: bool = False
) -> tuple[Table | None, tuple[Fault, ...]]:
    """Read a table by the name the playbook uses; give it, or None, and what is wrong with it.

    `path` is how messages name the file, `fault_key` the key of the playbook that asks for it.
    """
    reading = _Reading(name, text.removeprefix("\ufeff"), key, path, fault_key)
    table = reading.table(is_written=is_written)
    faults = reading.faults()
    return (None if faults else table), faults


def kept_text(table: Table, text: str, path: str) -> str:
    """Give the text of a good table as it may be kept: with `***` in each secret cell that has a value.

    Raises PlaybookError where such a cell holds `***` itself: then the text was kept once already.
    """
    if not table.secrets:
        return text
    text = text.removeprefix("\ufeff")
    sheet = _sheet(table.name, text)
    for row in sheet.rows:
        for column in table.secrets:
            cell = row.cells.get(column)
            if cell is not None and cell.text == MASK and not cell.is_null:
                message = f"{column} is {MASK}, which stands for a secret that was not kept"
                hint = "use the file that this one was made from"
                fault = Fault(path, cell.line, cell.column, "", message, hint, cell.length)
                raise PlaybookError([fault])
    return masked_text(table.name, sheet, table.secrets, MASK)


def secret_cells(name: str, text: str, key: str) -> dict[str, dict[str, str]]:
    """Give the secret cells of a good table by the row's key and the column; empty ones are left out.

    Raises PlaybookError when the text is no good table.
    """
    table = table_of(name, text, key)
    found: dict[str, dict[str, str]] = {}
    for row in _sheet(name, text.removeprefix("\ufeff")).rows:
        cells = {c: row.cells[c] for c in table.secrets if c in row.cells}
        found[row.cells[key].text.strip()] = {
            column: cell.text for column, cell in cells.items() if _has_value(cell)
        }
    return found


def _sheet(name: str, text: str) -> Sheet:
    read = _form(name)
    return read(text, lambda *_: None) if read else Sheet()


def _has_value(cell: Cell) -> bool:
    return not cell.is_null and bool(cell.text)


class _Reading:
    """Reads one table; every fault names the file, the line and the column."""

    def __init__(self, name: str, text: str, key: str, path: str, fault_key: str) -> None:
        self._name = name
        self._text = text
        self._key = key
        self._path = path
        self._fault_key = fault_key
        self._is_csv = _form(name) is read_csv
        self._found: list[tuple[Place, str, str]] = []
        self._secrets: frozenset[str] = frozenset()

    def table(self, *, is_written: bool) -> Table | None:
        """Give the table as far as it could be read; None when there are no rows to speak of."""
        read = _form(self._name)
        if read is None:
            self._complain(Place(1, 1), f"{shown(self._name)} is no table that can be read", _FORMS)
            return None
        if not self._is_text():
            return None
        sheet = read(self._text, self._complain)
        self._secrets = frozenset(filter(is_secret, sheet.columns))
        if not sheet.columns or not sheet.rows:
            if not self._found:
                self._complain(Place(1, 1), "this table has no row", "write one row a device")
            return None
        self._check_columns(sheet, is_written=is_written)
        if self._key not in sheet.columns:
            self._miss_key(sheet)
            return None
        return self._rows(sheet)

    def faults(self) -> tuple[Fault, ...]:
        """Give what is wrong in the order of the text: the first 20, and how many more there are."""
        found = sorted(dict.fromkeys(self._found), key=lambda each: (each[0].line, each[0].column))
        if not found:
            return ()
        lines = split_lines(self._text)
        faults = [self._fault(*each, lines) for each in found[:MOST_FAULTS]]
        more = len(found) - MOST_FAULTS
        if more > 0:
            message = f"and {more} more {'fault' if more == 1 else 'faults'} in this file"
            faults.append(self._fault(Place(found[MOST_FAULTS][0].line, 1), message, "", []))
        return tuple(faults)

    def _fault(self, place: Place, message: str, hint: str, lines: list[str]) -> Fault:
        # A line of a table with secrets is never shown: it may be the line of a password.
        is_shown = not self._secrets and place.line <= len(lines)
        line = lines[place.line - 1] if is_shown else ""
        line = "" if may_show_secret(line) else line
        length = max(1, min(place.length, len(line) - place.column + 1))
        key = self._fault_key
        return Fault(self._path, place.line, place.column, key, message, hint, length, line)

    def _complain(self, place: Place, message: str, hint: str = "") -> None:
        self._found.append((place, message, hint))

    def _at(self, cell: Cell, message: str, hint: str = "") -> None:
        self._complain(Place(cell.line, cell.column, max(1, cell.length)), message, hint)

    def _is_text(self) -> bool:
        found = FORBIDDEN.search(self._text)
        if found is None:
            return True
        before = split_lines(self._text[: found.start()])
        code = f"U+{ord(found.group()):04X}"
        hint = AS_UTF8 if found.group() == "\x00" else ""
        self._secrets = frozenset({code})  # nobody knows yet what stands in that line
        place = Place(len(before), len(before[-1]) + 1)
        self._complain(place, f"the control character {code} must not stand in a table", hint)
        return False

    def _check_columns(self, sheet: Sheet, *, is_written: bool) -> None:
        for name, place in sheet.columns.items():
            meant = near_writable(name)
            if len(name) > LONGEST_NAME:
                self._complain(
                    place, "this name of a column is too long", f"at most {LONGEST_NAME}"
                )
            elif meant is not None:
                hint = f"did you mean {meant!r}? A column of your own needs a name that is less like it"
                self._complain(place, f"{name!r} is no field of a record", hint)
            elif is_written and name != self._key:
                wrong = unwritable(name)
                if wrong:
                    self._complain(place, *wrong)

    def _miss_key(self, sheet: Sheet) -> None:
        if not sheet.is_complete and not self._found:
            return
        first = next(iter(sheet.columns.values()))
        others = [key for key in KEYS if key in sheet.columns]
        hint = (
            f"key by one that it has: {others[0]}"
            if others
            else nearest(self._key, [*sheet.columns])
        )
        message = f"no column {self._key!r} names the devices"
        self._complain(Place(first.line, first.column), message, hint)

    def _rows(self, sheet: Sheet) -> Table:
        rows: dict[str, Mapping[str, Plain]] = {}
        lines: dict[str, int] = {}
        firsts: dict[str, Cell] = {}
        for row in sheet.rows:
            name = self._key_of(row)
            values = self._values(row)
            if name is None:
                continue
            cell = row.cells[self._key]
            first = firsts.setdefault(name.casefold(), cell)
            if first is not cell:
                self._refuse_twin(first, cell)
                continue
            rows[name] = {self._key: name, **values} if self._key in values else values
            lines[name] = row.place.line
        columns = tuple(sheet.columns)
        return Table(self._name, self._key, columns, rows, lines, self._secrets)

    def _refuse_twin(self, first: Cell, cell: Cell) -> None:
        where = f"in lines {first.line} and {cell.line}"
        if first.line == cell.line:
            where = f"in line {cell.line}, at columns {first.column} and {cell.column}"
        name, other = shown(cell.text.strip()), shown(first.text.strip())
        if first.text.strip() == cell.text.strip():
            self._at(cell, f"{self._key} {name} stands twice, {where}", "keep one of the rows")
        else:
            what = f"{self._key} {other} and {name} differ only in upper and lower case, {where}"
            self._at(cell, what, "keep the one that is written as the controller has it")

    def _key_of(self, row: Row) -> str | None:
        cell = row.cells.get(self._key)
        if cell is None:
            self._complain(row.place, f"this row has no {self._key}")
            return None
        name = cell.text.strip()
        if cell.is_null or not name:
            self._at(cell, f"the {self._key} of this row is empty")
        elif len(name) > LONGEST_NAME or not name.isprintable():
            self._at(cell, f"this is no {self._key}")
        elif self._key == "id" and not (
            name.isascii() and name.isdigit() and str(int(name[:18])) == name
        ):
            self._at(cell, f"{shown(name)} is no id", "an id is a whole number, such as 1001")
        else:
            return name
        return None

    def _values(self, row: Row) -> dict[str, Plain]:
        values: dict[str, Plain] = {}
        for column, cell in row.cells.items():
            if column == self._key:
                values[column] = cell.text.strip()
                continue
            if column in self._secrets:
                self._take_secret(column, cell, values)
                continue
            if not cell.text and self._is_csv:
                continue
            if cell.is_null:
                value: Plain | Wrong = null_of(column)
            else:
                value = value_of(column, cell.text, is_text=cell.is_text)
            if isinstance(value, Wrong):
                self._at(cell, f"{column}: {value.message}", value.hint)
            else:
                values[column] = value
        return values

    def _take_secret(self, column: str, cell: Cell, values: dict[str, Plain]) -> None:
        if not _has_value(cell):
            return
        if (
            "\n" in cell.text
            or "\r" in cell.text
            or isinstance(value_of("", cell.text, is_text=True), Wrong)
        ):
            self._at(cell, f"{column}: a secret is one line of printable text")
        else:
            values[column] = True


def unwritable(name: str) -> tuple[str, str] | None:
    """Say why a column cannot be written into records, and what would be right; None when it can."""
    if name in READ_ONLY_FIELDS:
        return (
            f"{name} is not written: the controller or the device alone sets it",
            "remove the column",
        )
    if name in FLAGS:
        return (
            f"{name} asks for an operation and is no value of a record",
            f"write {name} in the step",
        )
    return None
