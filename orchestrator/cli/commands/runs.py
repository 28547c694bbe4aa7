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

    rows = []
    notes: dict[str, int] = {}
    for run in RunsFolder(settings.runs_dir).listed():
        row, note = _row(run, settings.audit_key_bytes)
        rows.append(row)
        if note:
            notes[note] = notes.get(note, 0) + 1
    if as_json:
        screen.show_data(json.dumps(rows, indent=2))
    else:
        _show(settings, rows)
    for note, count in notes.items():
        screen.note(f"{screen.counted(count, 'audit log')} {note}.")
    return 0


def _show(settings: "Settings", rows: "list[dict[str, object]]") -> None:
    if not rows:
        screen.note(f"There are no runs in {settings.runs_dir} yet.")
        return
    head = ("RUN", "STATE", "DEVICES")
    lines = [(row["run"], row["standing"], row["damage"] or _told(row)) for row in rows]
    for line in screen.table(head, lines, limit=screen.width()):
        screen.show(line)


def _row(run: "Listed", key: bytes | None) -> tuple[dict[str, object], str]:
    """Give a run as one object, and what is to be said of how far its audit log was checked."""
    from orchestrator.adapters.journal_reading import read_records, trust_in
    from orchestrator.model import moments
    from orchestrator.model.errors import JournalError
    from orchestrator.report.standing import in_short
    from orchestrator.report.summary import Summary

    summary = Summary()
    damage = run.damage
    note = ""
    if run.started is not None and not damage:
        try:
            path = run.folder.journal_path
            trust = trust_in(path, key)
            note = trust.note
            for record in read_records(path, trust.key, believed=trust.believed):
                summary.after(record.event)
        except JournalError as error:
            damage = str(error)
    started = run.started
    driven = run.holder is not None
    row: dict[str, object] = {
        "run": run.folder.run_id,
        "playbook": started.playbook if started else None,
        "started_at": moments.as_text(started.at) if started else None,
        "started_by": started.started_by if started else None,
        "state": "damaged" if damage else summary.state_if(driven=driven).value,
        "standing": "damaged" if damage else in_short(summary, driven=driven),
        "devices": summary.total,
        "verdicts": summary.counts(),
        "damage": damage or None,
    }
    return row, note


def _told(row: dict[str, object]) -> str:
    verdicts = row["verdicts"]
    assert isinstance(verdicts, dict)
    counts = [f"{n:,} {verdict.replace('_', ' ')}" for verdict, n in verdicts.items() if n]
    left = int(str(row["devices"])) - sum(verdicts.values())
    if left > 0:
        counts.append(f"{left:,} without a verdict")
    return f"{row['devices']:,}: {', '.join(counts)}" if counts else f"{row['devices']:,}"
