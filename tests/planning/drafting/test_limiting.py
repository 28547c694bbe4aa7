"""Every limit is a whole number in the plan, and one that limits nothing is refused."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.amounts import Share
from orchestrator.model.errors import SelectionError
from orchestrator.model.plans import Wave
from orchestrator.model.policies import BetweenWaves, Budget, GroupLimit, Rollout
from orchestrator.planning.drafting.limiting import resolve_budget, resolve_limits
from tests.support.playbooks import minimal, playbook

TENTH = Share.of_percent("10")


def limits(devices, **rollout):
    read = playbook(minimal())
    return resolve_limits(replace(read, rollout=replace(read.rollout, **rollout)), devices)


@pytest.mark.parametrize(
    ("max_down", "devices", "resolved"),
    [(25, 500, 25), (25, 3, 3), (TENTH, 59, 5), (TENTH, 5, 1), (25, 0, 1), (TENTH, 0, 1)],
)
def test_max_down_is_rounded_down_and_at_least_one(max_down, devices, resolved):
    assert limits(devices, max_down=max_down).max_down == resolved


@given(st.integers(1, 10_000), st.integers(1, 100))
def test_a_share_of_the_set_is_never_exceeded_unless_by_the_one_that_must_be(devices, percent):
    share = Share.of_percent(str(percent))
    resolved = limits(devices, max_down=share).max_down

    assert resolved == 1 or resolved * 100 <= percent * devices
    assert (resolved + 1) * 100 > percent * devices


def test_waves_and_groups_stand_in_the_limits():
    per_site = (GroupLimit(("location_name",), 1),)
    found = limits(
        12, waves=(1, 10), between_waves=BetweenWaves(succeeded=TENTH), max_down_per=per_site
    )

    assert found.waves == (Wave(1, 1), Wave(10, 1), Wave(1, 1))
    assert found.max_down_per == per_site


def test_without_waves_and_budget_nothing_of_them_is_in_the_limits():
    found = limits(12)

    assert (found.waves, found.budget, found.max_down_per) == ((), Budget(), ())
    assert Rollout().stop_when == Budget()


def test_a_budget_is_whole_numbers_and_only_the_rate_stays_a_share():
    written = Budget(failed=5, unconfirmed=TENTH, in_doubt=0, failure_rate=TENTH, after=20)

    assert resolve_budget(written, 59) == replace(written, unconfirmed=5)
    assert resolve_budget(written, 15) == replace(written, unconfirmed=1, after=15)


@pytest.mark.parametrize(
    ("budget", "devices", "message"),
    [
        (
            Budget(failed=500),
            300,
            (
                "a budget of 500 failures in a set of 300 devices would stop nothing;"
                " write at most 299"
            ),
        ),
        (
            Budget(unconfirmed=3),
            3,
            (
                "a budget of 3 unconfirmed devices in a set of 3 devices would stop nothing;"
                " write at most 2"
            ),
        ),
        (
            Budget(in_doubt=1),
            1,
            (
                "a budget of 1 device in doubt in a set of 1 device would stop nothing;"
                " write at most 0"
            ),
        ),
        (
            Budget(failed=Share.of_percent("100")),
            40,
            "a budget of 40 failures in a set of 40 devices would stop nothing; write at most 39",
        ),
        (
            Budget(failure_rate=Share.of_percent("100")),
            40,
            "a failure rate of 100% would stop nothing; write less than 100%",
        ),
    ],
)
def test_a_budget_that_would_stop_nothing_is_refused(budget, devices, message):
    with pytest.raises(SelectionError) as raised:
        resolve_budget(budget, devices)

    assert str(raised.value) == message


def test_a_budget_just_below_the_set_is_taken_and_an_empty_set_needs_none():
    assert resolve_budget(Budget(failed=299), 300).failed == 299
    assert resolve_budget(Budget(failed=5), 0).failed == 5
