"""The census: who is Down already counts, and whoever waits for others' outages waits not for ever."""

import pytest

from orchestrator.engine.rollout.sparing import CENSUS_RETRY, CENSUS_SECONDS, PATIENCE
from orchestrator.engine.run import replayed
from orchestrator.model import events
from orchestrator.model.answers import Refusal
from orchestrator.model.orders import Cancel, Continue, Pause
from orchestrator.model.plans import Wave
from orchestrator.model.policies import GroupLimit
from orchestrator.model.readings import Census, ReadingFailed
from orchestrator.model.windows import Window
from tests.support.stories import ANA, T0, Story, check, durable, sleep, step

REBOOT = step("reboot")
BY_LOCATION = GroupLimit(("location",), 1)
UNREADABLE = ReadingFailed((), "500")


def sparing(*steps, north: int = 2, south: int = 1, at_most: int = 1, **story) -> Story:
    """Devices of the north first, then those of the south; 77 is somebody else's in the north."""
    count = north + south
    places = {n: ("north" if n <= north else "south",) for n in range(1, count + 1)}
    found = Story(
        *(steps or (REBOOT,)),
        devices=count,
        max_down=count,
        per=(GroupLimit(("location",), at_most),),
        groups=places,
        **story,
    )
    for device, (place,) in places.items():
        found.shows(device, location=place)
    return found.another(77, location="north")


def begins(story: Story) -> Story:
    """Let the first census be taken and be known."""
    return story.settles().settles()


def sent(story: Story) -> list[int]:
    return [device for device, _ in story.operations]


def comes_back(story: Story, device: int) -> Story:
    at = story.now - T0
    story.accepts().shows(device, status="Down", status_change=at + 5, last_connection=at + 2)
    story.later(20).shows(device, status="Up", status_change=at + 18, last_connection=at + 18)
    while story.verdict(device) is None:
        assert story.now < T0 + at + 600
        story.later(5)
    return story


def lost(story: Story) -> Story:
    """The first device takes its request, goes down and is never seen again."""
    story.accepts().later(1)
    return story.shows(1, status="Down", status_change=10, last_connection=5).later(1000)


def test_nobody_is_started_before_it_is_known_who_is_down_already():
    story = sparing()
    story.census_fails = UNREADABLE
    story.settles().later(3 * CENSUS_RETRY + 1)
    assert (sent(story), story.censuses) == ([], 4)

    story.census_fails = None

    assert sent(story.later(CENSUS_RETRY + 1).settles()) == [1, 3]


def test_of_one_group_only_as_many_as_allowed_are_out_of_service_at_once():
    story = begins(sparing(north=4, at_most=2))
    assert sent(story) == [1, 2, 5]

    comes_back(story, 1)

    assert sent(story)[:4] == [1, 2, 5, 3]


def test_the_place_is_given_back_when_the_device_is_proven_back_and_not_before():
    story = begins(sparing()).accepts()
    story.shows(1, status="Down", status_change=5, last_connection=2).later(300)
    assert sent(story) == [1, 3]

    story.shows(1, status="Up", status_change=299, last_connection=299).later(90).settles()

    assert sent(story) == [1, 3, 2]


def test_a_device_that_is_down_already_counts_whoever_it_belongs_to():
    story = begins(sparing().another(77, location="north", status="Down")).later(600)
    assert sent(story) == [3]

    story.another(77, location="north")

    assert sent(story.later(CENSUS_SECONDS + 1).settles()) == [3, 1]


def test_a_device_that_is_not_active_does_not_count():
    story = sparing().another(77, location="north", status="Down", is_active=False)

    assert sent(begins(story)) == [1, 3]


def test_a_device_that_goes_down_later_keeps_the_next_one_waiting():
    story = begins(sparing())
    story.another(77, location="north", status="Down").later(CENSUS_SECONDS + 1)
    comes_back(story, 1)

    assert sent(story.later(300)) == [1, 3]


def test_who_waits_for_others_outages_is_skipped_after_the_patience_and_told_why():
    story = begins(sparing().another(77, location="north", status="Down"))
    story.later(PATIENCE - CENSUS_SECONDS)
    assert story.verdict(1) is None

    story.later(4 * CENSUS_SECONDS)

    assert [story.verdict(n) for n in (1, 2)] == ["skipped", "skipped"]
    assert story.reason(1) == ("max_down_per location: 1 of north out of service (77), 1 allowed")


def test_the_patience_stands_still_while_the_controller_cannot_be_used():
    story = begins(sparing(patience=9000.0).another(77, location="north", status="Down"))
    story.later(600)
    story.is_usable = False
    for _ in range(3):
        story.run.observe(ReadingFailed((), "refused", unreachable=True), story.now)
    story.settles().later(3000)
    story.is_usable = True
    story.later(600)

    assert story.verdict(1) is None


def test_who_waits_only_for_our_own_devices_waits_as_long_as_it_takes():
    story = begins(sparing(step("reboot", within=9000.0))).accepts().later(8000)

    assert story.verdict(2) is None


def test_a_device_of_a_later_wave_has_the_whole_patience_too():
    story = sparing(north=2, south=0, waves=(Wave(1), Wave(1)))
    story.another(77, location="north", status="Down")
    begins(story).later(PATIENCE + 4 * CENSUS_SECONDS)
    assert story.verdict(1) == "skipped"
    assert story.verdict(2) is None

    story.another(77, location="north").later(2 * CENSUS_SECONDS)

    assert sent(story) == [2]


def test_a_device_that_has_begun_waits_in_its_group_before_its_disruptive_step():
    story = sparing(check(), REBOOT).another(77, location="north", status="Down")
    begins(story).later(300)
    assert sent(story) == [3]

    story.another(77, location="north").later(CENSUS_SECONDS + 1)

    assert sent(story) == [3, 1]


def test_a_touched_device_that_others_keep_waiting_too_long_fails():
    story = begins(sparing(REBOOT, sleep(300.0), REBOOT, north=1, south=0))
    at = story.now - T0
    story.accepts().shows(1, status="Down", status_change=at + 5, last_connection=at + 2)
    story.later(20).shows(1, status="Up", status_change=at + 18, last_connection=at + 18)
    story.another(77, location="north", status="Down").later(2 * PATIENCE)

    assert story.verdict(1) == "failed"
    assert "1 of north out of service (77)" in story.reason(1)


def test_a_lost_device_counts_until_a_census_reads_it_up_again():
    story = lost(begins(sparing()))
    assert story.verdict(1) == "unconfirmed"
    assert sent(story) == [1, 3]

    story.shows(1, status="Up", last_connection=story.now - T0 + 1).later(2 * CENSUS_SECONDS + 1)

    assert sent(story) == [1, 3, 2]


def test_nobody_is_counted_while_nobody_could_be_started():
    story = begins(sparing())
    story.obeys(Pause(ANA)).later(5)
    while story.open:
        story.refuses(404, Refusal.GONE)
    counted = story.censuses

    story.later(7200)
    assert story.censuses == counted

    assert sent(story.obeys(Continue(ANA)).later(1).settles()) == [1, 3, 2]


def test_without_such_a_limit_nobody_is_ever_counted():
    assert Story(REBOOT, devices=2, max_down=2).settles().later(600).censuses == 0


@pytest.mark.parametrize("order", [None, Cancel(ANA)], ids=["going on", "cancelled"])
def test_a_run_whose_groups_are_full_comes_to_its_end(order):
    story = sparing(north=4).another(77, location="north", status="Down")
    begins(story).later(90)
    if order is not None:
        story.obeys(order)
    story.refuses(404, Refusal.GONE).later(2 * PATIENCE)

    assert story.run.finished_at is not None


def test_another_process_knows_who_was_lost_and_counts_anew():
    story = lost(begins(sparing()))
    assert durable(replayed(story.plan, story.journal)) == durable(story.run)

    story.crashes(later=60.0).later(5)
    assert list(story.run.admissions.groups.lost) == [1]
    assert 2 not in sent(story)

    story.shows(1, status="Up", last_connection=story.now - T0 + 1).later(3 * CENSUS_SECONDS)
    assert 2 in sent(story)


def test_devices_whose_value_is_not_known_are_one_group():
    story = Story(
        REBOOT, devices=2, max_down=2, per=(BY_LOCATION,), groups={1: ("unknown",), 2: ("unknown",)}
    )

    assert sent(begins(story)) == [1]
    assert len(story.events(events.OperationIntended)) == 1


def slow(story: Story, seconds: float) -> Story:
    """Let a census take so long; the next one is answered by hand."""
    asked_at = story.now
    story.now += seconds
    story.run.observe(Census(asked_at, ()), story.now)
    return story.settles()


def test_a_census_that_takes_longer_than_it_holds_is_believed_from_its_end():
    story = sparing()
    story.answers_census = False
    story.settles()

    slow(story, 120.0)

    assert sent(story) == [1, 3]


def test_a_census_that_never_comes_in_time_ends_in_an_interruption_that_says_why():
    story = sparing(patience=1500.0)
    story.answers_census = False
    story.settles()

    while story.run.interrupted is None:
        slow(story, 700.0).later(15)

    assert story.run.interrupted.cause == "controller"
    assert story.run.interrupted.reason == (
        "the devices that are Down cannot be listed: the listing took 11m40s"
    )
    assert sent(story) == []


def test_a_device_in_its_chain_goes_on_in_spite_of_others_outages_after_the_patience():
    """It was reset; to be brought back into service it has to go through its reboot."""
    story = begins(sparing(step("factory"), REBOOT, step("reconf"), north=1, south=0)).accepts()
    story.shows(last_connection=5).until(20).shows(77, status="Down", status_change=15)
    story.until(280).shows(last_connection=300).until(600)
    assert story.device().step == 1
    assert story.operations == [(1, "factory")]

    story.later(PATIENCE + 3 * CENSUS_SECONDS)

    assert story.operations == [(1, "factory"), (1, "reboot")]


def test_a_closed_window_is_no_waiting_for_others_outages():
    window = Window("0,40 5 * * *", 1200.0, "UTC", cutoff=0.0)
    story = sparing(north=1, south=0, window=window).shows(77, status="Down")
    story.until(2700 + 1100)
    assert sent(story) == []

    story.until(2700 + 2400 + 300)
    assert len(story.events(events.WindowOpened)) == 2
    assert story.verdict(1) is None

    story.until(2700 + 2400 + 1100)

    assert story.verdict(1) == "skipped"
