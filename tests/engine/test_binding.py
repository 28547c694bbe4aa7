"""What keeps the next device from its start: one word for each limit."""

from orchestrator.engine.binding import binding
from orchestrator.model.plans import Wave
from orchestrator.model.policies import Approver, BetweenWaves, Budget, GroupLimit, Rollout
from orchestrator.model.steps import ApproveStep
from orchestrator.model.windows import Window
from tests.support.stories import Story, step

REBOOT, SYNC = step("reboot"), step("sync")


def bound(story: Story) -> str:
    return binding(story.run, story.now)


def test_the_places_for_devices_down_are_taken():
    assert bound(Story(REBOOT, devices=3, max_down=1).settles()) == "max_down"


def test_the_group_of_everybody_left_is_full():
    groups = dict.fromkeys((1, 2), ("500",))
    per = [GroupLimit(("location",), 1)]

    assert bound(Story(REBOOT, devices=2, max_down=2, per=per, groups=groups).settles()) == (
        "max_down_per"
    )


def test_too_many_requests_are_under_way():
    assert bound(Story(SYNC, devices=3, in_flight=1).settles()) == "in_flight"


def test_the_delay_or_the_rate_holds_the_next_request():
    assert bound(Story(SYNC, devices=3, delay=5.0).settles()) == "delay"
    assert bound(Story(SYNC, devices=3, delay=0.1, per_second=1.0).settles()) == "per_second"


def test_the_budget_or_the_ramp_leaves_no_room():
    strict = Story(SYNC, devices=3, budget=Budget(failed=0)).settles()
    ramp = Story(SYNC, devices=3, rollout=Rollout(ramp=True)).settles()
    both = Story(SYNC, devices=9, budget=Budget(failed=3), rollout=Rollout(ramp=True)).settles()

    assert (bound(strict), bound(ramp), bound(both)) == ("budget", "ramp", "ramp")


def test_a_wave_is_waited_for_and_then_soaks_and_then_somebody_is_asked():
    gate = Rollout(between_waves=BetweenWaves(soak=60.0, approval=Approver.ANYBODY))
    story = Story(SYNC, devices=2, waves=[Wave(1), Wave(1)], rollout=gate).settles()
    assert bound(story) == "wave"

    story.accepts().shows(last_connection=5).until(40)
    assert bound(story) == "soak"

    story.until(200)
    assert bound(story) == "approval"


def test_a_step_that_asks_a_person_holds_whoever_comes_to_it():
    assert bound(Story(ApproveStep("Go on?"), SYNC).settles()) == "approval"


def test_the_window_is_closed():
    night = Window("0 1 * * *", 3600.0, "UTC", cutoff=0.0)

    assert bound(Story(SYNC, window=night).settles()) == "window"


def test_nobody_is_left_to_be_started():
    assert bound(Story(SYNC, devices=1).settles()) == "devices"
