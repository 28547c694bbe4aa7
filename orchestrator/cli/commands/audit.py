"""`audit`: read, verify and export what a run recorded before it acted."""

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli import files, reading, screen
from orchestrator.cli.app import new_app
from orchestrator.cli.exit_codes import ExitCode
from orchestrator.cli.options import RUNS, AsJson, RunReference, with_settings
from orchestrator.model.errors import RunError

if TYPE_CHECKING:
    from orchestrator.adapters.runs.run_folder import RunFolder
    from orchestrator.report.summary import Summary
    from orchestrator.settings import Settings

app = new_app(no_args_is_help=True)


class Format(StrEnum):
    """What an export looks like."""

    CSV = "csv"
    JSONL = "jsonl"


@app.callback()
def audit() -> None:
    """Read, verify and export a run's audit log."""


@app.command()
@with_settings(RUNS)
def show(
    run: RunReference,
    *,
    settings: "Settings",
    device: Annotated[
        str | None,
        typer.Option(
            "--device", help="Only what concerns this device: its id, serial number or name."
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Read the audit log aloud, one sentence an event; its chain is checked on the way."""
    from orchestrator.adapters.runs.journal_reading import read_records
    from orchestrator.cli.listeners import as_object
    from orchestrator.model import moments
    from orchestrator.report.tables import tell

    folder = reading.find(settings, run)
    summary = _names(folder)
    wanted = None if device is None else _device(folder, device)
    shown = 0
    for record in read_records(folder.require_journal(), settings.audit_key_bytes):
        if wanted is not None and getattr(record.event, "device", None) != wanted:
            continue
        shown += 1
        if as_json:
            screen.show_data(json.dumps({"seq": record.seq, **as_object(record.event, record.run)}))
        else:
            at = moments.as_short_text(record.event.at)
            screen.show(f"{record.seq:>6}  {at}  {tell(summary, record.event)}")
    if wanted is not None and not shown:
        screen.note(f"The audit log of run {folder.run_id} does not mention device {wanted}.")
    return ExitCode.DONE


def _device(folder: "RunFolder", text: str) -> int:
    """Find the device that is meant; a number that the plan does not have is taken for an id."""
    from orchestrator.adapters.plans.plan_file import read_plan
    from orchestrator.cli.naming import device_of

    try:
        return device_of(read_plan(folder.plan_path), text)
    except RunError:
        if text.isascii() and text.isdigit():
            return int(text)
        raise


@app.command()
@with_settings(RUNS)
def verify(
    run: RunReference,
    *,
    settings: "Settings",
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="HEX", help="The chain head that was kept elsewhere."),
    ] = None,
) -> int:
    """Hold the audit log against its hash chain: an edit, a gap or a cut tail is found.

    A cut tail is found only against the head that the run printed at its end.
    """
    from orchestrator.adapters.runs import journal_reading

    folder = reading.find(settings, run)
    kept = head.strip().lower() if head is not None else None
    if kept is not None and (len(kept) != 64 or set(kept) - set("0123456789abcdef")):  # noqa: PLR2004 - of a SHA-256
        raise typer.BadParameter("--head takes the 64 hexadecimal digits that the run printed")
    found = journal_reading.verify(folder.require_journal(), settings.audit_key_bytes, kept)
    if not found.is_sound:
        screen.complain(found.detail)
        return reading.code_of(found.finding)
    kind = "an HMAC with the audit key" if found.keyed else "SHA-256, without a key"
    screen.show(f"sound: {found.events:,} events in {found.batches:,} commits, chained by {kind}")
    if found.since_expected is not None:
        screen.show(f"the head given is in the chain; {found.since_expected:,} events follow it")
    if found.torn is not None:
        screen.show(
            f"after the last committed event {screen.counted(found.torn.bytes, 'byte')} of an"
            " unfinished append follow, as a crash leaves them"
        )
    screen.show(f"head: {found.head}")
    return ExitCode.DONE


@app.command()
@with_settings(RUNS)
def export(
    run: RunReference,
    *,
    settings: "Settings",
    format_: Annotated[Format, typer.Option("--format", help="csv, or jsonl as it was recorded.")],
    output: files.Output = None,
) -> int:
    """Export the audit log for other programs; jsonl is byte by byte what was recorded."""
    files.check_output(output)
    folder = reading.find(settings, run)
    files.check_spares(output, folder.journal_path, folder.plan_path)
    lines = _exported(folder, settings.audit_key_bytes, format_)
    with files.opened(output) as file:
        file.writelines(lines)
    if output not in (None, files.STDOUT):
        screen.note(f"The audit log of run {folder.run_id} is in {output}.")
    return ExitCode.DONE


def _exported(folder: "RunFolder", key: bytes | None, format_: Format) -> Iterable[str]:
    from orchestrator.adapters.runs.journal_reading import read_lines, read_records
    from orchestrator.report.tables import as_csv

    path = folder.require_journal()
    if format_ is Format.JSONL:
        return (line.decode() for line in read_lines(path, key))
    numbered = ((record.seq, record.event) for record in read_records(path, key))
    return as_csv(_names(folder), numbered)


def _names(folder: "RunFolder") -> "Summary":
    """Give what names devices and steps; an audit log can be read without its plan too."""
    from orchestrator.adapters.plans.plan_file import read_plan
    from orchestrator.report.summary import Summary

    try:
        return Summary.of(read_plan(folder.plan_path))
    except RunError:
        return Summary()
