"""A run's devices for spreadsheets: one row each."""

from collections.abc import Iterator

from orchestrator.model import moments
from orchestrator.report.exports.run_report import DeviceReport, RunReport, before
from orchestrator.report.spreadsheets import csv_line
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
    "record",
    "status_before",
    "status_change_before",
    "last_connection_before",
    "pending_before",
)
"""Moments are ISO 8601 in UTC; a cell is empty where nothing is known."""


def as_csv(report: RunReport) -> Iterator[str]:
    """Give the table line by line with a head line; text never begins a formula."""
    yield csv_line(COLUMNS)
    for device in report.devices():
        yield csv_line(_cells(device))


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
    yield device.record
    yield from map(_text, before(device).values())


def _text(text: str | None) -> str | None:
    return None if text is None else printable(text)
