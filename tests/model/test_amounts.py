"""Counts and shares: limits on harm are rounded down, limits on progress up, nothing by a hair."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.amounts import Share, at_least, at_most

PERCENTS = st.decimals(0, 100, places=4) | st.integers(0, 100).map(Decimal)
SHARES = PERCENTS.map(str).map(Share.of_percent)
WHOLES = st.integers(0, 10_000_000)


@pytest.mark.parametrize(
    ("percent", "whole", "floored", "ceiled"),
    [
        ("29", 100, 29, 29),  # 0.29 * 100 is 28.999999999999996
        ("58", 50, 29, 29),
        ("10", 3, 0, 1),
        ("95", 10, 9, 10),
        ("33.3333", 3, 0, 1),
        ("0.0001", 1_000_000, 1, 1),
        ("100", 7, 7, 7),
        ("0", 7, 0, 0),
        ("10", 0, 0, 0),
    ],
)
def test_a_share_of_a_set_is_reckoned_exactly(percent, whole, floored, ceiled):
    share = Share.of_percent(percent)

    assert (share.floored(whole), share.ceiled(whole)) == (floored, ceiled)
    assert (at_most(share, whole), at_least(share, whole)) == (floored, ceiled)


@pytest.mark.parametrize("whole", [0, 3, 1000])
def test_a_count_is_what_it_is_whatever_the_set(whole):
    assert (at_most(7, whole), at_least(7, whole)) == (7, 7)


@given(SHARES, WHOLES)
def test_harm_is_never_more_and_progress_never_less_than_the_share(share, whole):
    down, up = share.floored(whole), share.ceiled(whole)

    assert 0 <= down <= share.fraction * whole <= up <= whole
    assert up - down == (0 if (share.fraction * whole).denominator == 1 else 1)


@given(SHARES, WHOLES)
def test_a_share_and_the_rest_make_the_whole(share, whole):
    rest = Share(1 - share.fraction)

    assert share.floored(whole) + rest.ceiled(whole) == whole


@given(SHARES, SHARES, WHOLES)
def test_a_larger_share_is_never_fewer_devices(one, other, whole):
    less, more = sorted((one, other))

    assert less.floored(whole) <= more.floored(whole)
    assert less.ceiled(whole) <= more.ceiled(whole)


@given(SHARES, WHOLES, WHOLES)
def test_a_larger_set_never_has_fewer_devices_in_a_share(share, one, other):
    less, more = sorted((one, other))

    assert share.floored(less) <= share.floored(more)
    assert share.ceiled(less) <= share.ceiled(more)


@given(st.integers(0, 100), st.integers(0, 100_000))
def test_whole_percents_of_hundreds_are_never_rounded(percent, hundreds):
    share = Share.of_percent(str(percent))

    assert share.floored(hundreds * 100) == percent * hundreds == share.ceiled(hundreds * 100)


@given(SHARES)
def test_a_share_can_be_read_as_it_is_written(share):
    text = str(share)

    assert text.endswith("%")
    assert Share.of_percent(text.removesuffix("%")) == share


@pytest.mark.parametrize(
    ("percent", "text"),
    [("10", "10%"), ("10.0", "10%"), ("2.50", "2.5%"), ("0.0001", "0.0001%"), ("100", "100%")],
)
def test_a_share_is_written_as_short_as_it_can_be(percent, text):
    assert str(Share.of_percent(percent)) == text


def test_three_tenths_are_thirty_percent():
    parts = [Share.of_percent("10")] * 3

    assert sum(share.fraction for share in parts) == Fraction(30, 100)


@pytest.mark.parametrize("text", ["", "ten", "10%", "1,5", "1/0x"])
def test_what_is_no_number_is_no_share(text):
    with pytest.raises(ValueError, match="Fraction"):
        Share.of_percent(text)
