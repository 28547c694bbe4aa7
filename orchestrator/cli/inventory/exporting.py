"""Records as rows: which columns, and how a row is written as CSV, JSON lines or YAML."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import typer

from orchestrator.cli.files import STDOUT
from orchestrator.model.devices import Device

COLUMNS = (
    "id",
    "serial_number",
    "name",
    "customer_id",
    "is_active",
    "type",
    "organization_id",
    "location_name",
    "location",
    "latitude",
    "longitude",
    "description",
)
"""What identifies and places a device; pages hold them, and `import` and `update` take them back."""


class Format(StrEnum):
    """The forms that tables have, by the end of their files' names."""

    CSV = "csv"
    JSONL = "jsonl"
    YAML = "yaml"


def columns_from(given: str | None) -> tuple[str, ...]:
    """Read `a,b,c`; raises a usage error for secrets, misspelt fields, and names given twice."""
    from orchestrator.model.secrecy import is_secret
    from orchestrator.playbook.conditions import misnamed

    if given is None:
        return COLUMNS
    columns = tuple(name.strip() for name in given.split(","))
    for name in columns:
        if not name:
            raise typer.BadParameter("--columns takes names of fields, as in id,serial_number,name")
        if is_secret(name):
            raise typer.BadParameter(f"--columns: {name} is secret and never exported")
        if columns.count(name) > 1:
            raise typer.BadParameter(f"--columns: {name} is named twice")
        wrong = misnamed(name, is_plain=True)
        if wrong is not None:
            hint = wrong[1].partition("?")[0]
            raise typer.BadParameter(f"--columns: {wrong[0]}" + (f"; {hint}?" if hint else ""))
    return columns


def format_of(given: str | None, output: str | None) -> Format:
    """Take the form that is named, else the one of the file's name; CSV for stdout.

    Raises a usage error for a file whose name says no form that is known.
    """
    if given is not None:
        try:
            return Format(given)
        except ValueError as error:
            known = ", ".join(repr(each.value) for each in Format)
            raise typer.BadParameter(f"--format: {given!r} is not one of {known}") from error
    if output in (None, STDOUT):
        return Format.CSV
    names = {f".{each.value}": each for each in Format} | {".yml": Format.YAML}
    end = Path(output).suffix.lower()
    if end not in names:
        hint = "name it *.csv, *.jsonl or *.yaml, or say the form with --format"
        raise typer.BadParameter(f"--output: the name {output!r} says no form; {hint}")
    return names[end]


class Seen:
    """Which of the columns some record has, to tell those that none has."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._unseen = [name for name in columns if name != "id"]
        self._known: set[str] = set()

    def see(self, device: Device) -> None:
        """Look at one record that is written."""
        if device.fields.keys() - self._known:
            self._known |= device.fields.keys()
            self._unseen = [name for name in self._unseen if name not in self._known]

    def warnings(self) -> list[str]:
        """Name each column that no record has, and the field that is nearest; none without records."""
        from orchestrator.cli.failing import nearest
        from orchestrator.model.secrecy import is_secret
        from orchestrator.playbook.conditions import KNOWN_FIELDS

        if not self._known:
            return []
        told = sorted(name for name in self._known | set(KNOWN_FIELDS) if not is_secret(name))
        return [
            f"no record has a field {name}" + ("" if name in told else nearest(name, told))
            for name in self._unseen
        ]


def row_of(device: Device, columns: Sequence[str]) -> dict[str, object]:
    """Give a record's values in the order of the columns."""
    fields: Mapping[str, object] = {**device.fields, "id": device.id}
    return {column: fields.get(column) for column in columns}


def head_in(form: Format, columns: Sequence[str]) -> str:
    """Give what stands before all rows."""
    from orchestrator.report.spreadsheets import csv_line

    return csv_line(columns) if form is Format.CSV else ""


def writer_in(form: Format) -> Callable[[Mapping[str, object]], str]:
    """Give a function that writes one row."""
    return {Format.CSV: _as_csv, Format.JSONL: _as_jsonl, Format.YAML: _as_yaml}[form]


def end_in(form: Format, rows: int) -> str:
    """Give what stands behind so many rows."""
    return "[]\n" if form is Format.YAML and not rows else ""


def _as_csv(row: Mapping[str, object]) -> str:
    from orchestrator.report.spreadsheets import csv_line

    return csv_line(cell(value) for value in row.values())


_NEGATIVE = re.compile(r"-\d+(\.\d+)?")


def cell(value: object) -> object:
    """Give a value as it stands in CSV: true and false as elsewhere, lists in one cell."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and _NEGATIVE.fullmatch(value):
        return Decimal(value)  # a longitude is a number to a spreadsheet too, and no formula
    return value


def _known(row: Mapping[str, object]) -> dict[str, object]:
    """Leave out what the record does not say: null would clear it when the table is taken back."""
    return {name: value for name, value in row.items() if value is not None}


def _as_jsonl(row: Mapping[str, object]) -> str:
    return json.dumps(_known(row)) + "\n"


def _as_yaml(row: Mapping[str, object]) -> str:
    from orchestrator.planning.drafting.composing import scalar

    def written(value: object) -> str:
        if value is None or isinstance(value, str | int | float):
            return scalar(value)
        return json.dumps(value)  # JSON of lists and mappings is YAML as well

    lines = [f"{name}: {written(value)}" for name, value in _known(row).items()]
    return "- " + ("\n  ".join(lines) or "{}") + "\n"
