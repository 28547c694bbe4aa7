"""`approve`: the answer to what a run asks."""

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import orders
from orchestrator.cli.app import new_app
from orchestrator.cli.options import LOG, RUNS, RunReference, with_settings
from orchestrator.model.orders import Approve

if TYPE_CHECKING:
    from orchestrator.settings import Settings

app = new_app()


@app.command()
@with_settings(RUNS, LOG, opens_log=True)
def approve(
    run: RunReference,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WHAT",
            help="What it asks about, such as `wave 2`; needless if it is one thing.",
        ),
    ] = None,
    *,
    settings: "Settings",
    why: orders.Why = None,
    deny: Annotated[bool, typer.Option("--deny", help="Do not agree: the run is stopped.")] = False,
) -> int:
    """Agree to what a run asks before it goes on, or deny it.

    `show` tells what a run asks. An answer cannot be taken back; an approved run can be paused.
    """
    run_id = orders.run_id_of(settings, run)
    asked = " ".join(what) if what else None
    orders.give(settings, run_id, Approve(orders.person(why), asked, granted=not deny))
    return 0
