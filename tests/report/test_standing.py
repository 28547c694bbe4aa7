"""Where a run stands, in a few words and in whole sentences."""

import pytest

from orchestrator.model.events import (
    ApprovalAsked,
    PauseOrdered,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunStopped,
    WaveFinished,
    WaveStarted,
    WindowClosed,
)
from orchestrator.model.plans import Wave
from orchestrator.report import standing
from orchestrator.report.course import Course
from orchestrator.report.standing import in_short, matters
from orchestrator.report.summary import State, Summary
from tests.support.histories import MEXICO, T0, accepted, finished, intended, run_started

PAUSE = PauseOrdered(T0, "alice", "noc-2", "smoke")
ASKED = ApprovalAsked(T0, "wave 2", "May it?")
CLOSED = WindowClosed(T0, MEXICO, T0 + 3600)
WAVE = WaveStarted(T0, 1, 2)
SOAK = WaveFinished(T0, 1, {"succeeded": 2}, T0 + 300)


def summary_of(*events):
    summary = Summary(course=Course(planned_waves=(Wave(2), Wave(3))))
    for event in (run_started(), *events):
        summary.after(event)
    return summary


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([], "running"),
        ([WAVE], "running (wave 1 of 2)"),
        ([WAVE, SOAK], "soaking (wave 1 of 2)"),
        ([CLOSED], "waiting for window"),
        ([ASKED], "waiting for approval (wave 2)"),
        ([ASKED, PAUSE], "paused by alice"),
        ([RunPaused(T0, "token", "401")], "paused (token)"),
        ([PAUSE, RunStopped(T0, "budget", "x")], "stopped (budget)"),
        (
            [RunStopped(T0, "invalid_request", "x"), RunFinished(T0, {})],
            "stopped (invalid request)",
        ),
        ([RunFinished(T0, {})], "finished"),
        ([WAVE, RunInterrupted(T0, "Ctrl-C")], "interrupted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_is_said_in_a_few_words(events, told):
    assert in_short(summary_of(*events)) == told


def test_a_run_that_nobody_drives_is_interrupted_whatever_holds_it():
    summary = summary_of(PAUSE)

    assert in_short(summary, driven=False) == "interrupted"
    assert [state for state, _ in matters(summary)] == [State.PAUSED]


def test_whatever_holds_the_run_is_a_sentence():
    assert dict(matters(summary_of(WAVE, SOAK, CLOSED, ASKED, PAUSE))) == {
        State.PAUSED: "paused by alice on noc-2: smoke",
        State.WAITING_FOR_APPROVAL: "waiting for approval of wave 2: May it?",
        State.WAITING_FOR_WINDOW: (
            "waiting for window: it opens at 2026-11-21 23:15 in America/Mexico_City"
            " (2026-11-22 05:15:00Z)"
        ),
        State.SOAKING: "soaking: wave 1 of 2 is left alone until 2026-11-22 04:20:00Z",
    }


def test_the_controller_and_a_person_may_both_hold_it():
    told = [each for _, each in matters(summary_of(PAUSE, RunPaused(T0, "token", "401")))]

    assert told == ["paused because of the token: 401", "paused by alice on noc-2: smoke"]


def test_a_stopped_run_waits_for_nothing_more():
    held = (WAVE, SOAK, CLOSED, ASKED, PAUSE)

    assert list(matters(summary_of(*held, RunStopped(T0, "wave", "1 of 2 succeeded")))) == [
        (State.STOPPED, "stopped by the gate behind a wave: 1 of 2 succeeded")
    ]


def test_a_finished_run_waits_for_nothing():
    assert list(matters(summary_of(CLOSED, RunFinished(T0, {})))) == []


def test_a_window_that_never_opens_again_is_said_so():
    [(_, told)] = matters(summary_of(WindowClosed(T0, MEXICO)))

    assert told == "waiting for window: it never opens again in this run"


END = RunFinished(T0, {})


def skipped(*devices):
    return [finished(device, verdict="skipped", reason="Down") for device in devices]


def test_a_run_that_skipped_everything_did_nothing():
    assert standing.nothing_done(summary_of(*skipped(1, 2, 3), END)) == (
        "nothing was done: all 3 devices were skipped"
    )


def test_a_run_that_skipped_its_only_device_did_nothing():
    summary = Summary()
    for event in (run_started(devices=1), *skipped(1), END):
        summary.after(event)

    assert standing.nothing_done(summary) == "nothing was done: the only device was skipped"


def test_a_run_that_skipped_everything_after_it_had_sent_something_did_do_something():
    sent = (intended(1), accepted(1))

    assert standing.nothing_done(summary_of(*sent, *skipped(1, 2, 3), END)) == (
        "no device succeeded: all 3 devices were skipped"
    )


def test_a_run_that_found_everything_as_it_should_be_had_nothing_to_do():
    so = [finished(device, verdict="already_ok") for device in (1, 2, 3)]

    assert standing.nothing_to_do(summary_of(*so, END)) == (
        "nothing had to be done: all 3 devices were already ok"
    )
    assert standing.nothing_to_do(summary_of(*so)) == ""
    assert standing.nothing_to_do(summary_of(*so[:2], finished(3), END)) == ""


@pytest.mark.parametrize(
    "events",
    [
        [*skipped(1, 2, 3)],
        [*skipped(1, 2), finished(3), END],
        [*skipped(1, 2), finished(3, verdict="failed"), END],
        [*skipped(1, 2), END],
        [END],
    ],
    ids=["not_over", "one_succeeded", "one_failed", "one_without_a_verdict", "nobody"],
)
def test_of_any_other_run_nothing_is_said(events):
    assert standing.nothing_done(summary_of(*events)) == ""


def test_of_a_run_without_devices_nothing_is_said():
    summary = Summary()
    for event in (run_started(devices=0), END):
        summary.after(event)

    assert standing.nothing_done(summary) == ""
