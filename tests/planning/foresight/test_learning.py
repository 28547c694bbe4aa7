"""A run's journal teaches how long its operations took and how they ended, and how right its plan was."""

import random
from dataclasses import replace

import msgspec
import pytest

from orchestrator.model.events import (
    ApprovalAsked,
    CancelOrdered,
    ContinueOrdered,
    LimitOrdered,
    OperationUnsent,
    PauseOrdered,
    RescueStarted,
    RunContinued,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    RunStopped,
    StepFailed,
    StepForgiven,
    StepStarted,
    WindowClosed,
    WindowOpened,
)
from orchestrator.model.forecasts import Forecast, Spread
from orchestrator.model.operations import Operation
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.foresight.experiencing import Outcomes
from orchestrator.planning.foresight.learning import Lesson, learn, put_together
from orchestrator.planning.foresight.rehearsing import Rehearsal
from tests.support.campaigns import START, Setting
from tests.support.histories import (
    EVERY_KIND,
    MEXICO,
    T0,
    careful_story,
    finished,
    intended,
    run_started,
    succeeded,
)
from tests.support.recorded_runs import CAREFUL, REDEPLOY, careful_plan, plan_of

FACTORY, RECONF, SYNC = Operation.FACTORY, Operation.RECONF, Operation.SYNC
UNCONFIRMED, FAILED, IN_DOUBT = Verdict.UNCONFIRMED, Verdict.FAILED, Verdict.IN_DOUBT


def plan_with_kinds(*kinds, text=REDEPLOY, **changes):
    """Devices 1, 2, 3 and so on, of these types."""
    plan = plan_of(*range(1, len(kinds) + 1), text=text, **changes)
    devices = tuple(
        msgspec.structs.replace(device, kind=kind)
        for device, kind in zip(plan.devices, kinds, strict=True)
    )
    return replace(plan, devices=devices)


PLAN = plan_of(1, 2, 3)


def walk(device, seconds, *, at=T0):
    """One device that is wiped and proven back in so many seconds."""
    return [intended(device, at=at), succeeded(device, at=at + seconds)]


def lost(device, seconds, verdict="unconfirmed", *, at=T0, step=0):
    return StepFailed(at + seconds, device, step, verdict, "no return within 20m")


def learnt(events, operation=FACTORY, kind=None, plan=PLAN):
    return learn(events, plan).by_kind.get((operation, kind), Outcomes())


# --- device runs --------------------------------------------------------------------------------


def test_a_proven_step_is_measured_from_its_first_request_to_its_proof():
    told = learnt([*walk(2, 120.0), *walk(1, 100.0)])

    assert told == Outcomes(seconds=(100.0, 120.0), requests=2, runs=1)
    assert told.tried == 2


def test_every_step_counts_for_its_own_operation():
    story = [
        *walk(1, 100.0),
        intended(1, at=T0 + 101, step=1, operation="reconf"),
        succeeded(1, at=T0 + 140, step=1),
    ]

    assert learnt(story, FACTORY).seconds == (100.0,)
    assert learnt(story, RECONF).seconds == (39.0,)


def test_types_of_devices_are_told_apart_and_put_together():
    plan = plan_with_kinds("router-a", "router-b", None)
    story = [*walk(1, 100.0), *walk(2, 300.0), *walk(3, 200.0)]

    assert learnt(story, kind="router-a", plan=plan).seconds == (100.0,)
    assert learnt(story, kind="router-b", plan=plan).seconds == (300.0,)
    assert learnt(story, kind=None, plan=plan) == Outcomes((100.0, 200.0, 300.0), (), 0, 3, runs=1)


def test_figures_stand_in_ascending_order_whoever_was_first():
    plan = plan_with_kinds("router-a", "router-a")
    story = [*walk(1, 300.0), *walk(2, 100.0)]

    assert learnt(story, kind="router-a", plan=plan).seconds == (100.0, 300.0)
    assert learnt(story, plan=plan).seconds == (100.0, 300.0)


def test_retries_inside_a_step_belong_to_its_seconds_and_its_requests():
    story = [
        intended(1),
        intended(1, at=T0 + 30, attempt=2),
        intended(1, at=T0 + 90, attempt=3),
        succeeded(1, at=T0 + 190),
    ]

    assert learnt(story) == Outcomes((190.0,), requests=3, runs=1)


def test_a_request_that_never_left_this_machine_is_none():
    story = [
        intended(1),
        OperationUnsent(T0 + 1, 1, 0, 1, "connection refused"),
        intended(1, at=T0 + 5, attempt=2),
        succeeded(1, at=T0 + 100),
    ]

    assert learnt(story) == Outcomes((100.0,), requests=1, runs=1)


@pytest.mark.parametrize("verdict", [UNCONFIRMED, FAILED, IN_DOUBT])
def test_a_step_that_was_not_proven_is_a_failure_after_so_many_seconds(verdict):
    story = [
        intended(1),
        lost(1, 1500.0, verdict.value),
        finished(1, at=T0 + 1500, verdict=verdict.value),
    ]

    assert learnt(story) == Outcomes((), ((verdict, 1500.0),), requests=1, runs=1)


def test_a_forgiven_step_is_a_failure_of_that_step_and_the_next_counts_as_usual():
    story = [
        intended(1),
        lost(1, 1500.0),
        StepForgiven(T0 + 1500, 1, 0, "unconfirmed", "no return within 20m"),
        intended(1, at=T0 + 1501, step=1, operation="reconf"),
        succeeded(1, at=T0 + 1531, step=1),
        finished(1, at=T0 + 1531, verdict="unconfirmed", step=1),
    ]

    assert learnt(story, FACTORY).failures == ((UNCONFIRMED, 1500.0),)
    assert learnt(story, RECONF) == Outcomes((30.0,), requests=1, runs=1)


def test_a_step_that_led_to_the_rescue_is_a_failure_and_the_rescue_is_measured_too():
    plan = plan_of(1, text=CAREFUL)
    story = [
        intended(1),
        lost(1, 1500.0),
        RescueStarted(T0 + 1500, 1, 2, "unconfirmed"),
        intended(1, at=T0 + 1501, step=2, operation="sync"),
        succeeded(1, at=T0 + 1561, step=2),
        finished(1, at=T0 + 1561, verdict="unconfirmed"),
    ]

    assert learnt(story, FACTORY, plan=plan).failures == ((UNCONFIRMED, 1500.0),)
    assert learnt(story, SYNC, plan=plan).seconds == (60.0,)


def test_a_device_skipped_before_its_first_request_is_counted_beside_the_others():
    plan = plan_with_kinds("router-a", "router-a", "router-b")
    story = [
        finished(1, verdict="skipped", reason="status is Down"),
        *walk(2, 100.0),
        finished(3, verdict="skipped", reason="changed since the plan"),
    ]

    told = learnt(story, plan=plan)

    assert (told.skipped, told.tried) == (2, 1)
    assert learnt(story, kind="router-a", plan=plan).skipped == 1
    assert learnt(story, kind="router-b", plan=plan) == Outcomes(skipped=1, runs=1)


def test_a_device_skipped_after_a_request_is_not_kept_from_its_first():
    story = [*walk(1, 100.0), finished(1, at=T0 + 101, verdict="skipped", step=1)]

    assert learnt(story, RECONF) == Outcomes()


@pytest.mark.parametrize("verdict", ["not_started", "deferred", "succeeded"])
def test_a_device_that_ended_otherwise_before_its_first_request_teaches_nothing(verdict):
    assert learn([finished(1, verdict=verdict)], PLAN) == Lesson()


@pytest.mark.parametrize(
    "absence",
    [
        [RunPaused(T0 + 15, "controller", "gone"), RunContinued(T0 + 3000)],
        [RunInterrupted(T0 + 15, "Ctrl-C"), RunResumed(T0 + 3000, 2, "ana", "noc-1")],
        [RunResumed(T0 + 3000, 2, "ana", "noc-1")],
    ],
)
def test_a_device_run_that_nobody_watched_for_a_while_is_no_figure_and_the_others_are(absence):
    story = [
        *walk(3, 10.0),
        intended(1),
        intended(2),
        *absence,
        intended(1, at=T0 + 3001, attempt=2),
        succeeded(1, at=T0 + 3060),
        lost(2, 3070.0),
        finished(2, at=T0 + 3070, verdict="unconfirmed"),
        intended(1, at=T0 + 3100, step=1, operation="reconf"),
        succeeded(1, at=T0 + 3125, step=1),
    ]

    assert learnt(story, FACTORY) == Outcomes((10.0,), requests=1, runs=1)
    assert learnt(story, RECONF).seconds == (25.0,)


def test_a_pause_that_a_person_ordered_spoils_nothing_for_everybody_was_watched():
    story = [
        intended(1),
        PauseOrdered(T0 + 10, "alice", "noc-2"),
        ContinueOrdered(T0 + 60, "alice", "noc-2"),
        succeeded(1, at=T0 + 100),
    ]

    assert learnt(story).seconds == (100.0,)


def test_a_walk_that_was_given_up_because_the_run_stopped_is_no_failure_of_the_device():
    story = [
        intended(1),
        intended(2),
        RunStopped(T0 + 20, "person", "enough for tonight"),
        lost(1, 21.0, "failed"),
        lost(2, 1500.0, "unconfirmed"),
    ]

    assert learnt(story).failures == ((UNCONFIRMED, 1500.0),)


def test_a_retry_for_which_the_window_was_closed_is_no_failure_of_the_device():
    assert learnt([intended(1), lost(1, 600.0, "deferred")]) == Outcomes()


def test_what_is_not_over_and_what_is_no_operation_teaches_nothing():
    plan = plan_of(1, 2, text=REDEPLOY.replace("- operation: factory", "- sleep: 90s"))
    story = [
        StepStarted(T0, 1, 0, T0 + 90),
        succeeded(1, at=T0 + 90),
        intended(1, at=T0 + 91, step=1, operation="reconf"),
    ]

    assert learn(story, plan) == Lesson()


def test_what_does_not_belong_together_teaches_nothing():
    odd = [
        succeeded(1),
        lost(2, 5.0),
        intended(1, at=T0 + 50),
        succeeded(1, at=T0 + 40),
        intended(2, step=9),
        succeeded(2, step=9),
        finished(3, step=9, verdict="skipped"),
        intended(3),
        succeeded(3, step=1),
        StepFailed(T0, 3, 0, "bewitched", "who knows"),
    ]

    assert learn(odd, PLAN) == Lesson()


def test_what_came_before_a_device_had_its_verdict_is_over():
    story = [intended(1), finished(1, verdict="failed"), *walk(1, 100.0, at=T0 + 900)]

    assert learnt(story).seconds == (100.0,)


def test_a_device_that_the_plan_does_not_know_counts_for_all_types_only():
    lesson = learn(walk(77, 100.0), plan_with_kinds("router-a"))

    assert set(lesson.by_kind) == {(FACTORY, None)}


def test_every_kind_of_event_is_taken_without_a_word():
    learn(EVERY_KIND, PLAN)


def test_a_whole_story_adds_up():
    lesson = learn(careful_story(), careful_plan())

    factory = lesson.by_kind[FACTORY, None]
    assert factory.seconds == (100.0,) * 5
    assert sorted(seconds for _, seconds in factory.failures) == pytest.approx([98.0, 107.0])
    assert (factory.skipped, factory.requests) == (1, 7)
    assert lesson.by_kind[RECONF, None].seconds == (39.0,) * 5
    assert lesson.by_kind[SYNC, None].seconds == (59.0,)
    assert lesson.error is None


def test_a_rehearsed_campaign_leaves_one_figure_for_each_walk_of_each_step():
    setting = Setting(seed=3, devices=40)
    rehearsal = Rehearsal(setting.plan(), setting.world(), START + 1.0, random.Random(3).random)
    run = rehearsal.to_the_end()

    by_kind = learn(rehearsal.journal, rehearsal.plan).by_kind
    factory, reconf = by_kind[FACTORY, None], by_kind[RECONF, None]

    assert factory.tried + factory.skipped == 40
    assert reconf.tried == len(factory.seconds)
    assert len(reconf.seconds) == run.verdicts[Verdict.SUCCEEDED]


# --- how right the plan was ---------------------------------------------------------------------

HOUR = 3600.0


def foreseen(seconds=HOUR, *, begins_at=T0 - 600, **given):
    """A forecast that was made ten minutes before the run began."""
    end = begins_at + seconds
    measured = {"is_measured": True, **given}
    return Forecast(10, begins_at, 3, Spread(end, end + 60, end + 90), (), **measured)


def error(*between, took=HOUR, forecast=None):
    """How the plan was wrong of a run that took so long, with these events in it."""
    plan = replace(PLAN, forecast=forecast or foreseen())
    story = [run_started(), *between, RunFinished(T0 + took, {"succeeded": 3})]
    return learn(story, plan).error


def test_a_run_that_took_as_long_as_foreseen_was_foreseen_rightly():
    assert error() == 1.0


def test_the_error_is_the_time_it_took_over_the_time_foreseen():
    assert error(took=1.5 * HOUR) == 1.5
    assert error(took=0.5 * HOUR) == 0.5


def test_a_run_that_went_out_of_all_bounds_teaches_no_more_than_the_bounds():
    assert error(took=100 * HOUR) == 4.0
    assert error(took=60.0) == 0.25


def test_a_run_that_took_no_time_teaches_nothing_of_its_end():
    assert error(took=0.0) is None


def test_a_plan_without_forecast_was_not_wrong():
    assert learn([run_started(), RunFinished(T0 + HOUR, {})], PLAN).error is None


def test_a_forecast_from_defaults_teaches_nothing_of_those_from_measured_durations():
    assert error(forecast=foreseen(is_measured=False)) is None


def test_what_a_forecast_was_corrected_by_already_is_no_part_of_its_error():
    """Else a right correction would look like no error, and be taken back by the next forecast."""
    assert error(forecast=foreseen(1.5 * HOUR, corrected_by=1.5), took=1.5 * HOUR) == 1.5


def test_a_run_that_is_not_over_teaches_nothing_of_its_end():
    lesson = learn([run_started(), *walk(1, 100.0)], replace(PLAN, forecast=foreseen()))

    assert lesson.error is None
    assert lesson.by_kind[FACTORY, None].seconds == (100.0,)


@pytest.mark.parametrize(
    "event",
    [
        PauseOrdered(T0 + 5, "alice", "noc-2"),
        LimitOrdered(T0 + 5, "alice", "noc-2", "max_down", 5, 25),
        ApprovalAsked(T0 + 5, "wave 2", "May wave 2 begin?"),
        CancelOrdered(T0 + 5, "alice", "noc-2"),
        RunInterrupted(T0 + 5, "Ctrl-C"),
        RunResumed(T0 + 5, 2, "ana", "noc-1"),
        RunStopped(T0 + 5, "budget", "3 devices failed"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_nobody_could_foresee_makes_a_run_no_measure_of_its_forecast(event):
    assert error(event) is None


def test_the_time_in_which_the_controller_could_not_be_used_is_left_out():
    gone = [RunPaused(T0 + 60, "token", "not accepted"), RunContinued(T0 + 60 + HOUR)]

    assert error(*gone, took=2 * HOUR) == 1.0


def test_the_wait_for_the_window_is_no_part_of_it_on_either_side():
    opening = (T0 + 5 * HOUR, T0 + 9 * HOUR)
    forecast = foreseen(begins_at=T0 - 20 * HOUR, seconds=27 * HOUR, opening=opening)
    night = [
        WindowClosed(T0, MEXICO, opening[0]),
        WindowOpened(opening[0], opening[1], MEXICO),
    ]

    assert error(*night, took=8 * HOUR, forecast=forecast) == 1.5


def test_a_second_zone_that_opens_later_changes_nothing():
    both = [
        WindowOpened(T0 + HOUR, T0 + 9 * HOUR, MEXICO),
        WindowOpened(T0 + 2 * HOUR, T0 + 9 * HOUR, "Europe/Madrid"),
    ]

    assert error(*both, took=2 * HOUR) == 1.0


def test_a_run_of_several_nights_is_no_measure():
    nights = [
        WindowOpened(T0, T0 + HOUR, MEXICO),
        WindowClosed(T0 + HOUR, MEXICO, T0 + 24 * HOUR),
        WindowOpened(T0 + 24 * HOUR, T0 + 25 * HOUR, MEXICO),
    ]

    assert error(*nights, took=24.5 * HOUR) is None


@pytest.mark.parametrize(
    "given",
    [
        {"seconds": 0.0},
        {"cut_short": 0.5},
        {"stopped": {"budget": 0.3, "wave": 0.2}},
    ],
)
def test_a_forecast_that_saw_no_end_of_its_own_cannot_be_wrong_about_it(given):
    assert error(forecast=foreseen(**given)) is None
    assert error(forecast=foreseen(stopped={"budget": 0.4})) == 1.0


# --- several runs -------------------------------------------------------------------------------


def test_lessons_of_several_runs_add_up():
    plan = replace(plan_with_kinds("router-a", "router-b"), forecast=foreseen())
    one = [run_started(), *walk(1, 300.0), intended(2), lost(2, 1500.0)]
    other = [run_started(), *walk(1, 100.0), *walk(2, 200.0), RunFinished(T0 + 2 * HOUR, {})]

    known = put_together({"night-2": learn(one, plan), "night-1": learn(other, plan)})

    assert known.runs == ("night-2", "night-1")
    assert known.by_kind[FACTORY, "router-a"] == Outcomes((100.0, 300.0), requests=2, runs=2)
    assert known.by_kind[FACTORY, "router-b"] == Outcomes(
        (200.0,), ((UNCONFIRMED, 1500.0),), requests=2, runs=2
    )
    assert known.by_kind[FACTORY, None] == Outcomes(
        (100.0, 200.0, 300.0), ((UNCONFIRMED, 1500.0),), requests=4, runs=2
    )
    assert known.errors == (2.0,)


def test_a_run_that_taught_nothing_is_not_named():
    known = put_together({"night-2": Lesson(), "night-1": learn(walk(1, 100.0), PLAN)})

    assert known.runs == ("night-1",)
    assert known.by_kind[FACTORY, None].runs == 1


def test_of_a_lesson_only_some_operations_can_be_kept():
    story = [
        run_started(),
        *walk(1, 100.0),
        intended(1, at=T0 + 101, step=1, operation="reconf"),
        succeeded(1, at=T0 + 140, step=1),
        RunFinished(T0 + HOUR, {}),
    ]
    lesson = learn(story, replace(PLAN, forecast=foreseen()))

    kept = lesson.only({RECONF})

    assert set(kept.by_kind) == {(RECONF, None)}
    assert kept.error is None
    assert lesson.error == 1.0
    assert not lesson.only({SYNC}).tells


def test_a_device_whose_place_stayed_full_was_not_skipped_by_the_guard():
    full = "max_down_per location: 1 of 500 out of service (7), 1 allowed"
    story = [
        run_started(),
        *walk(1, 100.0),
        finished(2, at=T0 + 1800, verdict="skipped", reason=full),
    ]

    assert learn(story, PLAN).by_kind[FACTORY, None].skipped == 0
