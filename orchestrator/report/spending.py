"""How much of its budgets a run has spent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.model.amounts import at_most
from orchestrator.model.policies import Budget
from orchestrator.model.verdicts import Verdict
from orchestrator.report.wording import in_words

_TRIED = tuple(each for each in Verdict if each.is_success or each.is_trouble)


@dataclass(frozen=True, slots=True)
class Spending:
    """How much of one budget is spent."""

    name: str
    spent: int
    allowed: int
    """One more stops the run."""
    share: str = ""
    """The share of the finished devices that `allowed` comes from, if it does."""

    @property
    def is_all(self) -> bool:
        """True when the next one stops the run."""
        return self.spent >= self.allowed

    def __str__(self) -> str:
        """Write it for people."""
        return f"{self.spent:,} of {self.allowed:,} {self.what}"

    @property
    def what(self) -> str:
        """Say which devices it counts."""
        return f"in any trouble ({self.share})" if self.share else in_words(self.name)


def spendings(budget: Budget, verdicts: Mapping[str, int], total: int) -> Iterator[Spending]:
    """Hold the verdicts so far against each budget that is set."""
    for verdict in (Verdict.FAILED, Verdict.UNCONFIRMED, Verdict.IN_DOUBT):
        amount = getattr(budget, verdict.value)
        if amount is not None:
            allowed = at_most(amount, total)
            yield Spending(verdict.value, verdicts.get(verdict.value, 0), allowed)
    if budget.failure_rate is not None:
        tried = sum(verdicts.get(verdict.value, 0) for verdict in _TRIED)
        trouble = sum(verdicts.get(verdict.value, 0) for verdict in _TRIED if verdict.is_trouble)
        judged_of = max(tried, min(budget.after, total))
        allowed = budget.failure_rate.floored(judged_of)
        yield Spending("failure_rate", trouble, allowed, str(budget.failure_rate))
