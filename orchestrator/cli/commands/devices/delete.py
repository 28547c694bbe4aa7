"""`devices delete`: records that serve nobody go, in a run that keeps what they were."""

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.inventory import carrying, filters
from orchestrator.cli.options import CONTROLLER, LOG, OTHERS, RUNS, with_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.model.devices import Device
    from orchestrator.model.plans import Plan
    from orchestrator.settings import Settings

_NAMED = 20
"""Devices that are named before a person agrees."""
_OWN = re.compile(r"\s*['\"]?(status|is_active)\b")


@with_settings(CONTROLLER, RUNS, OTHERS, LOG, opens_log=True)
def delete(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID|SERIAL|NAME]...", help="The devices, unless filters choose them."
        ),
    ] = None,
    *,
    settings: "Settings",
    organization: filters.Organizations = None,
    type_: filters.Types = None,
    changed_since: filters.ChangedSince = None,
    where: filters.Where = None,
    deactivate_first: Annotated[
        bool,
        typer.Option(
            "--deactivate-first", help="Take active ones as well: deactivate, then delete."
        ),
    ] = False,
    dry_run: carrying.DryRun = False,
    output: carrying.KeptPlan = None,
    name: carrying.RunName = None,
    yes: Annotated[
        int | None,
        typer.Option("--yes", "-y", metavar="N", min=0, help="Confirm that N devices are deleted."),
    ] = None,
    as_json: carrying.AsEvents = False,
    plain: carrying.Plain = False,
) -> int:
    """Delete devices that are Down and inactive.

    Nothing brings them back. What each record was is kept in the folder of the run.
    """
    from orchestrator.cli.inventory.drafts import Draft
    from orchestrator.planning.drafting import composing

    given = filters.filters_of(organization, type_, None, changed_since, where)
    asked = carrying.Asked(name, output, dry_run, as_json, plain)
    asked.check()
    _check_conditions(where or [])
    if names and not given.is_empty:
        raise typer.BadParameter("name devices, or give filters that choose them, not both")
    if not names and given.is_empty:
        raise typer.BadParameter("name devices, or give filters that choose them")
    devices = carrying.named(settings, names or [])
    _check_devices(devices, deactivate_first=deactivate_first)
    ids = [device.id for device in devices]
    given = carrying.around(devices) if names else given
    text = composing.deleting(given, include=ids, deactivate_first=deactivate_first)

    def confirm(plan: "Plan") -> None:
        _confirm(plan, yes)

    check = carrying.only_those(ids)
    draft = Draft("devices-delete", text)
    return carrying.carry(settings, draft, asked, confirm, check=check)


def _check_conditions(where: list[str]) -> None:
    for each in where:
        found = _OWN.match(each)
        if found:
            what = f"--where {found.group(1)}: only devices that are Down and inactive are deleted"
            raise typer.BadParameter(f"{what} anyway; --deactivate-first takes active ones too")


def _check_devices(devices: "Sequence[Device]", *, deactivate_first: bool) -> None:
    """Say at once, with every reason, that devices which were named still serve somebody."""
    from orchestrator.model.devices import Status
    from orchestrator.model.errors import SelectionError

    reasons = []
    for device in devices:
        name = f"device {device.id}" + (
            f" ({device.serial_number})" if device.serial_number else ""
        )
        if device.status is not Status.DOWN:
            reasons.append(f"{name} is {device.status}, and only devices that are Down are deleted")
        elif device.is_active is not False and not deactivate_first:
            reasons.append(f"{name} is active; --deactivate-first deactivates it before")
    if reasons:
        raise SelectionError("nothing was sent: " + "\n  ".join(reasons))


def _confirm(plan: "Plan", yes: int | None) -> None:
    """Name who goes, and return only once their number was typed or given."""
    from orchestrator.cli.confirming import check_number

    count = len(plan.devices)
    for device in plan.devices[:_NAMED]:
        serial = f"  {device.serial_number}" if device.serial_number else ""
        screen.note(f"  {device.id}{serial}  {device.name or ''}".rstrip())
    if count > _NAMED:
        screen.note(f"  and {count - _NAMED:,} more")
    devices = screen.counted(count, "device")
    check_number("--yes", yes, count, f"delete {devices}", can_ask=sys.stdin.isatty())
    carrying.typed_number(plan, count, f"delete {devices}", yes=yes is not None)
