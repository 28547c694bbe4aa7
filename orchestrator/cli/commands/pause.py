"""`pause`: nothing new is started for now."""

from typing import TYPE_CHECKING

from orchestrator.cli import orders
from orchestrator.cli.app import new_app
from orchestrator.cli.options import LOG, RUNS, RunReference, again, with_settings
from orchestrator.model.orders import Pause

if TYPE_CHECKING:
    from orchestrator.settings import Settings

app = new_app()


@app.command()
@with_settings(RUNS, LOG, opens_log=True)
def pause(run: RunReference, *, settings: "Settings", why: orders.Why = None) -> int:
    """Start nothing new in a run for now.

    Requests and waits under way go on, and a device between a destructive step and the steps that
    bring it back into service is finished. `continue` takes the pause back.
    """
    run_id = orders.run_id_of(settings, run)
    back = f"To take it back:  {again(settings, 'continue', run_id)}"
    orders.give(settings, run_id, Pause(orders.person(why)), back)
    return 0
