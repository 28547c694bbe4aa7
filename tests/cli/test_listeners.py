"""A run told while it goes on, to logs and to programs."""

import json
from itertools import count

from orchestrator.cli.listeners import JsonLines, PlainLines
from orchestrator.model.events import (
    EVENTS,
    LimitOrdered,
    NotificationSent,
    OperationLost,
    OperationRefused,
    RunResumed,
    SendingSlowed,
)
from tests.support import histories
from tests.support.recorded_runs import ENDING, STORY, careful_plan, plan_of

PLAN = plan_of(1001, 1002, 1003)


def plain(*batches, **details):
    lines = []
    listener = PlainLines(PLAN, lines.append, **details)
    for batch in batches:
        listener.hear(batch)
    return lines


def test_what_is_noteworthy_has_a_line_with_its_moment():
    lines = plain(STORY)

    assert lines[0].startswith("2026-11-22 04:15:00Z  ana on noc-1 started redeploy for 3 devices")
    assert lines[-1] == (
        "2026-11-22 04:16:01Z  device 1002 (ZN1002), step 1 (factory): verdict unconfirmed:"
        " no return within 20m"
    )


def test_what_is_of_every_day_has_no_line():
    assert len(plain(STORY)) == 3


def test_a_refusal_for_load_is_told_once_and_not_for_each_device():
    busy = OperationRefused(histories.T0, 1001, 0, 1, 429, "busy", "throttled", 4.0)
    state = OperationRefused(histories.T0, 1002, 0, 1, 409, "state", "a session is under way")
    slowed = SendingSlowed(histories.T0, histories.T0 + 4, 2.0, "throttled")

    lines = plain([busy, slowed, state])

    assert len(lines) == 2
    assert "sending waits" in lines[0]
    assert "a session is under way" in lines[1]


def test_every_line_is_plain_text():
    lines = plain(histories.EVERY_KIND, [OperationLost(1.0, 1001, 0, 1, "bad\x1b[2Jname\n")])

    assert all(line.isprintable() for line in lines)


def test_on_resuming_the_history_is_not_told_again():
    resumed = RunResumed(histories.T0 + 80, 2, "ben", "noc-2")

    lines = plain(STORY, [resumed], ENDING, silent_history=True)

    assert len(lines) == 3
    assert "ben on noc-2 resumed the run" in lines[0]


def test_after_a_silence_it_is_told_how_far_the_run_is():
    clock = count(0.0, 31.0)

    lines = plain(STORY, steady=lambda: next(clock))

    assert lines[-1].endswith(
        "so far 2 of 3 devices (1 succeeded, 1 unconfirmed), 0 of at most 2 down"
    )


def test_the_progress_names_the_wave_and_the_limit_of_now():
    clock = count(0.0, 31.0)
    story = histories.careful_story()
    lines = []
    listener = PlainLines(careful_plan(), lines.append, steady=lambda: next(clock))

    listener.hear(story)

    assert lines[-1].endswith(", 0 of at most 2 down; wave 2 of 3")


def test_a_question_is_told_with_the_command_that_answers_it():
    lines = []
    listener = PlainLines(careful_plan(), lines.append, run_id="night-1")

    listener.hear(histories.careful_story())

    assert "approval of wave 3 by another person" in lines[-2]
    assert lines[-1].endswith(
        "  to agree: orchestrator approve night-1;"
        " to end the run here: orchestrator approve night-1 --deny"
    )


def test_what_a_history_left_open_is_told_after_it():
    lines = []
    listener = PlainLines(careful_plan(), lines.append, run_id="night-1", silent_history=True)

    listener.hear(histories.careful_story())

    assert len(lines) == 2
    assert "still waiting for approval of wave 3" in lines[0]
    assert "orchestrator approve night-1" in lines[1]


def test_turns_and_orders_have_a_line_and_a_message_that_was_sent_has_none():
    order = LimitOrdered(histories.T0, "alice", "noc-2", "max_down", 1, 2, "thin")
    sent = NotificationSent(histories.T0, "started", "noc-chat")

    lines = plain([order, sent])

    assert len(lines) == 1
    assert "alice on noc-2 lowered max_down from 2 to 1: thin" in lines[0]


def test_json_lines_hold_what_the_journal_holds():
    lines = []
    JsonLines("night-1", lines.append).hear(histories.EVERY_KIND)

    objects = [json.loads(line) for line in lines]

    assert {each["event"] for each in objects} == set(EVENTS)
    assert {each["run"] for each in objects} == {"night-1"}
    assert objects[0]["at"] == "2026-11-22T04:15:00.250000Z"
    _, intent = [each for each in objects if each["event"] == "OperationIntended"]
    assert intent["baseline"]["pending"] == ["wifi_ssid"]


def test_json_lines_leave_the_history_out_on_resuming():
    lines = []
    listener = JsonLines("night-1", lines.append, silent_history=True)

    listener.hear(STORY)
    listener.hear(ENDING)

    assert [json.loads(line)["event"] for line in lines] == ["DeviceFinished", "RunFinished"]


def test_a_reader_that_goes_away_does_not_end_the_run():
    written = []

    def write(line: str) -> None:
        written.append(line)
        raise BrokenPipeError

    listener = JsonLines("night-1", write)
    listener.hear([SendingSlowed(1.0, 2.0, 2.0, "429")])
    listener.hear(ENDING)

    assert len(written) == 1
