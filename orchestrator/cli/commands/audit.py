"""`audit`: read, verify and export what a run recorded before it acted."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from orchestrator.cli import screen
from orchestrator.cli.app import new_app
from orchestrator.cli.exit_codes import ExitCode
from orchestrator.cli.options import RUNS, AsJson, RunReference, with_settings
from orchestrator.model.errors import RunError

if TYPE_CHECKING:
    from orchestrator.adapters.run_folder import RunFolder
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
        int | None, typer.Option("--device", metavar="ID", help="Only what concerns this device.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Read the audit log aloud, one sentence an event; its chain is checked on the way."""
    from orchestrator.adapters.journal_reading import read_records
    from orchestrator.cli.listeners import as_object
    from orchestrator.model import moments
    from orchestrator.report.tables import tell

    folder = _find(settings, run)
    summary = _names(folder)
    shown = 0
    for record in read_records(folder.require_journal(), settings.audit_key_bytes):
        if device is not None and getattr(record.event, "device", None) != device:
            continue
        shown += 1
        if as_json:
            screen.show_data(json.dumps({"seq": record.seq, **as_object(record.event, record.run)}))
        else:
            at = moments.as_short_text(record.event.at)
            screen.show(f"{record.seq:>6}  {at}  {tell(summary, record.event)}")
    if device is not None and not shown:
        screen.note(f"The audit log of run {folder.run_id} does not mention device {device}.")
    return ExitCode.DONE


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
    from orchestrator.adapters import journal_reading
    from orchestrator.adapters.journal_lines import Finding

    folder = _find(settings, run)
    kept = head.strip().lower() if head is not None else None
    if kept is not None and (len(kept) != 64 or set(kept) - set("0123456789abcdef")):  # noqa: PLR2004 - of a SHA-256
        raise typer.BadParameter("--head takes the 64 hexadecimal digits that the run printed")
    found = journal_reading.verify(folder.require_journal(), settings.audit_key_bytes, kept)
    if not found.is_sound:
        screen.complain(found.detail)
        about_keys = (Finding.OTHER_KEY, Finding.KEY_MISSING, Finding.UNKEYED, Finding.NEWER)
        return ExitCode.USAGE if found.finding in about_keys else ExitCode.TROUBLE
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
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write here, not to stdout."),
    ] = None,
) -> int:
    """Export the audit log for other programs; jsonl is byte by byte what was recorded."""
    if output is not None and not _is_name_of_file(output):
        raise typer.BadParameter(f"--output takes the name of a file, this is {output!r}")
    folder = _find(settings, run)
    lines = _exported(folder, settings.audit_key_bytes, format_)
    with _opened(output) as file:
        file.writelines(lines)
    if output is not None:
        screen.note(f"The audit log of run {folder.run_id} is in {output}.")
    return ExitCode.DONE


def _exported(folder: "RunFolder", key: bytes | None, format_: Format) -> Iterable[str]:
    from orchestrator.adapters.journal_reading import read_lines, read_records
    from orchestrator.report.tables import as_csv

    path = folder.require_journal()
    if format_ is Format.JSONL:
        return (line.decode() for line in read_lines(path, key))
    numbered = ((record.seq, record.event) for record in read_records(path, key))
    return as_csv(_names(folder), numbered)


@contextmanager
def _opened(output: str | None) -> Iterator[TextIO]:
    """Give stdout, or a file for its owner only that appears under its name once it is whole."""
    from orchestrator.adapters.journal_reading import why

    if output is None:
        with screen.writing():
            yield sys.stdout
        return
    target = Path(output)
    draft = target.with_name(f".{target.name}.draft")
    try:
        draft.unlink(missing_ok=True)
        with open(draft, "x", encoding="utf-8", newline="", opener=_for_its_owner) as file:
            yield file
        draft.replace(target)
    except OSError as error:
        raise RunError(f"{output} cannot be written: {why(error)}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _is_name_of_file(output: str) -> bool:
    path = Path(output)
    # Whatever is no plain file, such as /dev/null, would be replaced by one.
    return bool(path.name) and not output.endswith("/") and not _is_other_than_file(path)


def _is_other_than_file(path: Path) -> bool:
    try:
        return path.exists() and not path.is_file()
    except OSError:
        return False  # writing it says why


def _find(settings: "Settings", run: str) -> "RunFolder":
    from orchestrator.adapters.run_folder import RunsFolder

    return RunsFolder(settings.runs_dir).find(run)


def _names(folder: "RunFolder") -> "Summary":
    """Give what names devices and steps; an audit log can be read without its plan too."""
    from orchestrator.adapters.plan_file import read_plan
    from orchestrator.report.summary import Summary

    try:
        return Summary.of(read_plan(folder.plan_path))
    except RunError:
        return Summary()
