"""How often waiting devices are read, and by which requests."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.choosing.watching import (
    READING_SHARE,
    SHORTEST_INTERVAL,
    by_listing,
    next_round,
    poll_interval,
)


def test_few_devices_are_read_every_ten_seconds():
    assert poll_interval(0, None, 20.0) == SHORTEST_INTERVAL
    assert poll_interval(30, None, 20.0) == SHORTEST_INTERVAL
    assert poll_interval(10_000, None, None) == SHORTEST_INTERVAL


@given(st.integers(1, 10**6), st.none() | st.integers(1, 10**4), st.floats(0.1, 1000.0))
def test_polls_keep_to_their_share_of_the_rate(waiting, pages, per_second):
    interval = poll_interval(waiting, pages, per_second)
    requests = waiting if pages is None else min(waiting, pages)

    assert requests / interval <= per_second * READING_SHARE * (1 + 1e-9)


@given(st.floats(1.7e9, 2.0e9), st.floats(10.0, 1000.0))
def test_the_next_round_lies_ahead_and_not_farther_than_one_interval(now, interval):
    assert now < next_round(now, interval) <= now + interval * (1 + 1e-6)


def test_devices_that_wait_at_different_moments_share_a_round():
    assert next_round(1000.1, 10.0) == next_round(1009.9, 10.0) == 1010.0


def test_list_pages_are_read_where_they_cost_fewer_requests():
    assert by_listing(due=30, pages=2)
    assert not by_listing(due=2, pages=2)
    assert not by_listing(due=500, pages=None)
