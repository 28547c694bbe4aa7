"""How much of a budget is spent: the same arithmetic as stops the run."""

from fractions import Fraction

import pytest

from orchestrator.model.amounts import Share
from orchestrator.model.policies import Budget
from orchestrator.report.spending import Spending, spendings

TENTH = Share(Fraction(1, 10))


def test_without_a_budget_there_is_nothing_to_spend():
    assert list(spendings(Budget(after=20), {"failed": 3}, 100)) == []


def test_each_budget_counts_its_own_verdict():
    budget = Budget(failed=5, unconfirmed=4, in_doubt=TENTH)

    assert list(spendings(budget, {"failed": 5, "in_doubt": 1}, 25)) == [
        Spending("failed", 5, 5),
        Spending("unconfirmed", 0, 4),
        Spending("in_doubt", 1, 2),
    ]


@pytest.mark.parametrize(
    ("verdicts", "total", "spent", "allowed"),
    [
        ({}, 100, 0, 2),
        ({"failed": 1}, 100, 1, 2),
        ({"succeeded": 40, "unconfirmed": 2, "in_doubt": 1}, 100, 3, 4),
        ({"succeeded": 10, "already_ok": 30, "unconfirmed": 3}, 100, 3, 4),
        ({"succeeded": 9, "skipped": 50, "deferred": 9, "not_started": 9}, 100, 0, 2),
        ({}, 10, 0, 1),
    ],
    ids=[
        "nothing yet",
        "a small sample",
        "beyond `after`",
        "already ok",
        "untried",
        "a set below `after`",
    ],
)
def test_the_rate_is_of_what_was_tried_and_of_no_tiny_sample(verdicts, total, spent, allowed):
    budget = Budget(failure_rate=TENTH, after=20)

    [rate] = spendings(budget, verdicts, total)

    assert (rate.spent, rate.allowed) == (spent, allowed)
    assert str(rate) == f"{spent} of {allowed} in any trouble (10%)"


def test_a_budget_is_spent_when_one_more_would_stop_the_run():
    assert Spending("in_doubt", 2, 2).is_all
    assert not Spending("in_doubt", 1, 2).is_all
    assert str(Spending("in_doubt", 1, 2)) == "1 of 2 in doubt"
