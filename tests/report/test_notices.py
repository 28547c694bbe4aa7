"""What people are told wherever they are: short, countable, and with the command to type."""

from dataclasses import replace

import msgspec
import pytest

from orchestrator.model.commands import SendNotice
from orchestrator.model.events import (
    PauseOrdered,
    RunContinued,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunStopped,
    WaveJudged,
)
from orchestrator.model.policies import Occasion
from orchestrator.report.notices import Notice, Notices
from tests.support.histories import EVERY_KIND, T0, careful_story, run_started
from tests.support.recorded_runs import STORY, careful_plan, plan_of


def told(*events, plan=None):
    notices = Notices(plan or careful_plan(), "night-1")
    return [notice for event in events if (notice := notices.of(event)) is not None]


def after(event):
    """Give what an event is told as behind the careful story."""
    return told(*careful_story(), event)[-1]


def test_a_campaign_is_told_by_its_occasions():
    assert [(notice.occasion, notice.title) for notice in told(*careful_story())] == [
        (Occasion.STARTED, "redeploy: started"),
        (Occasion.WAVE_FINISHED, "redeploy: wave 1 of 3 finished, passed"),
        (Occasion.PAUSED, "redeploy: paused"),
        (Occasion.WAVE_FINISHED, "redeploy: wave 2 of 3 finished, inconclusive"),
        (Occasion.APPROVAL_NEEDED, "redeploy: approval needed for wave 3"),
    ]


def test_the_beginning_names_who_started_what():
    assert told(run_started(devices=20)) == [
        Notice(
            Occasion.STARTED,
            "redeploy: started",
            "ana on noc-1 started it for 20 devices in 3 waves.\nRun night-1",
        )
    ]
    [notice] = told(run_started(), plan=plan_of(1, 2, 3))
    assert notice.body.startswith("ana on noc-1 started it for 3 devices.\n")


def test_a_wave_is_told_once_it_is_judged_with_its_counts():
    assert told(*careful_story())[3].body == (
        "The wave: 3 succeeded, 2 unconfirmed, 1 skipped\n"
        "The gate: inconclusive, 3 of 5 succeeded; 1 may be missing\n"
        "So far 8 of 20 devices finished (5 succeeded, 2 unconfirmed, 1 skipped)\n"
        "Run night-1"
    )


def test_a_gate_without_its_wave_is_told_all_the_same():
    [notice] = told(WaveJudged(T0, 1, "pass", "1 of 1 succeeded"), plan=plan_of(1))

    assert notice.title == "redeploy: wave 1 finished, passed"
    assert notice.body.startswith("The gate: passed, 1 of 1 succeeded\nSo far 0 of 1 device ")


def test_a_question_comes_with_the_commands_that_answer_it():
    assert told(*careful_story())[-1].body == (
        "The run waits for approval of wave 3 by another person than the one who started the run:"
        " wave 2: 3 of 5 succeeded; 1 may be missing. May wave 3 begin?\n"
        "So far 8 of 20 devices finished (5 succeeded, 2 unconfirmed, 1 skipped)\n"
        "To agree: orchestrator approve night-1\n"
        "To refuse: orchestrator approve night-1 --deny\n"
        "Run night-1"
    )


@pytest.mark.parametrize(
    ("event", "occasion", "title", "lines"),
    [
        (
            RunPaused(T0, "controller", "5 requests in a row failed"),
            Occasion.PAUSED,
            "paused",
            ("It pauses because of the controller: 5 requests in a row failed", "So far 8 of 20"),
        ),
        (
            PauseOrdered(T0, "alice", "noc-2", "smoke"),
            Occasion.PAUSED,
            "paused",
            ("alice on noc-2 paused the run", "To go on: orchestrator continue night-1"),
        ),
        (
            RunStopped(T0, "budget", "more than 2 devices failed"),
            Occasion.FINISHED,
            "stopped",
            ("It was stopped by its budget: more than 2 devices failed", "So far 8 of 20 devices"),
        ),
        (
            RunInterrupted(T0, "Ctrl-C"),
            Occasion.FINISHED,
            "interrupted",
            ("It was interrupted: Ctrl-C", "To go on: orchestrator resume night-1"),
        ),
        (
            RunFinished(T0, {"succeeded": 18, "deferred": 2}),
            Occasion.FINISHED,
            "finished",
            ("Of 20 devices: 18 succeeded, 2 deferred",),
        ),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "at") else "",
)
def test_a_turn_of_the_run_is_told(event, occasion, title, lines):
    notice = after(event)

    assert (notice.occasion, notice.title) == (occasion, f"redeploy: {title}")
    assert [line for line in lines if line not in notice.body] == []


def test_what_is_of_every_day_is_told_to_nobody():
    assert told(*STORY[1:], RunContinued(T0)) == []


def test_every_kind_of_event_is_taken_and_no_notice_is_long():
    notices = told(*EVERY_KIND)

    assert {notice.occasion for notice in notices} == set(Occasion)
    assert all(len(notice.body) < 500 for notice in notices)


def test_what_people_typed_cannot_steer_a_terminal():
    notice = after(PauseOrdered(T0, "alice", "noc-2", "a\x1b[2J\nb"))

    assert "a [2J b" in notice.body


def handed(*commands, plan=None):
    return Notices(plan or plan_of(1, 2), "night-1").handed_over(commands)


def test_a_device_is_handed_over_with_all_that_is_known_of_it():
    plan = plan_of(1, 2)
    plan = replace(
        plan, devices=(msgspec.structs.replace(plan.devices[0], location="North"), plan.devices[1])
    )
    history = ("rebooted 08:10Z, not proven", "rebooted 12:00Z, not proven")

    assert handed(SendNotice(1, 2, "it stays away", history), plan=plan) == (
        "redeploy: device 1 (ZN1) is handed to a person",
        (
            "Name: branch 1\nLocation: North\nit stays away\n- rebooted 08:10Z, not proven\n"
            "- rebooted 12:00Z, not proven\nRun night-1"
        ),
    )


def test_several_are_handed_over_together_each_with_its_own_history():
    title, body = handed(SendNotice(1, 2, "look", ("a",)), SendNotice(2, 2, "look", ("b",)))

    assert title == "redeploy: 2 devices are handed to a person"
    assert body == (
        "These are device 1 (ZN1), device 2 (ZN2)\n\ndevice 1 (ZN1)\nName: branch 1\nlook\n- a\n\n"
        "device 2 (ZN2)\nName: branch 2\nlook\n- b\nRun night-1"
    )


def test_a_device_without_a_record_is_named_by_its_serial_number():
    plan = plan_of(1)
    plan = replace(plan, devices=(msgspec.structs.replace(plan.devices[0], is_new=True),))

    assert handed(SendNotice(1, 0, "look"), plan=plan)[0].endswith(
        "device ZN1 is handed to a person"
    )


def test_of_what_is_not_heeded_there_is_nothing_to_tell():
    notices = Notices(careful_plan(), "night-1")
    others = [event for event in EVERY_KIND if type(event) not in notices.heeded]

    assert len(others) > 20
    assert [notices.of(event) for event in others] == [None] * len(others)
