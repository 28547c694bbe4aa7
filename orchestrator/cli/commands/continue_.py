"""`continue`: a person's pause is taken back."""

from typing import TYPE_CHECKING

from orchestrator.cli import orders
from orchestrator.cli.app import new_app
from orchestrator.cli.options import LOG, RUNS, RunReference, again, with_settings
from orchestrator.model.orders import Continue

if TYPE_CHECKING:
    from orchestrator.settings import Settings

app = new_app()


@app.command()
@with_settings(RUNS, LOG, opens_log=True)
def continue_(run: RunReference, *, settings: "Settings", why: orders.Why = None) -> int:
    """Let a run go on that a person paused.

    A run whose process ended is taken up again with `resume`; one that waits for an approval, with
    `approve`.
    """
    run_id = orders.run_id_of(settings, run)
    back = f"To pause it again:  {again(settings, 'pause', run_id)}"
    orders.give(settings, run_id, Continue(orders.person(why)), back)
    return 0
