"""`drift`: the fleet against a wanted state, and the playbook that remedies it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import files, screen
from orchestrator.cli.app import new_app
from orchestrator.cli.exit_apart import ApartCommand
from orchestrator.cli.exit_codes import ExitCode
from orchestrator.cli.options import CONTROLLER, LOG, RUNS, AsJson, again, with_settings

if TYPE_CHECKING:
    from orchestrator.planning.restoring.drifting import Drift
    from orchestrator.settings import Settings

app = new_app()

_YAML = (".yaml", ".yml")


@app.command(cls=ApartCommand)
@with_settings(CONTROLLER, RUNS, LOG, opens_log=True)
def drift(
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="FILE|RUN",
            help="A wanted state in YAML, or a run or its snapshots.jsonl: then the records as they"
            " were before it.",
        ),
    ],
    *,
    settings: "Settings",
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the playbook that remedies it to FILE.yaml, and its table beside it.",
        ),
    ] = None,
    as_json: AsJson = False,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code",
            help="End with 0 if nothing deviates, 2 if something does."
            " Errors that end with 2 end with 1 then.",
        ),
    ] = False,
) -> int:
    """Show which devices are not as they should be: the field, what it is, what it should be.

    Only GETs are sent. What is not known deviates too. The playbook of -o writes fields and delivers
    pending settings; of what it cannot remedy it says so at its top.
    """
    _check_output(output)
    found = _found(settings, wanted, output)
    if as_json:
        from orchestrator.cli import drift_text

        screen.show_data(json.dumps(drift_text.as_object(found), indent=2))
    else:
        _show(found)
    if output is not None:
        _remedy(settings, found, Path(output))
    return ExitCode.USAGE if exit_code and found.is_any else ExitCode.DONE


def _check_output(output: str | None) -> None:
    files.check_output(output)
    if output is not None and Path(output).suffix.lower() not in _YAML:
        what = f"--output takes the name of a playbook, *.yaml, this is {output!r}"
        raise typer.BadParameter(what)


def _check_spares(output: str | None, *kept: Path) -> None:
    """Raise a usage error when the playbook or its table would replace what is wanted."""
    if output is None:
        return
    for written in (Path(output), _table_beside(Path(output))):
        for path in kept:
            if written.resolve() == path.resolve():
                raise typer.BadParameter(
                    f"--output would replace {path}, which says what is wanted"
                )


def _table_beside(path: Path) -> Path:
    return path.with_suffix(".jsonl")


def _found(settings: "Settings", wanted: str, output: str | None) -> "Drift":
    from orchestrator.adapters.runs.changed_run import read_changed
    from orchestrator.adapters.runs.run_folder import RunFolder
    from orchestrator.adapters.runs.snapshot_file import FILE
    from orchestrator.cli import reading
    from orchestrator.cli.campaign import in_loop
    from orchestrator.playbook.wanted import load_wanted
    from orchestrator.restorer import drift_of_run, drift_of_wanted

    path = Path(wanted)
    if path.name == FILE:
        told = read_changed(RunFolder(path.parent), settings.audit_key_bytes)
        return in_loop(settings.event_loop, drift_of_run, settings, told)
    if path.suffix.lower() in _YAML or path.is_file():
        state = load_wanted(path)
        _check_spares(output, path, *(path.parent / name for name in state.source.files))
        return in_loop(settings.event_loop, drift_of_wanted, settings, state)
    told = read_changed(reading.find(settings, wanted), settings.audit_key_bytes)
    return in_loop(settings.event_loop, drift_of_run, settings, told)


def _show(found: "Drift") -> None:
    from orchestrator.cli import drift_text

    for line in drift_text.lines(found):
        screen.show(line)


def _remedy(settings: "Settings", found: "Drift", path: Path) -> None:
    """Write the table, and then the playbook that needs it; say what they do not remedy."""
    from orchestrator.planning.restoring.remedying import remedying

    table = _table_beside(path)
    made = remedying(found, table.name)
    for each in made.left:
        screen.note(screen.folded(f"Not remedied by a playbook: {each}."))
    if not made.devices:
        screen.note(f"There is nothing that a playbook could remedy, so {path} was not written.")
        return
    for target, text in ((table, made.table), (path, made.playbook)):
        files.check_output(str(target))
        with files.opened(str(target)) as file:
            file.write(text)
    screen.note(f"The playbook is in {path}, its table in {table}. To see what it would do:")
    screen.note(f"  {again(settings, 'plan', str(path))}")
