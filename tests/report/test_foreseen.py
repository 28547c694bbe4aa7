"""A forecast held against its run: moved to the run's own beginning, judged only where it can be."""

from dataclasses import replace
from math import inf

import pytest

from orchestrator.model.events import (
    CancelOrdered,
    LimitOrdered,
    PauseOrdered,
    RunFinished,
    RunStopped,
    WindowClosed,
    WindowOpened,
)
from orchestrator.model.forecasts import Forecast, Spread, WaveForecast
from orchestrator.report.foreseen import (
    disturbances,
    foreseen,
    foreseen_ends,
    known_ends,
    moved,
    not_within,
)
from orchestrator.report.summary import Summary
from tests.support.histories import MEXICO, T0, finished, intended, run_started

PLAIN = Forecast(
    campaigns=50,
    begins_at=T0 - 1000,
    devices=3,
    ends_at=Spread(T0 - 900, T0 - 800, T0 - 700),
    based_on=(),
    verdicts={"succeeded": Spread(2, 3, 3)},
    requests=Spread(1, 2, 3),
)
NIGHTLY = replace(PLAIN, opening=(T0 + 500, T0 + 900), ends_at=Spread(T0 + 600, T0 + 700, T0 + 800))


def summary_of(*events, forecast=PLAIN):
    summary = Summary(forecast=forecast)
    for event in (run_started(), *events):
        summary.after(event)
    return summary


def figures(summary):
    return {each.name: each for each in foreseen(summary)}


def test_without_a_window_the_forecast_begins_when_the_run_does():
    summary = summary_of()

    assert moved(summary) == 1000
    assert foreseen_ends(summary) == (T0 + 100, T0 + 200)


def test_a_run_that_waits_for_the_same_opening_ends_when_it_was_foreseen_to():
    waits = (WindowClosed(T0, MEXICO, T0 + 500), WindowOpened(T0 + 500, T0 + 900, MEXICO))

    assert foreseen_ends(summary_of(*waits, forecast=NIGHTLY)) == (T0 + 600, T0 + 700)


def test_a_run_of_the_next_opening_ends_as_much_later():
    waits = (WindowClosed(T0, MEXICO, T0 + 86_900), WindowOpened(T0 + 86_900, T0 + 87_300, MEXICO))

    assert foreseen_ends(summary_of(*waits, forecast=NIGHTLY)) == (T0 + 87_000, T0 + 87_100)


@pytest.mark.parametrize(("lasted", "held"), [(150, True), (200, True), (201, False)])
def test_nine_of_ten_is_what_is_promised(lasted, held):
    found = figures(summary_of(RunFinished(T0 + lasted, {})))

    assert found["end"].held is found["lasts"].held is held
    assert found["lasts"].spread == Spread(100, 200, 300)
    assert found["lasts"].came_to == lasted


def test_the_end_of_a_stopped_run_says_nothing():
    found = figures(summary_of(RunStopped(T0 + 1, "person", "enough"), RunFinished(T0 + 2, {})))

    assert found["end"].came_to is None
    assert found["end"].held is None


def test_what_is_overdue_is_late_before_it_comes():
    waves = tuple(WaveForecast(n, Spread(T0 - 950, T0 - 850, T0 - 800), 1.0) for n in (1, 2))
    forecast = replace(PLAIN, waves=waves)

    early = figures(summary_of(intended(1, at=T0 + 150), forecast=forecast))
    late = figures(summary_of(intended(1, at=T0 + 201), forecast=forecast))
    over = figures(summary_of(RunFinished(T0 + 201, {}), forecast=forecast))

    assert [early[name].held for name in ("end", "lasts", "wave 1 ends")] == [None] * 3
    assert [late[name].held for name in ("end", "lasts", "wave 1 ends")] == [False] * 3
    assert "wave 1 ends" not in over


def test_more_than_foreseen_is_known_before_the_end_and_less_only_after_it():
    going = figures(summary_of(intended(1), intended(2)))
    over = figures(summary_of(intended(1), intended(2), intended(3)))
    ended = figures(summary_of(intended(1), RunFinished(T0 + 2, {})))

    assert going["requests"].held is None
    assert over["requests"].held is False
    assert ended["requests"].held is True


def test_successes_are_told_and_not_judged_and_a_new_trouble_is():
    ends = (finished(1), finished(2, verdict="failed"), RunFinished(T0 + 2, {}))
    found = figures(summary_of(*ends))

    assert (found["succeeded"].came_to, found["succeeded"].held) == (1, None)
    assert (found["failed"].spread, found["failed"].held) == (Spread(0, 0, 0), False)
    assert "in_doubt" not in found


def test_nothing_is_held_against_a_run_without_a_forecast_or_a_beginning():
    assert foreseen(Summary(forecast=PLAIN)) == []
    assert foreseen_ends(Summary(forecast=PLAIN)) is None
    assert foreseen(summary_of(forecast=None)) == []
    assert moved(summary_of(forecast=None)) == 0


def test_what_people_did_is_named():
    assert disturbances(summary_of()) == []
    assert disturbances(
        summary_of(
            PauseOrdered(T0 + 1, "ana", "noc-1"),
            LimitOrdered(T0 + 2, "ana", "noc-1", "max_down", 1, 2),
            CancelOrdered(T0 + 3, "ana", "noc-1"),
        )
    ) == ["a person paused it", "a person changed a limit", "a person cancelled it"]


SIXTY = 60 * 86_400


@pytest.mark.parametrize(
    ("share", "known"),
    [
        (0.0, (True, True, True)),
        (0.08, (True, True, False)),
        (0.1, (True, False, False)),
        (0.48, (True, False, False)),
        (0.5, (False, False, False)),
    ],
)
def test_an_end_is_known_while_few_enough_campaigns_were_cut_short(share, known):
    ends = known_ends(replace(PLAIN, cut_short=share))

    assert tuple(each != inf for each in (ends.p50, ends.p90, ends.most)) == known


def test_an_end_that_is_not_known_judges_nothing():
    forecast = replace(PLAIN, cut_short=0.2)

    over = figures(summary_of(RunFinished(T0 + 90_000, {}), forecast=forecast))
    late = figures(summary_of(intended(1, at=T0 + 201), forecast=forecast))

    assert over["end"].came_to == T0 + 90_000
    assert (over["end"].spread.p50, over["end"].spread.p90) == (T0 + 100, inf)
    assert (over["lasts"].spread.p50, over["lasts"].spread.p90) == (100, inf)
    assert [found[name].held for found in (over, late) for name in ("end", "lasts")] == [None] * 4


@pytest.mark.parametrize(
    ("forecast", "told"),
    [
        (replace(PLAIN, ends_at=Spread(T0, T0, T0 - 1000 + SIXTY)), "not within 60 days"),
        (replace(NIGHTLY, ends_at=Spread(T0, T0, T0 + 500 + SIXTY)), "not within 60 days"),
        (replace(PLAIN, ends_at=Spread(T0, T0, T0 - 1000 + 5400)), "not within 1h30m"),
    ],
)
def test_what_is_not_known_is_as_far_away_as_was_looked(forecast, told):
    assert not_within(replace(forecast, cut_short=0.5)) == told
