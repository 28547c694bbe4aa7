"""The live view: what a person can read across the room."""

import io

import pytest
from rich.console import Console

from orchestrator.cli.live import LiveView, columns_of
from orchestrator.model.events import RunPaused, SendingSlowed
from tests.support import histories
from tests.support.recorded_runs import ENDING, STORY, plan_of

PLAN = plan_of(1001, 1002, 1003)


def drawn(*batches, columns=80, steady=lambda: 0.0, colour=None) -> str:
    console = Console(file=io.StringIO(), width=columns, color_system=colour, force_terminal=True)
    view = LiveView(PLAN, "night-1", console=console, steady=steady)
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

    assert "PAUSED: the token is not accepted" in picture
    assert "not known yet" in picture


def test_it_says_that_the_controller_asked_for_patience():
    slowed = SendingSlowed(histories.T0 + 62, histories.T0 + 90, 2.0, "429: throttled")

    assert "SLOWED DOWN: 429: throttled" in drawn(STORY, [slowed])


def test_it_estimates_the_end():
    picture = drawn(STORY)

    assert "ends about" in picture
    assert "in 30.5s" in picture


def test_the_rate_is_that_of_the_last_seconds():
    moments = iter([0.0, 0.0, 0.0, 0.0, 90.0, 90.0, 100.0])

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
