"""The words that sentences share."""

import pytest

from orchestrator.report.wording import because, devices, limit_value, local_time, tally
from tests.support.histories import MEXICO, T0


def test_devices_are_counted_in_words():
    assert (devices(0), devices(1), devices(12_345)) == ("0 devices", "1 device", "12,345 devices")


def test_only_verdicts_that_occurred_are_told():
    assert tally({"succeeded": 1234, "failed": 0, "in_doubt": 1}) == "1,234 succeeded, 1 in doubt"
    assert tally({}) == "no devices"


def test_a_reason_that_was_not_given_is_said_so():
    assert (because("smoke"), because("")) == (": smoke", " (no reason was given)")


def test_the_delay_is_a_duration_and_every_other_limit_a_count():
    assert limit_value("delay", 0.2) == "200ms"
    assert limit_value("max_down_per.location", 5.0) == "5"


def test_a_moment_is_written_on_the_clocks_of_its_zone():
    assert local_time(T0, MEXICO) == (
        "2026-11-21 22:15 in America/Mexico_City (2026-11-22 04:15:00Z)"
    )
    assert local_time(T0, MEXICO, where="there", with_date=False) == "22:15 there (04:15:00Z)"


@pytest.mark.parametrize("zone", ["Mars/Olympus_Mons", "", "../etc/passwd", "America"])
def test_where_a_zone_is_not_known_there_is_utc(zone):
    assert local_time(T0, zone) == "2026-11-22 04:15:00Z"
