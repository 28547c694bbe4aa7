"""When a run was held, and why."""

from orchestrator.model.events import (
    ApprovalAsked,
    ApprovalGiven,
    PauseOrdered,
    RunContinued,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    WindowClosed,
    WindowOpened,
)
from orchestrator.report.holds import Hold, Holds
from orchestrator.report.summary import Summary
from tests.support.histories import MEXICO, T0, finished, intended, run_started


def held(*events):
    summary = Summary()
    for event in (run_started(), *events):
        summary.after(event)
    return [
        (each.hold, each.since - T0, None if each.until is None else each.until - T0, each.why)
        for each in summary.holds.records
    ]


def test_a_hold_lasts_from_its_reason_to_its_end():
    assert held(
        RunPaused(T0 + 1, "token", "401"),
        RunContinued(T0 + 9),
        ApprovalAsked(T0 + 20, "wave 2", "May wave 2 begin?"),
        ApprovalGiven(T0 + 50, "wave 2", "ben", "noc-2"),
    ) == [
        (Hold.CONTROLLER, 1, 9, "401"),
        (Hold.APPROVAL, 20, 50, "wave 2"),
    ]


def test_holds_may_overlap():
    assert held(
        WindowClosed(T0 + 1, MEXICO, T0 + 50),
        PauseOrdered(T0 + 10, "ana", "noc-1", "smoke"),
        WindowOpened(T0 + 50, T0 + 90, MEXICO),
    ) == [
        (Hold.WINDOW, 1, 50, MEXICO),
        (Hold.PERSON, 10, None, "ana on noc-1: smoke"),
    ]


def test_a_run_that_is_over_is_held_by_nothing():
    assert held(PauseOrdered(T0 + 1, "ana", "noc-1"), RunFinished(T0 + 5, {})) == [
        (Hold.PERSON, 1, 5, "ana on noc-1")
    ]


def test_an_absence_counts_whether_it_was_announced_or_not():
    assert held(
        RunInterrupted(T0 + 5, "Ctrl-C"),
        RunResumed(T0 + 60, 2, "ben", "noc-2"),
        intended(1, at=T0 + 70),
        RunResumed(T0 + 300, 3, "ben", "noc-2"),
        finished(1, at=T0 + 310),
    ) == [
        (Hold.UNDRIVEN, 5, 60, "Ctrl-C"),
        (Hold.UNDRIVEN, 70, 300, "the process ended without a word"),
    ]


def test_only_so_many_are_kept_and_the_others_counted():
    holds = Holds(most=3)
    for at in range(10):
        holds.follow(at, {Hold.PERSON: "ana"} if at % 2 == 0 else {})

    assert [each.since for each in holds.records] == [0, 2, 4]
    assert holds.left_out == 2
