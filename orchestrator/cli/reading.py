"""A run read from disk for a report: one pass over its journal, held against its chain on the way."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.cli.exit_codes import ExitCode
from orchestrator.model.errors import OrchestratorError, RunError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.adapters.runs.journal_lines import Finding, Replay
    from orchestrator.adapters.runs.run_folder import RunFolder
    from orchestrator.model.events import Event
    from orchestrator.model.plans import Plan
    from orchestrator.report.exports.run_report import RunReport
    from orchestrator.report.exports.walks import Walks
    from orchestrator.report.summary import Summary
    from orchestrator.settings import Settings


class DamagedError(OrchestratorError):
    """A journal cannot be believed; the code is the one that `audit verify` ends with."""

    def __init__(self, message: str, code: ExitCode) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class ReadRun:
    """What was read of a run."""

    folder: "RunFolder"
    report: "RunReport"
    verification: str | None
    """One sentence on how the journal was checked and what was found; None when it was not."""
    notes: tuple[str, ...]
    """What a person should know of the report beside it."""


def find(settings: "Settings", run: str) -> "RunFolder":
    """Find a run as people name it; raises RunError naming the nearest when there is none."""
    from orchestrator.adapters.runs.run_folder import RunsFolder

    return RunsFolder(settings.runs_dir).find(run)


def read_run(folder: "RunFolder", key: bytes | None) -> ReadRun:
    """Read a run, also one that somebody drives now, and one whose plan cannot be read.

    Raises RunError when it never began, DamagedError when its journal cannot be believed.
    """
    from orchestrator.adapters.runs.journal_lines import Chain, JournalFaultError, Replay
    from orchestrator.adapters.runs.journal_reading import batches_of, trust_in
    from orchestrator.report.exports.run_report import Audit, RunReport

    journal = folder.require_journal()
    trust = trust_in(journal, key)
    # Asked first: that a run ends meanwhile is seen in its journal.
    driven = folder.holder() is not None
    replay = Replay(str(journal), None if trust.believed else Chain(trust.key))
    events = (event for batch in batches_of(journal, replay) for event in batch.events)
    try:
        summary, walks, trouble = _folded(folder, events)
    except JournalFaultError as fault:
        hint = f"see `orchestrator audit verify {folder.run_id}`"
        raise DamagedError(f"{fault}; {hint}", code_of(fault.finding)) from fault
    if summary.started is None:
        raise RunError(f"run {folder.run_id} never began, so there is nothing to report")
    keyed = trust.believed or trust.key is not None
    audit = Audit(replay.head, replay.seq, keyed, None if trust.believed else True)
    report = RunReport(folder.run_id, summary, audit, walks, driven)
    going_on = driven and not summary.is_over
    notes = (
        f"Run {folder.run_id} is still going on: this is how it stands now." if going_on else "",
        trouble,
        f"The audit log is {trust.note}." if trust.note else "",
    )
    verification = None if trust.believed else _sentence(str(audit), replay, going_on=going_on)
    return ReadRun(folder, report, verification, tuple(note for note in notes if note))


def _folded(folder: "RunFolder", events: "Iterable[Event]") -> "tuple[Summary, Walks, str]":
    """Fold a run's events, with the names of its plan if that can be read; else say why not."""
    from orchestrator.model.events import RunStarted
    from orchestrator.report.exports.walks import Walks
    from orchestrator.report.summary import Summary

    summary, walks, trouble = Summary(), Walks(), ""
    for event in events:
        if isinstance(event, RunStarted):
            plan, why = _plan(folder, event.plan_digest)
            if plan is not None:
                summary = Summary.of(plan)
            else:
                trouble = f"Devices have only their ids here and steps their numbers: {why}."
        summary.after(event)
        walks.after(event)
    return summary, walks, trouble


def code_of(finding: "Finding") -> ExitCode:
    """Give the exit code for what is wrong with a journal, or with the key that was given for it."""
    from orchestrator.adapters.runs.journal_lines import Finding

    about_keys = (Finding.OTHER_KEY, Finding.KEY_MISSING, Finding.UNKEYED, Finding.NEWER)
    return ExitCode.USAGE if finding in about_keys else ExitCode.TROUBLE


def _plan(folder: "RunFolder", plan_digest: str) -> "tuple[Plan | None, str]":
    from orchestrator.adapters.plans.plan_file import read_stored

    try:
        stored = read_stored(folder.plan_path)
    except RunError as error:
        return None, str(error)
    if stored.digest != plan_digest:
        return None, f"the plan of run {folder.run_id} is not the one its journal was begun with"
    return stored.plan, ""


def _sentence(audit: str, replay: "Replay", *, going_on: bool) -> str:
    """Tell of an unfinished append only where nobody is about to finish it."""
    if not replay.torn_bytes or going_on:
        return audit
    size = "1 byte" if replay.torn_bytes == 1 else f"{replay.torn_bytes:,} bytes"
    return f"{audit}; {size} of an unfinished append follow, as a crash leaves them"
