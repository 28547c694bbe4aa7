"""`runs`: the runs there are."""

import json
from typing import TYPE_CHECKING

from orchestrator.cli import screen
from orchestrator.cli.app import new_app
from orchestrator.cli.options import RUNS, AsJson, with_settings

if TYPE_CHECKING:
    from orchestrator.adapters.run_folder import Listed
    from orchestrator.settings import Settings

app = new_app()


@app.command()
@with_settings(RUNS)
def runs(*, settings: "Settings", as_json: AsJson = False) -> int:
    """List the runs, the newest first, with what became of their devices."""
    from orchestrator.adapters.run_folder import RunsFolder

    rows = [_row(run) for run in RunsFolder(settings.runs_dir).listed()]
    if as_json:
        screen.show_data(json.dumps(rows, indent=2))
        return 0
    if not rows:
        screen.note(f"There are no runs in {settings.runs_dir} yet.")
        return 0
    head = ("RUN", "STATE", "DEVICES")
    lines = [(row["run"], row["state"], row["damage"] or _told(row)) for row in rows]
    for line in screen.table(head, lines, limit=screen.width()):
        screen.show(line)
    return 0


def _row(run: "Listed") -> dict[str, object]:
    from orchestrator.adapters.journal_reading import read_records
    from orchestrator.model import moments
    from orchestrator.model.errors import JournalError
    from orchestrator.report.summary import Summary

    summary = Summary()
    damage = run.damage
    if run.started is not None and not damage:
        try:
            for record in read_records(run.folder.journal_path, believed=True):
                summary.after(record.event)
        except JournalError as error:
            damage = str(error)
    started = run.started
    return {
        "run": run.folder.run_id,
        "playbook": started.playbook if started else None,
        "started_at": moments.as_text(started.at) if started else None,
        "started_by": started.started_by if started else None,
        "state": "damaged" if damage else summary.state_if(driven=run.holder is not None).value,
        "devices": summary.total,
        "verdicts": summary.counts(),
        "damage": damage or None,
    }


def _told(row: dict[str, object]) -> str:
    verdicts = row["verdicts"]
    assert isinstance(verdicts, dict)
    counts = [f"{n:,} {verdict.replace('_', ' ')}" for verdict, n in verdicts.items() if n]
    left = int(str(row["devices"])) - sum(verdicts.values())
    if left > 0:
        counts.append(f"{left:,} without a verdict")
    return f"{row['devices']:,}: {', '.join(counts)}" if counts else f"{row['devices']:,}"
