"""`why`: what holds one device of a run."""

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.app import new_app
from orchestrator.cli.options import RUNS, RunReference, with_settings

if TYPE_CHECKING:
    from orchestrator.settings import Settings

app = new_app()


@app.command()
@with_settings(RUNS)
def why(
    run: RunReference,
    device: Annotated[
        str, typer.Argument(metavar="DEVICE", help="A device's id, serial number or name.")
    ],
    *,
    settings: "Settings",
) -> int:
    """Say which limit, window, wave, guard or retry holds a device now, or how it ended."""
    from orchestrator.adapters.plans.plan_file import read_plan
    from orchestrator.adapters.runs.run_folder import RunsFolder
    from orchestrator.cli.campaign import in_loop
    from orchestrator.cli.naming import device_of
    from orchestrator.switchboard import explain

    folder = RunsFolder(settings.runs_dir).find(run)
    folder.require_journal()
    named = device_of(read_plan(folder.plan_path), device)
    told = in_loop(settings.event_loop, explain, settings, folder.run_id, str(named))
    screen.show(screen.folded(screen.sentence(told)))
    return 0
