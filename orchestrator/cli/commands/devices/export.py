"""`devices export`: records as a table that `devices import` and `devices update` take back."""

from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from orchestrator.cli import completing, files, screen
from orchestrator.cli.inventory import filters
from orchestrator.cli.options import (
    CONTROLLER,
    LOG,
    Variables,
    read_variables,
    with_settings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.cli.inventory.exporting import Format
    from orchestrator.model.devices import Device
    from orchestrator.model.playbooks import Playbook
    from orchestrator.settings import Settings


@with_settings(CONTROLLER, LOG, opens_log=True)
def export(
    playbook: Annotated[
        str | None,
        typer.Argument(
            metavar="PLAYBOOK",
            help="Take the selection of this playbook: a file, or the name of a shipped one.",
            autocompletion=completing.playbook_files,
        ),
    ] = None,
    *,
    settings: "Settings",
    var: Variables = None,
    organization: filters.Organizations = None,
    type_: filters.Types = None,
    status: filters.OfStatus = None,
    changed_since: filters.ChangedSince = None,
    where: filters.Where = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="csv|jsonl|yaml",
            help="How it is written; else as the file's name says, and csv on stdout.",
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,C",
            help="Fields of the record; else those that identify and place a device.",
        ),
    ] = None,
    output: files.Output = None,
) -> int:
    """Write records as a table.

    It is read and written page by page; user names and passwords are never in it.
    """
    from orchestrator.cli.campaign import in_loop
    from orchestrator.cli.inventory import exporting

    given = filters.filters_of(organization, type_, status, changed_since, where)
    if playbook is not None and not given.is_empty:
        raise typer.BadParameter("a playbook has its own filters; give it or filters, not both")
    if playbook is None and var:
        raise typer.BadParameter("--var is for the vars of a playbook, and there is none")
    wanted = exporting.columns_from(columns)
    written = exporting.format_of(form, output)
    files.check_output(output)
    if playbook is not None:
        devices, notes = _of_playbook(settings, playbook, read_variables(var), wanted)
        with files.opened(output) as file:
            rows = _write(file, devices, wanted, written)
        seen = exporting.Seen(wanted)
        for device in devices:
            seen.see(device)
        notes = (*notes, *seen.warnings())
    else:
        read = filters.playbook_of(given)
        with files.opened(output) as file:
            rows, notes = in_loop(
                settings.event_loop, _stream, settings, read, wanted, written, file
            )
    screen.note(screen.counted(rows, "device") + (f" in {output}" if output else ""))
    for note in notes:
        screen.warn(note)
    return 0


async def _stream(
    settings: "Settings",
    playbook: "Playbook",
    columns: "Sequence[str]",
    form: "Format",
    file: TextIO,
) -> "tuple[int, tuple[str, ...]]":
    """Write what the filters choose, holding one page at a time."""
    from orchestrator.bootstrap import connected
    from orchestrator.cli.inventory import exporting
    from orchestrator.engine.choosing.selecting import filters_of
    from orchestrator.runtime.listing import Listing

    file.write(exporting.head_in(form, columns))
    write, rows, seen = exporting.writer_in(form), 0, exporting.Seen(columns)
    async with connected(settings, playbook.requests) as (controller, _):
        listing = Listing(controller, filters_of(playbook.selection), page_size=settings.page_size)
        pages = filters.chosen(playbook, listing, controller, in_full=_needs_detail(columns))
        async for _, devices in pages:
            for device in devices:
                seen.see(device)
                file.write(write(exporting.row_of(device, columns)))
            rows += len(devices)
    file.write(exporting.end_in(form, rows))
    return rows, (*listing.summary.warnings, *seen.warnings())


def _needs_detail(columns: "Sequence[str]") -> bool:
    from orchestrator.model.devices import DETAIL_ONLY_FIELDS

    return bool(DETAIL_ONLY_FIELDS.intersection(columns))


def _of_playbook(
    settings: "Settings", playbook: str, variables: dict[str, str], columns: "Sequence[str]"
) -> "tuple[list[Device], tuple[str, ...]]":
    """Choose as a plan would: in the playbook's order, within its limit, by its table."""
    from orchestrator.cli import shipped
    from orchestrator.cli.campaign import in_loop
    from orchestrator.planner import survey_plan

    surveyed = in_loop(
        settings.event_loop,
        survey_plan,
        settings,
        shipped.find(playbook),
        variables,
        may_be_empty=True,
    )
    plan = surveyed.plan
    ids = [device.id for device in plan.devices if not device.is_new]
    if _needs_detail(columns):
        return in_loop(settings.event_loop, _in_full, settings, plan.playbook, ids), plan.warnings
    return [plan.records[each] for each in ids if each in plan.records], plan.warnings


async def _in_full(
    settings: "Settings", playbook: "Playbook", ids: "Sequence[int]"
) -> "list[Device]":
    from orchestrator.bootstrap import connected
    from orchestrator.model.devices import DeviceId
    from orchestrator.runtime.looking import read_each

    async with connected(settings, playbook.requests) as (controller, _):
        wanted = [DeviceId(each) for each in ids]
        return [
            reading.device
            async for reading in read_each(controller, wanted, playbook.requests)
            if reading.device is not None
        ]


def _write(
    file: TextIO, devices: "Sequence[Device]", columns: "Sequence[str]", form: "Format"
) -> int:
    from orchestrator.cli.inventory import exporting

    write = exporting.writer_in(form)
    file.write(exporting.head_in(form, columns))
    file.writelines(write(exporting.row_of(device, columns)) for device in devices)
    file.write(exporting.end_in(form, len(devices)))
    return len(devices)
