"""A table's text cut into cells with their places, before anybody says what the cells mean."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestrator.playbook.faults import Place

LONGEST_NAME = 200
LINES = re.compile(r"\r\n|\r|\n")
"""Where editors end a line."""

Complain = Callable[[Place, str, str], None]
"""Notes one fault: where, what, and what would be right."""


class Cell(NamedTuple):
    """One value as it stands in the file."""

    text: str
    line: int
    column: int
    length: int
    is_text: bool
    """It is text, whatever it looks like: in quotes, or of a form that knows nothing else."""
    is_null: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one device, by their columns."""

    place: Place
    cells: Mapping[str, Cell]


@dataclass(slots=True)
class Sheet:
    """A table's text, cut into cells."""

    columns: dict[str, Place] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    is_complete: bool = True
    """False when a fault of the form leaves rows or columns out."""
    separator: str = ","


def split_lines(text: str) -> list[str]:
    """Cut a text into lines as editors count them."""
    return LINES.split(text)


def take_row(sheet: Sheet, place: Place, cells: Mapping[str, Cell]) -> None:
    """Add a row; its names that were not seen before are further columns."""
    for name, cell in cells.items():
        sheet.columns.setdefault(name, Place(cell.line, cell.column, max(1, cell.length)))
    sheet.rows.append(Row(place, cells))
