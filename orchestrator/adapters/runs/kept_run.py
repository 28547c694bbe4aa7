"""What the folder of a run that began keeps, opened to be gone on with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.runs.file_journal import FileJournal
from orchestrator.adapters.runs.run_folder import RunFolder
from orchestrator.model.errors import RunError
from orchestrator.model.events import Event, RunStarted
from orchestrator.model.plans import Plan
from orchestrator.report.page.document import as_html
from orchestrator.report.summary import Summary

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A plan, what has happened to it, and the journal that takes what will."""

    plan: Plan
    history: Sequence[Event]
    journal: FileJournal

    @property
    def torn_bytes(self) -> int:
        """Count what was cut off the journal's end when it was opened."""
        return self.journal.torn.bytes if self.journal.torn else 0


@contextmanager
def taken_up(folder: RunFolder, key: bytes | None) -> Iterator[KeptRun]:
    """Open a run that began; to be called under its lock.

    Raises RunError when it never began or its plan is not the one it began with, JournalError
    when its journal cannot be believed.
    """
    stored = plan_file.read_stored(folder.plan_path)
    with FileJournal.open(folder.require_journal(), folder.run_id, key) as journal:
        history = list(journal.read())
        if not history or not isinstance(history[0], RunStarted):
            raise RunError(f"run {folder.run_id} never began: its journal is empty; start it anew")
        if history[0].plan_digest != stored.digest:
            what = f"the plan of run {folder.run_id} is not the one its journal was begun with"
            raise RunError(what)
        yield KeptRun(stored.plan, history, journal)


def save_report(folder: RunFolder, summary: Summary, head: str) -> None:
    """Save the report, which can be made again: a full disk must not hide what happened."""
    try:
        page = as_html(summary, run_id=folder.run_id, head=head)
        folder.save(folder.report_path, page.encode())
    except (RunError, OSError) as error:  # the plotting library wants a folder for its own as well
        log.warning("report.not_saved", reason=str(error))
