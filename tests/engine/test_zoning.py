"""The windows of a run: who waits for which opening, who still fits, and who never gets his turn."""

from datetime import datetime

import pytest

from orchestrator.engine.rollout.zoning import ENOUGH, Durations
from orchestrator.engine.run import replayed
from orchestrator.model import events
from orchestrator.model.answers import Refusal
from orchestrator.model.orders import Approve, Cancel, Continue, Pause
from orchestrator.model.plans import Wave
from orchestrator.model.policies import Budget
from orchestrator.model.steps import ApproveStep
from orchestrator.model.windows import Blackout, Window
from tests.support.stories import ANA, BEN, T0, Story, durable, plan_of, sleep, step

SYNC, RECONF = step("sync"), step("reconf")
PATIENT = step("reconf", within=4 * 3600.0)
DAY, HOUR = 86_400.0, 3600.0
# T0 is Sunday, 2026-11-22 04:15 in UTC.
FIVE = 45 * 60.0
"""Five o'clock, in seconds of the story."""
LIMA = "America/Lima"
"""Five hours behind UTC all the year."""


def daily(at: str = "0 5", *, lasts: float = HOUR, cutoff: float | None = 0.0, **more) -> Window:
    """Open every day from five to six unless said otherwise."""
    return Window(f"{at} * * *", lasts, "UTC", cutoff, **more)


def once(hour: int = 5, *, cutoff: float | None = 0.0, **more) -> Window:
    return Window(datetime(2026, 11, 22, hour), HOUR, "UTC", cutoff, **more)  # noqa: DTZ001


def waiting(window: Window, *steps, devices: int = 1, **story) -> Story:
    some = {"devices": devices, "max_down": devices, "in_flight": 200, **story}
    return Story(*(steps or (SYNC,)), window=window, **some).settles()


def seconds(story: Story, kind) -> list[float]:
    return [round(event.at - T0) for event in story.events(kind)]


def is_done(story: Story, device: int) -> Story:
    at = story.now - T0
    return story.shows(device, last_connection=at + 1, last_configuration=at + 1).later(30)


def replays(story: Story) -> bool:
    again = replayed(story.plan, story.journal, patience=story.patience)
    return durable(again) == durable(story.run)


# --- waiting for an opening -----------------------------------------------------------------------


def test_a_run_waits_for_its_opening_and_starts_with_it():
    story = waiting(daily()).until(FIVE - 1)
    assert story.operations == []
    closed = story.last(events.WindowClosed)
    assert (closed.zone, closed.next_at) == ("UTC", T0 + FIVE)

    story.until(FIVE + 1)

    assert story.operations == [(1, "sync")]
    opened = story.last(events.WindowOpened)
    assert (opened.zone, opened.until_at) == ("UTC", T0 + FIVE + HOUR)


def test_the_end_of_a_window_is_outside_of_it():
    story = waiting(daily(), devices=100, delay=60.0).until(FIVE + 2 * HOUR)

    sent = seconds(story, events.OperationIntended)
    assert (sent[0], sent[-1]) == (FIVE, FIVE + HOUR - 60)


def test_what_did_not_get_its_turn_goes_on_at_the_next_opening_and_counts_go_on():
    story = waiting(daily(), devices=80, delay=60.0, budget=Budget(failed=79)).until(FIVE + 600)
    while story.open:
        story.refuses(404, Refusal.GONE)
    failed = story.run.verdicts.total()
    story.until(FIVE + HOUR + 60)
    begun = len(story.operations)

    story.until(FIVE + DAY + 61)

    assert (failed, begun) == (11, 60)
    assert len(story.operations) == 62
    assert story.run.verdicts.total() == failed
    assert len({device for device, _ in story.operations}) == 62


def test_a_run_is_awake_only_at_the_edges_of_its_window():
    story = waiting(daily()).until(60)
    assert story.run.next_wake() == T0 + FIVE

    story.until(FIVE + 60)
    story.accepts()
    is_done(story, 1)

    assert story.run.finished_at is not None


def test_openings_of_many_days_pass_without_anybody_being_lost():
    story = waiting(daily(lasts=120.0), devices=9, delay=60.0).until(6 * DAY)

    assert [device for device, _ in story.operations] == list(range(1, 10))
    assert len(story.events(events.WindowOpened)) == 6


# --- the cutoff -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cutoff", "expected", "last"),
    [
        (0.0, (600,), HOUR - 60),
        (900.0, (600,), HOUR - 900 - 60),
        (None, (600,), HOUR - 600),
        (None, (HOUR - 60,), 60.0),
        (None, (0,), HOUR - 60),
    ],
    ids=["no cutoff", "15m before", "as long as it fits", "fits hardly", "takes no time"],
)
def test_nobody_is_started_after_the_cutoff(cutoff, expected, last):
    story = waiting(daily(cutoff=cutoff), devices=100, delay=60.0, expected=expected)
    story.until(FIVE + 2 * HOUR)

    sent = seconds(story, events.OperationIntended)
    assert (sent[0], sent[-1]) == (FIVE, pytest.approx(FIVE + last, abs=1))


def test_of_a_device_that_has_begun_only_what_is_left_has_to_fit():
    story = waiting(daily(cutoff=None), PATIENT, sleep(60.0), SYNC, expected=(1500, 60, 300))
    story.until(FIVE + 1).accepts()
    story.until(FIVE + HOUR - 400)
    is_done(story, 1).later(1)

    assert story.until(FIVE + HOUR).operations == [(1, "reconf"), (1, "sync")]


def test_a_touched_device_whose_rest_does_not_fit_waits_for_the_next_opening():
    story = waiting(daily(cutoff=None), PATIENT, sleep(60.0), SYNC, expected=(1500, 60, 300))
    story.until(FIVE + 1).accepts()
    story.until(FIVE + HOUR - 200)
    is_done(story, 1)
    assert story.until(FIVE + 2 * HOUR).operations == [(1, "reconf")]
    assert replays(story)

    assert story.until(FIVE + DAY + 1).operations == [(1, "reconf"), (1, "sync")]


# --- never again ----------------------------------------------------------------------------------


def test_when_the_window_never_opens_again_who_was_not_begun_is_deferred():
    story = waiting(once(), devices=3, delay=1800.0).until(FIVE + 60)
    story.accepts()
    is_done(story, 1)
    story.until(FIVE + HOUR + 60)
    story.accepts()
    is_done(story, 2)

    assert [story.verdict(n) for n in (1, 2, 3)] == ["succeeded", "succeeded", "deferred"]
    assert story.reason(3) == "the window closed before sync and does not open again"
    assert story.run.finished_at is not None


def test_a_window_that_was_over_before_the_run_began_defers_everybody():
    story = waiting(once(hour=3), devices=3)

    assert [story.verdict(n) for n in (1, 2, 3)] == ["deferred"] * 3
    assert story.last(events.WindowClosed).next_at is None
    assert story.run.finished_at is not None


def test_a_large_set_is_deferred_to_the_last():
    story = waiting(once(hour=3), devices=4500)

    assert story.run.finished_at is not None
    assert story.run.ended == 4500


def test_a_blackout_for_all_the_days_to_come_is_never_again():
    first, last = datetime(2026, 11, 23).date(), datetime(2099, 1, 1).date()  # noqa: DTZ001
    window = daily(blackouts=(Blackout(first, last),))
    story = waiting(window, devices=2, delay=2 * HOUR).until(FIVE + 60).accepts()
    is_done(story, 1).until(FIVE + HOUR + 1)

    assert [story.verdict(n) for n in (1, 2)] == ["succeeded", "deferred"]


def test_a_device_in_its_chain_is_finished_though_the_window_never_opens_again():
    story = waiting(once(), step("factory"), sleep(HOUR), RECONF).until(FIVE + 1).accepts()
    at = story.now - T0
    story.shows(status="Down", status_change=at + 10, last_connection=at + 5).later(20)
    story.shows(status="Up", status_change=at + 18, last_connection=at + 18)
    story.until(FIVE + 3 * HOUR).accepts()
    is_done(story, 1)

    assert story.verdict() == "succeeded"


def test_waves_end_at_the_last_closing_too():
    waves = (Wave(1), Wave(2))
    story = waiting(once(), devices=3, waves=waves, delay=1.0).until(FIVE + HOUR - 10)
    story.until(FIVE + HOUR + 60).accepts()
    is_done(story, 1).later(60)

    assert [story.verdict(n) for n in (1, 2, 3)] == ["succeeded", "deferred", "deferred"]
    assert story.run.finished_at is not None


# --- zones ----------------------------------------------------------------------------------------


def test_each_device_has_its_own_night():
    story = waiting(daily(), devices=2, zones={2: LIMA}).until(FIVE + 60)
    assert story.operations == [(1, "sync")]

    story.until(FIVE + 5 * HOUR + 60)

    assert story.operations == [(1, "sync"), (2, "sync")]
    assert [(e.zone, round(e.at - T0)) for e in story.events(events.WindowOpened)] == [
        ("UTC", FIVE),
        (LIMA, FIVE + 5 * HOUR),
    ]


def test_devices_behind_those_of_a_closed_zone_are_started():
    story = waiting(daily(), devices=5, zones={1: LIMA, 2: LIMA, 4: LIMA}).until(FIVE + 60)

    assert [device for device, _ in story.operations] == [3, 5]
    assert [d for d, _ in story.until(FIVE + 5 * HOUR + 60).operations] == [3, 5, 1, 2, 4]


def test_a_zone_whose_window_is_over_does_not_keep_the_others_from_their_next_wave():
    """Device 2 cannot have its turn any more; device 3, of the next wave, lives farther west."""
    story = waiting(
        once(),
        step("sync", within=2 * HOUR),
        devices=3,
        zones={3: LIMA},
        waves=(Wave(2), Wave(1)),
        budget=Budget(failed=0),
    )
    story.until(FIVE + 60).accepts().until(FIVE + HOUR + 60)
    assert is_done(story, 1).verdict(2) == "deferred"

    story.until(FIVE + 5 * HOUR + 60)

    assert story.operations == [(1, "sync"), (3, "sync")]


def test_when_all_zones_are_over_the_run_is():
    story = waiting(once(), devices=3, zones={2: LIMA, 3: "Asia/Tokyo"}).until(2 * DAY)
    while story.open:
        story.accepts()
    for device in (1, 2):
        is_done(story, device)

    assert [story.verdict(n) for n in (1, 2, 3)] == ["succeeded", "succeeded", "deferred"]
    assert story.run.finished_at is not None


# --- people and processes -------------------------------------------------------------------------


def test_a_paused_run_does_not_start_with_its_window_and_a_continued_one_does():
    story = waiting(daily()).obeys(Pause(ANA)).until(FIVE + 600)
    assert story.operations == []

    assert story.obeys(Continue(BEN)).later(1).operations == [(1, "sync")]


def test_who_is_continued_after_the_closing_waits_for_the_next_opening():
    story = waiting(daily()).until(FIVE - 1).obeys(Pause(ANA)).until(FIVE + 2 * HOUR)
    story.obeys(Continue(BEN)).until(FIVE + DAY - 60)
    assert story.operations == []

    assert story.until(FIVE + DAY + 1).operations == [(1, "sync")]


def test_a_run_that_waits_for_its_opening_can_be_cancelled():
    story = waiting(daily(), devices=2).obeys(Cancel(ANA))

    assert [story.verdict(n) for n in (1, 2)] == ["not_started"] * 2
    assert story.run.finished_at is not None


@pytest.mark.parametrize("later", [0.0, FIVE, FIVE + 2 * HOUR, DAY], ids=str)
@pytest.mark.parametrize("at", [60.0, FIVE + 60, FIVE + HOUR + 60], ids=str)
def test_another_process_takes_over_whether_the_window_is_open_or_not(at, later):
    story = waiting(daily(), devices=3, delay=40 * 60.0).until(at)
    assert replays(story)
    story.crashes(later=later)

    for _ in range(4 * 24):
        while story.open:
            story.accepts()
        for device in {device for device, _ in story.operations}:
            if story.verdict(device) is None:
                is_done(story, device)
        story.later(HOUR / 2)
        if story.run.finished_at is not None:
            break

    assert story.run.finished_at is not None
    assert replays(story)
    for event in story.events(events.OperationIntended):
        assert FIVE <= (event.at - T0) % DAY < FIVE + HOUR


# --- how long devices take ------------------------------------------------------------------------


def durations(*expected: int, measured: tuple[float, ...] = ()) -> Durations:
    plan = plan_of(RECONF, SYNC, window=daily(), expected=expected)
    found = Durations(plan)
    run = Story(RECONF, SYNC).settles().device()
    for duration in measured:
        run.began_at = 1000.0
        found.took(run, 1000.0 + duration)
    return found


def test_as_long_as_too_few_have_succeeded_the_plan_says_how_long_devices_take():
    assert durations(600, 300, measured=(10.0,) * (ENOUGH - 1)).remaining(0) == 900.0


def test_nine_of_ten_measured_devices_say_it_once_there_are_enough():
    measured = (100.0,) * 18 + (200.0, 4000.0)

    assert durations(600, 300, measured=measured).remaining(0) == 200.0


def test_of_a_device_in_the_middle_the_same_share_is_left_as_in_the_plan():
    run = Story(RECONF, SYNC).settles().device()
    run.step = 1

    assert durations(600, 300).remaining(run.step) == 300.0
    assert durations(600, 300, measured=(90.0,) * 20).remaining(run.step) == 30.0


def test_only_the_latest_measurements_are_kept():
    measured = (5000.0,) * 100 + (50.0,) * 500

    assert durations(600, 300, measured=measured).remaining(0) == 50.0


def test_once_devices_are_known_to_be_quick_those_for_whom_it_was_too_late_are_tried_again():
    """The plan expects fifty minutes, so after ten minutes nobody fits; in truth it is a minute."""
    story = waiting(
        daily(cutoff=None),
        step("sync", within=2 * HOUR),
        devices=30,
        expected=(3000,),
        budget=Budget(failed=9),
    )
    for at, apart in ((FIVE + 500, 0.0), (FIVE + 700, 30.0)):
        story.until(at)
        for _ in range(10):
            device, now = story.open[0].device, story.now - T0
            story.accepts().shows(device, last_connection=now + 1, last_configuration=now + 1)
            story.later(apart)
        story.later(60)

    assert story.run.verdicts.total() == 20
    assert len(story.operations) == 30


def test_the_time_for_which_a_device_waited_for_people_is_none_that_it_took():
    """Else nobody would ever fit again into a window that is shorter than the longest wait."""
    story = waiting(
        daily("0 *", lasts=HOUR / 2, cutoff=None),
        RECONF,
        ApproveStep("Go on?"),
        SYNC,
        devices=25,
        expected=(60, 0, 60),
    )
    while story.open:
        device = story.open[0].device
        story.shows(device, last_connection=1, last_configuration=1).accepts()
    story.later(600)
    assert story.run.approvals.open
    story.until(FIVE + 5 * HOUR + 1).obeys(Approve(BEN))
    while story.open:
        at = story.now - T0 + 1
        story.shows(story.open[0].device, last_connection=at, last_configuration=at).accepts()
    story.later(60)

    assert story.run.verdicts.total() == 25
    assert story.run.durations.remaining(0) < 300


def test_the_nights_that_a_device_waited_through_are_none_of_the_time_it_took():
    story = waiting(daily(), RECONF, sleep(50 * 60.0), SYNC, devices=25, expected=(60, 3000, 60))
    story.until(FIVE + 900)
    while story.open:
        story.shows(
            story.open[0].device, last_connection=FIVE + 901, last_configuration=FIVE + 901
        ).accepts()
    story.until(FIVE + DAY + 1)
    while story.open:
        at = story.now - T0 + 1
        story.shows(story.open[0].device, last_connection=at, last_configuration=at).accepts()
    story.later(60)

    assert story.run.verdicts.total() == 25
    assert story.run.durations.remaining(0) < 2 * HOUR
