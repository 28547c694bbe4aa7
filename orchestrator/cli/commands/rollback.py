"""`rollback`: plan to put back what a run changed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import reading, screen
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
    from orchestrator.model.plans import Plan
    from orchestrator.planning.restoring.planning_back import Rollback
    from orchestrator.settings import Settings

app = new_app()

Devices = Annotated[
    list[str] | None,
    typer.Option(
        "--device", metavar="DEVICE", help="Only this one: id, serial number or name; repeatable."
    ),
]


@app.command()
@with_settings(CONTROLLER, RUNS, OTHERS, LOG, opens_log=True)
def rollback(
    run: RunReference,
    *,
    settings: "Settings",
    device: Devices = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also where somebody changed a field since the run.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Keep the plan in FILE.json, for run FILE.json."
        ),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="List every device.")] = False,
    as_json: AsJson = False,
) -> int:
    """Plan to put back what a run changed in records, and say what cannot be put back.

    The device that was changed last comes first. What a record says now is read first, and a device
    that somebody else changed since is left alone. Only GETs are sent.
    """
    from orchestrator.adapters.plans import plan_file
    from orchestrator.cli.campaign import in_loop
    from orchestrator.cli.naming import devices_of
    from orchestrator.planner import Surveyed, foresee_plan
    from orchestrator.restorer import rollback_plan

    if output is not None:
        plan_file.check_place(output)
    folder = reading.find(settings, run)
    only = devices_of(plan_file.read_plan(folder.plan_path), device or ())
    planned = in_loop(
        settings.event_loop, rollback_plan, settings, folder.run_id, only=only, force=force
    )
    found = planned.rollback
    if found.plan is None:
        return _say_nothing(found, folder.run_id, as_json=as_json)
    made = foresee_plan(Surveyed(found.plan, planned.experience))
    digest = None if output is None else plan_file.write_plan(made, output)
    if as_json:
        _show_json(made, found, output, digest)
    else:
        _show(made, everyone=everyone)
        chosen = [word for each in device or () for word in ("--device", each)]
        words = (folder.run_id, *chosen, *(("--force",) if force else ()))
        screen.show(_how_to_run(settings, made, words, output))
    return 0


def _say_nothing(found: "Rollback", run_id: str, *, as_json: bool) -> int:
    screen.note(f"There is nothing to put back in run {run_id}.")
    for line in _left(found):
        screen.note(line)
    if as_json:
        screen.show_data(json.dumps({"plan": None, **_honest(found)}, indent=2))
    return 0


def _left(found: "Rollback") -> Iterator[str]:
    for each in found.beyond:
        yield screen.folded(f"Not put back: {each}", indent="  ")
    for out in found.left_out:
        some = "; ".join(out.examples) + ("; ..." if out.count > len(out.examples) else "")
        told = f"{screen.counted(out.count, 'device')} left alone: {out.reason} ({some})"
        yield screen.folded(told, indent="  ")


def _honest(found: "Rollback") -> dict[str, object]:
    left = [
        {"reason": out.reason, "count": out.count, "examples": list(out.examples)}
        for out in found.left_out
    ]
    return {"not_put_back": list(found.beyond), "left_out": left}


def _show_json(made: "Plan", found: "Rollback", output: Path | None, digest: str | None) -> None:
    from orchestrator.cli import plan_text

    told = {**plan_text.as_object(made), "not_put_back": list(found.beyond)}
    table = made.playbook.table
    if table is not None:
        told["values"] = {device: dict(row) for device, row in table.rows.items()}
    if output is not None:
        told |= {"file": str(output), "digest": digest}
    screen.show_data(json.dumps(told, indent=2))


def _show(made: "Plan", *, everyone: bool) -> None:
    from orchestrator.cli import plan_text

    for line in plan_text.full(made, everyone=everyone):
        screen.show(line)


def _how_to_run(
    settings: "Settings", made: "Plan", words: tuple[str, ...], output: Path | None
) -> str:
    from orchestrator.model import moments

    if output is None:
        file = f"rollback-{words[0]}.json"
        keep = again(settings, "rollback", *words, "-o", file)
        run = again(settings, "run", file)
        return f"\nNothing was changed. To keep this plan, and then to carry it out:\n  {keep}\n  {run}"
    until = ""
    if made.expires_at is not None:
        until = f" until {moments.as_short_text(made.expires_at)}"
    run = again(settings, "run", str(output))
    told = f"The plan is in {output}; to carry it out, once,{until}:"
    return f"\nNothing was changed. {told}\n  {run}"
