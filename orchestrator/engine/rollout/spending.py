"""What the ends of devices have cost of the budget, reckoned once for each end."""

from collections import Counter

from orchestrator.engine.rollout import budgeting
from orchestrator.model.plans import Limits
from orchestrator.model.policies import Rollout
from orchestrator.model.verdicts import Verdict


class Spending:
    """The verdicts of a run, and which of them were the controller's doing."""

    def __init__(self, rollout: Rollout, limits: Limits) -> None:
        self.verdicts: Counter[Verdict] = Counter()
        self.ended = 0
        """Devices that have their verdict."""
        self._unsettled: Counter[Verdict] = Counter()
        """Ends in trouble while nothing is accepted: it may be the controller's, not the devices'."""
        self._excused: Counter[Verdict] = Counter()
        """Ends in trouble that was the controller's: they spend no budget."""
        self._strict, self._ramp = rollout.strict, rollout.ramp
        self._budget, self._devices = limits.budget, limits.devices
        self.overspent: str | None = None
        """Which limit of the budget was passed; None while the run is within it."""
        self.is_surely_overspent = False
        """False while the trouble may still turn out to be the controller's."""
        self.by_budget: int | None = None
        """Devices that may be under way at once for the budget's sake; None is any."""
        self.by_ramp: int | None = None
        """The same for the ramp's."""
        self.most_underway: int | None = None
        """Devices that may be under way at once; None is any."""
        self._is_limited = rollout.ramp or limits.budget.is_set
        self._reckon()

    def end(self, verdict: Verdict, *, is_settled: bool) -> None:
        """A device has its verdict."""
        self.verdicts[verdict] += 1
        self.ended += 1
        if not is_settled:
            self._unsettled[verdict] += 1
        self._reckon()

    def settle(self) -> None:
        """It was the devices and not the controller."""
        if self._unsettled:
            self._unsettled.clear()
            self._reckon()

    def excuse(self) -> None:
        """It was the controller and not the devices."""
        self._excused += self._unsettled
        self._unsettled.clear()
        self._reckon()

    def limit(self, limits: Limits) -> None:
        """Other limits hold from now on."""
        self._budget = limits.budget
        self._is_limited |= limits.budget.is_set
        self._reckon()

    @property
    def is_unsettled(self) -> bool:
        """True while some trouble may turn out to be the controller's."""
        return bool(self._unsettled)

    def _reckon(self) -> None:
        if not self._is_limited:
            return
        counted = self.verdicts - self._excused if self._excused else self.verdicts
        self.overspent = budgeting.overspent(self._budget, counted, self._devices)
        self.is_surely_overspent = self.overspent is not None
        if self._unsettled and self.overspent is not None:
            sure = counted - self._unsettled
            self.is_surely_overspent = (
                budgeting.overspent(self._budget, sure, self._devices) is not None
            )
        if self._strict:
            self.by_budget = budgeting.may_be_underway(self._budget, counted, self._devices)
        if self._ramp:
            self.by_ramp = budgeting.ramped(budgeting.succeeded(self.verdicts))
        rooms = [room for room in (self.by_budget, self.by_ramp) if room is not None]
        self.most_underway = min(rooms, default=None)
