"""`retry`: plan again for the devices that a run did not bring through."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.app import new_app
from orchestrator.cli.options import (
    CONTROLLER,
    LOG,
    OTHERS,
    RUNS,
    AsJson,
    RunReference,
    again,
    with_settings,
)

if TYPE_CHECKING:
    from orchestrator.model.plans import LeftOut, Plan
    from orchestrator.model.verdicts import Verdict
    from orchestrator.settings import Settings

app = new_app()

_USUAL = "failed,unconfirmed,not_started"
"""Whom a retry takes up when nobody says otherwise."""


@app.command()
@with_settings(CONTROLLER, RUNS, OTHERS, LOG, opens_log=True)
def retry(
    run: RunReference,
    *,
    settings: "Settings",
    verdicts: Annotated[
        str,
        typer.Option(
            "--verdicts",
            metavar="WORDS",
            help="Whom to take up: failed, unconfirmed, not_started, deferred, skipped, in_doubt.",
        ),
    ] = _USUAL,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Keep the plan in FILE.json, for run FILE.json."
        ),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="List every device.")] = False,
    as_json: AsJson = False,
) -> int:
    """Plan again for the devices that a run did not bring through, each from where it stopped.

    The playbook and its variables are those of the run, as they were then. Only GETs are sent.
    """
    from orchestrator.adapters.plans import plan_file
    from orchestrator.adapters.runs.run_folder import RunsFolder
    from orchestrator.cli.campaign import in_loop
    from orchestrator.planner import foresee_plan, retry_plan

    wanted = _wanted(verdicts)
    if output is not None:
        plan_file.check_place(output)
    run_id = RunsFolder(settings.runs_dir).find(run).run_id
    made = foresee_plan(in_loop(settings.event_loop, retry_plan, settings, run_id, wanted))
    if not made.devices:
        return _say_nothing(made, run_id, as_json=as_json)
    digest = None if output is None else plan_file.write_plan(made, output)
    if as_json:
        _show_json(made, output, digest)
    else:
        _show(made, everyone=everyone)
        screen.show(_how_to_run(settings, made, run_id, verdicts, output))
    return 0


def _wanted(text: str) -> "tuple[Verdict, ...]":
    from orchestrator.cli.history import read_verdicts
    from orchestrator.model.verdicts import Verdict

    found = read_verdicts("--verdicts", text)
    well = next((each for each in found if each.is_success), None)
    if well is not None:
        end = "succeeded" if well is Verdict.SUCCEEDED else "was already ok"
        what = f"--verdicts takes whatever went wrong; a device that {end} is not tried again"
        raise typer.BadParameter(what)
    return found


def _say_nothing(made: "Plan", run_id: str, *, as_json: bool) -> int:
    """Say in one sentence that nobody is left to plan for, and what became of all of them."""
    from orchestrator.cli import plan_text

    ends = _ends(made.left_out, run_id)
    told = f": {ends}" if ends else ""
    if any(_can_be_asked_for(out, run_id) for out in made.left_out):
        told += "; --verdicts takes up others"
    screen.note(f"There is nothing to retry in run {run_id}{told}.")
    if as_json:
        screen.show_data(json.dumps(plan_text.as_object(made), indent=2))
    return 0


def _ends(left_out: "Sequence[LeftOut]", run_id: str) -> str:
    """Count how the devices ended: "2 devices were skipped and 1 succeeded"."""
    told = [_end(out, run_id) for out in left_out]
    if told:
        count, _, end = told[0].partition(" ")
        told[0] = f"{count} {'device' if left_out[0].count == 1 else 'devices'} {end}"
    *others, last = told or [""]
    return f"{', '.join(others)} and {last}" if others else last


def _end(out: "LeftOut", run_id: str) -> str:
    one, more = _GONE.get(out.reason, ("", ""))
    if not one:
        one = out.reason.partition(";")[0].removesuffix(f" in run {run_id}")
        verb, _, rest = one.partition(" ")
        more = f"{_PLURALS.get(verb, verb)} {rest}".rstrip()
    return f"{out.count:,} {one if out.count == 1 else more}"


_PLURALS = {"was": "were", "has": "have"}
_GONE = {
    "the controller no longer has this device": (
        "is no longer at the controller",
        "are no longer at the controller",
    ),
    "its record shows another serial number": (
        "shows another serial number",
        "show another serial number",
    ),
}


def _can_be_asked_for(out: "LeftOut", run_id: str) -> bool:
    """Tell whether other verdicts would take these devices up."""
    end = out.reason.removesuffix(f" in run {run_id}")
    return end not in (out.reason, "succeeded", "was already ok", "has no verdict")


def _show_json(made: "Plan", output: Path | None, digest: str | None) -> None:
    from orchestrator.cli import plan_text

    told = plan_text.as_object(made)
    if output is not None:
        told |= {"file": str(output), "digest": digest}
    screen.show_data(json.dumps(told, indent=2))


def _show(made: "Plan", *, everyone: bool) -> None:
    from orchestrator.cli import plan_text

    for line in plan_text.full(made, everyone=everyone):
        screen.show(line)


def _how_to_run(
    settings: "Settings", made: "Plan", run_id: str, verdicts: str, output: Path | None
) -> str:
    from orchestrator.model import moments

    if output is None:
        file = f"retry-{run_id}.json"
        chosen = () if verdicts == _USUAL else ("--verdicts", verdicts)
        keep = again(settings, "retry", run_id, *chosen, "-o", file)
        run = again(settings, "run", file)
        return f"\nNothing was changed. To keep this plan, and then to carry it out:\n  {keep}\n  {run}"
    until = ""
    if made.expires_at is not None:
        until = f" until {moments.as_short_text(made.expires_at)}"
    run = again(settings, "run", str(output))
    told = f"The plan is in {output}; to carry it out, once,{until}:"
    return f"\nNothing was changed. {told}\n  {run}"
