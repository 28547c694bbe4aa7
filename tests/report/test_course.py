"""How a run is led: waves and gates, windows, what people ordered, whom they were told."""

from orchestrator.model.events import (
    ApprovalAsked,
    ApprovalDenied,
    ApprovalGiven,
    CancelOrdered,
    ContinueOrdered,
    LimitOrdered,
    NotificationFailed,
    NotificationSent,
    PauseOrdered,
    RunStopped,
    WaveFinished,
    WaveJudged,
    WaveStarted,
    WindowClosed,
    WindowOpened,
)
from orchestrator.model.plans import Wave
from orchestrator.report.course import Course, LimitChange
from tests.support.histories import MEXICO, T0

PAUSE = PauseOrdered(T0, "alice", "noc-2", "smoke")
MADRID = "Europe/Madrid"


def led(*events, **given):
    course = Course(**given)
    for event in events:
        course.after(event)
    return course


def test_a_wave_goes_from_its_beginning_over_its_soak_to_its_gate():
    course = led(WaveStarted(T0, 1, 2), planned_waves=(Wave(2, 1), Wave(5)))
    course.end("succeeded")
    course.end("skipped")
    assert (course.wave.ended, course.wave.must_succeed, course.wave.soaks) == (2, 1, False)

    course.after(WaveFinished(T0 + 9, 1, {"succeeded": 2}, T0 + 20))
    assert course.wave.soaks

    course.after(WaveJudged(T0 + 20, 1, "pass", "2 of 2"))
    assert not course.wave.soaks
    assert course.wave.judged.outcome == "pass"


def test_a_wave_without_a_soak_is_not_left_alone():
    assert not led(WaveStarted(T0, 1, 2), WaveFinished(T0, 1, {}, T0)).wave.soaks


def test_devices_that_had_no_turn_are_not_finished_devices_of_the_wave():
    course = led(WaveStarted(T0, 1, 2))
    for verdict in ("failed", "not_started", "deferred"):
        course.end(verdict)

    assert course.wave.ended == 1


def test_verdicts_between_two_waves_belong_to_none():
    course = led(WaveStarted(T0, 1, 2), WaveFinished(T0, 1, {}, T0 + 9))
    course.end("failed")

    assert course.wave.ended == 0


def test_a_gate_of_a_wave_that_never_began_is_no_wave():
    assert led(WaveJudged(T0, 7, "pass", "x")).waves == {}


def test_a_plan_of_one_wave_is_no_plan_in_waves():
    assert not led(WaveStarted(T0, 1, 2), planned_waves=(Wave(2),)).in_waves
    assert led(planned_waves=(Wave(1), Wave(1))).in_waves
    assert led(WaveStarted(T0, 1, 2)).in_waves
    assert not led().in_waves


def test_a_question_stands_until_it_is_answered():
    asked = ApprovalAsked(T0, "wave 2", "?")
    other = ApprovalAsked(T0, "step 3", "?")

    assert list(led(asked, other).asked) == ["wave 2", "step 3"]
    assert list(led(asked, other, ApprovalGiven(T0, "wave 2", "b", "h")).asked) == ["step 3"]
    assert led(asked, ApprovalDenied(T0, "wave 2", "b", "h")).asked == {}
    assert led(asked, other, PAUSE, RunStopped(T0, "person", "x")).asked == {}


def test_a_pause_by_a_person_stands_until_a_person_ends_it():
    assert led(PAUSE).paused == PAUSE
    assert led(PAUSE, ContinueOrdered(T0, "b", "h")).paused is None
    assert led(PAUSE, CancelOrdered(T0, "b", "h")).paused is None
    assert led(PAUSE, RunStopped(T0, "person", "x")).paused is None


def test_what_people_did_is_kept_in_order():
    acts = (PAUSE, ContinueOrdered(T0, "b", "h"), ApprovalGiven(T0, "step 3", "b", "h"))

    assert led(*acts).acts == list(acts)


def test_a_changed_limit_is_held_against_the_plan():
    def order(value, before):
        return LimitOrdered(T0, "alice", "noc-2", "max_down", value, before)

    course = led(order(10, 25), order(5, 10))

    assert course.limits == {"max_down": LimitChange(25, 5)}
    assert (course.limit("max_down", 25), course.limit("in_flight", 20)) == (5, 20)
    assert led(order(10, 25), order(25, 10)).limits == {}


def test_the_window_is_closed_when_it_is_closed_in_every_zone():
    closed = WindowClosed(T0, MADRID, T0 + 500)
    course = led(closed, WindowClosed(T0, MEXICO, T0 + 99))
    assert course.waits_for_window
    assert course.next_opening() == (T0 + 99, MEXICO)

    course.after(WindowOpened(T0 + 99, T0 + 200, MEXICO))
    assert not course.waits_for_window
    assert course.open_until() == (T0 + 200, MEXICO)
    assert course.next_opening() == (T0 + 500, MADRID)

    course.after(WindowClosed(T0 + 200, MEXICO))
    assert course.waits_for_window
    assert course.open_until() is None
    assert [each.closed.at for each in course.openings] == [T0 + 200]


def test_a_run_without_windows_waits_for_none():
    assert not led().waits_for_window
    assert led().next_opening() is None


def test_an_opening_that_is_told_again_after_a_crash_is_one_opening():
    opened = WindowOpened(T0, T0 + 200, MEXICO)
    again = WindowOpened(T0 + 50, T0 + 200, MEXICO)

    assert [each.opened for each in led(opened, again).openings] == [opened]


def test_messages_are_counted_and_the_last_that_failed_is_kept():
    failed = NotificationFailed(T0, "started", "mail", "refused")
    course = led(NotificationSent(T0, "started", "chat"), failed)

    assert (course.notified, course.unnotified, course.last_unnotified) == (1, 1, failed)
