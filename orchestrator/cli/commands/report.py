"""`report`: a run as a page to send, as a table, or for machines."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import files, reading, screen
from orchestrator.cli.app import new_app
from orchestrator.cli.exit_codes import ExitCode
from orchestrator.cli.options import RUNS, RunReference, with_settings
from orchestrator.model.errors import RunError

if TYPE_CHECKING:
    from pathlib import Path

    from orchestrator.cli.reading import ReadRun
    from orchestrator.report.exports.run_report import RunReport
    from orchestrator.settings import Settings

app = new_app()


class Format(StrEnum):
    """What a report looks like."""

    HTML = "html"
    JSON = "json"
    CSV = "csv"
    MD = "md"
    JUNIT = "junit"


@app.command()
@with_settings(RUNS)
def report(
    run: RunReference,
    *,
    settings: "Settings",
    format_: Annotated[
        Format,
        typer.Option(
            "--format",
            help="html is a page to send, md goes into a ticket, csv has a row a device, json is for"
            " programs, junit for CI systems.",
        ),
    ] = Format.HTML,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write here; - is stdout. Without it, html goes into the run's folder and all"
            " else to stdout.",
        ),
    ] = None,
) -> int:
    """Write a run's report, also while the run goes on; its audit log is checked on the way."""
    files.check_output(output)
    folder = reading.find(settings, run)
    files.check_spares(output, folder.journal_path, folder.plan_path)
    try:
        read = reading.read_run(folder, settings.audit_key_bytes)
    except reading.DamagedError as error:
        screen.complain(str(error))
        return error.code
    pieces = _written(read, format_)
    if output is None and format_ is Format.HTML:
        _keep(folder.report_path, pieces)
        screen.show(str(folder.report_path))
    else:
        with files.opened(output) as file:
            file.writelines(pieces)
        if output not in (None, files.STDOUT):
            screen.note(f"The report of run {folder.run_id} is in {output}.")
    for note in read.notes:
        screen.note(note)
    return ExitCode.DONE


def _keep(path: "Path", pieces: Iterable[str]) -> None:
    """Write the page beside the journal; whoever may not write there is told of another way."""
    try:
        with files.opened(str(path)) as file:
            file.writelines(pieces)
    except RunError as error:
        raise RunError(f"{error}; name another place with --output") from error


def _written(read: "ReadRun", format_: Format) -> Iterable[str]:
    if format_ is Format.HTML:
        return _page(read)
    return _exporter(format_)(read.report)


def _page(read: "ReadRun") -> Iterable[str]:
    from orchestrator.report.page.document import as_html

    told = read.report
    page = as_html(
        told.summary,
        run_id=told.run_id,
        head=told.audit.head,
        driven=told.driven,
        verification=read.verification,
    )
    return (page,)


def _exporter(format_: Format) -> "Callable[[RunReport], Iterable[str]]":
    """Give what writes a form; only that one is imported."""
    match format_:
        case Format.JSON:
            from orchestrator.report.exports.as_json import as_json

            return as_json
        case Format.CSV:
            from orchestrator.report.exports.as_csv import as_csv

            return as_csv
        case Format.MD:
            from orchestrator.report.exports.as_markdown import as_markdown

            return as_markdown
        case _:
            from orchestrator.report.exports.as_junit import as_junit

            return as_junit
