"""How many failures a run may cause, and how many devices may be under way because of that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.rollout.budgeting import may_be_underway, overspent, ramped, rate_allows
from orchestrator.model.amounts import Share
from orchestrator.model.policies import Budget
from orchestrator.model.verdicts import Verdict

TEN_PERCENT = Share.of_percent("10")
BAD = (Verdict.FAILED, Verdict.UNCONFIRMED, Verdict.IN_DOUBT)


def verdicts(**counts: int) -> dict[Verdict, int]:
    return {Verdict(name): count for name, count in counts.items()}


@pytest.mark.parametrize("name", ["failed", "unconfirmed", "in_doubt"])
def test_as_many_as_allowed_are_within_the_budget_and_one_more_is_not(name):
    budget = Budget(**{name: 2})

    assert overspent(budget, verdicts(**{name: 2}), 100) is None
    word = name.replace("_", " ")
    told = f"3 devices {word}; the budget allows 2"
    assert overspent(budget, verdicts(**{name: 3}), 100) == told


def test_a_budget_of_none_allows_nothing_and_one_device_is_told_as_one():
    assert overspent(Budget(failed=0), verdicts(failed=1), 9) == (
        "1 device failed; the budget allows 0"
    )


def test_one_kind_of_trouble_never_spends_the_budget_of_another():
    assert overspent(Budget(failed=0), verdicts(unconfirmed=9, in_doubt=9), 100) is None


def test_without_a_budget_nothing_is_ever_overspent_and_nothing_is_limited():
    counts = verdicts(failed=9, unconfirmed=9, in_doubt=9)

    assert overspent(Budget(), counts, 30) is None
    assert may_be_underway(Budget(), counts, 30) is None


# --- the rate -------------------------------------------------------------------------------------

RATE = Budget(failure_rate=TEN_PERCENT, after=20)


@pytest.mark.parametrize(
    ("counts", "is_over"),
    [
        ({"failed": 1}, False),
        ({"failed": 2}, False),
        ({"failed": 3}, True),
        ({"failed": 2, "succeeded": 18}, False),
        ({"failed": 2, "succeeded": 26, "unconfirmed": 1}, True),
        ({"failed": 2, "succeeded": 26, "in_doubt": 1}, True),
        ({"failed": 3, "succeeded": 27}, False),
        ({"failed": 3, "succeeded": 26}, True),
        ({"failed": 3, "succeeded": 15, "skipped": 90}, True),
        ({"failed": 3, "succeeded": 15, "deferred": 90, "not_started": 9}, True),
    ],
)
def test_a_rate_counts_all_trouble_among_at_least_after_finished_devices(counts, is_over):
    assert (overspent(RATE, verdicts(**counts), 1000) is not None) is is_over


def test_one_early_failure_is_no_rate_though_it_is_all_that_has_finished():
    assert overspent(RATE, verdicts(failed=1), 1000) is None


def test_in_a_set_smaller_than_after_the_set_is_what_counts():
    assert rate_allows(RATE, 3, 10) == 1
    assert overspent(RATE, verdicts(failed=2), 10) == (
        "2 of 2 finished devices failed, unconfirmed or in doubt;"
        " the budget allows 10%, counted as at least 10"
    )


def test_a_share_is_rounded_down_because_it_limits_harm():
    assert rate_allows(RATE, 29, 1000) == 2
    assert rate_allows(RATE, 30, 1000) == 3


# --- strict ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "room"),
    [({}, 3), ({"failed": 1}, 2), ({"failed": 2}, 1), ({"failed": 3}, 0), ({"unconfirmed": 2}, 3)],
)
def test_as_many_are_under_way_as_failures_are_allowed_still_and_one(counts, room):
    assert may_be_underway(Budget(failed=2), verdicts(**counts), 100) == room


def test_of_several_budgets_the_narrowest_counts():
    budget = Budget(failed=9, unconfirmed=4, in_doubt=2, failure_rate=TEN_PERCENT, after=20)

    assert may_be_underway(budget, verdicts(unconfirmed=2), 1000) == 1
    assert may_be_underway(budget, verdicts(in_doubt=2), 1000) == 1
    assert may_be_underway(budget, verdicts(succeeded=18), 1000) == 3


def test_as_more_devices_succeed_a_rate_lets_more_be_under_way():
    rooms = [may_be_underway(RATE, verdicts(succeeded=n), 1000) for n in (0, 20, 30, 100)]

    assert rooms == [3, 3, 4, 11]


budgets = st.builds(
    Budget,
    failed=st.none() | st.integers(0, 5),
    unconfirmed=st.none() | st.integers(0, 5),
    in_doubt=st.none() | st.integers(0, 5),
    failure_rate=st.none() | st.integers(1, 60).map(lambda n: Share.of_percent(str(n))),
    after=st.integers(1, 40),
)


@given(budgets, st.integers(1, 60), st.data())
def test_no_strict_budget_is_overshot_by_more_than_one_however_the_devices_end(
    budget, devices, data
):
    """Whatever is under way may end in the same trouble; so may the next, until the run stops."""
    counts = dict.fromkeys(Verdict, 0)
    underway, left = 0, devices
    while overspent(budget, counts, devices) is None and (left or underway):
        room = may_be_underway(budget, counts, devices)
        most = left if room is None else min(left, max(0, room - underway))
        begun = data.draw(st.integers(0 if underway else min(1, most), most))
        underway, left = underway + begun, left - begun
        if not underway:
            break
        counts[data.draw(st.sampled_from([*BAD, Verdict.SUCCEEDED, Verdict.SKIPPED]))] += 1
        underway -= 1
    worst = data.draw(st.sampled_from(BAD))
    counts[worst] += underway  # a stopped run sees through what is under way

    for name in ("failed", "unconfirmed", "in_doubt"):
        allowed = getattr(budget, name)
        assert allowed is None or counts[Verdict(name)] <= allowed + 1
    if budget.failure_rate is not None:
        trouble = sum(counts[verdict] for verdict in BAD)
        finished = trouble + counts[Verdict.SUCCEEDED]
        assert trouble <= rate_allows(budget, finished, devices) + 1


@given(budgets, st.integers(1, 60), st.data())
def test_a_budget_that_is_not_overspent_always_lets_one_more_device_go(budget, devices, data):
    counts = {verdict: data.draw(st.integers(0, 6)) for verdict in Verdict}

    if overspent(budget, counts, devices) is None:
        assert may_be_underway(budget, counts, devices) != 0


# --- gathering speed ------------------------------------------------------------------------------


def test_a_ramp_doubles_what_is_under_way_as_devices_succeed():
    assert [ramped(n) for n in range(9)] == [1, 2, 2, 4, 4, 4, 4, 8, 8]
