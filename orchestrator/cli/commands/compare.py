"""`compare`: two runs side by side."""

import json
from typing import TYPE_CHECKING

import typer

from orchestrator.cli import reading, screen
from orchestrator.cli.app import new_app
from orchestrator.cli.exit_codes import ExitCode
from orchestrator.cli.options import RUNS, AsJson, RunReference, with_settings

if TYPE_CHECKING:
    from orchestrator.settings import Settings

app = new_app()


@app.command()
@with_settings(RUNS)
def compare(
    first: RunReference,
    second: RunReference,
    *,
    settings: "Settings",
    as_json: AsJson = False,
) -> int:
    """Show two runs side by side: their times and verdicts, and each device that ended otherwise."""
    from orchestrator.cli import contrast_text
    from orchestrator.report.contrasting import contrast

    folders = (reading.find(settings, first), reading.find(settings, second))
    if folders[0].run_id == folders[1].run_id:
        what = f"{first!r} and {second!r} are the same run, {folders[0].run_id}; name two runs"
        raise typer.BadParameter(what)
    try:
        one, other = (reading.read_run(each, settings.audit_key_bytes) for each in folders)
    except reading.DamagedError as error:
        screen.complain(str(error))
        return error.code
    compared = contrast(one.report, other.report)
    if as_json:
        screen.show_data(json.dumps(contrast_text.as_object(compared), indent=2))
    else:
        for line in contrast_text.lines(compared):
            screen.show(line)
    for note in dict.fromkeys((*one.notes, *other.notes)):
        screen.note(note)
    return ExitCode.DONE
