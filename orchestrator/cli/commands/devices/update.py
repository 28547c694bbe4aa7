"""`devices update`: the same fields for many devices, or each its own from a file, in a run."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.inventory import carrying, filters
from orchestrator.cli.options import CONTROLLER, LOG, OTHERS, RUNS, with_settings

if TYPE_CHECKING:
    from orchestrator.cli.inventory.drafts import Draft
    from orchestrator.model.plans import Plan
    from orchestrator.planning.drafting.composing import Filters
    from orchestrator.settings import Settings

_FIELD = re.compile(r"([A-Za-z_]\w*)=(.*)", re.ASCII | re.DOTALL)
_KEYS = ("id", "serial_number", "name")


@with_settings(CONTROLLER, RUNS, OTHERS, LOG, opens_log=True)
def update(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID|SERIAL|NAME]... [FIELD=VALUE]...",
            help="The devices, unless filters choose them, and what is written into each record.",
        ),
    ] = None,
    *,
    settings: "Settings",
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="Take each device's values from its row."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="The column that names devices: id, serial_number or name."
        ),
    ] = None,
    organization: filters.Organizations = None,
    type_: filters.Types = None,
    status: filters.OfStatus = None,
    changed_since: filters.ChangedSince = None,
    where: filters.Where = None,
    dry_run: carrying.DryRun = False,
    output: carrying.KeptPlan = None,
    name: carrying.RunName = None,
    yes: carrying.Yes = False,
    as_json: carrying.AsEvents = False,
    plain: carrying.Plain = False,
) -> int:
    """Write fields into the records of devices.

    What a record says already is not sent again.
    """
    given = filters.filters_of(organization, type_, status, changed_since, where)
    asked = carrying.Asked(name, output, dry_run, as_json, plain)
    asked.check()
    names, fields = _sorted(words or [])
    ids: list[int] = []
    warnings: tuple[str, ...] = ()
    if from_ is not None:
        if names or fields or not given.is_empty:
            raise typer.BadParameter("--from says which devices and what; give nothing beside it")
        draft, warnings = _of_file(settings, from_, key or "serial_number", asked)
    else:
        if key is not None:
            raise typer.BadParameter("--key names the column of a file; say which with --from")
        _check_words(names, fields, is_filtered=not given.is_empty)
        devices = carrying.named(settings, names)
        ids = [device.id for device in devices]
        given = carrying.around(devices) if names else given
        draft = _of_words(given, fields, ids)

    def confirm(plan: "Plan") -> None:
        count = screen.counted(len(plan.devices), "device")
        deed = "factory-reset" if plan.playbook.is_destructive else "update"
        carrying.typed_number(plan, len(plan.devices), f"{deed} {count}", yes=yes)

    check = carrying.only_those(ids)
    return carrying.carry(settings, draft, asked, confirm, notes=warnings, check=check)


def _sorted(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Tell devices from `field=value`."""
    names: list[str] = []
    fields: dict[str, str] = {}
    for word in words:
        found = _FIELD.fullmatch(word)
        if found is None:
            names.append(word)
            continue
        field, value = found.groups()
        if field in fields:
            raise typer.BadParameter(f"{field} is given twice")
        fields[field] = value
    return names, fields


def _check_words(names: list[str], fields: dict[str, str], *, is_filtered: bool) -> None:
    from orchestrator.model.secrecy import is_secret

    secret = next((field for field in fields if is_secret(field)), None)
    if secret is not None:
        what = f"{secret} is not taken: everybody on this machine can read a command line"
        hint = f"write it in a column {secret} of a file for --from, or have a playbook make it"
        raise typer.BadParameter(f"{what}; {hint} with `{secret}: {{generate: 24}}`")
    if not fields:
        raise typer.BadParameter("say what to write, as in description='moved to Oslo' debug=false")
    if names and is_filtered:
        raise typer.BadParameter("name devices, or give filters that choose them, not both")
    if not names and not is_filtered:
        raise typer.BadParameter("name devices, or give filters that choose them, or a file --from")


def _of_words(given: "Filters", fields: dict[str, str], ids: list[int]) -> "Draft":
    from orchestrator.cli.inventory.drafts import Draft
    from orchestrator.planning.drafting import composing

    typed = {field: composing.typed(field, value) for field, value in fields.items()}
    return Draft("devices-update", composing.updating(given, typed, include=ids))


def _of_file(
    settings: "Settings", file: str, key: str, asked: carrying.Asked
) -> "tuple[Draft, tuple[str, ...]]":
    from orchestrator.cli.campaign import in_loop
    from orchestrator.cli.commands.devices.import_ import tell_left_out
    from orchestrator.cli.failing import nearest
    from orchestrator.cli.inventory import drafts, sources
    from orchestrator.model.errors import RunError
    from orchestrator.planning.drafting import composing, refining

    if key not in _KEYS:
        known = ", ".join(_KEYS)
        raise typer.BadParameter(f"--key: {key!r} is none of {known}{nearest(key, _KEYS)}")
    rows = sources.read(file, key)
    drafts.check_place(rows, asked.output)
    columns = composing.columns_of(rows.table)
    if not columns.written:
        raise RunError(f"{file} has no column that can be written into a record")
    if composing.takes_rows(rows.table):
        rows = refining.narrowed(rows)
    rows, warnings = in_loop(settings.event_loop, sources.with_types, settings, rows)
    tell_left_out(columns.left_out)
    text = composing.updating_from(rows.table, file=rows.table.name)
    return drafts.Draft("devices-update", text, rows), warnings
