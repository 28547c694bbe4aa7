"""Moments are seconds; every text form the controller is known to use is read."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.model import moments

AT = 1_767_225_600.0  # 2026-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01", AT),
        ("2026-01-01T00:00:00Z", AT),
        ("2026-01-01T00:00:00z", AT),
        ("2026-01-01 00:00", AT),
        ("2026-01-01 00:00:00", AT),
        ("  2026-01-01T00:00:00Z\n", AT),
        ("2026-01-01T02:00:00+02:00", AT),
        ("2026-01-01 02:00:00 +0200", AT),
        ("2025-12-31T18:30:00-05:30", AT),
        ("2026-01-01T00:00:00.5Z", AT + 0.5),
        ("2026-01-01T00:00:00.123456789Z", AT + 0.123456),
        ("2024-02-29", 1_709_164_800.0),
        ("1970-01-01", 0.0),
    ],
)
def test_every_known_form_is_read_and_no_zone_means_utc(text, moment):
    assert moments.from_text(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2026-13-01", "2026-02-30", "2026-01-01T25:00", "2026-01-01T", "2026-1-1"),
        *("2026-01-01T00:00:00+2", "20260101", "2026-01-01T00:00:00Z extra", "1767225600"),
        *("2026-W01-1T00:00:00Z", "2026-01-01T00:00,00Z", "2026-01-01T00000000Z"),
        *("2026-01-01T00:00:00,000000Z", "2026-01-01T00:00:60Z", "2026-02-30T00:00:00.000000Z"),
    ],
)
def test_anything_else_is_no_moment(text):
    with pytest.raises(ValueError, match=r".+"):
        moments.from_text(text)


def test_a_moment_is_written_in_utc_with_microseconds():
    assert moments.as_text(AT + 0.25) == "2026-01-01T00:00:00.250000Z"
    assert moments.as_short_text(AT + 0.25) == "2026-01-01 00:00:00Z"


@given(st.integers(0, 4_102_444_800_000_000).map(lambda micros: round(micros / 1e6, 6)))
def test_what_was_written_is_read_back_exactly(moment):
    assert moments.from_text(moments.as_text(moment)) == moment


@given(st.integers(-62_000_000_000_000_000, 250_000_000_000_000_000))
@example(-1)
@example(0)
@example(999_999)
@example(1_000_000)
def test_a_moment_is_written_as_the_calendar_has_it(micros):
    moment = micros / 1_000_000
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(moment * 1_000_000))
    written = at.isoformat(timespec="microseconds").replace("+00:00", "Z")

    assert moments.as_text(moment) == moments.as_text(moment) == written


@given(
    st.from_regex(
        r"\A[0-9]{4}[-W:/][0-9]{2}[-:][0-9]{2}[T ][0-9]{2}[:,]?[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z\Z"
    )
)
def test_a_common_form_is_read_like_the_same_written_otherwise(text):
    def read(form):
        try:
            return moments.from_text(form)
        except ValueError:
            return None

    assert read(text) == read(text.replace("Z", "+00:00"))


@given(st.integers(0, 4_102_444_800_000_000).map(lambda micros: round(micros / 1e6, 6)))
def test_what_was_written_is_read_back_exactly_by_its_own_reader(moment):
    assert moments.from_written(moments.as_text(moment)) == moment


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00Z", "2026-01-01T02:00:00.000000+02:00"])
def test_other_date_times_with_a_zone_pass_for_written(text):
    assert moments.from_written(text) == AT


@pytest.mark.parametrize(
    "odd", ["", "soon", "2026-01-01", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z", None, 1, []]
)
def test_what_has_no_time_or_zone_was_not_written(odd):
    with pytest.raises(ValueError, match="is not a date-time with a zone"):
        moments.from_written(odd)
