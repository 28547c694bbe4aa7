"""What a run changed so far, read from its folder; it need not be over."""

from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.runs.journal_reading import read_records, trust_in
from orchestrator.adapters.runs.run_folder import RunFolder
from orchestrator.adapters.runs.snapshot_file import FILE
from orchestrator.model.events import RunFinished
from orchestrator.model.plans import Plan
from orchestrator.report.differences import DeviceDifferences, Differences


@dataclass(frozen=True, slots=True)
class ChangedRun:
    """A run's plan, and what it did to which device."""

    run_id: str
    plan: Plan
    devices: tuple[DeviceDifferences, ...]
    is_over: bool
    snapshots: Path
    note: str
    """What a reader should know of how its journal was checked; empty when all is as it should be."""


def read_changed(folder: RunFolder, key: bytes | None) -> ChangedRun:
    """Read what a run changed, also while somebody drives it.

    Raises RunError when it never began, JournalError when its journal cannot be believed.
    """
    journal = folder.require_journal()
    plan = plan_file.read_plan(folder.plan_path)
    trust = trust_in(journal, key)
    differences, is_over = Differences(), False
    for record in read_records(journal, trust.key, believed=trust.believed):
        differences.after(record.event)
        is_over = is_over or isinstance(record.event, RunFinished)
    snapshots = folder.path / FILE
    return ChangedRun(folder.run_id, plan, differences.devices, is_over, snapshots, trust.note)
