"""`diff`: what a run changed on which device."""

import json
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.app import new_app
from orchestrator.cli.options import CONTROLLER, LOG, RUNS, AsJson, RunReference, with_settings

if TYPE_CHECKING:
    from orchestrator.adapters.runs.changed_run import ChangedRun
    from orchestrator.cli.differences_text import Shown
    from orchestrator.settings import Settings

app = new_app()


@app.command()
@with_settings(CONTROLLER, RUNS, LOG, opens_log=True)
def diff(
    run: RunReference,
    *,
    settings: "Settings",
    device: Annotated[
        list[str] | None,
        typer.Option(
            "--device",
            metavar="DEVICE",
            help="Only this one: id, serial number or name; repeatable.",
        ),
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Hold the snapshots against the fleet as it is now, too.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Show which fields a run changed, from what to what, and what it did with each device.

    The journal tells it, also of a run that is not over; of secrets there are fingerprints. With
    --now the controller is asked (GETs only) what differs from before the run, whoever changed it.
    """
    from orchestrator.adapters.runs.changed_run import read_changed
    from orchestrator.cli import differences_text, reading
    from orchestrator.cli.naming import devices_of

    told = read_changed(reading.find(settings, run), settings.audit_key_bytes)
    only = devices_of(told.plan, device or ())
    shown = _shown(settings, told, only, ask=now)
    if as_json:
        screen.show_data(json.dumps(differences_text.as_object(shown), indent=2))
    else:
        for line in differences_text.lines(shown):
            screen.show(line)
    if told.note:
        screen.note(f"The audit log is {told.note}.")
    return 0


def _shown(
    settings: "Settings", told: "ChangedRun", only: Collection[int] | None, *, ask: bool
) -> "Shown":
    from orchestrator.cli.differences_text import Shown

    devices = [each for each in told.devices if only is None or each.device in only]
    shown = Shown(told.run_id, told.plan, devices, told.is_over, len(told.devices) - len(devices))
    if not ask:
        return shown
    from orchestrator.cli.campaign import in_loop
    from orchestrator.restorer import since_then

    return replace(shown, now=in_loop(settings.event_loop, since_then, settings, told, devices))
