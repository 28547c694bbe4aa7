"""A run that nobody watches: started by the clock, silent while there is nothing to tell."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from orchestrator.cli import screen
from orchestrator.cli.exit_codes import NeedsYesError
from orchestrator.model import moments
from orchestrator.model.errors import SettingsError
from orchestrator.model.events import (
    ApprovalAsked,
    DeviceFinished,
    Event,
    NotificationFailed,
    RunInterrupted,
    RunPaused,
    RunStopped,
)
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import Playbook
from orchestrator.model.verdicts import Verdict
from orchestrator.report import standing
from orchestrator.report.summary import Summary
from orchestrator.report.tables import tell

if TYPE_CHECKING:
    from orchestrator.bootstrap import RunOutcome
    from orchestrator.settings import Settings

log = structlog.get_logger(__name__)

_OUTAGE = "an outage, not a device"
"""How every plan ends its reason to leave out devices of a place that is Down."""
_TROUBLE = (RunPaused, RunStopped, RunInterrupted, NotificationFailed, ApprovalAsked)


class TroubleLines:
    """One line for whatever somebody has to look at, and none for what goes well.

    With `silent_history` the first events were told by another process.
    """

    def __init__(
        self,
        plan: Plan,
        write: Callable[[str], None] = screen.show,
        *,
        silent_history: bool = False,
    ) -> None:
        self.summary = Summary.of(plan, rows=False)
        """What the run has come to, for whoever drives it as well."""
        self._write = write
        self._is_silent = silent_history

    def hear(self, events: Sequence[Event]) -> None:
        """Tell of trouble; a run does not end because nobody reads it."""
        for event in events:
            self.summary.after(event)
            if is_trouble(event) and not self._is_silent:
                with suppress(OSError, ValueError):
                    told = tell(self.summary, event)
                    self._write(f"{moments.as_short_text(event.at)}  {told}")
        self._is_silent = False


def is_trouble(event: Event) -> bool:
    """Say whether somebody has to look at something because of this event."""
    if isinstance(event, DeviceFinished):
        return Verdict(event.verdict).is_trouble
    return isinstance(event, _TROUBLE)


def check_permitted(playbook: Playbook, *, yes: bool) -> None:
    """Raise NeedsYesError for what wipes or deletes, unless --yes is written beside --cron."""
    if not yes and (playbook.is_destructive or playbook.deletes):
        raise NeedsYesError(
            f"the playbook {playbook.name!r} wipes devices or deletes records, and --cron asks nobody;"
            " write --yes beside it where that is wanted"
        )


def check_people(settings: "Settings", playbook: Playbook) -> None:
    """Raise SettingsError when nobody knows where those are who are to be told, if only one day."""
    from orchestrator.bootstrap import why_untold

    untold = why_untold(settings, playbook)
    if untold is not None:
        raise SettingsError(untold)


@contextmanager
def alone(settings: "Settings", playbook: Path, name: str) -> Iterator[bool]:
    """Say whether nobody else carries this playbook out by the clock; where somebody does, only the
    log is told.
    """
    from orchestrator.adapters.machine import playbook_lock

    with playbook_lock.alone(settings.locks_dir, name, settings.base_url) as is_alone:
        if not is_alone:
            log.info("cron.running_already", playbook=str(playbook))
        yield is_alone


def note_outages(plan: Plan) -> None:
    """Tell the log of the devices that were left out because their whole place is Down."""
    if not plan.playbook.selection.except_outages_of:
        return
    for left_out in plan.left_out:
        if left_out.reason.endswith(_OUTAGE):
            log.warning(
                "cron.outage",
                playbook=plan.playbook.name,
                devices=left_out.count,
                reason=left_out.reason,
                examples=left_out.examples,
            )


def nothing_to_do(plan: Plan) -> bool:
    """Say whether a plan chose nobody; then only the log is told."""
    if plan.devices:
        return False
    log.info("cron.nothing_chosen", playbook=plan.playbook.name, listed=plan.listed)
    return True


def nothing_was_done(outcome: "RunOutcome") -> bool:
    """Say whether a run found every device as it should be; then only the log is told."""
    if not (outcome.finished and standing.nothing_to_do(outcome.summary)):
        return False
    log.info("cron.nothing_had_to_be_done", run=outcome.run_id, devices=outcome.summary.total)
    return True
