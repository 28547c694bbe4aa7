"""`cancel`: nothing new is started ever."""

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import orders
from orchestrator.cli.app import new_app
from orchestrator.cli.options import LOG, RUNS, RunReference, with_settings
from orchestrator.model.orders import Cancel

if TYPE_CHECKING:
    from orchestrator.settings import Settings

app = new_app()


@app.command()
@with_settings(RUNS, LOG, opens_log=True)
def cancel(
    run: RunReference,
    *,
    settings: "Settings",
    why: orders.Why = None,
    abandon: Annotated[
        bool,
        typer.Option("--abandon", help="Leave devices in the middle of their chain as well."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Confirm --abandon beforehand.")] = False,
) -> int:
    """Start nothing new in a run ever; this cannot be taken back.

    A device between a destructive step and the steps that bring it back into service is finished.
    With --abandon it is left as it is, perhaps without its configuration, and counts as failed.
    """
    run_id = orders.run_id_of(settings, run)
    if abandon:
        orders.confirm_abandoning(run_id, yes=yes)
    then = "This cannot be taken back; for the devices that are left, make a new run."
    orders.give(settings, run_id, Cancel(orders.person(why), abandon=abandon), then)
    return 0
