"""Can the controller be used? What pauses the run, and how often is asked whether it goes on."""

import pytest

from orchestrator.engine.reaching import (
    FIRST_PROBE,
    LONGEST_BETWEEN_PROBES,
    UNREACHABLE_LIMIT,
    Reach,
)
from orchestrator.engine.run import replayed
from orchestrator.model import events
from orchestrator.model.answers import Refusal
from orchestrator.model.policies import Budget, Rollout
from orchestrator.model.readings import ReadingFailed
from orchestrator.model.verdicts import Verdict
from tests.support.stories import T0, Story, durable, step


def missed(times: int) -> Reach:
    reach = Reach()
    for _ in range(times):
        reach.missed("connection refused")
    return reach


def test_a_few_failed_connections_are_no_reason_to_pause():
    assert missed(UNREACHABLE_LIMIT - 1).cause is None


def test_as_many_as_the_limit_in_a_row_are():
    reach = missed(UNREACHABLE_LIMIT)

    assert (reach.cause, reach.detail) == ("controller", "connection refused")


def test_an_answer_in_between_breaks_the_row():
    reach = missed(UNREACHABLE_LIMIT - 1)
    reach.answered()
    reach.missed("connection refused")

    assert reach.cause is None


def test_one_rejected_token_is_enough():
    reach = Reach()
    reach.rejected("401")
    reach.missed("x")

    assert (reach.cause, reach.detail) == ("token", "401")


def test_probes_become_less_frequent_and_never_stop():
    reach = Reach()
    reach.paused(1000.0, "token", "401")
    waits = [reach.probe_at - 1000.0]
    for _ in range(40):
        now = reach.probe_at
        reach.probe_failed(now)
        waits.append(reach.probe_at - now)

    assert waits[0] == FIRST_PROBE
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_BETWEEN_PROBES


def test_a_pause_keeps_its_cause_and_going_on_clears_everything():
    reach = Reach()
    reach.paused(1000.0, "controller", "gone")
    assert (reach.paused_at, reach.cause, reach.detail) == (1000.0, "controller", "gone")

    reach.continued()

    assert (reach.paused_at, reach.cause, reach.misses) == (None, None, 0)


# --- storms: the breaker --------------------------------------------------------------------------


def stormed(*devices: int) -> Reach:
    reach = Reach()
    for number, device in enumerate(devices):
        reach.failed(device, 1000.0 + number, "503")
    return reach


@pytest.mark.parametrize(
    ("devices", "is_open"),
    [
        ((1, 2, 3, 4), False),
        ((1, 1, 1, 1, 1, 1, 1), False),
        ((1, 2, 1, 2), False),
        ((1, 2, 1, 2, 1), True),
        ((1, 2, 3, 1, 2), True),
        ((1, 2, 3, 4, 5), True),
    ],
)
def test_five_requests_in_a_row_on_two_devices_open_the_breaker(devices, is_open):
    reach = stormed(*devices)

    assert reach.is_storm is is_open
    assert reach.cause == ("controller" if is_open else None)


def test_the_breaker_says_what_came_to_nothing():
    assert stormed(1, 2, 3, 4, 5).detail == ("5 operation requests in a row came to nothing: 503")


@pytest.mark.parametrize("answer", ["accepted", "told"])
def test_any_answer_about_a_device_breaks_the_row(answer):
    reach = stormed(1, 2, 3, 4)
    getattr(reach, answer)()
    reach.failed(5, 1010.0, "503")

    assert reach.cause is None


def test_after_the_breaker_one_failure_opens_it_again_until_a_request_is_accepted():
    reach = stormed(1, 2, 3, 4, 5)
    reach.paused(1010.0, "controller", "503")
    reach.continued()
    assert (reach.is_careful, reach.cause) == (True, None)

    reach.told()
    assert reach.is_careful
    reach.failed(6, 1020.0, "503")
    assert reach.cause == "controller"

    reach.continued()
    reach.accepted()
    reach.failed(6, 1030.0, "503")
    assert (reach.is_careful, reach.cause) == (False, None)


def test_each_round_of_the_breaker_waits_longer_before_its_first_probe():
    reach = stormed(1, 2, 3, 4, 5)
    waits = []
    for number in range(8):
        at = 1010.0 + 100 * number
        reach.paused(at, "controller", "503")
        waits.append(reach.probe_at - at)
        reach.continued()

    assert waits[0] == FIRST_PROBE
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_BETWEEN_PROBES


def test_a_pause_for_another_reason_is_no_storm():
    reach = stormed(1)
    reach.paused(1010.0, "controller", "connection refused")
    reach.continued()

    assert not reach.is_careful


# --- storms: what becomes of a run ------------------------------------------------------------------

BUSY = (503, Refusal.BUSY)


def sending(operation: str = "reboot", count: int = 8, attempts: int = 1, **story) -> Story:
    some = {"devices": count, "max_down": count, **story}
    return Story(step(operation, attempts=attempts), **some).settles()


def dropped(story: Story, times: int = 5) -> Story:
    for _ in range(times):
        story.drops()
    return story


@pytest.mark.parametrize("how", ["503", "lost"])
def test_a_storm_pauses_the_run_and_tells_why(how):
    story = sending()
    story.is_usable = False
    for _ in range(5):
        story.drops() if how == "lost" else story.refuses(*BUSY)

    paused = story.last(events.RunPaused)
    assert paused.cause == "controller"
    assert paused.detail.startswith("5 operation requests in a row came to nothing")
    assert story.run.verdicts.total() == 0


def test_four_in_a_row_or_one_device_only_are_no_storm():
    assert dropped(sending(), 4).events(events.RunPaused) == []

    story = sending("sync", 1, attempts=9)
    for _ in range(8):
        story.drops().later(61)
    assert story.events(events.RunPaused) == []


def test_after_a_storm_one_request_is_tried_at_a_time_until_one_is_accepted():
    story = dropped(sending(count=20, in_flight=5), 9).later(60)
    while story.open:
        story.drops()
    story.later(120)
    assert len(story.open) <= 1
    story.later(120)
    assert len(story.open) == 1
    sent = len(story.operations)

    story.accepts()

    assert len(story.operations) == sent + 5


def test_attempts_lost_in_a_storm_do_not_count():
    """With a single attempt each, every one of these devices would be in doubt."""
    story = dropped(sending("sync", 5))
    assert story.events(events.RunPaused)

    story.later(120)
    while story.open:
        at = story.now - T0
        story.shows(story.open[0].device, last_connection=at + 1, last_configuration=at + 1)
        story.accepts().later(30)

    assert story.run.verdicts == {Verdict.SUCCEEDED: 5}


def test_a_disruptive_request_lost_in_a_storm_and_not_applied_is_no_attempt():
    story = dropped(sending("reboot", 5))
    for at in (198, 498):
        story.until(at + 1)
        for device in range(1, 6):
            story.shows(device, last_connection=at)
    story.until(510)
    while story.open:
        story.accepts().later(30)

    assert story.run.verdicts.total() == 0
    assert sorted(story.operations[5:]) == [(n, "reboot") for n in range(1, 6)]


def test_answers_that_are_lost_after_the_breaker_has_opened_do_not_count_either():
    story = sending("sync", 8)
    story.is_usable = False
    dropped(story, 8)

    assert [story.device(n).failures for n in range(1, 9)] == [0] * 8


def test_all_the_attempts_that_a_device_lost_in_one_storm_are_given_back():
    story = sending("sync", 3, attempts=3)
    dropped(story, 3).later(12)
    dropped(story, 2)

    assert story.events(events.RunPaused)
    assert [story.device(n).failures for n in (1, 2, 3)] == [0, 0, 0]


def test_a_controller_that_never_accepts_again_ends_in_an_interruption_that_can_be_resumed():
    story = sending("sync", 6, attempts=2, patience=900.0)
    while not story.run.is_over:
        assert story.now < T0 + 7200
        while story.open:
            story.drops()
        story.later(5)

    assert story.run.interrupted.cause == "controller"
    assert story.run.verdicts.total() == 0
    assert 900 <= story.run.interrupted.at - T0 < 1800

    story.crashes(later=3600.0).later(5)
    assert story.open


def test_a_single_lost_answer_long_ago_does_not_shorten_the_patience_with_a_lost_connection():
    story = sending("reboot", 2, attempts=9, max_down=1).drops()
    story.shows(1, status="Down", status_change=30, last_connection=20).later(100)
    story.shows(1, status="Up", status_change=90, last_connection=95).later(200)
    assert story.operations[-1] == (2, "reboot")
    story.later(2000)
    for _ in range(3):
        story.run.observe(ReadingFailed((), "refused", unreachable=True), story.now)
    story.is_usable = False

    story.settles().later(1700)

    assert story.run.is_paused
    assert story.run.interrupted is None


def test_answers_that_a_process_lost_by_ending_are_no_storm():
    story = sending(count=8).crashes(later=10.0)

    assert len(story.events(events.OperationLost)) == 8
    assert story.events(events.RunPaused) == []
    assert not story.run.reach.is_storm


@pytest.mark.parametrize("at", ["paused", "careful"])
def test_another_process_takes_over_in_a_storm(at):
    story = sending("sync", 8, attempts=2)
    story.is_usable = at == "careful"
    dropped(story).later(5)
    assert durable(replayed(story.plan, story.journal)) == durable(story.run)

    story.is_usable = True
    story.crashes(later=100.0)
    while story.run.finished_at is None:
        assert story.now < T0 + 7200
        now = story.now - T0
        while story.open:
            story.shows(story.open[0].device, last_connection=now + 9, last_configuration=now + 9)
            story.accepts()
        story.later(10)

    assert story.run.verdicts == {Verdict.SUCCEEDED: 8}


def test_devices_that_fail_while_nothing_is_accepted_spend_no_budget():
    """A narrow run fails device by device before five requests are together (found by a review)."""
    story = sending(count=4, max_down=1, budget=Budget(failed=0))
    story.drops().later(3000)
    assert story.verdict(1) == "failed"

    paused = story.last(events.RunPaused)

    assert paused.cause == "controller"
    assert paused.detail == (
        "no request was accepted since devices began to fail, and 1 device failed;"
        " the budget allows 0"
    )
    assert story.run.stopped is None


def test_a_device_that_failed_while_others_were_accepted_spends_the_budget():
    story = sending(count=4, max_down=2, budget=Budget(failed=0), rollout=Rollout(2, strict=False))
    story.drops().accepts().later(3000)

    assert story.verdict(1) == "failed"
    assert story.run.stopped.cause == "budget"
