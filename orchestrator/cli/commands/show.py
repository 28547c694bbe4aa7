"""`show`: what a run has come to."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.app import new_app
from orchestrator.cli.options import RUNS, AsJson, RunReference, again, with_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.report.summary import Summary
    from orchestrator.settings import Settings

app = new_app()


@app.command()
@with_settings(RUNS)
def show(
    run: RunReference,
    *,
    settings: "Settings",
    devices: Annotated[bool, typer.Option("--devices", help="Show every device.")] = False,
    as_json: AsJson = False,
) -> int:
    """Show a run's state, its verdicts, and the devices that somebody has to look at."""
    from orchestrator.adapters.plans.plan_file import read_plan
    from orchestrator.adapters.runs.journal_reading import read_records, trust_in
    from orchestrator.adapters.runs.run_folder import RunsFolder
    from orchestrator.report.summary import Summary
    from orchestrator.report.tables import as_json as as_object
    from orchestrator.report.tables import as_text, device_rows

    folder = RunsFolder(settings.runs_dir).find(run)
    journal = folder.require_journal()
    plan = read_plan(folder.plan_path)
    trust = trust_in(journal, settings.audit_key_bytes)
    records = read_records(journal, trust.key, believed=trust.believed)
    summary = Summary.of(plan, (record.event for record in records))
    driven = folder.holder() is not None
    if devices and as_json:
        for row in device_rows(summary):
            screen.show_data(json.dumps(row))
    elif devices:
        for line in _device_lines(summary):
            screen.show(line)
    elif as_json:
        told = as_object(summary, run_id=folder.run_id, driven=driven)
        screen.show_data(json.dumps(told, indent=2))
    else:
        screen.show(as_text(summary, run_id=folder.run_id, driven=driven).rstrip())
        screen.show(f"\n  all devices  {again(settings, 'show', folder.run_id, '--devices')}")
        screen.show(f"  audit log    {folder.journal_path}")
        if folder.report_path.exists():
            screen.show(f"  report       {folder.report_path}")
        if not summary.is_over:
            for line in _what_to_do(settings, folder.run_id, summary, driven=driven):
                screen.show(line)
    if trust.note:
        screen.note(f"The audit log is {trust.note}.")
    return 0


def _what_to_do(
    settings: "Settings", run_id: str, summary: "Summary", *, driven: bool
) -> "Iterator[str]":
    """Give the commands that somebody has to type for the run to go on."""
    course = summary.course
    orders = []
    if course.asked:
        orders.append(f"To agree:  {again(settings, 'approve', run_id)}")
        orders.append(f"To refuse: {again(settings, 'approve', run_id, '--deny')}")
    if course.paused is not None:
        orders.append(f"To take the pause back:  {again(settings, 'continue', run_id)}")
    if orders:
        yield ""
        yield from orders
    if not driven:
        yield f"\n{_how_to_go_on(settings, run_id, summary)}"


def _how_to_go_on(settings: "Settings", run_id: str, summary: "Summary") -> str:
    if summary.started is None:
        return "It never began: nothing was sent, and there is nothing to resume."
    lines = [f"To go on:  {again(settings, 'resume', run_id)}"]
    if summary.interruption:
        lines.insert(0, screen.folded(f"The run was interrupted: {summary.interruption}"))
    return "\n".join(lines)


def _device_lines(summary: "Summary") -> list[str]:
    rows = [
        (
            "new" if (record := summary.record_id(row.device)) is None else record,
            row.serial_number or "",
            (row.verdict or "").replace("_", " "),
            "" if row.step is None else summary.title(row.step),
            row.reason,
        )
        for row in summary.rows()
    ]
    head = ("DEVICE", "SERIAL NUMBER", "VERDICT", "WHERE", "REASON")
    return screen.table(head, rows, limit=screen.width())
