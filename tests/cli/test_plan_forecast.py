"""A forecast as people and programs read it, alone and beside what else could be done."""

import json
from dataclasses import replace

import pytest

from orchestrator.cli import plan_forecast, plan_text, screen
from orchestrator.model.forecasts import (
    Binding,
    Forecast,
    Gain,
    GroupPeak,
    Spread,
    WaveForecast,
    WhatIf,
)
from orchestrator.planning.drafting.freezing import freeze
from orchestrator.playbook.reading import read_playbook
from tests.support.playbooks import NOW, minimal, record, source

HOUR = 3600.0
START = 1_790_406_000.0  # 2026-09-26T07:00:00Z, when the window opens in Mexico
WINDOW = """
window:
  opens: "0 1 * * sat"
  lasts: 4h
  timezone: America/Mexico_City
"""


def same(value):
    return Spread(value, value, value)


def after(*seconds):
    return Spread(*(START + each for each in seconds))


NIGHT = Forecast(
    campaigns=50,
    begins_at=NOW,
    devices=200,
    ends_at=after(7800, 9600, 14_700),
    based_on=("reboot: 212 device runs of 3 earlier runs",),
    assumes=("approvals are given at once", "nobody else disturbs the devices"),
    verdicts={
        "unconfirmed": Spread(2, 4, 7),
        "succeeded": Spread(1960, 1990, 2000),
        "not_started": Spread(0, 0, 120),
    },
    waves=(
        WaveForecast(1, after(900, 1000, 1300), 1.0),
        WaveForecast(2, after(7800, 9600, 14_700), 0.98),
    ),
    opening=(START, START + 4 * HOUR),
    fits=0.96,
    left_at_cutoff=Spread(0, 0, 31),
    stopped={"budget": 0.04, "wave": 0.02},
    peak_down=same(25),
    worst_group=GroupPeak("Seattle", Spread(11, 12, 12)),
    requests=Spread(2024, 2040, 2061),
    peak_rate=Spread(1.25, 4.96, 5),
    bindings=(Binding("max_down", 0.83, 25), Binding("soak", 0.168), Binding("delay", 0.002, 0.2)),
    gain=Gain("max_down", 25, 40, START + 7800, START + 4800),
)
"""A night of two waves that mostly fits its window."""


def plan_of(forecast, more=WINDOW):
    text = source(minimal(more=more))
    plan = freeze(read_playbook(text), text, [record()], controller="c", now=NOW)
    return replace(plan, forecast=forecast)


def whole(forecast, more=WINDOW):
    return "\n".join(plan_forecast.lines(plan_of(forecast, more)))


def brief(forecast, more=WINDOW):
    return list(plan_forecast.brief(plan_of(forecast, more)))


def compared(*what_ifs, forecast=NIGHT, more=WINDOW):
    return "\n".join(plan_forecast.side_by_side(plan_of(forecast, more), what_ifs))


def row(text, title):
    """Give the cells of one row that fits on one line."""
    line = next(line for line in text.splitlines() if line.strip().startswith(title))
    return line.strip().removeprefix(title).split()


def test_the_whole_forecast_is_told_with_its_figures_and_what_holds_it_up():
    assert (
        whole(NIGHT)
        == """\
Forecast over 50 imagined campaigns, clocks of America/Mexico_City:
  begins    started Mon 2026-09-21 08:13, it waits for the window until Sat
            2026-09-26 01:00

                    P50    P90   most
  wave 1 ends     01:15  01:16  01:21
  wave 2 ends     03:10  03:40  05:05  reached by 98%
  ends            03:10  03:40  05:05
  takes           2h10m  2h40m   4h5m
  succeeded       1,960  1,990  2,000
  unconfirmed         2      4      7
  not started         0      0    120
  left at cutoff      0      0     31  without a verdict then
  down at once       25     25     25  out of service through this run
  worst group        11     12     12  down at once: Seattle
  requests        2,024  2,040  2,061  for operations
  peak rate         1.2      5      5  a second, in the busiest minute
  P50: half of the campaigns stay at or below it; P90: nine of ten do.

  window    96% of the campaigns have every verdict inside the opening Sat
            2026-09-26 01:00 to 05:00
  stopped   by its budget in 2 of 50 campaigns
            by the gate behind a wave in 1 of 50 campaigns
  slowest   max_down 25 holds it up 83% of the time, the soak between waves 17%,
            delay 200ms under 1%
            max_down 40 would end it at 02:20 instead of 03:10
  based on  reboot: 212 device runs of 3 earlier runs
  assumes   approvals are given at once
            nobody else disturbs the devices"""
    )


def test_before_a_run_the_end_the_outages_and_the_slowest_limit_are_told():
    assert brief(NIGHT) == [
        (
            "ends about Sat 2026-09-26 03:10, by 03:40 in 9 of 10; 96% inside the window"
            " (clocks of America/Mexico_City)"
        ),
        "about 1,960 of 200 devices succeed; down at most 25 (12 in Seattle)",
        "stopped by its budget in 2 of 50 campaigns",
        "stopped by the gate behind a wave in 1 of 50 campaigns",
        (
            "slowest: max_down 25 for 83% of the time; max_down 40 would end it at 02:20 instead"
            " of 03:10"
        ),
    ]


BARE = Forecast(1, NOW, 1, Spread(NOW + 90, NOW + 95, NOW + 100.5), ())


def test_a_forecast_without_a_window_a_group_or_a_limit_leaves_them_out():
    assert (
        whole(BARE, more="")
        == """\
Forecast over 1 imagined campaign, clocks of UTC:
  begins    started Mon 2026-09-21 14:13:20

                     P50       P90      most
  ends          14:14:50  14:14:55  14:15:00
  takes            1m30s     1m35s     1m40s
  down at once         0         0         0  out of service through this run
  requests             0         0         0  for operations
  peak rate            0         0         0  a second, in the busiest minute
  P50: half of the campaigns stay at or below it; P90: nine of ten do.

  campaigns fewer than 50 (larger sets use fewer): all shares and P90s are the
            rougher"""
    )
    assert brief(BARE, more="") == [
        "ends about Mon 2026-09-21 14:14:50, by 14:14:55 in 9 of 10 (clocks of UTC)",
        "about 0 of 1 device succeed; down at most 0",
    ]


def test_both_views_of_a_plan_hold_its_forecast_the_short_one_a_few_lines():
    plan = plan_of(NIGHT)

    short = "\n".join(plan_text.brief(plan))
    long = "\n".join(plan_text.full(plan, everyone=False))

    assert "\n  forecast  ends about Sat 2026-09-26 03:10, by 03:40 in 9 of 10; 96%" in short
    assert "imagined" not in short
    assert f"\n\n{whole(NIGHT)}\n\nNext openings" in long
    assert "  forecast  " not in long
    assert plan_text.as_object(plan)["forecast"] == plan_forecast.as_object(NIGHT)


def test_without_a_forecast_the_whole_plan_says_that_there_is_none():
    assert whole(None) == "Forecast: none was made."
    assert brief(None) == []
    assert plan_forecast.as_object(None) is None
    assert compared(WhatIf("max_down=40", NIGHT), forecast=None) == ""


@pytest.mark.parametrize(
    ("share", "told"),
    [(0, "0%"), (0.002, "under 1%"), (0.5, "50%"), (0.997, "over 99%"), (1.0, "100%")],
)
def test_only_what_is_certain_is_told_as_certain(share, told):
    assert f"; {told} inside the window" in brief(replace(NIGHT, fits=share))[0]


@pytest.mark.parametrize(
    ("binding", "told"),
    [
        (Binding("max_down_per", 0.5, 1), "max_down_per 1"),
        (Binding("in_flight", 0.5, 20.0), "in_flight 20"),
        (Binding("delay", 0.5, 90), "delay 1m30s"),
        (Binding("per_second", 0.5, 0.5), "per_second 0.5"),
        (Binding("budget", 0.5), "the budget"),
        (Binding("budget", 0.5, 3), "the budget 3"),
        (Binding("ramp", 0.5), "the ramp"),
        (Binding("wave", 0.5), "the end of a wave"),
        (Binding("soak", 0.5), "the soak between waves"),
        (Binding("approval", 0.5), "the approval"),
        (Binding("window", 0.5), "the closed window"),
        (Binding("devices", 0.5), "the devices' own time"),
        (Binding("max_down", 0.5, 1_000_000), "max_down 1,000,000"),
    ],
)
def test_every_limit_that_can_bind_has_its_words(binding, told):
    forecast = replace(NIGHT, bindings=(binding,), gain=None)

    assert brief(forecast)[-1] == f"slowest: {told} for 50% of the time"
    assert f"\n  slowest   {told} holds it up 50% of the time\n" in whole(forecast)


def test_a_limit_that_never_held_anything_up_is_not_told():
    idle = replace(NIGHT, bindings=(Binding("ramp", 0.0),), gain=None)

    assert "slowest" not in whole(idle)


@pytest.mark.parametrize(
    ("gain", "told"),
    [
        (Gain("max_down", 25, 40, START, START), "max_down 40 would not end it sooner"),
        (Gain("max_down", 25, 40, START, START + 900), "max_down 40 would not end it sooner"),
        (Gain("delay", 1, 0.5, START + 30, START), "delay 500ms would not end it sooner"),
        (
            Gain("delay", 1, 0.5, START + 30 * HOUR, START),
            "delay 500ms would end it at Sat 09-26 01:00 instead of Sun 09-27 07:00",
        ),
        (
            Gain("strict", 1, 0, START + 7800, START + 6000),
            "without strict it would end at 02:40 instead of 03:10",
        ),
        (Gain("strict", 1, 0, START + 60, START + 60), "without strict it would not end sooner"),
    ],
)
def test_what_raising_the_limit_would_bring_is_told_as_it_is(gain, told):
    assert brief(replace(NIGHT, gain=gain))[-1].endswith(f"; {told}")


def test_an_end_on_another_day_or_in_another_year_says_which():
    long = replace(NIGHT, ends_at=after(24 * HOUR, 48 * HOUR, 120 * 24 * HOUR))

    assert brief(long)[0].startswith("ends about Sun 2026-09-27 01:00, by Mon 09-28 01:00 in 9")
    (ends,) = [line for line in whole(long).splitlines() if line.startswith("  ends ")]
    assert ends.endswith("  Sun 09-27 01:00  Mon 09-28 01:00  Sun 2027-01-24 01:00")


def test_the_same_day_of_another_month_is_another_day():
    month = replace(NIGHT, ends_at=after(60, 30 * 24 * HOUR, 30 * 24 * HOUR))

    assert "01:01, by Mon 10-26 01:00 in 9 of 10" in brief(month)[0]


def test_campaigns_that_are_over_before_the_window_opens_take_no_time():
    assert row(whole(replace(NIGHT, ends_at=same(NOW + 1))), "takes") == ["0s", "0s", "0s"]


def test_of_many_limits_those_that_hold_longest_are_told():
    names = ("ramp", "wave", "soak", "budget", "window", "approval", "in_flight", "max_down")
    bindings = tuple(Binding(name, 0.1) for name in names)

    told = " ".join(whole(replace(NIGHT, bindings=bindings)).split())

    assert "the approval 10%" in told
    assert "in_flight" not in told


def test_of_many_waves_the_first_and_the_last_are_told():
    waves = tuple(WaveForecast(number, after(60, 61, 62), 1.0) for number in range(1, 1001))

    told = [
        line.split("  ")[1]
        for line in whole(replace(NIGHT, waves=waves)).splitlines()
        if "wave" in line
    ]

    assert told[:8] == [
        *(f"wave {number} ends" for number in range(1, 7)),
        "993 more waves",
        "wave 1,000 ends",
    ]


def test_eight_waves_are_told_one_by_one():
    waves = tuple(WaveForecast(number, after(60, 61, 62), 1.0) for number in range(1, 9))

    told = whole(replace(NIGHT, waves=waves))

    assert "more waves" not in told
    assert "wave 8 ends" in told


def test_campaigns_without_an_end_in_sight_are_counted():
    told = " ".join(whole(cut(0.06)).split())

    assert "longer 3 of 50 campaigns were not over within the 60 days that are looked ahead" in told


HORIZON = 60 * 24 * HOUR


def cut(share, p50=7800, p90=9600, **more):
    """Give the night with that share of its campaigns not over within sixty days."""
    ends = after(
        HORIZON if share > 0.5 else p50, HORIZON if share > 0.1 else p90, HORIZON if share else p90
    )
    return replace(NIGHT, ends_at=ends, cut_short=share, **more)


@pytest.mark.parametrize(
    ("share", "ends", "takes", "told"),
    [
        (0.08, ["03:10", "03:40", "-"], ["2h10m", "2h40m", "over"], "03:10, by 03:40 in 9 of 10;"),
        (0.1, ["03:10", "-", "-"], ["2h10m", "over", "over"], "03:10, in 10% of the campaigns not"),
        (0.48, ["03:10", "-", "-"], ["2h10m", "over", "over"], "03:10, in 48% of the campaigns"),
        (
            0.5,
            ["-", "-", "-"],
            ["over"] * 3,
            "does not end within 60 days in 50% of the campaigns;",
        ),
        (1.0, ["-", "-", "-"], ["over"] * 3, "does not end within 60 days in 100% of the"),
    ],
)
def test_an_end_that_too_many_campaigns_did_not_reach_is_no_moment(share, ends, takes, told):
    forecast = cut(share)
    text, column = whole(forecast), compared(WhatIf("x=1", forecast))

    assert [
        each.replace("not within 60 days", "-")
        for each in cells(text, "ends", "not within 60 days")
    ] == ends
    assert [each.removesuffix(" 60 days") for each in cells(text, "takes", "over 60 days")] == takes
    assert told in brief(forecast)[0]
    assert column.count("not within 60") == sum(each == "-" for each in ends[:2])
    assert "11-25" not in "".join((text, column, *brief(forecast)))
    known = plan_forecast.as_object(forecast)["ends_at"]
    assert [known[name] is None for name in ("p50", "p90", "most")] == [e == "-" for e in ends]


def cells(text, title, phrase):
    """Give the cells of one row, one of which may be a phrase."""
    line = next(line for line in text.splitlines() if line.startswith(f"  {title} "))
    whole_phrase = line.replace(phrase, phrase.replace(" ", "_"))
    return [each.replace("_", " ") for each in whole_phrase.split()[1:]]


@pytest.mark.parametrize(
    ("gain", "told"),
    [
        (
            Gain("max_down", 25, 40, START + HORIZON, START + 7800),
            "max_down 40 would end it at 03:10 instead of not within 60 days",
        ),
        (
            Gain("max_down", 25, 40, START + HORIZON, START + HORIZON),
            "max_down 40 would not end it within 60 days",
        ),
        (
            Gain("strict", 1, 0, START + HORIZON, START + HORIZON),
            "without strict it would not end within 60 days",
        ),
    ],
)
def test_a_gain_names_no_end_that_was_not_seen(gain, told):
    forecast = cut(0.6, gain=gain)

    assert brief(forecast)[-1].endswith(f"; {told}")
    known = plan_forecast.as_object(forecast)["gain"]
    assert known["ends_at"] is None
    assert (known["instead"] is None) is (gain.instead == START + HORIZON)


ASKED = "the gate before wave 2 cannot tell and asks a person"


def test_gates_that_cannot_tell_are_told_with_what_the_times_take_for_granted():
    forecast = replace(NIGHT, asked={"wave 10": 0.02, "wave 2": 0.6, "wave 3": 0.2, "wave 4": 0.0})
    sentence = (
        f"in 60% of the campaigns {ASKED}, in 20% the one before wave 3, in 2% the one before"
        " wave 10; the times take the answer as given at once"
    )

    assert f"asks {sentence} slowest" in " ".join(whole(forecast).split())
    assert sentence in brief(forecast)
    assert "asks" not in whole(NIGHT)


def test_of_many_gates_the_likeliest_are_told_and_rare_ones_only_in_the_whole_plan():
    many = replace(NIGHT, asked={f"wave {number}": 0.01 * number for number in range(2, 9)})

    assert "in 5% the one before wave 5, in fewer 3 other gates; the times" in " ".join(
        whole(many).split()
    )
    assert not [line for line in brief(many) if "asks a person" in line]
    assert [line for line in brief(replace(NIGHT, asked={"wave 2": 0.1})) if ASKED in line]


def test_a_question_to_people_has_its_row_beside_what_else_could_be_done():
    told = compared(WhatIf("failure=3%", replace(NIGHT, asked={"wave 2": 0.6})))

    assert row(told, "asks a person") == ["never", "60%", "before"]
    assert "asks a person" not in compared(WhatIf("failure=3%", NIGHT))


def test_a_note_without_room_beside_its_figures_stands_below_them(monkeypatch):
    long = replace(NIGHT, ends_at=after(24 * HOUR, 48 * HOUR, 120 * 24 * HOUR))
    told = whole(long).splitlines()

    place = next(n for n, line in enumerate(told) if line.startswith("  worst group"))
    assert told[place].endswith(" 12")
    assert told[place + 1] == "      down at once: Seattle"
    assert max(map(len, told)) <= 80
    monkeypatch.setattr(screen, "width", lambda: 120)
    assert "  12  down at once: Seattle\n" in whole(long)


def test_a_note_stands_beside_its_figures_where_it_has_room_for_a_few_words(monkeypatch):
    (start,) = {line.index("reached") for line in whole(NIGHT).splitlines() if "reached" in line}

    monkeypatch.setattr(screen, "width", lambda: start + 24)
    assert "  reached by 98%" in whole(NIGHT)
    assert "\n      reached by" not in whole(NIGHT)
    monkeypatch.setattr(screen, "width", lambda: start + 23)
    assert "\n      reached by 98%\n" in whole(NIGHT)


def test_a_very_long_name_of_a_group_is_cut():
    forecast = replace(NIGHT, worst_group=GroupPeak("S" * 5000, same(12)))

    told = (whole(forecast), *brief(forecast), compared(WhatIf("x=1", forecast)))
    assert max(text.count("S") for text in told) <= 100


def test_fewer_campaigns_than_usual_are_said_so():
    assert "campaigns fewer than 50" in whole(replace(NIGHT, campaigns=49))
    assert "fewer than 50" not in whole(NIGHT)


def test_a_run_that_starts_inside_its_window_does_not_wait():
    inside = replace(NIGHT, begins_at=START + 60)

    assert "  begins    started Sat 2026-09-26 01:01\n" in whole(inside)


FASTER = replace(
    NIGHT,
    ends_at=after(4800, 6000, 7000),
    fits=1.0,
    peak_down=Spread(38, 40, 40),
    stopped={},
    bindings=(Binding("max_down_per", 0.6, 12),),
)
WORSE = replace(
    NIGHT,
    verdicts={"failed": Spread(6, 6, 6), "not_started": Spread(140, 180, 190), "in_doubt": same(1)},
    ends_at=after(24 * HOUR, 25 * HOUR, 26 * HOUR),
    stopped={"budget": 0.94, "wave": 0.02},
    left_at_cutoff=Spread(140.5, 180, 190),
)

TABLE = """\
What if, begun Sat 2026-09-26 01:00, clocks of America/Mexico_City:
  Numbers are P50; where it is another one, P90 stands after a slash.

                as planned      max_down=40     max_down=40,
                                                failure=3%
end P50         03:10           02:20           Sun 09-27
                                                01:00
end P90         03:40           02:40           Sun 09-27
                                                02:00
in the window   96%             100%            96%
left at cutoff  0               0               140 / 180
peak down       25              38 / 40         25
worst group     11 / 12 in      11 / 12 in      11 / 12 in
                Seattle         Seattle         Seattle
succeeded       1,960           1,960           0
failed          0               0               6
unconfirmed     2               2               0
in doubt        0               0               1
not started     0               0               140
stopped         4% by its       never           94% by its
                budget, 2% by                   budget, 2% by
                the gate                        the gate
                behind a wave                   behind a wave
requests        2,024 / 2,040   2,024 / 2,040   2,024 / 2,040
binds most      max_down 25,    max_down_per    max_down 25,
                83%             12, 60%         83%"""


def test_what_if_stands_beside_what_is_planned():
    told = compared(WhatIf("max_down=40", FASTER), WhatIf("max_down=40,failure=3%", WORSE))

    assert told == TABLE


@pytest.mark.parametrize("width", [80, 100, 120])
def test_four_columns_stand_beside_each_other_and_more_in_a_second_block(monkeypatch, width):
    monkeypatch.setattr(screen, "width", lambda: width)
    labels = ["max_down=40", "max_down_per.location_name=12,strict=no", "delay=1s", "failure=3%"]

    told = compared(*(WhatIf(label, WORSE) for label in labels))

    assert max(map(len, told.splitlines())) <= width
    first, second = told.split("\n\n")[1:]
    assert row(first, "as planned")[0] == "max_down=40"
    assert row(first, "end P50")[0] == "03:10"
    assert row(second, "as planned") == ["failure=3%"]
    assert row(second, "failed") == ["0", "6"]


def test_what_is_the_same_for_all_or_not_known_takes_no_row():
    plain = replace(NIGHT, opening=None, fits=None, left_at_cutoff=None, worst_group=None)
    told = compared(WhatIf("delay=1s", replace(plain, bindings=())), forecast=plain, more="")

    titles = [line[:14].strip() for line in told.splitlines()[3:]]
    assert not {"in the window", "left at cutoff", "worst group", "in doubt", "campaigns"} & {
        *titles
    }
    assert row(told, "binds most") == ["max_down", "25,", "-"]


def test_columns_of_different_numbers_of_campaigns_say_how_many():
    told = compared(WhatIf("delay=1s", replace(FASTER, campaigns=1000)))

    assert row(told, "campaigns") == ["50", "1,000"]


def test_where_only_one_column_knows_a_figure_the_other_shows_that_it_is_unknown():
    told = compared(
        WhatIf("x=1", replace(FASTER, fits=None, left_at_cutoff=None, worst_group=None))
    )

    assert row(told, "in the window") == ["96%", "-"]
    assert row(told, "left at cutoff") == ["0", "-"]
    assert row(told, "worst group")[-1] == "-"


def test_nothing_is_compared_where_nothing_was_asked():
    assert compared() == ""


def test_a_program_gets_every_figure():
    forecast = replace(NIGHT, asked={"wave 2": 0.6})
    told = json.loads(json.dumps(plan_forecast.as_object(forecast)))

    assert told == {
        "campaigns": 50,
        "begins_at": "2026-09-21T14:13:20.000000Z",
        "devices": 200,
        "ends_at": {
            "p50": "2026-09-26T09:10:00.000000Z",
            "p90": "2026-09-26T09:40:00.000000Z",
            "most": "2026-09-26T11:05:00.000000Z",
        },
        "waves": [
            {
                "wave": 1,
                "ends_at": {
                    "p50": "2026-09-26T07:15:00.000000Z",
                    "p90": "2026-09-26T07:16:40.000000Z",
                    "most": "2026-09-26T07:21:40.000000Z",
                },
                "reached": 1.0,
            },
            {"wave": 2, "ends_at": told["ends_at"], "reached": 0.98},
        ],
        "opening": {
            "start": "2026-09-26T07:00:00.000000Z",
            "end": "2026-09-26T11:00:00.000000Z",
        },
        "inside_the_window": 0.96,
        "left_at_cutoff": {"p50": 0, "p90": 0, "most": 31},
        "verdicts": {
            "unconfirmed": {"p50": 2, "p90": 4, "most": 7},
            "succeeded": {"p50": 1960, "p90": 1990, "most": 2000},
            "not_started": {"p50": 0, "p90": 0, "most": 120},
        },
        "stopped": {"budget": 0.04, "wave": 0.02},
        "asked": {"wave 2": 0.6},
        "cut_short": 0.0,
        "peak_down": {"p50": 25, "p90": 25, "most": 25},
        "worst_group": {"group": "Seattle", "peak_down": {"p50": 11, "p90": 12, "most": 12}},
        "requests": {"p50": 2024, "p90": 2040, "most": 2061},
        "peak_rate": {"p50": 1.25, "p90": 4.96, "most": 5},
        "bindings": [
            {"limit": "max_down", "value": 25, "share": 0.83},
            {"limit": "soak", "value": None, "share": 0.168},
            {"limit": "delay", "value": 0.2, "share": 0.002},
        ],
        "gain": {
            "limit": "max_down",
            "value": 25,
            "raised": 40,
            "ends_at": "2026-09-26T09:10:00.000000Z",
            "instead": "2026-09-26T08:20:00.000000Z",
        },
        "based_on": ["reboot: 212 device runs of 3 earlier runs"],
        "assumes": ["approvals are given at once", "nobody else disturbs the devices"],
    }


def test_a_program_hears_what_a_bare_forecast_does_not_know():
    told = plan_forecast.as_object(BARE)

    unknown = ("opening", "inside_the_window", "left_at_cutoff", "worst_group", "gain")
    assert [told[name] for name in unknown] == [None] * len(unknown)


def test_a_program_gets_what_else_could_be_done_by_its_label():
    told = plan_forecast.what_ifs_as_object([WhatIf("max_down=40", FASTER), WhatIf("b=1", WORSE)])

    assert told == [
        {"what_if": "max_down=40", "forecast": plan_forecast.as_object(FASTER)},
        {"what_if": "b=1", "forecast": plan_forecast.as_object(WORSE)},
    ]


def test_a_group_with_a_hostile_name_stays_on_its_line():
    forecast = replace(NIGHT, worst_group=GroupPeak("Sea\nttle\x1b[2J", same(12)))
    plan = plan_of(forecast)

    told = [
        *plan_text.full(plan, everyone=False),
        *plan_text.brief(plan),
        *plan_forecast.side_by_side(plan, [WhatIf("x=1", forecast)]),
    ]

    assert not [line for line in told if line.startswith("ttle")]
