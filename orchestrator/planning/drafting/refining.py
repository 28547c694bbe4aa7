"""A file of rows before a playbook takes it: types by name become numbers, and what an export adds goes.

Cells are changed where they stand, so that whatever is said of the file later finds its line and column.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.model.errors import Fault, PlaybookError
from orchestrator.model.secrecy import is_secret
from orchestrator.model.values import Table
from orchestrator.playbook.faults import Place, may_show_secret, nearest
from orchestrator.playbook.tables.cells import near_writable
from orchestrator.playbook.tables.sheet_csv import read_csv
from orchestrator.playbook.tables.sheet_jsonl import read_jsonl
from orchestrator.playbook.tables.sheet_masking import masked_text
from orchestrator.playbook.tables.sheet_yaml import read_yaml
from orchestrator.playbook.tables.sheets import Cell, Complain, Sheet, split_lines
from orchestrator.playbook.tables.tables import FLAGS, table_of, unwritable
from orchestrator.report.spreadsheets import csv_line

_READERS: Mapping[str, Callable[[str, Complain], Sheet]] = {
    ".csv": read_csv,
    ".jsonl": read_jsonl,
    ".yaml": read_yaml,
    ".yml": read_yaml,
}
SUFFIXES = tuple(_READERS)
"""How files of rows are named."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A file without a fault, but for the types that only the controller knows."""

    path: str
    text: str
    """As a playbook takes it, once types are numbers."""
    table: Table
    types: tuple[Cell, ...]
    """The cells that say a type; each a number, or a name."""

    @property
    def organizations(self) -> tuple[int, ...]:
        """Give the organizations of the rows; () when one of them does not say it."""
        found = [row.get("organization_id") for row in self.table.rows.values()]
        numbers = {each for each in found if isinstance(each, int)}
        return tuple(sorted(numbers)) if all(isinstance(each, int) for each in found) else ()


def check(path: str, text: str, key: str, needed: Sequence[str] = ()) -> Checked:
    """Read a file of rows whole; raises PlaybookError with all that is wrong with it.

    Each row has to have a value in the columns that are `needed`. Text that an export led by an
    apostrophe, so that no spreadsheet runs it, is text again.
    """
    text = text.removeprefix("\ufeff")
    sheet = _sheet(path, text)
    types = tuple(row.cells["type"] for row in sheet.rows if _says_something(row.cells.get("type")))
    names = [cell for cell in types if not _is_number(cell)]
    led = _led_by_apostrophe(path, sheet)
    edits = dict.fromkeys(names, "0")
    folded = [cell for cell in led if "\n" in cell.text or "\r" in cell.text]
    led = [cell for cell in led if cell not in folded]
    edits |= {cell: csv_cell(cell.text[1:], sheet.separator) for cell in led}
    faults: list[Fault] = []
    try:
        table = table_of(path, _edited(text, edits), key)
    except PlaybookError as error:
        faults = [_as_written(fault, text) for fault in error.faults]
    faults += [_flag_fault(path, name, sheet) for name in sheet.columns if name in FLAGS]
    if any(is_secret(name) for name in sheet.columns):
        # It is read again from the file as it stands, for its secrets are kept nowhere else.
        folded += led
    faults += [_at(path, cell, _STAYS, "remove the apostrophe") for cell in folded]
    told = {(fault.line, fault.column) for fault in faults}
    faults += _the_first([*_gaps(path, text, sheet, (key, *needed), told)])
    if faults:
        raise PlaybookError(sorted(faults, key=lambda fault: (fault.line, fault.column)))
    table = replace(table, name=_name(path))
    return Checked(path, _edited(text, {cell: edits[cell] for cell in led}), table, types)


def _gaps(
    path: str, text: str, sheet: Sheet, columns: Sequence[str], told: Collection[tuple[int, int]]
) -> Iterator[Fault]:
    """Find the needed columns that are not there, and the rows without a value in those that are.

    The first column is the key, whose faults are told already, as are those at the places `told`.
    """
    needed = columns[1:]
    if not needed or not sheet.rows:
        return
    hint = f"a new device needs {', '.join(columns[:-1])} and {columns[-1]}"
    lines = [] if any(map(is_secret, sheet.columns)) else split_lines(text)

    def fault(place: Place, message: str) -> Fault:
        line = lines[place.line - 1] if lines else ""
        line = "" if may_show_secret(line) else line
        return Fault(path, place.line, place.column, "", message, hint, max(1, place.length), line)

    misspelt = {near_writable(name) for name in sheet.columns}
    missing = [name for name in needed if name not in sheet.columns and name not in misspelt]
    if missing:
        there_is = "there is no column" if len(missing) == 1 else "there are no columns"
        yield fault(next(iter(sheet.columns.values())), f"{there_is} {', '.join(missing)}")
    there = [name for name in needed if name in sheet.columns]
    for row in sheet.rows:
        for name in there:
            cell = row.cells.get(name)
            if cell is None:
                yield fault(row.place, f"this row has no {name}")
            elif not _says_something(cell) and (cell.line, cell.column) not in told:
                place = Place(cell.line, cell.column, cell.length)
                yield fault(place, f"the {name} of this row is empty")


_STAYS = (
    "this text is led by an apostrophe, which is taken away only from text on one line in a file"
    " without secret columns"
)


def resolved(checked: Checked, types: Mapping[str, int]) -> Checked:
    """Put numbers where types have names, which may be written in upper or lower case.

    Raises PlaybookError for names and numbers that are not among `types`.
    """
    known = {name.strip().casefold(): number for name, number in types.items()}
    edits: dict[Cell, str] = {}
    faults: list[Fault] = []
    for cell in checked.types:
        name = cell.text.strip()
        number = int(name) if _is_number(cell) else known.get(name.casefold())
        if number is None or number not in types.values():
            message = f"there is no type {name!r}"
            faults.append(_at(checked.path, cell, message, nearest(name, list(types))))
        elif not _is_number(cell) and checked.table.secrets:
            message = "types have to be numbers in a file with secret columns"
            faults.append(_at(checked.path, cell, message, f"write {number} for {name}"))
        elif not _is_number(cell):
            edits[cell] = str(number)
    if faults:
        raise _with_lines(checked, faults)
    text = _edited(checked.text, edits)
    table = table_of(checked.path, text, checked.table.key)
    sheet = _sheet(checked.path, text)
    cells = tuple(row.cells["type"] for row in sheet.rows if _says_something(row.cells.get("type")))
    return replace(checked, text=text, table=replace(table, name=checked.table.name), types=cells)


def unnamed(checked: Checked) -> Checked:
    """Give a file whose types are all numbers; raises PlaybookError for names, which nobody can tell."""
    names = [cell for cell in checked.types if not _is_number(cell)]
    if names:
        message = "this controller does not tell the names of types"
        hint = "write the type's number"
        raise _with_lines(checked, [_at(checked.path, cell, message, hint) for cell in names])
    return checked


def untold_types(checked: Checked, listed: Collection[int]) -> tuple[str, ...]:
    """Say which types no listed device has: a mistake perhaps, or the first of their kind."""
    found: dict[int, int] = {}
    for cell in checked.types:
        if _is_number(cell) and int(cell.text) not in listed:
            found.setdefault(int(cell.text), cell.line)
    return tuple(
        f"no listed device is of type {number} ({checked.path}, line {line});"
        " this controller does not tell which types there are"
        for number, line in sorted(found.items())
    )


def narrowed(checked: Checked) -> Checked:
    """Leave out the columns that cannot be written; for rows that are written as a whole.

    Raises PlaybookError where secret columns keep the file from being written anew.
    """
    sheet = _sheet(checked.path, checked.text)
    drop = [c for c in sheet.columns if c != checked.table.key and unwritable(c) is not None]
    if not drop:
        return checked
    if checked.table.secrets:
        places = [sheet.columns[name] for name in drop]
        message = "this column cannot be written, and some rows have gaps"
        raise PlaybookError(
            [
                Fault(checked.path, p.line, p.column, "", f"{name}: {message}", "remove the column")
                for name, p in zip(drop, places, strict=True)
            ]
        )
    kept = Sheet(
        {name: place for name, place in sheet.columns.items() if name not in drop},
        [
            replace(row, cells={c: cell for c, cell in row.cells.items() if c not in drop})
            for row in sheet.rows
        ],
        separator=sheet.separator,
    )
    text = masked_text(checked.path, kept, frozenset(), "")
    table = table_of(checked.path, text, checked.table.key)
    return replace(checked, text=text, table=replace(table, name=checked.table.name))


def _with_lines(checked: Checked, faults: Sequence[Fault]) -> PlaybookError:
    """Show the lines too, unless one of them may hold a secret."""
    shown = _the_first(faults)
    if checked.table.secrets:
        return PlaybookError(shown)
    lines = split_lines(checked.text)
    return PlaybookError(
        [replace(each, source=lines[each.line - 1] if each.key else "") for each in shown]
    )


_MOST_FAULTS = 20


def _the_first(faults: Sequence[Fault]) -> list[Fault]:
    faults = sorted(faults, key=lambda fault: (fault.line, fault.column))
    more = len(faults) - _MOST_FAULTS
    shown = list(faults[:_MOST_FAULTS])
    if more > 0:
        message = f"and {more} more {'fault' if more == 1 else 'faults'} in this file"
        shown.append(Fault(shown[0].path, faults[_MOST_FAULTS].line, 1, "", message))
    return shown


def _name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _suffix(path: str) -> str:
    return "." + _name(path).rpartition(".")[2].lower()


def _sheet(path: str, text: str) -> Sheet:
    read = _READERS.get(_suffix(path))
    return read(text, lambda *_: None) if read else Sheet()


def _says_something(cell: Cell | None) -> bool:
    return cell is not None and not cell.is_null and bool(cell.text.strip())


_NUMBER = re.compile(r"\d{1,15}", re.ASCII)


def _is_number(cell: Cell) -> bool:
    return _NUMBER.fullmatch(cell.text.strip()) is not None


def _led_by_apostrophe(path: str, sheet: Sheet) -> list[Cell]:
    if _suffix(path) != ".csv":
        return []
    return [
        cell
        for row in sheet.rows
        for column, cell in row.cells.items()
        if cell.text.startswith("'") and not is_secret(column) and _would_be_led(cell.text[1:])
    ]


def _would_be_led(text: str) -> bool:
    """Ask the rule itself what it does to a text."""
    return csv_line([text]).lstrip('"').startswith("'")


def csv_cell(text: str, separator: str) -> str:
    """Write one cell for a file with this separator."""
    is_bare = text == text.strip() and not re.search(rf'["\r\n{separator}]', text)
    return text if is_bare else '"' + text.replace('"', '""') + '"'


def _edited(text: str, edits: Mapping[Cell, str]) -> str:
    """Put other texts where these cells stand, filled up with blanks so that nothing moves."""
    if not edits:
        return text
    lines = split_lines(text)
    ends = re.findall(r"\r\n|\r|\n", text)
    # From the right: one that is longer than what it replaces moves only what is done already.
    for cell in sorted(edits, key=lambda cell: (cell.line, cell.column), reverse=True):
        line, start = lines[cell.line - 1], cell.column - 1
        filled = edits[cell].ljust(cell.length)
        lines[cell.line - 1] = line[:start] + filled + line[start + cell.length :]
    return "".join(line + end for line, end in zip(lines, [*ends, ""], strict=True))


def _at(path: str, cell: Cell, message: str, hint: str) -> Fault:
    return Fault(path, cell.line, cell.column, "type", message, hint, max(1, cell.length))


def _as_written(fault: Fault, text: str) -> Fault:
    """Show the line as it stands in the file, where a line may be shown at all."""
    return replace(fault, source=split_lines(text)[fault.line - 1]) if fault.source else fault


def _flag_fault(path: str, name: str, sheet: Sheet) -> Fault:
    place = sheet.columns[name]
    message = f"{name} asks for an operation and is no value of a record"
    return Fault(path, place.line, place.column, "", message, "run it by a playbook")
