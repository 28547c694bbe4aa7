"""`validate`: every fault of every playbook, before anything is asked of a controller."""

from typing import Annotated

import typer

from orchestrator.cli import completing, screen
from orchestrator.cli.app import new_app
from orchestrator.cli.exit_codes import ExitCode
from orchestrator.cli.options import Variables, read_variables

app = new_app()


@app.command()
def validate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Files, or names of playbooks that come with the program.",
            autocompletion=completing.playbook_files,
        ),
    ],
    var: Variables = None,
) -> int:
    """Check playbooks and name every fault in them, with line, column and what was meant."""
    from orchestrator.cli import shipped
    from orchestrator.model.errors import PlaybookError
    from orchestrator.playbook.faults import render_faults
    from orchestrator.playbook.loading import load_playbook

    variables = read_variables(var)
    faults = 0
    for file in files:
        try:
            load_playbook(shipped.find(file), variables)
        except PlaybookError as error:
            faults += len(error.faults)
            screen.note(render_faults(error.faults) + "\n")
        else:
            screen.show(f"{file}: valid")
    if not faults:
        return ExitCode.DONE
    screen.complain(f"{screen.counted(faults, 'fault')}; nothing was asked of any controller")
    return ExitCode.USAGE
