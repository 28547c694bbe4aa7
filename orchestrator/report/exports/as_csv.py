"""A run's devices for spreadsheets: one row each."""

import csv
import io
from collections.abc import Iterable, Iterator

from orchestrator.model import moments
from orchestrator.report.exports.run_report import DeviceReport, RunReport
from orchestrator.report.wording import printable

COLUMNS = (
    "device",
    "serial_number",
    "name",
    "location",
    "verdict",
    "step",
    "reason",
    "began",
    "ended",
    "seconds",
    "attempts",
)
"""Moments are ISO 8601 in UTC; a cell is empty where nothing is known."""

_FORMULA_STARTS = (
    *("=", "+", "-", "@"),
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)


def as_csv(report: RunReport) -> Iterator[str]:
    """Give the table line by line with a head line; text never begins a formula."""
    yield _line(COLUMNS)
    for device in report.devices():
        yield _line(_cells(device))


def _cells(device: DeviceReport) -> Iterator[object]:
    yield device.device
    yield _text(device.serial_number)
    yield _text(device.name)
    yield _text(device.location)
    yield _text(device.verdict)
    yield _text(device.where)
    yield _text(device.reason)
    yield None if device.began_at is None else moments.as_text(device.began_at)
    yield None if device.ended_at is None else moments.as_text(device.ended_at)
    yield None if device.seconds is None else round(device.seconds, 3)
    yield device.attempts


def _text(text: str | None) -> str | None:
    """Give text that a spreadsheet shows and does not run: names and reasons come from devices."""
    if text is None:
        return None
    shown = printable(text)
    return "'" + shown if shown.lstrip().startswith(_FORMULA_STARTS) else shown


def _line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
