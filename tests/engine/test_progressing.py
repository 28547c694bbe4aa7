"""One device's walk as a dialogue: what the controller shows, and what the brain makes of it."""

import pytest

from orchestrator.engine.choosing.watching import SHORTEST_INTERVAL
from orchestrator.engine.walking.concluding import FINAL_LOOKS
from orchestrator.engine.walking.progressing import Phase
from orchestrator.model import commands, events
from orchestrator.model.answers import Refusal
from orchestrator.model.devices import Status
from orchestrator.model.policies import RetryPolicy
from orchestrator.model.readings import ReadingFailed
from orchestrator.model.selections import AtLeast, Condition, Equals
from tests.support.stories import T0, Story, check, sleep, step

REBOOT = step("reboot")
BROKEN = ReadingFailed((), "the controller answered 500")
UP = Condition("status", Equals((Status.UP,)))


def rebooting(**story: object) -> Story:
    """A reboot that was accepted at the story's beginning."""
    return Story(REBOOT, **story).settles().accepts()


# --- evidence -----------------------------------------------------------------------------------


def test_a_200_is_no_success():
    story = rebooting().until(100)

    assert story.verdict() is None
    assert story.events(events.StepSucceeded) == []


def test_trap_1_a_stale_up_for_the_whole_wait_ends_unconfirmed():
    story = rebooting().until(2000)

    assert story.verdict() == "unconfirmed"
    assert "no contact within 15m" in story.reason()


def test_trap_2_and_3_the_delivery_session_and_its_double_do_not_end_the_step():
    story = rebooting().until(5).shows(last_connection=5).until(20)
    story.shows(last_connection=6).until(60)

    assert len(story.events(events.DeliverySeen)) == 1
    assert story.events(events.DeviceReturned) == []


def test_trap_4_a_fast_reboot_that_is_never_shown_down_succeeds():
    story = rebooting().until(5).shows(last_connection=5).until(70)
    story.shows(last_connection=70).until(200)

    assert story.verdict() == "succeeded"
    assert story.events(events.OutageSeen) == []


def test_trap_5_a_slow_reboot_succeeds_with_the_contact_after_its_outage():
    story = rebooting().until(5).shows(last_connection=5).until(550)
    story.shows(status="Down", status_change=540).until(600)
    story.shows(status="Up", status_change=595, last_connection=595).until(700)

    assert story.verdict() == "succeeded"
    assert story.last(events.OutageSeen).since_at == story.journal[0].at + 540
    assert "was Down" in story.last(events.StepSucceeded).evidence


def test_trap_5_down_and_up_again_between_two_looks_counts_as_the_outage():
    story = rebooting().until(5).shows(last_connection=5).until(18)
    story.shows(status_change=31, last_connection=31).until(100)

    assert story.verdict() == "succeeded"


def test_trap_7_a_device_that_never_comes_back_is_unconfirmed_and_is_sent_nothing_more():
    story = Story(step("factory"), step("reconf")).settles().accepts().until(5)
    story.shows(last_connection=5).until(600).shows(status="Down", status_change=540).until(9000)

    assert story.verdict() == "unconfirmed"
    assert story.operations == [(1, "factory")]
    assert "not Up again within" in story.reason()


def test_trap_8_a_device_back_under_another_serial_number_is_not_the_one_that_was_sent_away():
    story = rebooting().until(5).shows(last_connection=5).until(70)
    story.shows(last_connection=70, serial_number="SN99").until(2000)

    assert story.verdict() == "unconfirmed"
    assert "another serial number" in story.reason()


def test_trap_8_an_unknown_status_is_never_read_as_up():
    story = rebooting().until(5).shows(last_connection=5).until(70)
    story.shows(last_connection=70, status="Rebooting").until(2000)

    assert story.verdict() == "unconfirmed"


def test_trap_8_a_returned_device_whose_status_stays_unknown_ends_unconfirmed():
    story = rebooting().until(5).shows(last_connection=5).until(70)
    story.shows(last_connection=70).until(85).shows(status=None).until(2000)

    assert story.events(events.DeviceReturned)
    assert story.verdict() == "unconfirmed"


def test_trap_9_firmware_that_is_pending_after_the_return_takes_the_evidence_back():
    story = rebooting().until(5).shows(last_connection=5).until(70)
    story.shows(last_connection=70, firmware_image_is_pending=True).until(400)
    assert story.verdict() is None

    story.shows(firmware_image_is_pending=False, last_connection=400).until(600)

    assert story.verdict() == "succeeded"


def looks_between(story, begin, end):
    story.until(begin)
    before = len(story.reads)
    return len(story.until(end).reads) - before


def test_who_took_the_command_and_has_to_settle_is_looked_at_every_third_round():
    settling = rebooting_with(settle=150.0).until(5).shows(last_connection=5)

    assert looks_between(settling, 15, 135) == 4
    assert looks_between(settling, 165, 225) == 6


def test_who_is_seen_down_is_looked_at_every_round():
    down = rebooting_with(settle=150.0).until(5).shows(last_connection=5).until(15)
    down.shows(status="Down", status_change=20)

    assert looks_between(down, 45, 105) == 6


def rebooting_with(**proof):
    return Story(step("reboot", **proof)).settles().accepts()


def test_rows_that_prove_a_return_are_those_of_a_common_round():
    story = comes_back_by_pages(whole_record=False)
    [returned], [succeeded] = (
        story.events(events.DeviceReturned),
        story.events(events.StepSucceeded),
    )

    assert (succeeded.at - T0) % SHORTEST_INTERVAL == pytest.approx(0.0, abs=1e-3)
    assert succeeded.at >= returned.at + 30.0


def comes_back_by_pages(**proof):
    story = Story(step("reboot", **proof), by_pages=True)
    story.observes().settles().accepts().until(5).shows(last_connection=5).until(70)
    return story.shows(last_connection=70).until(300)


def read_alone(story):
    return [read for read in story.reads if isinstance(read, commands.ReadDevice)]


def test_a_return_is_confirmed_by_one_whole_record_because_lists_do_not_tell_of_firmware():
    story = comes_back_by_pages()

    assert story.verdict() == "succeeded"
    assert len(read_alone(story)) == 1


def test_a_playbook_may_have_rows_of_the_list_prove_a_return():
    story = comes_back_by_pages(whole_record=False)

    assert story.verdict() == "succeeded"
    assert read_alone(story) == []


@pytest.mark.parametrize("skew", [-86_400.0, 86_400.0])
def test_trap_10_a_clock_that_is_a_day_off_changes_nothing(skew):
    story = rebooting(skew=skew).until(5).shows(last_connection=5).until(70)
    assert story.events(events.DeviceReturned) == []

    story.shows(last_connection=70).until(200)

    assert story.verdict() == "succeeded"


def test_trap_12_a_record_that_is_missing_for_a_while_is_waited_for():
    story = rebooting().until(5).shows(last_connection=5).until(30)
    record = dict(story.records[1])
    story.loses().until(70)
    story.records[1] = {**record, "last_connection": 70}

    assert story.until(200).verdict() == "succeeded"


@pytest.mark.parametrize("lost_at", [30, 85], ids=["before its return", "after its return"])
def test_trap_12_a_record_that_stays_missing_ends_unconfirmed(lost_at):
    story = rebooting().until(5).shows(last_connection=5).until(30)
    if lost_at > 70:
        story.until(70).shows(last_connection=70)
    story.until(lost_at).loses().until(3000)

    assert story.verdict() == "unconfirmed"
    assert "no longer has its record" in story.reason()


@pytest.mark.parametrize("since", [30, 85], ids=["before its return", "after its return"])
def test_trap_12_a_record_that_cannot_be_read_any_more_ends_unconfirmed(since):
    story = rebooting().until(5).shows(last_connection=5).until(30)
    if since > 70:
        story.until(70).shows(last_connection=70)
    story.until(since)
    story.reads_fail = BROKEN
    story.until(4000)

    assert story.verdict() == "unconfirmed"
    assert "could not be read" in story.reason()


def test_trap_14_polls_never_update_the_status_and_the_last_look_does_once():
    story = rebooting().until(890)
    assert story.refreshes == 0

    story.until(2000)

    assert story.refreshes == 1
    assert len(story.events(events.LastLookTaken)) == 1


def test_trap_14_the_last_look_may_still_find_the_proof():
    story = rebooting().until(5).shows(last_connection=5).until(899)
    story.is_silent = True
    story.until(901).shows(last_connection=901)
    story.is_silent = False
    story.answer_reads().until(1000)

    assert story.verdict() == "succeeded"


def test_the_last_look_is_not_cut_short_by_a_row_of_a_list_page():
    """A list row arrives while the controller still contacts the device: no second read is made."""
    story = rebooting().until(5).shows(last_connection=5).until(899)
    story.is_silent = True
    story.until(905)
    before = len(story.reads)

    story.observes().until(920)

    assert len(story.reads) == before
    assert story.verdict() is None


def test_a_device_that_comes_back_at_the_last_look_and_goes_again_is_unconfirmed():
    story = rebooting().until(5).shows(last_connection=5).until(899)
    story.is_silent = True
    story.until(901).shows(last_connection=901)
    story.is_silent = False
    story.answer_reads().until(910).shows(status="Down", status_change=909).until(2000)

    assert story.verdict() == "unconfirmed"
    assert "and then" in story.reason()


def test_trap_17_a_reboot_by_somebody_else_cannot_be_told_from_ours():
    """Documented: nothing correlates a contact with a command. The proof is that it was away and is back."""
    story = rebooting().until(5).shows(last_connection=5)
    by_somebody_else = {"status_change": 90, "last_connection": 90}
    story.until(91).shows(**by_somebody_else).until(200)

    assert story.verdict() == "succeeded"


def test_a_reading_that_was_asked_for_before_the_answer_proves_nothing():
    story = Story(step("sync")).settles().later(5)
    story.shows(last_configuration=4, last_connection=30)
    story.accepts()
    story.observes(asked=3)

    assert story.events(events.DeviceReturned) == []


def test_readings_that_arrive_out_of_order_do_not_turn_back_the_clock():
    story = rebooting().until(5).shows(last_connection=5).until(70)
    story.shows(last_connection=70).until(80)
    assert len(story.events(events.DeviceReturned)) == 1

    story.observes(asked=60, status="Down", status_change=50, last_connection=5).until(200)

    assert story.events(events.DeviceRelapsed) == []
    assert story.verdict() == "succeeded"


def test_a_device_whose_period_is_long_is_given_the_time_it_needs():
    """List pages do not tell update_frequency; the last look does, and the wait goes on."""
    story = Story(REBOOT, by_pages=True).shows(update_frequency=3600).settles().accepts()
    story.until(5000)
    assert story.verdict() is None

    story.shows(last_connection=5000).until(5030).shows(last_connection=5100).until(5300)

    assert story.verdict() == "succeeded"
    assert story.refreshes == 1


def test_what_was_accepted_and_not_delivered_may_still_fire_and_is_said_so():
    story = rebooting().shows(pending_settings="reboot_requested").until(2000)

    assert story.verdict() == "unconfirmed"
    assert "may still fire" in story.reason()


# --- stability ----------------------------------------------------------------------------------


def test_a_returned_device_must_stay_up_for_as_long_as_the_playbook_says():
    story = Story(step("reboot", stable_for=300.0)).settles().accepts().until(5)
    story.shows(last_connection=5).until(70).shows(last_connection=70).until(370)
    assert story.verdict() is None

    assert story.until(420).verdict() == "succeeded"


def test_a_relapse_starts_the_wait_for_proof_again():
    story = rebooting().until(5).shows(last_connection=5).until(70)
    story.shows(last_connection=70).until(85)
    story.shows(status="Down", status_change=84).until(200)
    assert [type(e).__name__ for e in story.journal[-2:]] == ["DeviceReturned", "DeviceRelapsed"]

    story.shows(status="Up", status_change=210, last_connection=210).until(215)
    assert story.verdict() is None

    assert story.until(400).verdict() == "succeeded"


def test_a_list_page_is_not_enough_to_call_a_device_stable():
    """List rows lack firmware_image_is_pending (api.md 1.9)."""
    story = rebooting(by_pages=True).until(5).shows(last_connection=5).until(70)
    story.shows(last_connection=70, firmware_image_is_pending=True).until(400)

    assert story.verdict() is None
    assert "firmware" in story.last(events.DeviceRelapsed).reason


def test_a_list_row_that_comes_before_the_full_record_does_not_call_it_stable():
    story = rebooting().until(5).shows(last_connection=5).until(70)
    story.shows(last_connection=70).until(85)
    story.is_silent = True
    story.until(125).observes()
    assert story.verdict() is None

    story.is_silent = False

    assert story.answer_reads().verdict() == "succeeded"


def test_a_full_reading_is_not_lost_to_a_list_row_that_comes_with_it():
    story = rebooting(by_pages=True).until(5).shows(last_connection=5).until(70)
    story.shows(last_connection=70).until(85)
    story.is_silent = True
    story.until(112)
    (asked_at, _), *_ = story.unread
    story.is_silent = False
    record = story.records[1]
    story.run.observe(story._reading(record, asked_at, is_detail=True), story.now)
    story.observes(asked=asked_at - story.journal[0].at + 0.005)

    assert story.verdict() == "succeeded"


# --- in doubt -----------------------------------------------------------------------------------


def lost(operation: str = "reboot", **story: object) -> Story:
    """A request whose answer was lost at the story's beginning."""
    return Story(step(operation), **story).settles().drops()


def test_a_disruptive_request_in_doubt_is_never_simply_repeated():
    story = lost().until(200)

    assert story.operations == [(1, "reboot")]
    assert story.device().phase is Phase.DOUBTING
    assert story.run.admissions.down == 1


def test_in_doubt_and_seen_among_the_pending_settings_it_was_applied():
    story = lost().shows(pending_settings="reboot_requested").until(30)
    assert story.last(events.DoubtResolved).applied

    story.shows(pending_settings="none", last_connection=30).until(60)
    story.shows(last_connection=100).until(200)

    assert story.verdict() == "succeeded"
    assert story.operations == [(1, "reboot")]


def test_in_doubt_and_a_contact_between_the_periodic_ones_it_was_applied():
    story = lost().until(15).shows(last_connection=12).until(40)

    assert story.last(events.DoubtResolved).applied
    assert "between its periodic" in story.last(events.DoubtResolved).sign


def test_in_doubt_and_an_outage_after_a_contact_it_was_applied():
    story = lost().until(199).shows(last_connection=198).until(800)
    story.shows(status="Down", status_change=790).until(820)

    assert story.last(events.DoubtResolved).sign == "went Down after a contact"


def test_in_doubt_and_the_contacts_keep_their_rhythm_it_was_not_applied_and_is_tried_again():
    story = lost().until(199).shows(last_connection=198).until(400)
    assert story.operations == [(1, "reboot")]

    story.until(498).shows(last_connection=497).until(600)

    assert not story.last(events.DoubtResolved).applied
    assert story.operations == [(1, "reboot"), (1, "reboot")]
    assert story.last(events.OperationIntended).attempt == 2


def test_in_doubt_and_no_contact_at_all_until_the_end_it_was_not_applied():
    story = lost().until(959)
    assert story.operations == [(1, "reboot")]

    assert len(story.until(1100).operations) == 2


def test_not_applied_counts_as_an_attempt():
    story = Story(step("reboot", attempts=1)).settles().drops().until(1100)

    assert story.verdict() == "failed"
    assert "not applied" in story.reason()


def test_in_doubt_and_down_without_a_contact_cannot_be_told():
    story = lost().until(500).shows(status="Down", status_change=480).until(3000)

    assert story.verdict() == "in_doubt"
    assert story.operations == [(1, "reboot")]


@pytest.mark.parametrize("change", ["gone", "serial", "unreadable"])
def test_in_doubt_and_its_record_is_of_no_use_cannot_be_told(change):
    story = lost()
    if change == "gone":
        story.loses()
    elif change == "serial":
        story.shows(serial_number="SN9")
    else:
        story.reads_fail = BROKEN

    assert story.until(5000).verdict() == "in_doubt"


def test_a_contact_that_came_while_nobody_could_look_cannot_be_told():
    """The delivery or the boot, a periodic contact or both: for a reboot one contact says too little."""
    story = lost()
    story.reads_fail = BROKEN
    story.until(260).shows(last_connection=198)
    story.reads_fail = None
    story.until(499).shows(last_connection=498).until(3000)

    assert story.verdict() == "in_doubt"


def test_after_a_doubt_a_device_that_is_not_fit_any_more_is_in_doubt_and_never_skipped():
    """A request was sent to it: `skipped` would say that nothing was."""
    slow = RetryPolicy(first_wait=200.0, longest_wait=200.0)
    story = lost(retry=slow).until(199).shows(last_connection=198).until(495)
    story.shows(last_connection=497).until(500)
    assert not story.last(events.DoubtResolved).applied

    story.shows(status="Down", status_change=500).until(700)

    assert story.verdict() == "in_doubt"
    assert "now status is Down" in story.reason()


@pytest.mark.parametrize("operation", ["sync", "reconf"])
def test_a_gentle_request_in_doubt_is_simply_repeated(operation):
    story = lost(operation).until(30)

    assert story.operations == [(1, operation)] * 2
    assert story.events(events.DoubtResolved) == []


def test_a_gentle_request_that_is_lost_every_time_ends_in_doubt():
    story = lost("reconf").until(20).drops().until(40).drops().until(60).drops()
    assert story.operations == [(1, "reconf")] * 4

    assert story.until(1200).verdict() == "in_doubt"
    assert story.operations == [(1, "reconf")] * 4


def test_the_last_of_its_attempts_may_still_be_found_to_have_been_applied():
    """A process that dies between a request and its answer must not cost the device its verdict."""
    story = Story(step("reconf", attempts=1)).shows(pending_settings="wifi_config").settles()
    story.crashes(later=2.0)
    assert story.operations == [(1, "reconf")]

    story.until(20).shows(pending_settings="none", last_configuration=15, last_connection=15)
    story.until(40)
    assert story.last(events.DoubtResolved).sign == "it was configured after the request"

    assert story.until(60).verdict() == "succeeded"


# --- 409 and 422 --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [409, 422])
def test_a_refusal_for_the_devices_state_waits_for_a_change(status):
    story = Story(REBOOT).settles().refuses(status, Refusal.STATE).until(200)
    assert story.operations == [(1, "reboot")]

    story.shows(last_connection=200).until(215)

    assert story.operations == [(1, "reboot")] * 2


def test_a_contact_soon_after_the_refusal_is_no_change():
    story = Story(REBOOT).settles().refuses(422, Refusal.STATE).until(30)
    story.shows(last_connection=30).until(355)

    assert story.operations == [(1, "reboot")]


def test_without_any_change_it_is_tried_again_after_a_period_and_a_minute():
    story = Story(REBOOT).settles().refuses(422, Refusal.STATE)

    assert story.until(359).operations == [(1, "reboot")]
    assert story.until(361).operations == [(1, "reboot")] * 2


def test_a_change_for_the_worse_ends_the_wait_too_and_the_guard_skips_the_device():
    story = Story(REBOOT).settles().refuses(422, Refusal.STATE).until(30)
    story.shows(status="Down", status_change=30).until(60)

    assert story.verdict() == "skipped"
    assert story.operations == [(1, "reboot")]


def test_refusals_for_the_state_use_up_the_attempts():
    story = Story(step("reboot", attempts=2)).settles().refuses(422, Refusal.STATE).until(400)
    story.refuses(422, Refusal.STATE)

    assert story.verdict() == "failed"
    assert story.reason() == "the controller answered 422 (tried 2 times)"


# --- check and sleep ----------------------------------------------------------------------------


def test_a_sleep_lasts_as_long_as_it_says():
    story = Story(sleep(60.0), REBOOT).until(59)
    assert story.operations == []

    assert story.until(61).operations == [(1, "reboot")]


def test_a_check_that_holds_lets_the_device_go_on():
    story = Story(check(UP), REBOOT).settles()

    assert story.events(events.StepSucceeded)[0].evidence == "every condition holds"
    assert story.operations == [(1, "reboot")]


def test_a_check_that_does_not_hold_fails_the_device_with_the_reason():
    version = Condition("software_version", AtLeast("2.5"))
    story = Story(check(version)).shows(software_version="2.4.1").settles()

    assert story.verdict() == "failed"
    assert "software_version" in story.reason()


def test_a_check_may_be_given_time_to_become_true():
    story = Story(check(UP, within=120.0)).shows(status="Down").until(100)
    assert story.verdict() is None

    assert story.shows(status="Up").until(115).verdict() == "succeeded"


def test_a_check_whose_time_is_over_fails():
    story = Story(check(UP, within=120.0)).shows(status="Down").until(200)

    assert story.verdict() == "failed"


def test_a_check_of_a_device_that_is_gone_or_unreadable_fails():
    gone = Story(check(UP, within=120.0)).loses().settles()
    unreadable = Story(check(UP))
    unreadable.reads_fail = BROKEN
    unreadable.until(600)

    assert gone.verdict() == unreadable.verdict() == "failed"
    assert len(unreadable.reads) == FINAL_LOOKS


def test_the_last_step_of_a_playbook_may_be_no_operation():
    story = Story(check(UP), sleep(5.0)).until(10)

    assert story.verdict() == "succeeded"
    assert story.run.finished_at is not None


# --- chains -------------------------------------------------------------------------------------

CHAIN = (step("factory"), step("reconf"))


def wiped() -> Story:
    """Back from a factory reset, the reconfiguration about to be sent."""
    story = Story(*CHAIN).settles().accepts().until(5).shows(last_connection=5).until(200)
    return story.shows(last_connection=200, pending_settings="initial")


def test_a_chain_goes_on_only_after_the_proof_of_the_step_before():
    story = wiped().until(210)
    assert story.operations == [(1, "factory")]

    assert story.until(300).operations == [(1, "factory"), (1, "reconf")]


def test_pending_settings_that_our_own_reset_left_behind_do_not_hold_the_reconfiguration():
    story = wiped().until(300).accepts()
    story.shows(pending_settings="none", last_configuration=310, last_connection=310).until(400)

    assert story.verdict() == "succeeded"
    assert [e.step for e in story.events(events.StepSucceeded)] == [0, 1]


def test_a_device_in_the_middle_of_its_chain_is_held_until_it_is_fit():
    story = wiped().until(233).shows(is_active=False).until(400)
    assert story.operations == [(1, "factory")]
    assert story.verdict() is None
    assert "is_active" in story.last(events.StepHeld).reason

    story.shows(is_active=True).until(430)

    assert story.operations == [(1, "factory"), (1, "reconf")]
    assert len(story.events(events.StepHeld)) == 1


def test_a_device_that_stays_unfit_in_the_middle_of_its_chain_fails():
    story = wiped().until(233).shows(is_active=False).until(3000)

    assert story.verdict() == "failed"
    assert story.reason().startswith("not fit for reconf")


def test_a_device_held_before_another_attempt_is_looked_at_again_and_again():
    """The rest before the attempt is over; what remains is the guard, and it is asked every round."""
    story = wiped().until(300).refuses(422, Refusal.STATE).shows(is_active=False).until(700)
    assert story.events(events.StepHeld)

    story.shows(is_active=True).until(740)

    assert story.operations[-2:] == [(1, "reconf"), (1, "reconf")]


def test_a_device_that_disappears_in_the_middle_of_its_chain_fails():
    story = wiped().until(233).loses().until(1500)

    assert story.verdict() in ("failed", "unconfirmed")
    assert story.operations == [(1, "factory")]
