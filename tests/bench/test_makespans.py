"""What no schedule can beat, from the devices' own durations and the limits."""

import pytest

from tests.bench.virtual.makespans import (
    Walk,
    greedy_makespan,
    lower_bound,
    makespan,
    walks_of,
)
from tests.support.histories import T0, accepted, intended, succeeded


def walks(*seconds: float, requests: int = 1) -> list[Walk]:
    return [Walk(1001 + n, T0, T0 + each, requests, each) for n, each in enumerate(seconds)]


def test_the_work_is_shared_by_as_many_as_may_be_down():
    assert lower_bound(walks(100.0, 100.0, 100.0, 100.0), max_down=2) == 200.0


def test_nobody_is_done_before_the_longest_is():
    assert lower_bound(walks(10.0, 10.0, 300.0), max_down=2) == 300.0


def test_requests_that_keep_a_distance_take_their_time():
    assert lower_bound(walks(5.0, 5.0, 5.0, requests=2), max_down=3, delay=10.0) == 50.0


def test_the_last_to_begin_takes_as_long_as_the_shortest():
    assert lower_bound(walks(60.0, 60.0, 60.0), max_down=3, delay=10.0) == 80.0


@pytest.mark.parametrize(("delay", "per_second"), [(0.5, None), (0.0, 2.0), (0.5, 20.0)])
def test_the_slower_of_delay_and_rate_counts(delay, per_second):
    found = walks(*[1.0] * 11)

    assert lower_bound(found, max_down=11, delay=delay, per_second=per_second) == 6.0


def test_greedy_scheduling_begins_each_when_a_place_is_free():
    assert greedy_makespan(walks(10.0, 30.0, 20.0, 10.0), max_down=2) == 40.0


def test_a_place_is_free_again_while_its_device_is_configured():
    found = [Walk(1001 + n, T0, T0 + 30, 2, 20.0) for n in range(3)]

    assert lower_bound(found, max_down=1) == 60.0
    assert greedy_makespan(found, max_down=1) == 70.0


def test_a_walk_lasts_from_the_first_request_to_the_last_proof():
    events = [
        intended(1001, at=T0, operation="factory"),
        accepted(1001, at=T0 + 1),
        succeeded(1001, at=T0 + 200),
        intended(1001, step=1, at=T0 + 201, operation="reconf"),
        succeeded(1001, step=1, at=T0 + 230),
    ]

    assert walks_of(events) == [Walk(1001, T0, T0 + 230, 2, 200.0)]


def test_a_device_that_proved_nothing_has_no_walk():
    assert walks_of([intended(1001, at=T0)]) == []


def test_the_makespan_reaches_from_the_first_request_to_the_last_proof():
    found = [Walk(1001, T0, T0 + 50, 1, 50.0), Walk(1002, T0 + 30, T0 + 90, 1, 60.0)]

    assert makespan(found) == 90.0
