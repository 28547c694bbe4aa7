"""Plan, confirm and run what a command composed, in the same way as `run` does a playbook."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.exit_codes import DeclinedError, ExitCode, NeedsYesError

if TYPE_CHECKING:
    from orchestrator.bootstrap import RunOutcome
    from orchestrator.cli.inventory.drafts import Draft
    from orchestrator.model.devices import Device
    from orchestrator.model.plans import Plan
    from orchestrator.planning.drafting.composing import Filters
    from orchestrator.ports import Listener
    from orchestrator.settings import Settings

RunName = Annotated[
    str | None, typer.Option("--id", metavar="NAME", help="Name the run; else it gets an id.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show the plan and end; nothing is changed.")
]
KeptPlan = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PLAN",
        help="Keep the plan in PLAN.json, for run PLAN.json, and its playbook beside it; nothing"
        " is changed.",
    ),
]
AsEvents = Annotated[
    bool, typer.Option("--json", help="Write one JSON event a line, and nothing else, on stdout.")
]
Plain = Annotated[bool, typer.Option("--plain", help="Write plain lines even on a terminal.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Confirm the run beforehand.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """How a command is to be carried out."""

    name: str | None
    output: Path | None
    dry_run: bool
    as_json: bool
    plain: bool

    @property
    def only_plans(self) -> bool:
        """True when nothing is to be changed now."""
        return self.dry_run or self.output is not None

    def check(self) -> None:
        """Raise a usage error for what contradicts itself."""
        if self.only_plans and self.name is not None:
            raise typer.BadParameter("--id names a run, and this only makes a plan")
        if self.only_plans and self.as_json:
            raise typer.BadParameter("--json tells a run, and this only makes a plan")


Confirm = Callable[["Plan"], None]
"""Returns only once the plan is confirmed."""


def carry(
    settings: "Settings",
    draft: "Draft",
    asked: Asked,
    confirm: Confirm,
    *,
    notes: Sequence[str] = (),
    check: Callable[["Plan"], None] | None = None,
    otherwise: Callable[["Plan"], "tuple[Draft, Sequence[str]] | None"] | None = None,
) -> int:
    """Plan what a command composed, and then show it, keep it, or run it once it is confirmed.

    `otherwise` sees the plan first: it may give another draft to be planned instead, and why.
    """
    from orchestrator.bootstrap import start_run
    from orchestrator.cli import campaign

    if asked.name is not None:
        campaign.check_name(settings, asked.name)
    plan = _planned(settings, draft, asked)
    instead = None if otherwise is None else otherwise(plan)
    if instead is not None:
        draft, reasons = instead
        plan, notes = _planned(settings, draft, asked), (*notes, *reasons)
    if check is not None:
        check(plan)
    plan = replace(plan, warnings=(*plan.warnings, *notes))
    if asked.only_plans:
        return _show(settings, plan, asked)
    _brief(plan, asked)
    confirm(plan)
    run_id = asked.name or campaign.new_run_id(settings, plan)
    style = campaign.style_for(settings, as_json=asked.as_json, plain=asked.plain)

    async def drive(listeners: "Sequence[Listener]") -> "RunOutcome":
        return await start_run(settings, plan, run_id=run_id, listeners=listeners)

    return campaign.code_of(campaign.carry_out(settings, plan, run_id, drive, style=style))


def _planned(settings: "Settings", draft: "Draft", asked: Asked) -> "Plan":
    from orchestrator.cli.campaign import in_loop
    from orchestrator.cli.inventory import drafts
    from orchestrator.planner import foresee_quickly, survey_plan

    with drafts.at_hand(draft, asked.output) as path:
        surveyed = in_loop(settings.event_loop, survey_plan, settings, path, {})
    plan = foresee_quickly(surveyed)
    return plan if asked.output else replace(plan, source=draft.source_as_kept(plan.source))


def _brief(plan: "Plan", asked: Asked) -> None:
    from orchestrator.cli import plan_text

    tell = screen.note if asked.as_json else screen.show
    for line in plan_text.brief(plan):
        tell(line)
    for warning in plan.warnings:
        screen.warn(warning)
    tell("")


def _show(settings: "Settings", plan: "Plan", asked: Asked) -> int:
    from orchestrator.adapters.plans.plan_file import write_plan
    from orchestrator.cli import plan_text
    from orchestrator.cli.options import again

    for line in plan_text.full(plan, everyone=False):
        screen.show(line)
    screen.show()
    if asked.output is None:
        screen.show("Nothing was changed.")
    else:
        write_plan(plan, asked.output)
        playbook = asked.output.with_suffix(".yaml")
        screen.show(
            f"Nothing was changed. The plan is in {asked.output}, its playbook in {playbook}."
        )
        screen.show("To carry it out, once:")
        screen.show(f"  {again(settings, 'run', str(asked.output))}")
    return ExitCode.DONE


def typed_number(plan: "Plan", number: int, deed: str, *, yes: bool) -> None:
    """Return only once a person has typed so many, or said yes before.

    Raises NeedsYesError where nobody can be asked and DeclinedError where somebody did not agree.
    """
    if yes or not plan.devices:
        return
    if not sys.stdin.isatty():
        what = f"this run would {deed} and there is no terminal to ask on"
        raise NeedsYesError(f"{what}; confirm with --yes")
    typed = screen.ask(f"type {number} to {deed}: ")
    if typed.replace(",", "") != str(number):
        said = f"{typed!r} is not {number}" if typed else "it was not confirmed"
        raise DeclinedError(f"{said}; nothing was sent")


def named(settings: "Settings", names: Sequence[str]) -> "list[Device]":
    """Find the devices that are named; raises RunError for a name that nobody or several have."""
    from orchestrator.cli.campaign import in_loop

    return in_loop(settings.event_loop, _find, settings, names) if names else []


def around(devices: "Sequence[Device]") -> "Filters":
    """Give filters that no listing of these devices needs to look beyond."""
    from orchestrator.planning.drafting.composing import Filters

    found = [device.fields.get("organization_id") for device in devices]
    numbers = {each for each in found if isinstance(each, int)}
    return Filters(tuple(sorted(numbers)) if all(isinstance(each, int) for each in found) else ())


async def _find(settings: "Settings", names: Sequence[str]) -> "list[Device]":
    from orchestrator.bootstrap import connected
    from orchestrator.cli.inventory import addressing
    from orchestrator.model.policies import RequestLimits

    async with connected(settings, RequestLimits()) as (controller, _):
        offers = controller.offers
        return await addressing.find(controller, offers, names, page_size=settings.page_size)


def only_those(ids: Sequence[int]) -> Callable[["Plan"], None]:
    """Give a check that a plan is for the devices that were named, each of them and no other."""

    def check(plan: "Plan") -> None:
        from orchestrator.model.errors import SelectionError

        if not ids:
            return
        planned = {device.id for device in plan.devices}
        others = sorted(planned.difference(ids))
        if others:
            what = "a serial number or name of another device reads like one of these ids"
            raise SelectionError(f"{what}: {others[0]}; choose by --where instead")
        missing = [each for each in ids if each not in planned]
        if missing:
            why = _why_left_out(plan, missing[0])
            raise SelectionError(
                f"device {missing[0]} cannot be taken" + (f": {why}" if why else "")
            )

    return check


def _why_left_out(plan: "Plan", device: int) -> str:
    """Give the reason that names the device among its examples, if there is one."""
    for out in plan.left_out:
        for example in out.examples:
            name, _, reason = example.partition(": ")
            if name == str(device):
                return reason or out.reason
    return ""
