"""`devices list`: the inventory through a playbook's filters, or through those of the command line."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import completing, screen, shipped
from orchestrator.cli.inventory import filters
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

_NEW = "never connected"
"""The reason for which devices are left out that are not in operation yet (api.md DV-29)."""
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
    organization: filters.Organizations = None,
    type_: filters.Types = None,
    status: filters.OfStatus = None,
    changed_since: filters.ChangedSince = None,
    where: filters.Where = None,
    why: Annotated[bool, typer.Option("--why", help="Tell why the others are left out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write one record a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV with a head line.")] = False,
) -> int:
    """List the devices that a playbook, or these filters, would choose."""
    from orchestrator.planning.drafting import composing

    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    given = filters.filters_of(organization, type_, status, changed_since, where)
    if playbook is not None and not given.is_empty:
        raise typer.BadParameter("a playbook has its own filters; give it or filters, not both")
    if playbook is None and var:
        raise typer.BadParameter("--var is for the vars of a playbook, and there is none")
    if playbook is not None:
        plan = _plan(settings, shipped.find(playbook), read_variables(var))
    else:
        with filters.on_paper(composing.listing(given)) as path:
            plan = _plan(settings, path, {})
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

    return in_loop(settings.event_loop, make_plan, settings, playbook, variables)


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
    from orchestrator.cli.inventory.exporting import cell
    from orchestrator.report.spreadsheets import csv_line

    with screen.writing():
        sys.stdout.write(csv_line(_CSV_COLUMNS).replace("\r\n", "\n"))
        for record in _records(plan):
            line = csv_line(cell(record.get(column)) for column in _CSV_COLUMNS)
            sys.stdout.write(line.removesuffix("\r\n") + "\n")


def _conclude(plan: "Plan", *, why: bool) -> None:
    left = sum(out.count for out in plan.left_out)
    screen.note(
        f"{screen.counted(len(plan.devices), 'device')} of {plan.listed:,} listed"
        + (f"; {left:,} left out" if left else "")
        + ("" if why or not left else " (--why tells the reasons)")
    )
    if new := sum(out.count for out in plan.left_out if out.reason == _NEW):
        are, them = ("is", "it") if new == 1 else ("are", "them")
        screen.note(f"{new:,} never connected {are} left out; `devices summary` counts {them}")
    if why:
        for out in plan.left_out:
            some = f", such as {'; '.join(out.examples)}" if out.examples else ""
            screen.note(screen.folded(f"{out.count:,}: {out.reason}{some}", indent="  "))
    for warning in plan.warnings:
        screen.warn(warning)
