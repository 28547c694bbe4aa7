"""The rhythm of operation requests: planned, slowed by refusals, recovered by acceptance."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.pacing import SLOWEST, SMALLEST_GAP, Pace, planned_pace
from orchestrator.model.policies import RequestLimits


def test_the_gap_is_the_playbooks_delay_where_that_is_the_longer():
    assert planned_pace(RequestLimits(delay=0.5, per_second=20.0)).gap == 0.5


def test_operations_leave_a_share_of_the_rate_to_the_polls():
    pace = planned_pace(RequestLimits(delay=0.0, per_second=10.0))

    assert 1 / pace.gap < 10.0
    assert planned_pace(RequestLimits(delay=0.0, per_second=None)).gap == 0.0


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
