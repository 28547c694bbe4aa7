"""The live view: what a person can read across the room."""

import io
from dataclasses import replace

import msgspec
import pytest
from rich.console import Console

from orchestrator.cli.live import LiveView
from orchestrator.cli.picturing import columns_of
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import (
    ApprovalAsked,
    ApprovalGiven,
    OperationLost,
    PauseOrdered,
    RunPaused,
    RunStopped,
    SendingSlowed,
    WaveFinished,
    WindowClosed,
    WindowOpened,
)
from tests.support import histories
from tests.support.histories import careful_story
from tests.support.recorded_runs import ENDING, STORY, careful_plan, plan_of

PLAN = plan_of(1001, 1002, 1003)


def drawn(*batches, columns=80, steady=lambda: 0.0, colour=None, plan=PLAN) -> str:
    console = Console(file=io.StringIO(), width=columns, color_system=colour, force_terminal=True)
    view = LiveView(plan, "night-1", console=console, steady=steady)
    for batch in batches:
        view.hear(batch)
    console.print(view.picture())
    return console.file.getvalue()


def test_it_shows_progress_by_verdict_and_what_is_down_against_the_limit():
    picture = drawn([*STORY[:5]], STORY[5:7])

    assert "RUNNING" in picture
    assert "1 of 3" in picture
    assert "1 succeeded" in picture
    assert "1 under way" in picture
    assert "1 waiting" in picture
    assert "1 of at most 2, 2 at the peak" in picture
    assert "2 sent" in picture


def test_devices_that_were_already_ok_have_a_mark_of_their_own():
    so = histories.finished(1001, verdict="already_ok")

    picture = drawn([STORY[0], so, histories.finished(1002)])

    assert "▆ 1 already ok" in picture
    assert "█ 1 succeeded" in picture


def test_a_device_that_is_still_to_be_created_is_named_by_its_serial_number():
    new = msgspec.structs.replace(
        PLAN.devices[0], id=DeviceId(2**48), serial_number="SN9", is_new=True
    )
    trouble = histories.finished(2**48, verdict="failed", reason="400")

    picture = drawn([STORY[0], trouble], plan=replace(PLAN, devices=(new,)))

    assert "SN9, factory: verdict failed: 400" in picture


def test_it_shows_the_last_problems_with_their_reason():
    assert "04:16:01Z  1002, factory: verdict unconfirmed: no return within 20m" in drawn(STORY)


def test_a_long_reason_stays_on_one_line_of_80_columns():
    trouble = histories.finished(1003, verdict="failed", reason="word " * 60)

    picture = drawn(STORY, [trouble])

    assert max(len(line.rstrip()) for line in picture.splitlines()) <= 80
    assert "…" in picture


def test_it_says_why_the_run_pauses():
    pause = RunPaused(histories.T0 + 62, "token", "the token is not accepted")

    picture = drawn(STORY, [pause])

    assert "PAUSED because of the token: the token is not accepted" in picture
    assert "not known yet" in picture


CAREFUL = careful_story()


def careful(last, columns=80, more=()) -> str:
    """Draw the careful campaign up to the last event of a kind."""
    places = [place for place, event in enumerate(CAREFUL) if isinstance(event, last)]
    return drawn([*CAREFUL[: places[-1] + 1], *more], columns=columns, plan=careful_plan())


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize(
    "last", [WindowClosed, WindowOpened, WaveFinished, PauseOrdered, ApprovalAsked]
)
def test_a_careful_campaign_keeps_to_the_columns(last, columns):
    lines = [line.rstrip() for line in careful(last, columns).splitlines()]

    assert max(map(len, lines)) <= columns
    assert len(lines) <= 24


def test_it_shows_the_wave_the_budget_and_the_limits_of_now():
    picture = careful(PauseOrdered)

    assert "wave        2 of 3: 0 of 6 finished" in picture
    assert "0 of at most 2, 2 at the peak" in picture
    assert "limits      max_down 2 (plan 5), delay 1s (plan 200ms)" in picture
    assert "0 of 2 failed, 0 of 2 unconfirmed, 0 of 2 in any trouble (25%)" in picture
    assert "closes in 3h49m, at 02:16 in America/Mexico_City (08:16:00Z)" in picture


def test_it_says_who_paused_the_run_and_how_it_goes_on():
    picture = careful(PauseOrdered)

    assert "PAUSED by alice on noc-2: smoke in the data centre" in picture
    assert "to go on:   orchestrator continue night-1" in picture


def test_it_asks_for_an_approval_with_the_command_that_answers():
    picture = careful(ApprovalAsked, 100)

    assert "WAITING FOR APPROVAL of wave 3 by another person than the one who started" in picture
    assert "to agree:   orchestrator approve night-1" in picture
    assert "to refuse:  orchestrator approve night-1 --deny" in picture


def test_an_answer_takes_the_question_away():
    given = ApprovalGiven(histories.T0 + 1400, "wave 3", "ben", "noc-1")

    picture = careful(ApprovalAsked, more=[given])

    assert "orchestrator approve" not in picture
    assert "RUNNING" in picture


def test_it_says_when_a_closed_window_opens():
    picture = careful(WindowClosed, 100)

    assert "WAITING FOR WINDOW: it opens at 2026-11-21 22:16 in America/Mexico_City" in picture
    assert "window      opens in 1m" in picture


def test_it_says_how_long_a_wave_is_left_alone():
    assert "2 of 3: 6 of 6 finished, left alone for another 5m" in careful(WaveFinished)


def test_it_foresees_no_end_beyond_the_window():
    soon = WindowOpened(histories.T0, histories.T0 + 62, histories.MEXICO)

    assert "not within this opening of the window" in drawn([*STORY[:1], soon, *STORY[1:]])


def test_a_stopped_run_says_what_stopped_it():
    stopped = RunStopped(histories.T0 + 1400, "denied", "ben on noc-1 denied wave 3")

    picture = careful(ApprovalAsked, more=[stopped])

    assert "STOPPED by a denied approval: ben on noc-1 denied wave 3" in picture
    assert "orchestrator approve" not in picture
    assert "closes in" not in picture


def test_a_message_that_failed_and_a_gate_that_did_not_pass_are_problems():
    picture = careful(ApprovalAsked, 100)

    assert "noc-mail could not be notified (wave finished): connection refused" in picture
    assert "the gate behind wave 2: inconclusive" in picture
    assert "the gate behind wave 1" not in picture
    assert "6, factory: the playbook lets the device go on" in picture


def test_steps_of_the_rescue_are_named_as_such():
    lost = OperationLost(histories.T0 + 1500, 9, 2, 1, "no answer within 1m")

    assert "9, rescue sync, attempt 1: in doubt" in careful(ApprovalAsked, 100, more=[lost])


def test_it_says_that_the_controller_asked_for_patience():
    slowed = SendingSlowed(histories.T0 + 62, histories.T0 + 90, 2.0, "429: throttled")

    assert "SLOWED DOWN: 429: throttled" in drawn(STORY, [slowed])


def test_it_estimates_the_end():
    picture = drawn(STORY)

    assert "ends about" in picture
    assert "in 30.5s" in picture


def test_the_rate_is_that_of_the_last_seconds():
    moments = iter([0.0, 0.0, 0.0, 90.0, 100.0])

    picture = drawn(STORY[:3], STORY[3:], steady=lambda: next(moments))

    assert "0.1 operations a second" in picture


def test_it_can_be_drawn_before_anything_happened_and_after_the_end():
    assert "NEW" in drawn()
    assert "FINISHED" in drawn(STORY, ENDING)


def test_it_draws_on_a_terminal_and_vanishes():
    console = Console(file=io.StringIO(), width=80, force_terminal=True)

    with LiveView(PLAN, "night-1", console=console) as view:
        view.hear(STORY)

    assert "\x1b[?25h" in console.file.getvalue()


@pytest.mark.parametrize(
    ("stretches", "columns"),
    [
        ([("succeeded", 1), ("failed", 1), ("skipped", 0)], [("succeeded", 5), ("failed", 5)]),
        ([("succeeded", 9_999), ("failed", 1)], [("succeeded", 9), ("failed", 1)]),
        ([], []),
    ],
)
def test_whatever_there_is_gets_a_column(stretches, columns):
    total = sum(count for _, count in stretches)

    assert columns_of(stretches, total, 10) == columns
