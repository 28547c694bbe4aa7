"""Waits between attempts: full jitter under a doubling ceiling."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.walking.retrying import backoff
from orchestrator.model.policies import RetryPolicy

POLICY = RetryPolicy(first_wait=1.0, longest_wait=60.0)


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_wait_never_spins_and_never_exceeds_the_longest(failures, chance):
    wait = backoff(POLICY, failures, chance)

    assert 0.1 <= wait <= 60.0


@given(st.integers(1, 6), st.floats(0, 1, exclude_max=True))
def test_a_wait_stays_under_a_ceiling_that_doubles_with_each_failure(failures, chance):
    assert backoff(POLICY, failures, chance) <= max(0.1, 2.0 ** (failures - 1))


def test_chance_spreads_the_waits_over_the_whole_range():
    assert [backoff(POLICY, 4, chance) for chance in (0.0, 0.25, 0.5)] == [0.1, 2.0, 4.0]


def test_the_first_wait_is_the_one_of_the_policy():
    assert backoff(RetryPolicy(first_wait=30.0, longest_wait=600.0), 1, 0.999) < 30.0
    assert backoff(RetryPolicy(first_wait=30.0, longest_wait=600.0), 1, 0.0) == 3.0
