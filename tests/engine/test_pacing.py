"""The rhythm of operation requests: planned, slowed by refusals, recovered by acceptance."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.rollout.pacing import (
    LONGEST_HOLD,
    RETURNS_AT_ONCE,
    SLOWEST,
    SMALLEST_GAP,
    Pace,
    planned_pace,
)
from orchestrator.model.policies import Rollout
from tests.support.stories import T0, Story, step


def test_the_gap_is_the_playbooks_delay_where_that_is_the_longer():
    assert planned_pace(delay=0.5, per_second=20.0).gap == 0.5


def test_operations_leave_a_share_of_the_rate_to_the_polls():
    pace = planned_pace(delay=0.0, per_second=10.0)

    assert 1 / pace.gap < 10.0
    assert planned_pace(delay=0.0, per_second=None).gap == 0.0


def test_the_first_request_may_leave_at_once_and_the_next_after_the_gap():
    pace = Pace(gap=0.2)

    assert pace.next_at == float("-inf")
    assert pace.after_sending(100.0).next_at == 100.2


def test_a_refusal_holds_everything_until_its_moment_and_stretches_the_gap():
    pace = Pace(gap=0.2).after_sending(100.0).after_refusal(130.0, 4.0)

    assert pace.next_at == 130.0
    assert pace.after_sending(130.0).next_at == 130.8


def test_an_earlier_moment_never_shortens_a_hold():
    assert Pace(gap=0.2).after_refusal(130.0, 2.0).after_refusal(110.0, 2.0).hold_until == 130.0


def test_slowing_down_works_where_no_gap_was_planned():
    pace = Pace(gap=0.0).after_refusal(0.0, 2.0).after_sending(100.0)

    assert pace.next_at == 100.0 + 2 * SMALLEST_GAP


def test_accepted_requests_bring_the_planned_pace_back_exactly():
    pace = Pace(gap=0.2, factor=SLOWEST)
    for _ in range(100):
        pace = pace.after_success()

    assert pace.factor == 1.0


@given(st.lists(st.booleans(), max_size=200))
def test_the_pace_is_never_faster_than_planned_nor_slower_than_the_slowest(refusals):
    pace = Pace(gap=0.2)
    for is_refusal in refusals:
        pace = pace.after_refusal(0.0, pace.slower()) if is_refusal else pace.after_success()
        gap = pace.after_sending(100.0).next_at - 100.0

        assert 0.2 - 1e-9 <= gap <= 0.2 * SLOWEST + 1e-9


# --- down in steps, up by inches ------------------------------------------------------------------


def test_each_refusal_makes_the_gaps_half_as_long_again():
    pace = Pace(gap=0.2)
    for _ in range(3):
        pace = pace.after_refusal(0.0, pace.slower())

    assert pace.factor == pytest.approx(1.5**3)


def test_each_accepted_request_gives_a_twentieth_of_the_planned_rate_back():
    pace = Pace(gap=0.2, factor=4.0)
    rates = []
    while pace.factor > 1.0:
        rates.append(1 / pace.factor)
        pace = pace.after_success()

    steps = [later - earlier for earlier, later in pairwise(rates)]
    assert rates[0] == 0.25
    assert steps == [pytest.approx(0.05)] * len(steps)
    assert len(rates) == 15


# --- the wave of returning devices ----------------------------------------------------------------


def returned(pace: Pace, times: int, at: float = 100.0) -> Pace:
    for _ in range(times):
        pace = pace.after_return(at, at)
    return pace


def test_a_few_returns_together_hold_nothing():
    assert returned(Pace(gap=0.2), int(RETURNS_AT_ONCE)).next_at == float("-inf")


def test_sending_waits_for_those_that_are_beyond_it_at_the_planned_rate():
    assert returned(Pace(gap=0.2), int(RETURNS_AT_ONCE) + 10).next_at == pytest.approx(102.0)


def test_devices_that_come_back_as_they_were_sent_never_hold_sending():
    pace = Pace(gap=0.2)
    for number in range(1000):
        pace = pace.after_return(100.0 + 0.2 * number, 100.0 + 0.2 * number)

    assert pace.next_at == float("-inf")


def test_the_wave_is_forgotten_as_time_passes():
    pace = returned(Pace(gap=0.2), int(RETURNS_AT_ONCE))

    assert returned(pace, int(RETURNS_AT_ONCE), at=200.0).next_at == float("-inf")


def test_returns_that_are_noticed_in_one_round_are_told_apart_by_their_contacts():
    pace = Pace(gap=0.2)
    for number in range(100):
        pace = pace.after_return(50.0 + 0.2 * number, at=100.0)

    assert pace.next_at == float("-inf")


def test_however_many_return_sending_never_waits_longer_than_the_longest_hold():
    assert returned(Pace(gap=60.0), 500).next_at == 100.0 + LONGEST_HOLD


def test_without_a_planned_gap_returns_are_counted_at_the_smallest():
    pace = returned(Pace(gap=0.0), int(RETURNS_AT_ONCE) + 10)

    assert pace.next_at == pytest.approx(100.0 + 10 * SMALLEST_GAP)


def test_a_return_never_shortens_the_hold_of_a_refusal():
    assert returned(Pace(gap=0.2).after_refusal(500.0, 2.0), 30).hold_until == 500.0


def test_a_ramp_begins_with_one_device_and_doubles_as_they_succeed():
    story = Story(step("sync"), devices=12, max_down=12, rollout=Rollout(12, ramp=True)).settles()
    at_once = []
    while story.run.finished_at is None:
        at_once.append(len(story.open))
        at = story.now - T0 + 1
        while story.open:
            story.shows(story.open[0].device, last_connection=at, last_configuration=at).accepts()
        story.later(30)

    assert at_once == [1, 2, 4, 5]
