"""`devices list`: the inventory through a playbook's filters, or through those of the command line."""

import csv
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import completing, screen, shipped
from orchestrator.cli.app import new_app
from orchestrator.cli.options import (
    CONTROLLER,
    LOG,
    Variables,
    read_variables,
    with_settings,
)

if TYPE_CHECKING:
    from orchestrator.model.plans import Plan
    from orchestrator.settings import Settings

app = new_app(no_args_is_help=True)

_COLUMNS = ("id", "serial_number", "name", "status", "software_version", "location_name")
_CSV_COLUMNS = (
    *_COLUMNS,
    "is_active",
    "organization_id",
    "type",
    "pending_settings",
    "status_change",
    "last_connection",
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@app.callback()
def devices() -> None:
    """List devices with a playbook's filters; only GETs are sent."""


@app.command("list")
@with_settings(CONTROLLER, LOG, opens_log=True)
def list_(
    *,
    settings: "Settings",
    playbook: Annotated[
        str | None,
        typer.Argument(
            metavar="PLAYBOOK",
            help="Take the selection of this playbook: a file, or the name of a shipped one.",
            autocompletion=completing.playbook_files,
        ),
    ] = None,
    var: Variables = None,
    organization: Annotated[
        list[int] | None, typer.Option("--organization", help="Of this organization; repeatable.")
    ] = None,
    type_: Annotated[
        list[int] | None, typer.Option("--type", help="Of this device type; repeatable.")
    ] = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="up|down", help="With this status.")
    ] = None,
    changed_since: Annotated[
        str | None,
        typer.Option(
            "--last-status-change-from", metavar="WHEN", help="Whose status changed since then."
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="CONDITION",
            help="As a playbook's where has it, such as 'software_version: {below: \"2.5\"}'.",
        ),
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="Tell why the others are left out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write one record a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV with a head line.")] = False,
) -> int:
    """List the devices that a playbook, or these filters, would choose."""
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    filters = {
        "organization": organization,
        "type": type_,
        "status": status,
        "last_status_change_from": changed_since,
    }
    given = {name: value for name, value in filters.items() if value}
    if playbook is not None and (given or where):
        raise typer.BadParameter("a playbook has its own filters; give it or filters, not both")
    if playbook is None and var:
        raise typer.BadParameter("--var is for the vars of a playbook, and there is none")
    if playbook is not None:
        plan = _plan(settings, shipped.find(playbook), read_variables(var))
    else:
        plan = _plan_of_filters(settings, _as_playbook(given, where or []))
    if as_json:
        _show_json(plan)
    elif as_csv:
        _show_csv(plan)
    else:
        _show_table(plan)
    _conclude(plan, why=why)
    return 0


def _plan(settings: "Settings", playbook: Path, variables: dict[str, str]) -> "Plan":
    from orchestrator.cli.campaign import in_loop
    from orchestrator.planner import make_plan

    return in_loop(make_plan, settings, playbook, variables)


def _plan_of_filters(settings: "Settings", text: str) -> "Plan":
    """Choose by filters from the command line, which are read as a playbook's are."""
    from orchestrator.model.errors import PlaybookError

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "filters.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            return _plan(settings, path, {})
        except PlaybookError as error:
            faults = [replace(fault, path="command line") for fault in error.faults]
            raise PlaybookError(faults) from error


def _as_playbook(given: Mapping[str, object], where: Sequence[str]) -> str:
    lines = ["playbook: devices-list", "devices:", "  expect: {at_least: 0}"]
    lines += [f"  {name}: {json.dumps(value)}" for name, value in given.items()]
    if where:
        lines += ["  where:", *(f"    {_condition(each)}" for each in where)]
    if not given and not where:
        lines.append("  all: true")
    return "\n".join([*lines, "steps:", "  - sleep: 1s", ""])


def _condition(text: str) -> str:
    """Take `field=value` for `field: value`; whatever else is wrong, the playbook's reader says."""
    if "\n" in text:
        raise typer.BadParameter("--where takes one condition on one line; repeat it for more")
    name, separator, value = text.partition("=")
    return f"{name}: {value}" if separator and ":" not in name else text


def _records(plan: "Plan") -> Iterator[dict[str, object]]:
    for device in plan.devices:
        record = plan.records.get(device.id)
        fields = dict(record.fields) if record is not None else {}
        yield {"id": device.id, "serial_number": device.serial_number, "name": device.name} | fields


def _show_table(plan: "Plan") -> None:
    rows = [[record.get(column) for column in _COLUMNS] for record in _records(plan)]
    head = [column.replace("_", " ").upper() for column in _COLUMNS]
    if rows:
        for line in screen.table(head, rows, limit=screen.width()):
            screen.show(line)


def _show_json(plan: "Plan") -> None:
    for record in _records(plan):
        screen.show_data(json.dumps(record))


def _show_csv(plan: "Plan") -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    with screen.writing():
        writer.writerow(_CSV_COLUMNS)
        for record in _records(plan):
            writer.writerow([_cell(record.get(column)) for column in _CSV_COLUMNS])


def _cell(value: object) -> object:
    """Keep a spreadsheet from running what a device calls itself."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value


def _conclude(plan: "Plan", *, why: bool) -> None:
    left = sum(out.count for out in plan.left_out)
    screen.note(
        f"{screen.counted(len(plan.devices), 'device')} of {plan.listed:,} listed"
        + (f"; {left:,} left out" if left else "")
        + ("" if why or not left else " (--why tells the reasons)")
    )
    if why:
        for out in plan.left_out:
            some = f", such as {'; '.join(out.examples)}" if out.examples else ""
            screen.note(screen.folded(f"{out.count:,}: {out.reason}{some}", indent="  "))
    for warning in plan.warnings:
        screen.warn(warning)
