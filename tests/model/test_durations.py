"""Durations are seconds; people write and read them with units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("200ms", 0.2), ("30s", 30), ("10m", 600), ("4h", 14400), ("2d", 172800), ("0s", 0)),
        *(("1h30m", 5400), ("1h 30m", 5400), (" 1.5h ", 5400), ("1m30s", 90)),
    ],
)
def test_a_duration_is_a_number_with_its_unit_or_a_chain_of_them(text, seconds):
    assert durations.from_text(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "30", "s", "-3s", "3 weeks", "3sec", "1e3s", "3s!", "3S"])
def test_anything_else_is_no_duration(text):
    with pytest.raises(ValueError, match="not a duration"):
        durations.from_text(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0s"), (0.2, "200ms"), (1, "1s"), (1.5, "1.5s"), (59, "59s"), (60, "1m")),
        *((90, "1m30s"), (3600, "1h"), (5400, "1h30m"), (86400, "1d"), (183_600, "2d3h")),
        *((90_061, "1d1h"), (-90, "-1m30s")),
    ],
)
def test_a_duration_is_shown_with_at_most_two_units(seconds, text):
    assert durations.as_text(seconds) == text


@given(st.floats(0.001, 1e7))
def test_what_is_shown_can_be_read_and_is_nearly_the_same(seconds):
    assert durations.from_text(durations.as_text(seconds)) == pytest.approx(
        seconds, rel=0.05, abs=0.001
    )
