"""The mirror of a run: what its events add up to."""

import tracemalloc
from dataclasses import replace

import pytest

from orchestrator.model.events import (
    ApprovalAsked,
    ApprovalGiven,
    ContinueOrdered,
    DeviceRelapsed,
    DeviceReturned,
    DoubtResolved,
    LimitOrdered,
    OperationLost,
    OperationRefused,
    OperationUnsent,
    PauseOrdered,
    RescueStarted,
    RetryScheduled,
    RunContinued,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    RunStopped,
    SendingSlowed,
    StepFailed,
    StepForgiven,
    StepHeld,
    StepStarted,
    WaveFinished,
    WaveStarted,
    WindowClosed,
    WindowOpened,
)
from orchestrator.model.forecasts import Forecast, Spread
from orchestrator.model.operations import Operation
from orchestrator.model.plans import Limits, Plan
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.selections import Selection
from orchestrator.model.steps import OperationStep, SleepStep, default_proof
from orchestrator.report.fates import Went
from orchestrator.report.figures import DeviceRow
from orchestrator.report.summary import State, Summary
from tests.support.histories import (
    EVERY_KIND,
    MEXICO,
    T0,
    accepted,
    careful_story,
    finished,
    intended,
    planned,
    rewritten,
    run_started,
    succeeded,
)
from tests.support.recorded_runs import careful_plan


def told(*events, **given):
    summary = Summary(**given)
    for event in events:
        summary.after(event)
    return summary


STATES = {
    State.NEW: [],
    State.RUNNING: [run_started()],
    State.PAUSED: [run_started(), RunPaused(T0, "token", "401")],
    State.SOAKING: [
        run_started(),
        WaveStarted(T0, 1, 2),
        WaveFinished(T0, 1, {"succeeded": 2}, T0 + 60),
    ],
    State.WAITING_FOR_WINDOW: [run_started(), WindowClosed(T0, MEXICO, T0 + 60)],
    State.WAITING_FOR_APPROVAL: [run_started(), ApprovalAsked(T0, "wave 2", "?")],
    State.INTERRUPTED: [run_started(), RunInterrupted(T0, "Ctrl-C")],
    State.STOPPED: [run_started(), RunStopped(T0, "person", "ana")],
    State.FINISHED: [run_started(), RunFinished(T0, {})],
}


@pytest.mark.parametrize(("state", "events"), STATES.items(), ids=STATES)
def test_the_state_follows_the_turns_of_the_run(state, events):
    assert told(*events).state is state


PAUSED_BY_A_PERSON = PauseOrdered(T0, "alice", "noc-2", "smoke")


def test_a_pause_by_a_person_outlives_the_controllers_and_the_process():
    held = [run_started(), PAUSED_BY_A_PERSON, RunPaused(T0, "token", "401"), RunContinued(T0 + 9)]

    assert told(*held).state is State.PAUSED
    assert told(*held, RunResumed(T0 + 20, 2, "ben", "noc-2")).state is State.PAUSED
    assert told(*held, ContinueOrdered(T0 + 30, "ben", "noc-1")).state is State.RUNNING


def test_what_only_a_person_ends_is_named_before_what_ends_by_itself():
    held = [
        *STATES[State.SOAKING],
        WindowClosed(T0, MEXICO, T0 + 60),
        ApprovalAsked(T0, "step 3", "?"),
    ]

    assert told(*held).state is State.WAITING_FOR_APPROVAL
    assert told(*held[:-1]).state is State.WAITING_FOR_WINDOW


def test_reasons_to_wait_that_overlap_are_counted_once():
    summary = told(
        run_started(),
        PauseOrdered(T0 + 10, "alice", "noc-2"),
        RunPaused(T0 + 20, "token", "401"),
        RunContinued(T0 + 40),
        ContinueOrdered(T0 + 60, "alice", "noc-2"),
        WindowClosed(T0 + 100, MEXICO, T0 + 130),
        WindowOpened(T0 + 130, T0 + 500, MEXICO),
        ApprovalAsked(T0 + 200, "wave 2", "?"),
        ApprovalGiven(T0 + 205, "wave 2", "ben", "noc-1"),
    )

    assert summary.idle_seconds == 50 + 30 + 5


def test_a_gap_between_processes_counts_once_beside_a_pause():
    summary = told(
        run_started(),
        PauseOrdered(T0 + 10, "alice", "noc-2"),
        RunInterrupted(T0 + 20, "Ctrl-C"),
        RunResumed(T0 + 70, 2, "ben", "noc-2"),
        ContinueOrdered(T0 + 90, "alice", "noc-2"),
    )

    assert summary.idle_seconds == 80


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


def test_a_step_that_was_so_already_tells_nothing_of_how_long_it_takes():
    begun = StepStarted(T0, 1, 0, T0 + 60)
    sent = (intended(2, at=T0), succeeded(2, at=T0 + 61))
    summary = told(begun, succeeded(1, at=T0 + 1), *sent, requests_at=frozenset({0}))

    assert list(summary.durations(0)) == [61.0]


def test_a_firmware_upgrade_takes_its_device_out_of_service():
    summary = told(rewritten(1, action="upgrade"), rewritten(2, action="update"))

    assert (summary.down, summary.peak_down) == (1, 1)


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
        "already_ok": 0,
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
        [run_started(), finished(1), PAUSED_BY_A_PERSON],
        [run_started(), finished(1), WindowClosed(T0, MEXICO)],
        [run_started(), finished(1), RunStopped(T0, "budget", "x")],
    ],
    ids=["new", "nothing finished", "paused", "over", "held", "no window", "stopped"],
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


def test_a_forgiven_device_is_not_down_and_its_verdict_counts_in_the_end():
    forgiven = [
        run_started(),
        intended(1),
        StepForgiven(T0 + 9, 1, 0, "unconfirmed", "late"),
    ]
    summary = told(*forgiven)

    assert summary.fates.has(1, Went.FORGIVEN)
    assert (summary.forgiven, summary.down, summary.has_trouble) == (1, 0, False)
    assert summary.row(1).reason == "goes on all the same"
    assert told(*forgiven, finished(1, verdict="unconfirmed", step=1)).has_trouble


def test_a_rescue_is_complete_with_its_last_step():
    plan = careful_plan()
    begun = [
        run_started(),
        intended(1),
        StepFailed(T0 + 9, 1, 0, "failed", "404"),
        RescueStarted(T0 + 9, 1, 2, "failed"),
    ]
    done = [*begun, intended(1, step=2, operation="sync"), succeeded(1, step=2)]

    assert Summary.of(plan, begun).fates.has(1, Went.RESCUED)
    assert _rescues(Summary.of(plan, begun)) == (1, 0)
    assert Summary.of(plan, begun).row(1).reason == "goes into its rescue"
    assert Summary.of(plan, done).fates.has(1, Went.THROUGH)
    assert _rescues(Summary.of(plan, done)) == (1, 1)


def _rescues(summary):
    return summary.rescued, summary.rescues_completed


def test_a_last_step_without_a_rescue_rescues_nobody():
    assert told(run_started(), intended(1), succeeded(1), titles=("factory",)).rescued == 0


def test_steps_of_the_rescue_are_counted_for_themselves():
    summary = Summary.of(careful_plan())

    assert [summary.title(step) for step in range(4)] == [
        "step 1 (factory)",
        "step 2 (reconf)",
        "rescue step 1 (sync)",
        "step 4",
    ]


def test_the_ceiling_for_devices_down_follows_orders():
    order = LimitOrdered(T0, "alice", "noc-2", "max_down", 2, 5)

    assert (told(order, max_down=5).max_down_now, told(order, max_down=5).max_down) == (2, 5)
    assert told().max_down_now is None


def test_a_careful_campaign_adds_up():
    summary = Summary.of(careful_plan(), careful_story())

    assert summary.counts()["succeeded"] == 5
    assert [wave.ended for wave in summary.course.waves.values()] == [2, 6]
    assert [str(each) for each in summary.spendings()] == [
        "0 of 2 failed",
        "2 of 2 unconfirmed",
        "2 of 2 in any trouble (25%)",
    ]


def test_a_second_verdict_is_not_counted_for_the_wave():
    summary = told(run_started(), WaveStarted(T0, 1, 3), finished(1), finished(1))

    assert summary.course.wave.ended == 1


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


def test_only_devices_that_had_their_turn_count_as_progress():
    summary = Summary()
    for event in (
        run_started(),
        finished(1, at=T0 + 10),
        finished(2, at=T0 + 20, verdict="failed"),
        finished(3, at=T0 + 30, verdict="not_started"),
        finished(4, at=T0 + 30, verdict="deferred"),
        finished(5, at=T0 + 40, verdict="skipped"),
        finished(5, at=T0 + 50, verdict="skipped"),
    ):
        summary.after(event)

    assert summary.ends.curve() == [(T0 + 10, 1), (T0 + 20, 2), (T0 + 40, 3)]
    assert summary.trouble_ends.curve() == [(T0 + 20, 1)]


def test_a_plan_lends_its_words_and_its_forecast():
    foreseen = Forecast(3, T0, 20, Spread(T0 + 1, T0 + 2, T0 + 3), ())
    plan = replace(careful_plan(), forecast=foreseen, goes_on_after="night-0")
    summary = Summary.of(plan)

    assert summary.description == "Wipe and configure again."
    assert summary.forecast is foreseen
    assert summary.goes_on_after == "night-0"


def test_the_times_of_a_step_are_those_of_the_devices_that_proved_it():
    summary = Summary()
    for event in (intended(1), intended(2), succeeded(1, at=T0 + 5), succeeded(2, at=T0 + 9)):
        summary.after(event)

    assert list(summary.durations(0)) == [5, 9]
    assert list(summary.durations(1)) == []


def test_a_summary_without_rows_still_knows_how_each_device_ended():
    plan = careful_plan()
    events = [run_started(), finished(1, step=1), finished(2, verdict="failed", reason="404")]
    summary = Summary.of(plan, events, rows=False)

    assert [summary.row(device) for device in (1, 2, 3)] == [
        DeviceRow(1, "ZN1", "succeeded", None, ""),
        DeviceRow(2, "ZN2", "failed", None, ""),
        DeviceRow(3, "ZN3", None, None, ""),
    ]
    assert [(end.device, end.reason) for end in summary.troubles] == [(2, "404")]


def test_without_rows_the_first_troubles_are_kept_and_all_are_counted(monkeypatch):
    monkeypatch.setattr("orchestrator.report.summary.TROUBLES_KEPT", 2)
    ends = [finished(n, verdict="failed", reason=f"no {n % 3}") for n in range(1, 8)]
    bounded = Summary.of(careful_plan(), [run_started(), *ends], rows=False)
    whole = Summary.of(careful_plan(), [run_started(), *ends])

    assert (bounded.in_trouble, whole.in_trouble) == (7, 7)
    assert [end.device for end in bounded.troubles] == [1, 2]
    assert len(whole.troubles) == 7
    assert bounded.reasons == {("failed", "no 1"): 3, ("failed", "no 2"): 2}
    assert whole.reasons == {("failed", "no 1"): 3, ("failed", "no 2"): 2, ("failed", "no 0"): 2}


def test_a_device_that_ended_leaves_nothing_behind_but_bytes():
    plan = replace(careful_plan(), devices=tuple(planned(*range(5_000)).values()))
    summary = Summary.of(plan, [run_started(devices=5_000)], rows=False)
    summary.hear(_walks(0, 100))
    tracemalloc.start()
    summary.hear(_walks(100, 5_000))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < 30 * 4_900
    assert summary.finished == 5_000


def _walks(first, last):
    for device in range(first, last):
        at = T0 + device
        yield intended(device, at=at)
        yield accepted(device, at=at + 1)
        yield succeeded(device, at=at + 50)
        yield finished(device, at=at + 50)
