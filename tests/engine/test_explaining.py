"""Why is this device where it is: one sentence for each thing that can hold one."""

import pytest

from orchestrator.engine.explaining import why
from orchestrator.model.answers import Refusal
from orchestrator.model.devices import DeviceId
from orchestrator.model.orders import Approve, Cancel, Pause
from orchestrator.model.plans import Wave
from orchestrator.model.policies import BetweenWaves, Budget, GroupLimit, Rollout
from orchestrator.model.selections import Condition, Equals
from orchestrator.model.steps import ApproveStep
from orchestrator.model.windows import Window
from tests.support.stories import ANA, Story, check, sleep, step

FACTORY, RECONF, REBOOT = step("factory"), step("reconf"), step("reboot")


def told(story: Story, device: int = 1) -> str:
    return why(story.run, DeviceId(device), story.now)


def test_a_device_whose_turn_has_not_come_is_told_what_is_before_it():
    story = Story(REBOOT, devices=3, max_down=1).settles()

    assert told(story, 3) == "1 device is out of service already, which is max_down"


def test_the_budget_and_the_ramp_hold_devices_back():
    budget = Story(step("sync"), devices=3, budget=Budget(failed=0)).settles()
    ramp = Story(step("sync"), devices=3, rollout=Rollout(ramp=True)).settles()

    assert told(budget, 2) == (
        "1 device is under way, and the failure budget allows 1 at once for now"
    )
    assert told(ramp, 2) == "1 device is under way, and the ramp allows 1 at once for now"


def test_a_full_group_is_told_with_whom():
    story = Story(
        REBOOT,
        devices=2,
        max_down=2,
        per=[GroupLimit(("location",), 1)],
        groups={1: ("500",), 2: ("500",)},
    ).settles()

    assert told(story, 2) == (
        "its group is full: max_down_per location: 1 of 500 out of service (1), 1 allowed"
    )


def test_a_device_of_a_later_wave_is_told_where_the_waves_stand():
    gate = Rollout(between_waves=BetweenWaves(soak=60.0))
    story = Story(step("sync"), devices=2, waves=[Wave(1), Wave(1)], rollout=gate).settles()
    assert told(story, 2) == "it is in wave 2; wave 1 runs, 0 of its 1 devices are done"

    story.accepts().shows(last_connection=5).until(40)

    assert told(story, 2) == "it is in wave 2; wave 1 is finished and soaks before it is judged"


def test_a_closed_window_is_told_with_when_it_opens():
    window = Window("0 1 * * *", 3600.0, "UTC")
    story = Story(REBOOT, window=window).settles()

    assert told(story) == "its window opens at 2026-11-23 01:00:00Z (UTC)"


@pytest.mark.parametrize(
    ("until", "sentence"),
    [
        (0, "at step 1, factory: its request is on the way"),
        (1, "at step 1, factory: accepted; proof of what it did is awaited until"),
    ],
)
def test_a_device_that_is_waited_for_is_told_for_what_and_how_long(until, sentence):
    story = Story(FACTORY, RECONF).settles()
    if until:
        story.accepts()

    assert told(story).startswith(sentence)


def test_a_rest_is_told_with_its_reason_and_its_end():
    story = Story(REBOOT).settles().refuses(429, Refusal.BUSY, 30.0)

    assert told(story).startswith(
        "at step 1, reboot: the controller answered 429; it is tried again"
    )


def test_sleeping_checking_and_approving_are_told():
    sleeping = Story(sleep(60.0), REBOOT).settles()
    checking = Story(check(Condition("status", Equals(("Down",))), within=60.0)).settles()
    asking = Story(ApproveStep("Is it good?")).settles()

    assert "it sleeps until" in told(sleeping)
    assert "does not satisfy the check yet" in told(checking)
    assert told(asking) == "at step 1, approve: a person has to approve: Is it good?"


def test_a_pause_names_the_person_and_a_chain_goes_on_in_spite_of_it():
    story = Story(FACTORY, RECONF, devices=2, max_down=1).settles().accepts()
    story.obeys(Pause(ANA))

    assert told(story, 2).startswith("ana paused the run at")
    assert told(story, 1).startswith("at step 1, factory: accepted")


def test_a_paused_controller_is_told_before_anything_else():
    story = Story(REBOOT).settles().refuses(401, Refusal.UNAUTHORISED)

    assert told(story).endswith("the run pauses because of the token: the controller answered 401")


def test_an_ended_device_is_told_how_it_ended():
    story = Story(REBOOT).settles().refuses(404, Refusal.GONE)

    assert told(story) == "it ended failed: the controller answered 404"


def test_a_stopped_run_and_a_denied_wave_are_told():
    stopped = Story(REBOOT, devices=2, max_down=1).settles().accepts().obeys(Cancel(ANA))
    denied = Story(ApproveStep("Is it good?"), FACTORY).settles()
    denied.obeys(Approve(ANA, granted=False))

    assert (
        told(stopped, 2)
        == "it ended not started: the run was stopped before reboot: ana cancelled it: ticket 12"
    )
    assert told(denied).endswith("ana did not approve step 1: ticket 12")


def test_somebody_who_asks_for_a_device_that_is_not_of_the_run_gets_a_key_error():
    with pytest.raises(KeyError):
        told(Story(REBOOT).settles(), 99)


def test_every_sentence_is_told_after_a_crash_too():
    story = Story(FACTORY, RECONF, devices=2, max_down=1).settles().accepts()
    before = told(story, 1)

    story.crashes()

    assert told(story, 1) == before
