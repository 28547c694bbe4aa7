"""`resume`: take a run up where its journal ends."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestrator.cli.app import new_app
from orchestrator.cli.commands.run import AsEvents, Plain
from orchestrator.cli.options import CONTROLLER, LOG, OTHERS, RUNS, RunReference, with_settings

if TYPE_CHECKING:
    from orchestrator.bootstrap import RunOutcome
    from orchestrator.ports import Listener
    from orchestrator.settings import Settings

app = new_app()


@app.command()
@with_settings(CONTROLLER, RUNS, OTHERS, LOG, opens_log=True)
def resume(
    run: RunReference, *, settings: "Settings", as_json: AsEvents = False, plain: Plain = False
) -> int:
    """Take a run up again where it ended: no accepted operation is repeated, none is forgotten.

    It was confirmed when it was started, and is not confirmed again.
    """
    from orchestrator.adapters.plans.plan_file import read_plan
    from orchestrator.adapters.runs.run_folder import RunsFolder
    from orchestrator.bootstrap import resume_run
    from orchestrator.cli import campaign

    folder = RunsFolder(settings.runs_dir).find(run)
    folder.require_journal()
    plan = read_plan(folder.plan_path)

    async def drive(listeners: "Sequence[Listener]") -> "RunOutcome":
        return await resume_run(settings, folder.run_id, listeners=listeners)

    style = campaign.style_for(settings, as_json=as_json, plain=plain)
    outcome = campaign.carry_out(settings, plan, folder.run_id, drive, style=style, resumed=True)
    return campaign.code_of(outcome)
