"""`runs`: the runs there are, and what became of them."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.app import new_app
from orchestrator.cli.options import RUNS, AsJson, with_settings

if TYPE_CHECKING:
    from orchestrator.cli.history import Row
    from orchestrator.settings import Settings

app = new_app()

NEWEST = 30
"""Runs that are shown to people who do not say how many."""


@app.command()
@with_settings(RUNS)
def runs(
    *,
    settings: "Settings",
    playbook: Annotated[
        str | None,
        typer.Option("--playbook", metavar="NAME", help="Of this playbook; * and ? stand for any."),
    ] = None,
    verdict: Annotated[
        str | None,
        typer.Option(
            "--verdict", metavar="WORDS", help="With a device of one of these: failed,unconfirmed."
        ),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="WORDS", help="In one of these states: running,stopped."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="Begun on this day (UTC) or later, or 30d."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="WHEN", help="Begun on this day (UTC) or before, or 2d."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            metavar="N",
            min=1,
            help=f"Show so many, the newest; else {NEWEST}, and all with --json.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """List the runs, the newest first, with what became of their devices."""
    from orchestrator.cli import history

    wanted = history.read_wanted(
        settings, playbook=playbook, verdict=verdict, state=state, since=since, until=until
    )
    found = history.History(settings, wanted, None if as_json else NEWEST)
    if limit is not None:
        found.limit = limit
    rows = found.rows()
    if as_json:
        screen.show_data(json.dumps([row.as_object() for row in rows], indent=2))
    else:
        _show(settings, found.total, rows)
    if found.hidden and not as_json:
        screen.note(_more(found.hidden, len(rows)))
    for note, count in found.notes.items():
        screen.note(f"{screen.counted(count, 'audit log')} {note}.")
    return 0


def _show(settings: "Settings", total: int, rows: "list[Row]") -> None:
    from orchestrator.cli import history

    if not total:
        screen.note(f"There are no runs in {settings.runs_dir} yet.")
    elif not rows:
        screen.note(f"None of the {screen.counted(total, 'run')} in {settings.runs_dir} is so.")
    else:
        for line, colour in history.lines(rows, screen.width()):
            screen.show(line, colour)


def _more(hidden: int, shown: int) -> str:
    return f"{hidden:,} more, older ones; see them with --limit {hidden + shown}"
