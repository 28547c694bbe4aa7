"""Bars of how many devices took how long: every device is counted, stragglers hide nobody."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report.distribution import distribute


def test_every_bar_counts_what_falls_into_it():
    bars = distribute([0.0, 1.0, 5.0, 9.9, 10.0], slowest_tenth=10.0, bars=10)

    assert (bars.begin, bars.width, bars.end) == (0.0, 1.0, 10.0)
    assert bars.counts == (1, 1, 0, 0, 0, 1, 0, 0, 0, 2)


def test_a_straggler_is_counted_and_does_not_press_the_others_together():
    bars = distribute([10.0] * 9 + [10_000.0], slowest_tenth=20.0, bars=10)

    assert bars.end == 50.0
    assert bars.beyond == 1


def test_bars_far_from_zero_begin_near_the_first():
    bars = distribute([90.0, 95.0, 100.0], slowest_tenth=100.0, bars=11)

    assert 85 < bars.begin < 90
    assert bars.end == 100.0


@given(
    st.lists(st.floats(0, 1e7), min_size=1, max_size=50),
    st.floats(0, 1e7),
    st.integers(1, 60),
)
def test_nobody_is_lost(times, slowest_tenth, bars):
    found = distribute(times, slowest_tenth=slowest_tenth, bars=bars)

    assert sum(found.counts) + found.beyond == len(times)
    assert len(found.counts) == bars
    assert found.width > 0
