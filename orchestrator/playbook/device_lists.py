"""The devices that `include` and `exclude` name, one by one or in a file beside the playbook."""

import csv
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from orchestrator.model.errors import Fault
from orchestrator.model.secrecy import is_secret
from orchestrator.playbook import composing
from orchestrator.playbook.conditions import KNOWN_FIELDS
from orchestrator.playbook.shapes import INVALID, JsonSchema, Spot, scalar

_NAMING = ("id", "serial_number", "name")
_MOST_FAULTS = 20
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class DeviceList:
    """One item or a list of items: an id, a serial number, a name, or `"@file.csv"`."""

    may_be_empty: bool

    def read(self, spot: Spot) -> Any:
        """Give the set of ids, serial numbers and names, as text."""
        node = spot.node
        if isinstance(node, composing.Sequence):
            spots = [spot.item(index, item) for index, item in enumerate(node.items)]
        else:
            spots = [spot]
        names: set[str] = set()
        broken = False
        for one in spots:
            found = self._read_item(one)
            broken = broken or found is None
            names |= found or set()
        if broken:
            return INVALID
        if not names and not self.may_be_empty:
            return spot.fault("this names no device, so none could ever be chosen")
        return frozenset(names)

    def _read_item(self, spot: Spot) -> set[str] | None:
        node = scalar(spot, 'an id, a serial number, a name, or "@file.csv"')
        if node is None:
            return None
        text = node.text.strip()
        if text.startswith("@"):
            return _from_file(spot, text[1:])
        if not text or len(text) > _LONGEST or "\n" in text:
            spot.fault(f"{text[:30]!r} is no id, no serial number and no name")
            return None
        return {text}

    def schema(self) -> JsonSchema:
        """One item, or an array of them."""
        item: JsonSchema = {"type": ["integer", "string"], "minLength": 1}
        least = 0 if self.may_be_empty else 1
        return {"anyOf": [item, {"type": "array", "items": item, "minItems": least}]}


def _from_file(spot: Spot, name: str) -> set[str] | None:
    wrong = unsafe_name(name)
    if wrong:
        spot.fault(wrong, "name a file in the playbook's own folder, or in one below it")
        return None
    try:
        text = spot.files(name)
    except OSError as error:
        spot.fault(str(error))
        return None
    return _Rows(spot, name, text).names()


def unsafe_name(name: str) -> str | None:
    """Say why a name cannot be that of a file beside the playbook; None when it can."""
    path = PurePosixPath(name)
    if not name.strip() or "\x00" in name:
        return "there is no file name behind the @"
    if path.is_absolute() or PureWindowsPath(name).drive or "\\" in name or name.startswith("~"):
        return f"{name!r} is not a file beside the playbook"
    if ".." in path.parts:
        return f"{name!r} leaves the playbook's folder"
    return None


class _Rows:
    """Reads the rows of one file; every fault names the file and its line."""

    def __init__(self, spot: Spot, name: str, text: str) -> None:
        self._spot = spot
        self._path = str(PurePosixPath(spot.faults.path).parent / name)
        self._lines = text.removeprefix("\ufeff").splitlines()
        self._faults = 0

    def names(self) -> set[str] | None:
        """Give what a column names devices by; None when there is a fault."""
        first = next((line for line in self._lines if _counts(line)), "")
        separator = next((sign for sign in (";", "\t", ",") if sign in first), ",")
        column: int | None = None
        names: set[str] = set()
        for number, line in enumerate(self._lines, start=1):
            if self._faults == _MOST_FAULTS:
                break
            if not _counts(line):
                continue
            cells = self._cells(number, line, separator)
            if column is None:
                column = self._column(number, cells)
                if _is_header(cells):
                    continue
            self._take(number, cells, column, names)
        return None if self._faults else names

    def _cells(self, number: int, line: str, separator: str) -> list[str]:
        try:
            row = next(csv.reader([line], delimiter=separator, strict=True))
        except csv.Error:
            self._fault(number, "a quote is opened in this row and not closed")
            return []
        return [cell.strip() for cell in row]

    def _column(self, number: int, cells: list[str]) -> int:
        header = [cell.casefold() for cell in cells]
        secret = next(filter(is_secret, header), None)
        if _is_header(cells) and secret is not None:
            # The text of a list is kept as it is.
            self._fault(
                number,
                f"a list of devices must not hold secrets, and this has a column {secret!r}",
                "take that column out, or use the file as a table, under `with`",
            )
            self._faults = _MOST_FAULTS  # no row of it is shown
        for name in _NAMING:
            if name in header:
                return header.index(name)
        if _is_header(cells):
            self._fault(
                number,
                "the header names no id, serial_number or name",
                "name the column that holds them id, serial_number or name",
            )
        return 0

    def _take(self, number: int, cells: list[str], column: int, names: set[str]) -> None:
        name = cells[column] if column < len(cells) else ""
        if name and len(name) <= _LONGEST and name.isprintable():
            names.add(name)
        elif cells:
            self._fault(number, "this row names no device in its column")

    def _fault(self, number: int, message: str, hint: str = "") -> None:
        self._faults += 1
        line = self._lines[number - 1]
        self._spot.faults.add_elsewhere(
            Fault(self._path, number, 1, self._spot.key, message, hint, max(1, len(line)), line)
        )


def _counts(line: str) -> bool:
    return bool(line.strip(" \t,;")) and not line.lstrip().startswith("#")


def _is_header(cells: list[str]) -> bool:
    words = [cell.casefold() for cell in cells]
    return any(name in words for name in _NAMING) or bool(words and words[0] in KNOWN_FIELDS)
