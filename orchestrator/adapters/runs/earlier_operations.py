"""Which operations the runs in one folder asked of devices lately, whichever playbook they carried out.

What runs of other folders or other machines did is not seen.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.runs.journal_reading import check_run, read_records, trust_in
from orchestrator.adapters.runs.run_folder import RunFolder
from orchestrator.model.errors import JournalError, RunError
from orchestrator.model.events import (
    DeliverySeen,
    DeviceFound,
    DeviceReturned,
    DoubtResolved,
    Event,
    NotificationSent,
    OperationAccepted,
    OperationIntended,
    OperationRefused,
    OperationUnsent,
    OutageSeen,
    RunStarted,
    StepSucceeded,
)
from orchestrator.model.plans import Plan
from orchestrator.planning.drafting.allowing import Handing, Use, handings_in, uses_in

_SLACK = 60.0
"""Seconds by which a file's time may be behind what was written into it."""


@dataclass(frozen=True, slots=True)
class EarlierOperations:
    """What was asked of devices, who was handed to a person, and what could not be read of it."""

    uses: tuple[Use, ...] = ()
    handed: tuple[Handing, ...] = ()
    warnings: tuple[str, ...] = ()


def earlier_operations(
    runs_dir: Path,
    key: bytes | None,
    *,
    controller: str,
    operations: Collection[str],
    written_since: float | None,
) -> EarlierOperations:
    """Give every request of these operations that was applied or may have been.

    A journal that was last written to before that moment is not read; None reads them all. One that
    cannot be believed counts as far as it can be, and is named in a warning.
    """
    uses: list[Use] = []
    handed: list[Handing] = []
    warnings: list[str] = []
    for folder in _folders(runs_dir, written_since):
        told = _Told(folder, key, controller)
        uses += told.uses(operations)
        handed += told.handed()
        if told.fault:
            warnings.append(
                f"run {folder.run_id} cannot be counted in full for `per_device`: {told.fault}"
            )
    return EarlierOperations(tuple(uses), tuple(handed), tuple(warnings))


def _folders(runs_dir: Path, since: float | None) -> list[RunFolder]:
    """Give the runs whose journals were written to since, by name."""
    try:
        folders = [RunFolder(path) for path in runs_dir.iterdir()]
    except OSError:
        return []
    found = []
    for folder in sorted(folders, key=lambda each: each.run_id):
        try:
            written_at = folder.journal_path.stat().st_mtime
        except OSError:
            continue
        if since is None or written_at >= since - _SLACK:
            found.append(folder)
    return found


class _Told:
    """What the journal of one run tells, as far as it can be believed."""

    def __init__(self, folder: RunFolder, key: bytes | None, controller: str) -> None:
        self.fault = ""
        self._run_id = folder.run_id
        self._events: list[Event] = []
        path = folder.journal_path
        try:
            check_run(path, folder.run_id)
            trust = trust_in(path, key)
            for record in read_records(path, trust.key, believed=trust.believed):
                event = record.event
                if isinstance(event, RunStarted) and event.controller != controller:
                    break
                if isinstance(event, _WANTED):
                    self._events.append(event)
        except (JournalError, OSError, TypeError, ValueError) as error:
            self.fault = str(error)
        self._plan = _plan_of(folder) if self._events else None

    def uses(self, operations: Collection[str]) -> list[Use]:
        """Give the requests; where the plan cannot be read, ids alone tell the devices."""
        plan = self._plan
        serials = {d.id: d.serial_number for d in plan.devices} if plan is not None else {}
        return [
            replace(use, serial_number=serials.get(use.planned or use.device), run=self._run_id)
            for use in uses_in(self._events, operations)
        ]

    def handed(self) -> Iterable[Handing]:
        """Give who was handed to a person without another request."""
        return handings_in(self._plan, self._events) if self._plan is not None else ()


_WANTED = (
    OperationIntended,
    OperationAccepted,
    OperationRefused,
    OperationUnsent,
    DoubtResolved,
    DeviceFound,
    DeliverySeen,
    OutageSeen,
    DeviceReturned,
    StepSucceeded,
    NotificationSent,
)


def _plan_of(folder: RunFolder) -> Plan | None:
    try:
        return plan_file.read_plan(folder.plan_path)
    except (RunError, OSError):
        return None
