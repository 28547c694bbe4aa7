"""`devices import`: the rows of a file become devices, in a run."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.inventory import carrying
from orchestrator.cli.options import CONTROLLER, LOG, OTHERS, RUNS, with_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.model.plans import Plan
    from orchestrator.planning.drafting.composing import Columns
    from orchestrator.planning.drafting.refining import Checked
    from orchestrator.settings import Settings

_KEY = "serial_number"
_WAIT = "1d"


@with_settings(CONTROLLER, RUNS, OTHERS, LOG, opens_log=True)
def import_(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A table with columns serial_number, name, customer_id, type and organization_id:"
            " *.csv, *.jsonl or *.yaml.",
        ),
    ],
    *,
    settings: "Settings",
    wait: Annotated[
        str | None,
        typer.Option(metavar="TIME", help=f"How long to wait for the first contact; else {_WAIT}."),
    ] = None,
    no_wait: Annotated[
        bool,
        typer.Option("--no-wait", help="Write the settings at once, without waiting for contact."),
    ] = False,
    dry_run: carrying.DryRun = False,
    output: carrying.KeptPlan = None,
    name: carrying.RunName = None,
    yes: carrying.Yes = False,
    as_json: carrying.AsEvents = False,
    plain: carrying.Plain = False,
) -> int:
    """Onboard the devices of a file.

    They are created, waited for until their first contact, and then get their settings. The whole
    file is checked before any request.

    A device that is there already is not created again: it gets what its row says, but for its user
    name and password, which are left alone. A row that names another organization than its device
    is in is left out with a warning: no import moves a device.
    """
    from orchestrator.cli.campaign import in_loop
    from orchestrator.cli.inventory import drafts, placing, sources
    from orchestrator.planning.drafting import composing, refining

    asked = carrying.Asked(name, output, dry_run, as_json, plain)
    asked.check()
    seconds = _seconds(wait, no_wait=no_wait)
    rows = _read(file)
    drafts.check_place(rows, output)
    columns = composing.columns_of(rows.table)
    _check_settings(columns)
    if composing.takes_rows(rows.table):
        rows = refining.narrowed(rows)
    _check_gaps(rows.table.secrets, columns)
    rows, warnings = in_loop(settings.event_loop, sources.with_types, settings, rows)
    tell_left_out(columns.left_out)
    _tell_only_new(composing.only_for_new(rows.table))

    def composed(exclude: "Sequence[int]" = ()) -> drafts.Draft:
        table = rows.table
        text = composing.importing(table, file=table.name, wait=seconds, exclude=exclude)
        return drafts.Draft("devices-import", text, rows)

    def elsewhere(plan: "Plan") -> "tuple[drafts.Draft, Sequence[str]] | None":
        found = placing.misplaced(plan, rows.table)
        return (composed(list(found)), list(found.values())) if found else None

    def confirm(plan: "Plan") -> None:
        new = sum(device.is_new for device in plan.devices)
        old = len(plan.devices) - new
        deeds = [f"create {screen.counted(new, 'device')}"] if new else []
        deeds += [f"update {screen.counted(old, 'device')}"] if old else []
        carrying.typed_number(plan, len(plan.devices), " and ".join(deeds), yes=yes)

    return carrying.carry(settings, composed(), asked, confirm, notes=warnings, otherwise=elsewhere)


def _read(file: str) -> "Checked":
    """Read the file; devices come by their serial numbers, so no other column can take their place."""
    from orchestrator.cli.inventory import sources
    from orchestrator.model.errors import PlaybookError
    from orchestrator.planning.drafting.composing import NEEDED

    try:
        return sources.read(file, _KEY, NEEDED)
    except PlaybookError as error:
        hint = f"name the column that holds them {_KEY}"
        faults = [
            replace(fault, hint=hint) if fault.message.startswith("no column") else fault
            for fault in error.faults
        ]
        raise PlaybookError(faults) from error


def tell_left_out(columns: tuple[str, ...]) -> None:
    """Say which columns of a file are not written."""
    if columns:
        what = f"Not written, for the controller keeps it by itself: {', '.join(columns)}."
        screen.note(screen.folded(what))


def _tell_only_new(columns: tuple[str, ...]) -> None:
    """Say which columns the devices that are there already do not get."""
    if columns:
        what = (
            "Only new devices get what has no value in some rows, for the file has secret columns"
        )
        screen.note(screen.folded(f"{what}: {', '.join(columns)}."))


def _seconds(wait: str | None, *, no_wait: bool) -> float | None:
    from orchestrator.model import durations

    if no_wait and wait is not None:
        raise typer.BadParameter("--wait and --no-wait exclude each other")
    if no_wait:
        return None
    try:
        return durations.from_text(wait or _WAIT)
    except ValueError as error:
        raise typer.BadParameter(f"--wait: {error}") from error


def _check_settings(columns: "Columns") -> None:
    if "firmware_image" in columns.settings:
        what = "an import does not schedule firmware; remove the column firmware_image"
        raise typer.BadParameter(f"{what}, and see the playbook firmware-rollout")


def _check_gaps(secrets: frozenset[str], columns: "Columns") -> None:
    """Refuse what would send secrets again with the settings of every device."""
    gaps = sorted(columns.gaps.intersection(columns.settings))
    if secrets and gaps:
        what = f"{gaps[0]} has no value in some rows; in a file with secret columns fill it in all"
        raise typer.BadParameter(f"{what}, or keep the settings in a file of their own for update")
