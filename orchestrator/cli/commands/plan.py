"""`plan`: who would be touched, who not and why, and what it would cost."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.app import new_app
from orchestrator.cli.options import (
    CONTROLLER,
    LOG,
    AsJson,
    PlaybookFile,
    Variables,
    again,
    read_variables,
    with_settings,
)

if TYPE_CHECKING:
    from orchestrator.settings import Settings

app = new_app()


@app.command()
@with_settings(CONTROLLER, LOG, opens_log=True)
def plan(
    playbook: PlaybookFile,
    *,
    settings: "Settings",
    var: Variables = None,
    everyone: Annotated[bool, typer.Option("--all", help="List every device.")] = False,
    as_json: AsJson = False,
) -> int:
    """Show whom a playbook would touch, who not and why, and every limit; only GETs are sent."""
    from orchestrator.bootstrap import make_plan
    from orchestrator.cli import plan_text, shipped
    from orchestrator.cli.campaign import in_loop

    made = in_loop(make_plan, settings, shipped.find(playbook), read_variables(var))
    if as_json:
        screen.show_data(json.dumps(plan_text.as_object(made), indent=2))
        return 0
    for line in plan_text.full(made, everyone=everyone):
        screen.show(line)
    for warning in made.warnings:
        screen.warn(warning)
    variables = [word for pair in var or [] for word in ("--var", pair)]
    screen.show(
        f"\nNothing was changed. To do it:\n  {again(settings, 'run', playbook, *variables)}"
    )
    return 0
