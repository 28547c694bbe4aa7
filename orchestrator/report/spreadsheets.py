"""Lines of CSV that a spreadsheet shows and never runs: names and reasons come from devices."""

import csv
import io
from collections.abc import Iterable

_FORMULA_STARTS = (
    *("=", "+", "-", "@"),
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)


def csv_line(cells: Iterable[object]) -> str:
    """Give one line; text that would begin a formula is led by an apostrophe."""
    line = io.StringIO()
    csv.writer(line).writerow([_inert(cell) for cell in cells])
    return line.getvalue()


def _inert(cell: object) -> object:
    if isinstance(cell, str) and cell.lstrip().startswith(_FORMULA_STARTS):
        return "'" + cell
    return cell
