"""`run`: carry a playbook out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.app import new_app
from orchestrator.cli.options import (
    CONTROLLER,
    LOG,
    OTHERS,
    RUNS,
    PlaybookFile,
    Variables,
    read_variables,
    with_settings,
)

if TYPE_CHECKING:
    from orchestrator.bootstrap import RunOutcome
    from orchestrator.ports import Listener
    from orchestrator.settings import Settings

app = new_app()

AsEvents = Annotated[
    bool, typer.Option("--json", help="Write one JSON event a line, and nothing else, on stdout.")
]
Plain = Annotated[bool, typer.Option("--plain", help="Write plain lines even on a terminal.")]


@app.command()
@with_settings(CONTROLLER, RUNS, OTHERS, LOG, opens_log=True)
def run(
    playbook: PlaybookFile,
    *,
    settings: "Settings",
    var: Variables = None,
    name: Annotated[
        str | None, typer.Option("--id", metavar="NAME", help="Name the run; else it gets an id.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Confirm a destructive run beforehand.")
    ] = False,
    as_json: AsEvents = False,
    plain: Plain = False,
) -> int:
    """Carry a playbook out, device by device, each proven by what the controller reads back."""
    from orchestrator.bootstrap import make_plan, start_run
    from orchestrator.cli import campaign, plan_text, shipped
    from orchestrator.cli.confirming import confirm

    if name is not None:
        campaign.check_name(settings, name)
    variables = read_variables(var)
    style = campaign.style_for(settings, as_json=as_json, plain=plain)
    plan = campaign.in_loop(make_plan, settings, shipped.find(playbook), variables)
    tell = screen.note if as_json else screen.show
    for line in plan_text.brief(plan):
        tell(line)
    for warning in plan.warnings:
        screen.warn(warning)
    tell("")
    confirm(plan, yes=yes)
    run_id = name or campaign.new_run_id(settings, plan)

    async def drive(listeners: "Sequence[Listener]") -> "RunOutcome":
        return await start_run(settings, plan, run_id=run_id, listeners=listeners)

    outcome = campaign.carry_out(settings, plan, run_id, drive, style=style)
    return campaign.code_of(outcome)
