"""The run's own brain over devices that are told of their ends instead of being watched.

What a request and a success come to is told in one step here, without the events that a journal
would hold; whatever else happens to a device is folded from its events like in any other run.
"""

from collections.abc import Callable
from typing import NamedTuple

from orchestrator.engine.run import Run
from orchestrator.engine.starting import Starts
from orchestrator.engine.walking import concluding
from orchestrator.engine.walking.concluding import Moment
from orchestrator.engine.walking.deciding import Decision
from orchestrator.engine.walking.progressing import DeviceRun, Phase
from orchestrator.model.plans import Plan, PlannedDevice
from orchestrator.model.readings import Reading
from orchestrator.model.steps import UPDATE_FREQUENCY_SECONDS, proof_seconds
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.foresight.experiencing import Experience, Outcomes
from orchestrator.planning.timing import timed

FORESEEN = "foreseen"
"""Stands for every sentence, name and digest that a real run would have."""


Chance = Callable[[], float]


class _Known(NamedTuple):
    """How one step went before for one type of device."""

    outcomes: Outcomes
    tried: int
    requests: float
    """Requests that such a step took, repeats among them, in the mean."""


class Draws:
    """Draws the end of each step from what was seen before; `slowness` stretches all of them."""

    def __init__(self, experience: Experience, chance: Chance, slowness: float) -> None:
        self._experience = experience
        self._chance = chance
        self._slowness = slowness
        self._known: dict[tuple[int, str | None], _Known] = {}

    def _of(self, run: DeviceRun) -> _Known:
        key = (run.step, run.planned.kind)
        found = self._known.get(key)
        if found is None:
            outcomes = self._experience.of(timed(run.operation_step), run.planned.kind)
            tried = outcomes.tried
            found = self._known[key] = _Known(outcomes, tried, outcomes.requests / tried)
        return found

    def is_skipped(self, run: DeviceRun) -> bool:
        """Say whether the guard keeps a device from its first request."""
        outcomes, tried, _ = self._of(run)
        if not outcomes.skipped:
            return False
        return self._chance() * (tried + outcomes.skipped) >= tried

    def end_of(self, run: DeviceRun) -> tuple[float, float, Verdict]:
        """Give the requests a step takes in the mean, the seconds from the first of them to its end,
        and how it ends.

        A device that did not come back from an operation does not come through the next one either.
        """
        outcomes, tried, requests = self._of(run)
        if run.is_still_gone:
            seconds = proof_seconds(run.operation_step, UPDATE_FREQUENCY_SECONDS)
            return requests, seconds, Verdict.FAILED
        drawn = int(self._chance() * tried)
        proven = len(outcomes.seconds)
        if drawn < proven:
            return requests, outcomes.seconds[drawn] * self._slowness, Verdict.SUCCEEDED
        verdict, until = outcomes.failures[drawn - proven]
        return requests, until * self._slowness, verdict


class _SureStarts(Starts):
    """Records need no reading here, and the guard says no as often as it did before."""

    draws: Draws
    leaving: list[tuple[DeviceRun, float]]
    """Whose request leaves by the last decision, and when."""

    def _clear(self, decision: Decision, run: DeviceRun, now: Moment) -> None:  # noqa: ARG002 - asked so
        self.admissions.cleared.append(run)

    def _is_fresh(self, run: DeviceRun, at: float) -> bool:  # noqa: ARG002 - asked so
        return True

    def _why_not_now(self, run: DeviceRun) -> str | None:
        if run.touched or not self.draws.is_skipped(run):
            return None
        return FORESEEN

    def _hold_back(self, decision: Decision, run: DeviceRun, unfit: str, now: Moment) -> None:
        self._stand_back(run)
        decision.events.append(concluding.finish(run, now.at, Verdict.SKIPPED, unfit))

    def _intend(self, decision: Decision, run: DeviceRun, at: float) -> bool:  # noqa: ARG002 - asked so
        self.leaving.append((run, at))
        return True


class ImaginedRun(Run):
    """A run whose devices are told of their ends instead of being watched."""

    starts: _SureStarts

    def __init__(self, plan: Plan, draws: Draws, step: float) -> None:
        super().__init__(plan, pages=1)
        self.starts = _SureStarts(plan, self.admissions, self.waits, self.approvals, self.held_by)
        self.starts.draws = draws
        self.starts.leaving = []
        self.starts.together = min(step, self.pace.gap * plan.limits.in_flight / 2)
        self.takes_down = [bool(each and each.is_disruptive) for each in self.course.operations]
        """For each step whether its request takes a device out of service."""
        self._ends = frozenset({self.course.main, len(self.course.steps)})
        self._is_rationed = bool(plan.playbook.allowances)

    def mark(self, run: DeviceRun) -> None:
        """Look at nobody who is under way: such a device is told when its step ends."""
        if run.phase is not Phase.SENT and run.phase is not Phase.PROVING:
            super().mark(run)

    def begin(self, planned: PlannedDevice) -> DeviceRun:
        """Let a device begin, without taking it from other runs: there are none."""
        run = super().begin(planned)
        run.is_held = True
        return run

    def _consider_device(
        self,
        decision: Decision,
        run: DeviceRun,
        reading: Reading | None,
        now: Moment,
        chance: Chance,
    ) -> None:
        match run.phase:
            case Phase.CHECKING:
                decision.events += concluding.succeed(run, now.at, FORESEEN)
            case _:
                super()._consider_device(decision, run, reading, now, chance)

    # --- what events come to ------------------------------------------------------------------------

    def leave(self, run: DeviceRun, at: float) -> None:
        """A request leaves: what its OperationIntended would come to."""
        self._passes(at)
        active = self.active(at)
        if run.began_at is None:
            run.began_at = active
        if run.idle_since is not None:
            run.began_at += active - run.idle_since
            run.idle_since = None
        run.phase = Phase.SENT
        run.attempt += 1
        run.held = False
        held, run.holds_slot = run.holds_slot, self.takes_down[run.step] or run.is_still_gone
        if run.holds_slot is not held:
            if held:
                self.admissions.slot_given_back(run)
            else:
                self.admissions.slot_taken(run)
        self.admissions.in_flight += 1
        self.pace = self.pace.after_sending(at)
        self.admissions.release(run)
        self.starts.queued.discard(run.id)

    def accept(self, run: DeviceRun, at: float) -> None:
        """The controller takes the request: what its OperationAccepted would come to."""
        self._passes(at)
        run.phase = Phase.PROVING
        run.touched = True
        if self._is_rationed:
            run.uses[run.operation] = run.uses.get(run.operation, 0) + 1
        self.admissions.in_flight -= 1

    def come_through(self, run: DeviceRun, at: float) -> None:
        """A device is proven back: what its StepSucceeded, and DeviceFinished, would come to.

        Only for a device that nothing was forgiven; the words at the end of another are longer.
        """
        self._passes(at)
        active = self.active(at)
        run.unproven = None
        if run.holds_slot:
            run.holds_slot = False
            self.admissions.slot_given_back(run)
        run.idle_since = active
        run.step += 1
        if run.step in self._ends:
            self._end(run, active)
            return
        run.phase = Phase.READY
        run.attempt = 0
        run.poll_at = 0.0
        self.mark(run)

    def _end(self, run: DeviceRun, active: float) -> None:
        run.phase = Phase.ENDED
        run.verdict = Verdict.SUCCEEDED
        self.spending.end(Verdict.SUCCEEDED, is_settled=True)
        self.waves.ended(run.id, Verdict.SUCCEEDED)
        self.waits.underway -= 1
        self.devices.retire(run)
        if self.zones.window is not None:
            self.durations.took(run, active)
            self.admissions.fresh.free(self.zones.zone_of(run.planned))

    def _passes(self, at: float) -> None:
        self.last_at = max(self.last_at, at)
        self.before_gap = at
