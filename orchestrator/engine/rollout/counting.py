"""The census: which devices are Down where the run works, asked again and again while somebody waits."""

from itertools import islice
from typing import TYPE_CHECKING

from orchestrator.engine.rollout import sparing
from orchestrator.engine.rollout.admitting import Admissions
from orchestrator.engine.walking import concluding
from orchestrator.engine.walking.concluding import Moment
from orchestrator.engine.walking.deciding import BATCH, Decision
from orchestrator.engine.walking.progressing import DeviceRun
from orchestrator.model import durations
from orchestrator.model.commands import TakeCensus
from orchestrator.model.events import Event, RunInterrupted
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.readings import Census
from orchestrator.model.verdicts import Verdict

if TYPE_CHECKING:
    from orchestrator.engine.run import Run


class Counting:
    """When the last census was taken and when the next one is due, on the active clock."""

    def __init__(self, admissions: Admissions) -> None:
        self._admissions = admissions
        self._taken_at: float | None = None
        self.due = 0.0
        self._failing_since: float | None = None
        self.failure = ""
        """Why the devices that are Down could not be listed, the last time that happened."""
        self._is_under_way = False

    def is_known(self, active: float) -> bool:
        """Say whether the last census is fresh enough to start somebody on it."""
        return self._taken_at is not None and active - self._taken_at <= sparing.CENSUS_MAX_AGE

    def note(self, census: Census, *, asked: float, done: float) -> None:
        """Take note of what a census found; both moments are active ones.

        It counts from its end, for a large listing takes its time; one that took too long for
        what it says to hold still counts as failed.
        """
        self._is_under_way = False
        failure = census.failure.reason if census.failure else "no answer"
        if done - asked > sparing.LONGEST_CENSUS:
            failure = f"the listing took {durations.as_text(round(done - asked))}"
        elif census.devices is not None:
            self._failing_since = None
            self._taken_at = done
            self.due = done + sparing.CENSUS_SECONDS
            self._admissions.free(self._admissions.groups.count(census.devices))
            self._admissions.census_taken()
            return
        self.due = done + sparing.CENSUS_RETRY
        self._failing_since = asked if self._failing_since is None else self._failing_since
        self.failure = failure

    def is_wanted(self, run: "Run") -> bool:
        """Say whether somebody could be started if it is known who is Down."""
        if not run.limits.max_down_per or self._is_under_way:
            return False
        return self._admissions.waits_for_group or (
            run.may_begin() and run.zones.is_any_open and len(run.devices) < len(run.plan.devices)
        )

    def consider(self, run: "Run", decision: Decision, now: Moment) -> None:
        """See that it is known which devices are down, and give up on what does not change."""
        if not self.is_wanted(run) or now.active < self.due:
            return
        failing = self._failing_since
        if failing is not None and now.active - failing > run.patience:
            detail = f"the devices that are Down cannot be listed: {self.failure}"
            decision.events.append(RunInterrupted(now.at, detail, "controller"))
            return
        groups = self._admissions.groups
        groups.note_blocked(self._admissions.blocked_groups, now.active)
        if self.is_known(now.active):
            for group in tuple(groups.hopeless()):
                reason = groups.describe(group)
                for waiting in tuple(islice(self._admissions.dismiss(group), BATCH)):
                    decision.events += _out_of_patience(run, waiting, reason, now.at)
        self._is_under_way = True
        decision.commands.append(TakeCensus())
        decision.to_read += groups.lost


def _out_of_patience(
    run: "Run", waiting: DeviceRun | PlannedDevice, reason: str, at: float
) -> list[Event]:
    """Give up on a device; but one in its chain goes on in spite of others' outages: it has to be
    brought back into service.
    """
    if isinstance(waiting, PlannedDevice):
        waiting = DeviceRun(waiting, run.course)
    if waiting.is_in_chain:
        waiting.is_out_of_patience = True
        run.admissions.queue(waiting)
        return []
    run.starts.queued.discard(waiting.id)
    if waiting.touched or waiting.doubted:
        return concluding.fail(waiting, at, Verdict.FAILED, reason)
    return [concluding.finish(waiting, at, Verdict.SKIPPED, reason)]
