"""`settings`: every setting, its value and where that came from."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.app import new_app
from orchestrator.cli.options import CONTROLLER, LOG, RUNS, AsJson, with_settings

if TYPE_CHECKING:
    from orchestrator.settings import Settings

app = new_app()


@app.command()
@with_settings(CONTROLLER, RUNS, LOG)
def settings(
    *,
    settings: "Settings",
    as_json: AsJson = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Write the table that stands in the README.")
    ] = False,
) -> int:
    """Show every setting with its value and its source; secrets are masked."""
    from dataclasses import asdict

    from orchestrator.settings import as_markdown, explain

    if as_json and markdown:
        raise typer.BadParameter("--json and --markdown exclude each other")
    if markdown:
        screen.show_data(as_markdown().rstrip("\n"))
        return 0
    explained = explain(settings)
    if as_json:
        screen.show_data(json.dumps([asdict(each) for each in explained], indent=2))
        return 0
    for each in explained:
        screen.show(f"{each.env} = {each.value or '(not set)'}  ({each.source})", "bold")
        screen.show(screen.folded(each.description, indent="    "))
    return 0
