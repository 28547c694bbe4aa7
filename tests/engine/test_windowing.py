"""When a window is open: the wall clock of its zone says when it begins, real seconds how long."""

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from orchestrator.engine.rollout.windowing import (
    Openings,
    is_zone,
    last_start,
    may_start,
    nearest_zone,
    upcoming,
)
from orchestrator.model.windows import Blackout, Opening, Window

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
MANY = 8


def window(opens, lasts=4 * HOUR, **others):
    once = opens[:4].isdigit()
    return Window(datetime.fromisoformat(opens) if once else opens, lasts, "UTC", **others)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def days(*names):
    """Give blackouts, each written as one day or as its first and last with a slash between."""
    return tuple(
        Blackout(date.fromisoformat(name[:10]), date.fromisoformat(name[-10:])) for name in names
    )


def shown(openings, zone):
    """Write openings as the clock on the wall shows them, with its distance from UTC."""
    return [
        " to ".join(
            datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%m-%d %H:%M%z")
            for moment in (opening.start, opening.end)
        )
        for opening in openings
    ]


def coming(opens, zone, since, lasts=4 * HOUR, count=1, **others):
    return shown(upcoming(window(opens, lasts, **others), zone, utc(since), count), zone)


@pytest.mark.parametrize(
    ("zone", "opens", "since", "expected"),
    [
        ("Europe/Berlin", "30 2 * * *", "2026-03-28T12:00", "03-29 03:00+0200 to 03-29 07:00+0200"),
        ("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00", "10-25 02:30+0200 to 10-25 05:30+0100"),
        ("Europe/Berlin", "0 1 * * *", "2026-03-28T12:00", "03-29 01:00+0100 to 03-29 06:00+0200"),
        ("Europe/Berlin", "0 1 * * *", "2026-10-24T12:00", "10-25 01:00+0200 to 10-25 04:00+0100"),
        (
            "America/New_York",
            "15 2 * * *",
            "2026-03-07T12:00",
            "03-08 03:00-0400 to 03-08 07:00-0400",
        ),
        (
            "America/New_York",
            "15 1 * * *",
            "2026-10-31T12:00",
            "11-01 01:15-0400 to 11-01 04:15-0500",
        ),
        (
            "Australia/Sydney",
            "30 2 * * *",
            "2026-10-03T10:00",
            "10-04 03:00+1100 to 10-04 07:00+1100",
        ),
        (
            "Australia/Sydney",
            "30 2 * * *",
            "2026-04-04T10:00",
            "04-05 02:30+1100 to 04-05 05:30+1000",
        ),
        (
            "America/Santiago",
            "30 0 * * *",
            "2026-09-05T12:00",
            "09-06 01:00-0300 to 09-06 05:00-0300",
        ),
        (
            "America/Santiago",
            "30 23 * * *",
            "2026-04-04T12:00",
            "04-04 23:30-0300 to 04-05 02:30-0400",
        ),
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-03T10:00",
            "10-04 02:30+1100 to 10-04 06:30+1100",
        ),
        (
            "Australia/Lord_Howe",
            "45 1 * * *",
            "2026-04-04T10:00",
            "04-05 01:45+1100 to 04-05 05:15+1030",
        ),
        (
            "Pacific/Apia",
            "0 10 30 12 *",
            "2011-12-28T12:00",
            "12-31 00:00+1400 to 12-31 04:00+1400",
        ),
        (
            "Pacific/Apia",
            "0 22 29 12 *",
            "2011-12-28T12:00",
            "12-29 22:00-1000 to 12-31 02:00+1400",
        ),
        ("Asia/Kolkata", "30 2 * * *", "2026-03-28T12:00", "03-29 02:30+0530 to 03-29 06:30+0530"),
    ],
)
def test_a_gap_moves_the_start_behind_it_and_a_fold_leaves_it_at_the_first(
    zone, opens, since, expected
):
    assert coming(opens, zone, since) == [expected]


def test_one_date_follows_the_same_clock():
    assert coming("2026-03-29T02:30", "Europe/Berlin", "2026-01-01") == [
        "03-29 03:00+0200 to 03-29 07:00+0200"
    ]
    assert coming("2026-10-25T02:30:30", "Europe/Berlin", "2026-01-01") == [
        "10-25 02:30+0200 to 10-25 05:30+0100"
    ]


def test_several_starts_in_one_gap_are_one_opening():
    found = coming("*/10 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 5 * MINUTE, count=2)

    assert found == ["03-29 03:00+0200 to 03-29 03:05+0200", "03-30 02:00+0200 to 03-30 02:05+0200"]


def test_an_hour_that_comes_twice_opens_once():
    found = coming("0 * * * *", "Europe/Berlin", "2026-10-24T23:30", 30 * MINUTE, count=3)

    assert found == [
        "10-25 02:00+0200 to 10-25 02:30+0200",
        "10-25 03:00+0100 to 10-25 03:30+0100",
        "10-25 04:00+0100 to 10-25 04:30+0100",
    ]


def test_starts_that_meet_are_apart_in_the_night_that_is_longer():
    found = coming("0 0,2,4 * * *", "Europe/Berlin", "2026-10-24T12:00", 2 * HOUR, count=2)

    assert found == ["10-25 00:00+0200 to 10-25 03:00+0100", "10-25 04:00+0100 to 10-25 06:00+0100"]


def test_a_weekly_window_opens_on_its_day_of_the_zone():
    assert coming("0 1 * * sat", "America/Mexico_City", "2026-09-21T12:00", count=3) == [
        "09-26 01:00-0600 to 09-26 05:00-0600",
        "10-03 01:00-0600 to 10-03 05:00-0600",
        "10-10 01:00-0600 to 10-10 05:00-0600",
    ]


@pytest.mark.parametrize(
    ("opens", "expected"),
    [
        ("0 1 13 * 5", ["11-06", "11-13", "11-20", "11-27", "12-04", "12-11", "12-13"]),
        ("0 1 */1 * 5#2", ["11-13", "12-11"]),
        ("0 1 L * *", ["11-30", "12-31"]),
        ("0 1 29 2 *", ["02-29", "02-29"]),
    ],
)
def test_days_of_month_and_week_are_what_they_are_in_debian(opens, expected):
    found = coming(opens, "UTC", "2026-11-01", count=len(expected))

    assert [opening[:5] for opening in found] == expected


def test_the_opening_that_holds_now_is_the_first_of_those_to_come():
    assert coming("0 1 * * *", "UTC", "2026-11-03T04:59", count=2) == [
        "11-03 01:00+0000 to 11-03 05:00+0000",
        "11-04 01:00+0000 to 11-04 05:00+0000",
    ]
    assert len(upcoming(window("0 1 * * *"), "UTC", utc("2026-11-03"))) == 7


@pytest.mark.parametrize("opens", ["0 1 * * *", "2026-11-03T01:00"])
def test_an_opening_begins_at_its_start_and_is_over_at_its_end(opens):
    start = utc("2026-11-03T01:00")
    openings = Openings(window(opens), "UTC")
    whole = Opening(start, start + 4 * HOUR)

    assert [openings.at(start + after) for after in (-0.001, 0, 4 * HOUR - 0.001, 4 * HOUR)] == [
        None,
        whole,
        whole,
        None,
    ]
    assert openings.following(start - 0.001) == whole
    assert openings.following(start) != whole


def test_a_past_date_never_opens_and_a_far_one_still_does():
    past, far = window("2026-11-03T01:00"), window("2049-11-03T01:00")
    now = utc("2026-11-03T05:00")

    assert upcoming(past, "UTC", now) == []
    assert Openings(past, "UTC").following(now) is None
    assert shown(upcoming(far, "UTC", now), "UTC") == ["11-03 01:00+0000 to 11-03 05:00+0000"]


@pytest.mark.parametrize("opens", ["0001-01-01T00:00", "9999-12-31T23:59"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Apia"])
def test_the_ends_of_the_calendar_are_dates_like_others(opens, zone):
    ends = (Blackout(date.min, date(1, 1, 2)), Blackout(date(9999, 12, 30), date.max))

    assert len(upcoming(window(opens), zone, -1e12)) == 1
    assert upcoming(window(opens, blackouts=ends), zone, -1e12) == []


def test_a_blackout_day_has_no_opening():
    found = coming(
        "0 1 * * *", "Europe/Berlin", "2026-12-23", count=4, blackouts=days("2026-12-24/2026-12-26")
    )

    assert [opening[:5] for opening in found] == ["12-23", "12-27", "12-28", "12-29"]


def test_an_opening_that_runs_into_a_blackout_ends_at_its_midnight():
    blackouts = days("2026-12-24", "2026-12-24/2026-12-25", "2026-12-30")
    found = coming("0 22 * * *", "America/Lima", "2026-12-23", count=3, blackouts=blackouts)

    assert found == [
        "12-22 22:00-0500 to 12-23 02:00-0500",
        "12-23 22:00-0500 to 12-24 00:00-0500",
        "12-26 22:00-0500 to 12-27 02:00-0500",
    ]


def test_a_long_opening_does_not_come_back_after_a_blackout():
    found = coming(
        "0 0 * * mon",
        "UTC",
        "2026-11-01",
        6 * DAY,
        count=2,
        blackouts=days("2026-11-04"),
    )

    assert found == [
        "11-02 00:00+0000 to 11-04 00:00+0000",
        "11-09 00:00+0000 to 11-15 00:00+0000",
    ]


def test_midnight_is_where_the_day_begins_also_when_the_clock_skips_it():
    before, after = (
        coming(
            "0 22 * * *",
            "America/Santiago",
            "2026-09-05T12:00",
            blackouts=days("2026-09-06"),
        ),
        coming("0 0 * * *", "America/Santiago", "2026-09-05T12:00", blackouts=days("2026-09-05")),
    )

    assert before == ["09-05 22:00-0400 to 09-06 01:00-0300"]
    assert after == ["09-06 01:00-0300 to 09-06 05:00-0300"]


def test_a_midnight_that_comes_twice_belongs_to_the_day_it_begins():
    """Havana puts its clocks back from 1:00 to 0:00 of the same day."""
    havana = "America/Havana"

    assert coming("0 0 * * *", havana, "2026-10-31T12:00", blackouts=days("2026-10-31")) == [
        "11-01 00:00-0400 to 11-01 03:00-0500"
    ]
    assert coming("0 22 * * *", havana, "2026-10-31T12:00", blackouts=days("2026-11-01")) == [
        "10-31 22:00-0400 to 11-01 00:00-0400"
    ]


def test_a_day_that_comes_back_after_midnight_stays_a_blackout_day():
    """Newfoundland put its clocks back from 0:01 to 23:01 of the day before."""
    found = coming(
        "0 0,1 7 11 *", "America/St_Johns", "2010-11-05", HOUR / 2, blackouts=days("2010-11-06")
    )

    assert found == ["11-07 01:00-0330 to 11-07 01:30-0330"]


def test_a_blackout_on_a_day_that_never_was_takes_its_openings_and_no_others():
    skipped = days("2011-12-30")
    found = coming("0 10 * * *", "Pacific/Apia", "2011-12-29", count=3, blackouts=skipped)
    through = coming("0 22 29 12 *", "Pacific/Apia", "2011-12-29", blackouts=skipped)

    assert [opening[:11] for opening in found] == ["12-29 10:00", "12-31 10:00", "01-01 10:00"]
    assert through == ["12-29 22:00-1000 to 12-31 02:00+1400"]


@pytest.mark.parametrize(
    ("opens", "blackouts"),
    [
        ("0 1 24 12 *", [f"{year}-12-24" for year in range(2026, 2040)]),
        ("0 1 * * *", ["2026-01-01/9999-12-31"]),
        ("0 1 * 2 mon#5", ["2044-02-29"]),
        ("2026-12-24T01:00", ["2026-12-24"]),
    ],
)
def test_a_window_whose_days_are_all_taken_never_opens(opens, blackouts):
    openings = Openings(window(opens, blackouts=days(*blackouts)), "Europe/Berlin")

    assert (openings.at(utc("2026-11-03")), openings.following(utc("2026-11-03"))) == (None, None)


@pytest.mark.parametrize(
    ("opens", "lasts"),
    [("0 1,3 * * *", 3 * HOUR), ("0 1,3 * * *", 2 * HOUR), ("* 1-4 * * *", MINUTE)],
)
def test_openings_that_overlap_or_touch_are_one(opens, lasts):
    found = coming(opens, "UTC", "2026-11-03", lasts, count=2)

    assert [opening[:11] for opening in found] == ["11-03 01:00", "11-04 01:00"]


def test_openings_of_neighbouring_days_are_one_where_they_meet():
    found = coming("0 20,23 * * *", "UTC", "2026-11-03T12:00", 3 * HOUR, count=2)

    assert found == ["11-03 20:00+0000 to 11-04 02:00+0000", "11-04 20:00+0000 to 11-05 02:00+0000"]


def test_a_long_opening_is_known_from_its_true_beginning():
    daily = window("0 0 * * *", DAY, blackouts=days("2026-05-01"))

    assert shown(upcoming(daily, "UTC", utc("2026-11-03"), 1), "UTC")[0].startswith("05-02 00:00")


@pytest.mark.parametrize("opens", ["* * * * *", "0 */6 * * *"])
def test_a_window_that_never_closes_is_one_opening_that_stays_open(opens):
    now = utc("2026-11-03T12:34")
    openings = Openings(window(opens, 6 * HOUR), "Asia/Tokyo")

    assert openings.at(now).start < now - 300 * DAY
    assert openings.at(now).end > now + 1000 * DAY
    assert openings.following(now) is None
    assert openings.at(now + 4000 * DAY).end > now + 5000 * DAY
    assert len(upcoming(window(opens, 6 * HOUR), "Asia/Tokyo", now)) == 1


def test_a_step_back_in_time_is_answered_as_if_it_were_the_first_question():
    often = window("*/2 * * * *", MINUTE)
    openings = Openings(often, "UTC")
    start = utc("2026-11-03")
    for day in range(0, 30, 5):
        openings.at(start + day * DAY)

    for moment in (start + 25 * DAY - 30 * HOUR, start, start - 30 * DAY, start + 30 * DAY):
        assert openings.at(moment) == Opening(moment, moment + MINUTE)
        assert openings.following(moment) == Opening(moment + 2 * MINUTE, moment + 3 * MINUTE)


def test_asking_again_reads_no_calendar_and_keeps_little():
    openings = Openings(window("*/2 * * * *", MINUTE), "UTC")
    start = utc("2026-11-03")
    openings.at(start)
    day = openings._day
    for second in range(2_000):
        openings.at(start + second)
        openings.following(start + second)

    assert openings._day == day

    for days_later in range(40):
        openings.at(start + days_later * DAY)

    assert len(openings._known) < 4 * 720


NIGHT = Opening(1000.0, 5000.0)


@pytest.mark.parametrize(
    ("cutoff", "now", "remaining", "expected"),
    [
        (None, 999.9, 10.0, False),
        (None, 1000.0, 10.0, True),
        (None, 1000.0, 4000.0, True),
        (None, 1000.0, 4000.1, False),
        (None, 4990.0, 10.0, True),
        (None, 4990.1, 10.0, False),
        (None, 5000.0, 0.0, False),
        (600.0, 999.9, 10.0, False),
        (600.0, 4399.9, 9999.0, True),
        (600.0, 4400.0, 0.0, False),
        (0.0, 4999.9, 9999.0, True),
        (0.0, 5000.0, 0.0, False),
    ],
)
def test_a_device_is_begun_only_if_it_fits_or_before_the_cutoff(cutoff, now, remaining, expected):
    assert may_start(window("0 1 * * *", cutoff=cutoff), NIGHT, now, remaining) is expected


@given(st.none() | st.floats(0, 3999), st.floats(0, 6000), st.floats(0, 5000), st.floats(0, 5000))
def test_once_nothing_may_start_any_more_nothing_may_until_the_next(cutoff, now, later, remaining):
    limited = window("0 1 * * *", cutoff=cutoff)
    last = last_start(limited, NIGHT, remaining)
    after = now + later

    assert not may_start(limited, NIGHT, max(now, last + 0.001), remaining)
    if now >= NIGHT.start and may_start(limited, NIGHT, after, remaining):
        assert may_start(limited, NIGHT, now, remaining)


def test_only_the_names_of_places_and_offsets_are_zones():
    names = ["Europe/Berlin", "UTC", "Etc/GMT+6", "America/Argentina/Buenos_Aires"]
    others = ["europe/berlin", "Europe", "", "../UTC", "U\0TC", "x" * 100_000, "localtime", None, 3]

    assert [is_zone(name) for name in names] == [True] * 4
    assert [is_zone(name) for name in [*others, [], {}]] == [False] * 11


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Berlin", "Europe/Berlin"),
        ("america/mexico_city", "America/Mexico_City"),
        ("Mexico City", "America/Mexico_City"),
        ("Asia/Sydney", "Australia/Sydney"),
        ("Ausralia/Sidney", "Australia/Sydney"),
        ("GMT+5", None),
        ("+02:00", None),
        ("", None),
        ("x" * 100_000, None),
    ],
)
def test_the_zone_that_was_probably_meant_is_found_by_its_letters_or_its_city(name, expected):
    assert nearest_zone(name) == expected


ZONES = [
    "Europe/Berlin", "America/New_York", "Australia/Sydney", "America/Santiago", "America/Havana",
    "Australia/Lord_Howe", "Pacific/Apia", "America/Nuuk", "Africa/Cairo", "Asia/Beirut",
    "Atlantic/Azores", "America/Asuncion", "Africa/Casablanca", "Asia/Kolkata", "UTC",
]  # fmt: skip
CHANGES = [
    "2026-03-08T07:00", "2026-03-29T01:00", "2026-04-04T15:00", "2026-04-05T03:00",
    "2026-09-06T04:00", "2026-10-03T15:30", "2026-10-25T01:00", "2026-11-01T05:00",
    "2026-04-23T22:00", "2026-10-29T21:00", "2026-12-31T12:00", "2011-12-30T10:00",
    "2024-10-06T04:00",
]  # fmt: skip
CRONS = [
    "* * * * *", "*/7 * * * *", "30 * * * *", "0 0 * * *", "30 0,1,2,3 * * *", "59 23 * * *",
    "0 */3 * * *", "15 2 * * sat,sun", "*/20 1-3 * * *", "0 1 13 * sun", "0 22 L * *",
]  # fmt: skip
LENGTHS = [MINUTE, 20 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR + 30, DAY, 30 * HOUR]

moments = st.builds(
    lambda change, hours, minutes: utc(change) + hours * HOUR + minutes * MINUTE,
    st.sampled_from(CHANGES),
    st.integers(-30, 30),
    st.integers(0, 59),
)


@st.composite
def cases(draw):
    """Give a window, a zone, and a moment near a night in which some clock is changed."""
    now = draw(moments)
    near = datetime.fromtimestamp(now, UTC).date()
    spans = draw(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 1)), max_size=2))
    blackouts = tuple(
        Blackout(near + timedelta(first), near + timedelta(first + more)) for first, more in spans
    )
    wall = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
    opens = draw(
        st.sampled_from(CRONS)
        | st.integers(-2000, 2000).map(lambda minutes: wall + timedelta(minutes=minutes))
    )
    lasts = draw(st.sampled_from(LENGTHS))
    return Window(opens, lasts, "UTC", blackouts=blackouts), draw(st.sampled_from(ZONES)), now


class Walk:
    """Goes through some days minute by minute, and knows of each whether the window is open."""

    def __init__(self, window, zone, now):
        self.begin, self.lasts = now - 3 * DAY, window.lasts
        place = ZoneInfo(zone)
        self.walls = [
            datetime.fromtimestamp(self.begin + minute * MINUTE, place).replace(tzinfo=None)
            for minute in range(4 * 1440)
        ]
        self.is_dark = [
            any(span.first <= wall.date() <= span.last for span in window.blackouts)
            for wall in self.walls
        ]
        latest, high = [], datetime.min  # noqa: DTZ901 - a wall clock
        for wall in self.walls:
            high = max(high, wall)
            latest.append(high)
        self.is_open = [False] * len(self.walls)
        self.reached = 0
        for start in self._starts(window):
            if any(span.first <= start.date() <= span.last for span in window.blackouts):
                continue
            # The first minute at which the clock shows this, or is past it.
            self._open_from(bisect_left(latest, start))

    def _starts(self, window):
        if isinstance(window.opens, datetime):
            yield from [window.opens] if window.opens > self.walls[0] else []
            return
        latest = max(self.walls)
        for start in CronSim(window.opens, self.walls[0]):
            if start > latest:
                return
            yield start

    def _open_from(self, index):
        # Starts come in order: what an earlier one has opened needs no second look.
        minute = max(index, self.reached)
        while minute < len(self.walls) and (minute - index) * MINUTE < self.lasts:
            if self.is_dark[minute]:
                break
            self.is_open[minute] = True
            minute += 1
        self.reached = minute

    def minutes(self):
        """Give the moments that are known for certain: what began before has ended."""
        certain = 2 * 1440 + 720
        for minute in range(certain, len(self.walls)):
            yield minute, self.begin + minute * MINUTE


@settings(max_examples=25, deadline=None)
@given(cases())
def test_every_minute_is_open_or_closed_as_a_walk_along_the_clock_finds_it(case):
    window, zone, now = case
    walk = Walk(window, zone, now)
    openings = Openings(window, zone)

    wrong = [
        (shown([Opening(moment, moment)], zone), walk.is_open[minute])
        for minute, moment in walk.minutes()
        if (openings.at(moment) is not None) != walk.is_open[minute]
    ]

    assert wrong == []


@settings(max_examples=25, deadline=None)
@given(cases())
def test_openings_are_ordered_and_apart_and_touch_no_blackout_day(case):
    window, zone, now = case
    found = upcoming(window, zone, now, MANY)

    assert all(opening.start < opening.end for opening in found)
    assert all(one.end < other.start for one, other in pairwise(found))
    for opening in found:
        walls = [
            datetime.fromtimestamp(moment, ZoneInfo(zone)).date()
            for moment in (opening.start, opening.end - 0.001)
        ]
        assert not any(
            span.first <= walls[1] and walls[0] <= span.last
            for span in window.blackouts
            if not is_skipped(span, zone)
        )


def followed(opening, now):
    """Give an opening as far as it is the same whoever asks: its end is known for some years."""
    return opening and Opening(opening.start, min(opening.end, now + 4 * 366 * DAY))


def is_skipped(span, zone):
    return zone == "Pacific/Apia" and span.first == span.last == date(2011, 12, 30)


@settings(max_examples=25, deadline=None)
@given(cases(), st.lists(st.floats(-3 * DAY, 20 * DAY), min_size=1, max_size=5))
def test_the_answer_depends_on_the_moment_and_not_on_what_was_asked_before(case, steps):
    window, zone, now = case
    openings = Openings(window, zone)
    for step in steps:
        moment = now + step
        fresh = Openings(window, zone)
        here, following = openings.at(moment), openings.following(moment)

        assert (here is None) == (fresh.at(moment) is None)
        assert followed(following, now) == followed(fresh.following(moment), now)
        assert here is None or here.start <= moment < here.end
        assert following is None or following.start > moment
        assert here is None or following is None or here.end < following.start


@settings(max_examples=25, deadline=None)
@given(cases(), st.floats(0, 1))
@example((Window("0 1 * * *", HOUR, "UTC"), "UTC", 0.0), 0.5)
def test_whatever_is_to_come_holds_at_each_of_its_moments(case, share):
    window, zone, now = case
    found = [
        opening
        for opening in upcoming(window, zone, now, MANY)
        if now - 300 * DAY < opening.start and opening.end < now + 4 * 366 * DAY
    ]
    assume(found)
    openings = Openings(window, zone)
    for opening in found:
        inside = opening.start + (opening.end - opening.start) * share * 0.999

        assert openings.at(max(inside, now)) == opening
        assert openings.at(opening.end) is None
        assert openings.following(opening.start - 0.001) == opening
