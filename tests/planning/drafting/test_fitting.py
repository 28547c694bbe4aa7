"""A plan whose window cannot serve it is refused before anything is sent."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from orchestrator.model.errors import SelectionError
from orchestrator.model.windows import Blackout, Window
from orchestrator.planning.drafting.fitting import Zones, check_window
from tests.support.playbooks import NOW, minimal, playbook, record

MEXICO = "America/Mexico_City"
ONCE = datetime(2026, 9, 21, 9, 0)  # noqa: DTZ001 - a wall clock; in Mexico it is 08:13 now


def window(opens="0 1 * * *", lasts=4 * 3600.0, **more):
    return Window(opens, lasts, MEXICO, **more)


def checked(found, expected=(900,), *zones):
    asked = Zones(found)
    for zone in zones:
        asked.zone_of(record(tz=zone))
    check_window(replace(playbook(minimal()), window=found), expected, asked, now=NOW)
    return asked


def test_a_playbook_without_a_window_always_fits():
    assert checked(None).warnings(now=NOW) == []


def test_a_chain_that_fills_the_window_exactly_fits():
    checked(window(), (4 * 3600,))


def test_a_chain_longer_than_every_opening_is_refused_with_both_lengths():
    with pytest.raises(SelectionError) as raised:
        checked(window(), (4 * 3600 + 1,))

    assert str(raised.value) == (
        "one device is expected to take 4h1s for its steps, and no opening of the window lasts"
        " longer than 4h; lengthen `window.lasts`, or give the steps a shorter `within`"
    )


def test_the_rescue_is_no_part_of_the_chain():
    checked(window(), (900, 999_999))


def test_openings_that_touch_are_one_and_long_enough():
    checked(window("0 * * * *", 3600.0), (7200,))


def test_an_opening_that_is_half_over_offers_only_what_is_left():
    once = datetime(2026, 9, 21, 8, 0)  # noqa: DTZ001 - 13 minutes ago in Mexico
    checked(window(once, 3600.0), (2800,))

    with pytest.raises(SelectionError, match="no opening of the window lasts longer than 46m"):
        checked(window(once, 3600.0), (2801,))


@pytest.mark.parametrize(
    "found",
    [
        window(datetime(2026, 9, 20, 1, 0)),  # noqa: DTZ001
        window("0 1 24 12 *", blackouts=(Blackout(date(2026, 9, 1), date(2036, 1, 1)),)),
        window(ONCE, blackouts=(Blackout(date(2026, 9, 21), date(2026, 9, 21)),)),
    ],
)
def test_a_window_that_never_opens_any_more_is_refused(found):
    with pytest.raises(SelectionError, match="never opens any more: give"):
        checked(found)


def test_each_device_has_its_own_zone_where_its_record_names_one():
    zones = Zones(window(timezone_field="tz"))

    found = [
        zones.zone_of(record(id=number, tz=name))
        for number, name in enumerate(
            ["America/Tijuana", f" {MEXICO} ", MEXICO, "Mars/Crater", None, 7, ""], start=1
        )
    ]

    assert found == ["America/Tijuana", None, None, None, None, None, None]
    assert zones.names == (MEXICO, "America/Tijuana")
    assert zones.warnings(now=NOW) == [
        (
            "4 devices without a usable time zone in tz; America/Mexico_City holds for them:"
            " 4: Mars/Crater, 5, 6: 7, 7"
        )
    ]


def test_without_a_field_nobody_has_a_zone_of_its_own():
    zones = Zones(window())

    assert zones.zone_of(record(tz="America/Tijuana")) is None
    assert zones.warnings(now=NOW) == []


def test_a_window_that_is_over_in_some_zones_serves_the_others_and_says_so():
    zones = checked(window(ONCE, 1800.0, timezone_field="tz"), (900,), "Asia/Tokyo", "Asia/Tokyo")

    assert zones.warnings(now=NOW) == [
        "the window never opens any more in Asia/Tokyo: 2 devices there will be deferred"
    ]


def test_a_window_that_is_over_at_home_may_still_come_elsewhere():
    over = datetime(2026, 9, 21, 7, 0)  # noqa: DTZ001 - an hour and 13 minutes ago in Mexico

    checked(window(over, 1800.0, timezone_field="tz"), (900,), "America/Tijuana")
    with pytest.raises(SelectionError, match="never opens any more"):
        checked(window(over, 1800.0, timezone_field="tz"), (900,), "Asia/Tokyo")
