"""`run`: carry a playbook out, or a plan that was made of one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import completing, screen
from orchestrator.cli.app import new_app
from orchestrator.cli.options import (
    CONTROLLER,
    LOG,
    OTHERS,
    RUNS,
    Variables,
    read_variables,
    with_settings,
)

if TYPE_CHECKING:
    from orchestrator.bootstrap import RunOutcome
    from orchestrator.model.plans import Plan
    from orchestrator.ports import Listener
    from orchestrator.settings import Settings

app = new_app()

PlaybookOrPlan = Annotated[
    str,
    typer.Argument(
        metavar="PLAYBOOK|PLAN",
        help="A playbook: a file, or the name of one that comes with the program. Or a plan that"
        " `plan -o` kept in a file: it is carried out exactly and only once, while it is good"
        " and its playbook is what it was.",
        autocompletion=completing.playbook_files,
    ),
]
AsEvents = Annotated[
    bool, typer.Option("--json", help="Write one JSON event a line, and nothing else, on stdout.")
]
Plain = Annotated[bool, typer.Option("--plain", help="Write plain lines even on a terminal.")]
Cron = Annotated[
    bool,
    typer.Option(
        "--cron",
        help="For a crontab: ask nothing; end at once and in silence (0) while the same playbook runs"
        " by the clock already, or when it chooses no device; else tell of trouble only, and how it"
        " ended. A run of it that was cut off is resumed first. Wiping or deleting needs --yes"
        " beside it, deleting --delete N too. A line for every ten minutes:"
        " `*/10 * * * * cd /srv/orchestrator && orchestrator run remediate.yaml --cron`.",
    ),
]


@app.command()
@with_settings(CONTROLLER, RUNS, OTHERS, LOG, opens_log=True)
def run(
    playbook: PlaybookOrPlan,
    *,
    settings: "Settings",
    var: Variables = None,
    name: Annotated[
        str | None, typer.Option("--id", metavar="NAME", help="Name the run; else it gets an id.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Confirm a destructive run beforehand.")
    ] = False,
    delete: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Confirm that N records are deleted: without a terminal, or beside --yes.",
        ),
    ] = None,
    as_json: AsEvents = False,
    plain: Plain = False,
    cron: Cron = False,
) -> int:
    """Carry a playbook or a plan out, device by device, each proven by what is read back."""
    from orchestrator.adapters.plans.plan_file import is_plan
    from orchestrator.bootstrap import start_run
    from orchestrator.cli import campaign, plan_text
    from orchestrator.cli.confirming import confirm
    from orchestrator.planner import plan_to_run

    is_kept = is_plan(Path(playbook))
    if cron:
        _check_cron(as_json=as_json, is_kept=is_kept)
    if is_kept and var:
        what = f"--var is for a playbook; the plan {playbook} has its variables already"
        raise typer.BadParameter(what)
    if name is not None:
        campaign.check_name(settings, name)
    variables = read_variables(var)
    if cron:
        return _by_the_clock(settings, playbook, variables, name, yes=yes, delete=delete)
    style = campaign.style_for(settings, as_json=as_json, plain=plain)
    plan = (
        plan_to_run(settings, Path(playbook))
        if is_kept
        else _planned(settings, playbook, variables)
    )
    tell = screen.note if as_json else screen.show
    for line in plan_text.brief(plan):
        tell(line)
    for warning in plan.warnings:
        screen.warn(warning)
    tell("")
    if not plan.devices:
        tell("Nothing to do: no device is chosen.")
    if plan.devices or delete is not None:
        confirm(plan, yes=yes, delete=delete)
    run_id = name or campaign.new_run_id(settings, plan)

    async def drive(listeners: "Sequence[Listener]") -> "RunOutcome":
        return await start_run(settings, plan, run_id=run_id, listeners=listeners, once=is_kept)

    outcome = campaign.carry_out(settings, plan, run_id, drive, style=style)
    return campaign.code_of(outcome)


def _check_cron(*, as_json: bool, is_kept: bool) -> None:
    if as_json:
        raise typer.BadParameter(
            "--cron tells of trouble only, --json of everything; leave one out"
        )
    if is_kept:
        raise typer.BadParameter("--cron is for a playbook; a plan is carried out only once")


def _by_the_clock(
    settings: "Settings",
    playbook: str,
    variables: dict[str, str],
    name: str | None,
    *,
    yes: bool,
    delete: int | None,
) -> int:
    """Carry a playbook out without a word, unless there is trouble or something was done.

    What an earlier run of it left unfinished is brought to its end first.
    """
    from orchestrator.bootstrap import start_run
    from orchestrator.cli import campaign, cron, shipped, unfinished
    from orchestrator.cli.confirming import confirm
    from orchestrator.planner import foresee_quickly, survey_plan
    from orchestrator.playbook.loading import load_playbook

    path = shipped.find_to_plan(playbook, silently=True)
    read, _ = load_playbook(path, variables)
    cron.check_permitted(read, yes=yes)
    cron.check_people(settings, read)
    with cron.alone(settings, path, read.name) as is_alone:
        if not is_alone:
            return 0
        may_begin, before = unfinished.finish(settings, read.name, yes=yes)
        if not may_begin:
            return before
        surveyed = campaign.in_loop(
            settings.event_loop, survey_plan, settings, path, variables, may_be_empty=True
        )
        cron.note_outages(surveyed.plan)
        if cron.nothing_to_do(surveyed.plan):
            return before
        confirm(surveyed.plan, yes=yes, delete=delete)
        plan = foresee_quickly(surveyed)
        run_id = name or campaign.new_run_id(settings, plan)

        async def drive(listeners: "Sequence[Listener]") -> "RunOutcome":
            return await start_run(settings, plan, run_id=run_id, listeners=listeners)

        style = campaign.Style.TROUBLE
        outcome = campaign.carry_out(settings, plan, run_id, drive, style=style)
        return campaign.code_of(outcome) or before


def _planned(settings: "Settings", playbook: str, variables: dict[str, str]) -> "Plan":
    """Make the plan of a playbook, with a forecast where that takes seconds only."""
    from orchestrator.cli import shipped
    from orchestrator.cli.campaign import in_loop
    from orchestrator.planner import foresee_quickly, survey_plan

    return foresee_quickly(
        in_loop(
            settings.event_loop, survey_plan, settings, shipped.find_to_plan(playbook), variables
        )
    )
