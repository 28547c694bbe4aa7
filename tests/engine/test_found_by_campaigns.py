"""Bugs that drawn campaigns have found (`make check-campaigns`), each told by itself."""

from dataclasses import replace

from orchestrator.engine.rollout.sparing import SETTLE, Groups
from orchestrator.engine.rollout.zoning import ENOUGH, Durations
from orchestrator.engine.walking.progressing import Course, DeviceRun
from orchestrator.model import events
from orchestrator.model.answers import Refusal
from orchestrator.model.devices import DeviceId, device_from_record
from orchestrator.model.moments import as_text
from orchestrator.model.orders import Cancel, ChangeLimit
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.policies import GroupLimit
from orchestrator.model.readings import ReadingFailed
from orchestrator.model.selections import Condition, Equals
from orchestrator.model.steps import DoneStep
from orchestrator.model.verdicts import Verdict
from orchestrator.model.windows import Window
from tests.support.stories import ANA, Story, plan_of, record_step, step

REBOOT, RECONF, SYNC = step("reboot"), step("reconf"), step("sync")
FORGIVEN = replace(step("factory", within=100.0), continue_on=(Verdict.UNCONFIRMED,))


def test_a_last_step_that_is_forgiven_ends_the_walk():
    """There was no step to go on to, and the brain fell over it (seed 9)."""
    story = Story(FORGIVEN).settles().accepts().until(400)

    assert story.verdict() == "unconfirmed"
    assert story.run.finished_at is not None


def test_a_device_that_ends_in_its_first_steps_doubt_and_succeeds_to_the_end_is_judged():
    """Its verdict is that of the forgiven step, and it stands behind its last one."""
    story = Story(FORGIVEN, SYNC).settles().accepts().until(200)
    story.accepts().shows(last_connection=260, last_configuration=260).until(400)

    assert [event.step for event in story.events(events.StepSucceeded)] == [1]
    assert story.verdict() == "unconfirmed"


def test_a_device_in_its_rescue_keeps_its_place_while_it_may_still_be_gone():
    """Another one was taken out of service beyond max_down (seed 229)."""
    story = Story(step("factory", within=100.0), devices=2, rescue=(SYNC,)).settles().accepts()
    story.shows(status="Down", last_connection=5, status_change=60).until(200)

    assert story.events(events.RescueStarted)
    assert story.verdict() is None
    assert story.operations == [(1, "factory")]

    story.until(2000)
    assert story.verdict() == "unconfirmed"
    assert story.operations == [(1, "factory"), (2, "factory")]


def test_a_rescue_that_takes_the_device_down_again_needs_no_second_place():
    rescue = (step("reboot"), RECONF)
    story = Story(step("factory", within=100.0), rescue=rescue).settles().accepts().until(300)

    assert story.operations == [(1, "factory"), (1, "reboot")]
    assert story.run.admissions.down == 1


def test_what_was_gentle_and_unproven_does_not_hide_what_was_destructive():
    """The device counted as being in service again once its sync had failed as well."""
    story = Story(FORGIVEN, replace(SYNC, proof=replace(SYNC.proof, within=50.0)), rescue=(RECONF,))
    story.settles().accepts().until(200).accepts().until(300)

    assert len(story.events(events.RescueStarted)) == 1
    assert story.device().unproven is not None
    assert story.device().unproven.is_destructive


def test_a_decision_that_slows_sending_down_sends_nothing_itself():
    """What was ready left together with the event that says to wait (seed 300)."""
    story = Story(REBOOT, devices=2, max_down=2, in_flight=1).settles()
    story.refuses(503, Refusal.BUSY, retry_after=30.0)

    rests_until = story.last(events.SendingSlowed).until_at
    assert story.operations == [(1, "reboot")]
    story.until(60)
    assert len(story.operations) == 2
    assert story.events(events.OperationIntended)[-1].at >= rests_until


def test_devices_that_are_ready_heed_a_limit_that_was_lowered():
    """Those that already had their place went all the same (seed 392)."""
    story = Story(REBOOT, devices=3, max_down=3, delay=10.0).settles().accepts()
    story.obeys(ChangeLimit(ANA, "max_down", 1)).shows(1, last_connection=5).until(60)

    assert story.operations == [(1, "reboot")]
    story.shows(1, last_connection=70).until(120)
    assert story.operations == [(1, "reboot"), (2, "reboot")]


def test_a_chain_within_a_rescue_is_finished_as_well():
    """A stop left devices that the rescue itself had reset without their configuration."""
    story = Story(step("reboot", attempts=1), rescue=(step("factory"), RECONF)).settles()
    story.refuses(409, Refusal.STATE).settles().accepts()
    story.obeys(Cancel(ANA)).shows(last_connection=5, pending_settings="none").until(30)
    story.shows(last_connection=200).until(400)

    assert story.operations == [(1, "reboot"), (1, "factory"), (1, "reconf")]


def row(contact: float, pending: str = "none"):
    return device_from_record(
        {
            "id": 1,
            "status": "Up",
            "last_connection": as_text(contact),
            "pending_settings": pending,
            "location": "north",
        }
    )


def lost() -> Groups:
    """A device that ended unconfirmed, its command not delivered yet, in a group of one."""
    groups = Groups((GroupLimit(("location",), 1),))
    groups.lose(PlannedDevice(DeviceId(1), None, None, ("north",)), 1000.0, delivered=False)
    return groups


def test_a_lost_device_is_not_back_by_the_contact_that_takes_it_down():
    """Its reset was still to be delivered, and the delivery counted as its return (seed 507)."""
    groups = lost()

    assert groups.look_at(row(1100.0, "factory_requested")) == ()
    assert groups.look_at(row(1160.0)) == ()
    assert groups.look_at(row(1161.0 + SETTLE - 2)) == ()
    assert groups.look_at(row(1161.0 + SETTLE)) == ((0, "north"),)


def test_what_devices_took_never_keeps_all_others_out_of_every_window():
    """Some had waited through a night, and no opening was long enough any more (seed 846)."""
    window = Window("0 1 * * *", 1200.0, "UTC")
    plan = plan_of(SYNC, expected=(300,), window=window)
    durations = Durations(plan)
    for number in range(ENOUGH + 5):
        device = DeviceRun(PlannedDevice(DeviceId(number), None, None), Course((SYNC,)))
        device.began_at = 0.0
        durations.took(device, 80_000.0)

    assert durations.remaining(0) == 600.0


def test_signs_of_a_reset_that_was_never_proven_tell_nothing_of_the_next_ones_lost_answer():
    """The late return of the first was taken for an application of the second (seed 628)."""
    story = Story(step("factory", within=100.0), rescue=(step("reboot"), SYNC)).settles().accepts()
    story.shows(last_connection=5).until(400)
    assert story.operations == [(1, "factory"), (1, "reboot")]

    story.drops()
    story.shows(last_connection=430, status_change=430).until(6000)

    assert not [e for e in story.events(events.DoubtResolved) if e.applied]
    assert "nothing tells whether it was applied" in story.reason()


# --- changes of records, and ids that change -------------------------------------------------------


def test_a_lost_upgrade_that_was_scheduled_is_not_sent_again():
    shows = {"conditions": (Condition("software_version", Equals(("2.7.0",))),)}
    story = Story(record_step("upgrade", firmware_image=155, proof=shows))
    story.shows(software_version="2.5.0", firmware_image=55).until(1)

    story.shows(firmware_image=155, firmware_image_is_pending=True).drops().until(30)

    assert len(story.sent) == 1


def reset_under_another_id() -> Story:
    """A device whose record is gone since its reset; its new one shows its serial number."""
    story = Story(step("factory")).until(1).accepts().until(10)
    story.another(77, serial_number="SN1", status_change=100.0, last_connection=100.0)
    return story.loses(1)


def test_a_search_that_fails_is_made_again():
    story = reset_under_another_id().until(1490)
    story.reads_fail = ReadingFailed((), "the controller answered 502")
    story.until(1560)
    assert story.events(events.LastLookTaken)
    story.reads_fail = None

    assert story.until(2500).events(events.DeviceFound)


def test_a_search_that_a_killed_process_had_begun_is_made_again():
    story = reset_under_another_id().until(1490)
    story.is_silent = True
    while not story.events(events.LastLookTaken):
        story.is_silent = False
        story.answer_reads()
        story.is_silent = True
        story.later(5)
    assert not story.events(events.DeviceFound)

    story.is_silent = False

    assert story.crashes(later=5).later(2000).events(events.DeviceFound)


def test_a_contact_that_a_refresh_made_is_no_part_of_the_rhythm():
    refreshed = DoneStep((Condition("debug", Equals((True,))),), refresh=True)
    story = Story(refreshed, step("reboot"), chance=0.0)
    story.shows(debug=False, update_frequency=120)
    story.is_silent = True
    story.until(0).shows(last_connection=0.0).answer_reads()
    story.is_silent = False
    assert story.until(1).operations == [(1, "reboot")]

    story.drops().until(15).shows(last_connection=20.0).until(60)

    assert not story.events(events.DoubtResolved)


def test_a_row_of_the_record_that_a_device_has_left_does_not_move_it_back():
    story = Story(step("factory"), step("reconf"), chance=0.0).until(1).accepts().until(10)
    story.another(77, serial_number="SN1", status_change=100.0, last_connection=100.0)
    story.shows(1, status="Down", status_change=700.0, last_connection=5.0).until(1560)

    story.observes(1)

    assert [found.record for found in story.events(events.DeviceFound)] == [77]
