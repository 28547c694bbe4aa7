"""The mirror of a run: what its events add up to."""

import pytest

from orchestrator.model.events import (
    DeviceRelapsed,
    DeviceReturned,
    DoubtResolved,
    OperationLost,
    OperationRefused,
    OperationUnsent,
    RetryScheduled,
    RunContinued,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    RunStopped,
    SendingSlowed,
    StepFailed,
    StepHeld,
    StepStarted,
)
from orchestrator.model.operations import Operation
from orchestrator.model.plans import Limits, Plan
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.selections import Selection
from orchestrator.model.steps import OperationStep, SleepStep, default_proof
from orchestrator.report.summary import DeviceRow, State, Summary
from tests.support.histories import (
    EVERY_KIND,
    T0,
    accepted,
    finished,
    intended,
    planned,
    run_started,
    succeeded,
)


def told(*events, **given):
    summary = Summary(**given)
    for event in events:
        summary.after(event)
    return summary


STATES = {
    State.NEW: [],
    State.RUNNING: [run_started()],
    State.PAUSED: [run_started(), RunPaused(T0, "token", "401")],
    State.INTERRUPTED: [run_started(), RunInterrupted(T0, "Ctrl-C")],
    State.STOPPED: [run_started(), RunStopped(T0, "person", "ana")],
    State.FINISHED: [run_started(), RunFinished(T0, {})],
}


@pytest.mark.parametrize(("state", "events"), STATES.items(), ids=STATES)
def test_the_state_follows_the_turns_of_the_run(state, events):
    assert told(*events).state is state


def test_a_pause_is_over_when_the_run_continues():
    summary = told(run_started(), RunPaused(T0, "token", "401"), RunContinued(T0 + 30))

    assert summary.state is State.RUNNING
    assert (summary.pauses, summary.idle_seconds) == (1, 30)


def test_a_pause_is_over_when_another_process_takes_the_run_over():
    summary = told(run_started(), RunPaused(T0, "token", "401"), RunResumed(T0 + 30, 2, "b", "h"))

    assert summary.state is State.RUNNING
    assert summary.idle_seconds == 30


def test_a_resumed_run_is_running_and_the_gap_counts_as_idle():
    summary = told(
        run_started(), RunInterrupted(T0 + 10, "Ctrl-C"), RunResumed(T0 + 70, 2, "ben", "noc-2")
    )

    assert summary.state is State.RUNNING
    assert (summary.resumes, summary.interruptions, summary.idle_seconds) == (1, 1, 60)


def test_a_stopped_run_stays_stopped_when_the_rest_has_its_verdicts():
    summary = told(run_started(), RunStopped(T0, "person", "ana"), RunFinished(T0, {}))

    assert summary.state is State.STOPPED
    assert summary.is_over


def test_a_run_that_nobody_drives_and_that_is_not_over_is_interrupted():
    running, over = told(*STATES[State.RUNNING]), told(*STATES[State.FINISHED])

    assert running.state_if(driven=False) is State.INTERRUPTED
    assert running.state_if(driven=True) is State.RUNNING
    assert over.state_if(driven=False) is State.FINISHED
    assert told().state_if(driven=False) is State.NEW


def test_devices_are_counted_by_verdict_and_troubles_kept_in_order():
    ends = [
        finished(1),
        finished(2, verdict="failed", reason="404"),
        finished(3, verdict="skipped", reason="Down"),
        finished(4, verdict="in_doubt", reason="no sign"),
    ]
    summary = told(run_started(devices=5), *ends)

    assert summary.counts() == {
        "succeeded": 1,
        "failed": 1,
        "unconfirmed": 0,
        "in_doubt": 1,
        "skipped": 1,
        "deferred": 0,
        "not_started": 0,
    }
    assert [end.device for end in summary.troubles] == [2, 4]
    assert summary.has_trouble
    assert (summary.total, summary.finished) == (5, 4)


def test_a_second_verdict_of_a_device_is_not_counted():
    summary = told(run_started(), finished(1), finished(1, verdict="failed"))

    assert summary.finished == 1
    assert not summary.has_trouble


def test_skipped_devices_are_no_trouble():
    assert not told(run_started(), finished(1, verdict="skipped")).has_trouble


ENDS_OF_AN_OUTAGE = {
    "proof": succeeded(1, at=T0 + 9),
    "refusal": OperationRefused(T0 + 9, 1, 0, 1, 409, "state", "busy"),
    "not sent": OperationUnsent(T0 + 9, 1, 0, 1, "refused"),
    "not applied": DoubtResolved(T0 + 9, 1, 0, 1, applied=False, sign="none"),
    "failure": StepFailed(T0 + 9, 1, 0, "unconfirmed", "late"),
    "verdict": finished(1, at=T0 + 9, verdict="in_doubt"),
}


@pytest.mark.parametrize("end", ENDS_OF_AN_OUTAGE.values(), ids=ENDS_OF_AN_OUTAGE)
def test_a_device_is_down_from_the_intent_to(end):
    summary = told(run_started(), intended(1), intended(2, at=T0 + 1))
    before = summary.down
    summary.after(end)

    assert (before, summary.down, summary.peak_down) == (2, 1, 2)
    assert summary.timeline.curve() == [(T0, 1), (T0 + 1, 2), (T0 + 9, 1)]


@pytest.mark.parametrize(
    "event",
    [
        accepted(1),
        OperationLost(T0 + 9, 1, 0, 1, "timeout"),
        DoubtResolved(T0 + 9, 1, 0, 1, applied=True, sign="pending"),
        DeviceReturned(T0 + 9, 1, 0, "contact"),
        DeviceRelapsed(T0 + 9, 1, 0, "Down again"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_a_device_that_is_not_proven_back_is_still_down(event):
    assert told(run_started(), intended(1), event).down == 1


def test_an_operation_that_disturbs_nobody_takes_no_device_down():
    assert told(run_started(), intended(1, operation="reconf")).peak_down == 0


def test_requests_are_counted_by_what_became_of_them():
    summary = told(
        run_started(),
        *(intended(device) for device in range(1, 7)),
        accepted(1),
        accepted(2),
        OperationRefused(T0, 3, 0, 1, 429, "busy", "slow down"),
        OperationUnsent(T0, 4, 0, 1, "refused"),
        OperationLost(T0, 5, 0, 1, "timeout"),
        RetryScheduled(T0, 3, 0, 1, T0 + 5, "429"),
    )
    requests = summary.requests

    assert (requests.intended, requests.sent, requests.accepted) == (6, 5, 2)
    assert (requests.refused, requests.unsent, requests.lost) == (1, 1, 1)
    assert requests.unanswered == 1
    assert summary.retries == 1


def test_a_step_takes_from_its_first_intent_to_its_proof():
    summary = told(
        run_started(),
        intended(1),
        OperationRefused(T0 + 1, 1, 0, 1, 409, "state", "busy"),
        intended(1, at=T0 + 20, attempt=2),
        accepted(1, at=T0 + 21),
        succeeded(1, at=T0 + 100),
        StepStarted(T0 + 101, 1, 1, T0 + 161),
        succeeded(1, at=T0 + 161, step=1),
        titles=("factory", "sleep 1m"),
    )

    assert [(each.title, each.devices, each.median) for each in summary.step_times()] == [
        ("step 1 (factory)", 1, 100),
        ("step 2 (sleep 1m)", 1, 60),
    ]


def test_the_time_of_a_step_is_told_by_median_tenth_and_longest():
    events = [run_started()]
    for device in range(1, 101):
        events += [intended(device), succeeded(device, at=T0 + device)]
    (times,) = told(*events).step_times()

    assert (times.devices, times.median, times.slowest_tenth, times.longest) == (100, 50, 91, 100)


def test_the_end_is_foreseen_from_the_rate_without_the_time_of_pauses():
    summary = told(
        run_started(T0, devices=10),
        RunPaused(T0 + 10, "token", "401"),
        RunContinued(T0 + 50),
        finished(1, at=T0 + 60),
        finished(2, at=T0 + 80),
    )

    assert summary.estimated_end(T0 + 80) == T0 + 80 + (80 - 40) / 2 * 8


@pytest.mark.parametrize(
    "events",
    [
        [],
        [run_started()],
        [run_started(), finished(1), RunPaused(T0, "token", "401")],
        [run_started(), finished(1), RunFinished(T0, {})],
    ],
    ids=["new", "nothing finished", "paused", "over"],
)
def test_there_is_not_always_an_end_to_foresee(events):
    assert told(*events).estimated_end(T0 + 5) is None


def test_every_planned_device_has_a_row_in_the_order_of_the_plan():
    summary = told(
        run_started(),
        intended(2),
        OperationLost(T0, 2, 0, 1, "timeout"),
        finished(3, verdict="failed", step=1, reason="404"),
        planned=planned(3, 2, 1),
    )

    assert list(summary.rows()) == [
        DeviceRow(3, "ZN3", "failed", 1, "404"),
        DeviceRow(2, "ZN2", None, 0, "in doubt: timeout"),
        DeviceRow(1, "ZN1", None, None, ""),
    ]
    assert summary.underway == 1


def test_without_a_plan_the_devices_with_events_have_rows():
    summary = told(run_started(), finished(3), intended(2))

    assert [row.device for row in summary.rows()] == [3, 2]
    assert summary.serial_number(3) is None


def test_a_device_that_waits_says_what_for():
    held = told(run_started(), StepHeld(T0, 1, 1, "status is Down", T0 + 60))
    proven = told(run_started(), intended(1), succeeded(1))

    assert held.row(1) == DeviceRow(1, None, None, 1, "status is Down")
    assert proven.row(1).reason == "proven; waits for its next step"


def test_the_last_request_for_patience_is_kept():
    slowed = SendingSlowed(T0, T0 + 30, 2.0, "429")

    assert told(run_started(), slowed).slowed == slowed


def test_every_kind_of_event_is_taken():
    summary = told(*EVERY_KIND)

    assert summary.is_over
    assert summary.last_at == EVERY_KIND[-1].at


def test_a_plan_lends_its_names_titles_and_limit():
    playbook = Playbook(
        name="redeploy",
        description="",
        selection=Selection(everything=True),
        steps=(
            OperationStep(Operation.FACTORY, default_proof(Operation.FACTORY), attempts=1),
            SleepStep(60.0),
        ),
    )
    plan = Plan(
        playbook=playbook,
        source=PlaybookSource("redeploy.yaml", ""),
        controller="https://control.example.com/api/v1",
        created_at=T0,
        devices=tuple(planned(1, 2).values()),
        limits=Limits(devices=2, max_down=1, in_flight=1, delay=0.2, per_second=None),
    )
    summary = Summary.of(plan, [run_started(devices=2), finished(2)])

    assert [row.serial_number for row in summary.rows()] == ["ZN1", "ZN2"]
    assert (summary.title(1), summary.max_down, summary.finished) == ("step 2 (sleep 1m)", 1, 1)


def test_a_step_beyond_the_known_titles_has_its_number():
    assert told(titles=("factory",)).title(4) == "step 5"
