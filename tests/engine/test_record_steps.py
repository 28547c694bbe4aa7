"""Steps that change records: what is sent, what is not, and what proves it."""

import pytest

from orchestrator.model import answers, commands, events, readings
from orchestrator.model.operations import Operation
from orchestrator.model.plans import Wave
from orchestrator.model.policies import Allowance, BetweenWaves, Depth, Rollout
from orchestrator.model.selections import Below, Condition, Equals, NothingPending
from orchestrator.model.steps import DoneStep, EscalateStep, Witness
from orchestrator.model.values import Origin, Reference, Secret, SecretKind, Table, Template
from tests.support.stories import Story, durable, record_step, sleep, step

ROW = Template((Reference(Origin.ROW, "site"),))
GENERATED = Secret(SecretKind.GENERATE, length=24)


def table(**rows: dict[str, object]) -> Table:
    columns = ("serial_number", *dict.fromkeys(c for row in rows.values() for c in row))
    kept = {serial: {"serial_number": serial, **row} for serial, row in rows.items()}
    return Table("sites.csv", "serial_number", columns, kept, dict.fromkeys(rows, 2))


def intended(story: Story) -> events.OperationIntended:
    return story.last(events.OperationIntended)


# --- update ---------------------------------------------------------------------------------------


def test_an_update_sends_what_differs_and_is_proven_by_the_record_read_back():
    story = Story(record_step("update", description="new", debug=False))
    story.shows(description="old", debug=False).settles()
    [sent] = story.sent
    assert (sent.action, sent.record, sent.fields) == ("update", 1, {"description": "new"})
    story.accepts()
    assert story.verdict() is None, "a 200 proves nothing"
    story.shows(description="new").later(30)
    assert story.verdict() == "succeeded"


def test_the_journal_says_what_was_there_and_what_is_written():
    story = Story(record_step("update", description="new")).shows(description="old").settles()
    assert intended(story).before == {"description": "old"}
    assert intended(story).after == {"description": "new"}
    assert (intended(story).operation, intended(story).action) == ("update", "update")


def test_a_record_that_is_already_so_gets_nothing_and_is_already_ok():
    story = Story(record_step("update", description="so", latitude="47.6"))
    story.shows(description="so", latitude="47.600000").settles()
    assert not story.sent
    assert story.verdict() == "already_ok"


def test_already_ok_is_not_what_a_device_is_of_which_one_step_was_sent():
    story = Story(record_step("update", description="so"), record_step("update", name="n"))
    story.shows(description="so").settles().writes().later(30)
    assert story.verdict() == "succeeded"


def test_a_record_that_never_shows_what_was_written_is_unconfirmed():
    story = Story(record_step("update", description="new")).shows(description="old").settles()
    story.accepts().later(200)
    assert story.verdict() == "unconfirmed"
    assert "description is 'old', written was 'new'" in story.reason()


def test_a_down_device_may_be_described_anew():
    story = Story(record_step("update", description="new")).shows(status="Down").settles()
    assert story.sent


def test_a_refused_value_fails_this_device_and_stops_nothing():
    story = Story(record_step("update", type=99), devices=2, max_down=2).settles()
    story.refuses(400, answers.Refusal.REJECTED)
    assert story.verdict(1) == "failed"
    assert [command.device for command in story.open] == [2]


def test_values_come_from_the_row_and_the_record():
    text = Template(("moved to ", Reference(Origin.ROW, "site"), ", was ",
                     Reference(Origin.DEVICE, "location_name")))  # fmt: skip
    story = Story(record_step("update", description=text), table=table(SN1={"site": "Tacoma"}))
    story.shows(location_name="Seattle").settles()
    assert story.sent[0].fields == {"description": "moved to Tacoma, was Seattle"}


def test_a_device_whose_row_lacks_the_value_fails_and_gets_nothing():
    story = Story(record_step("update", description=ROW), table=table(SN1={})).settles()
    assert not story.sent
    assert (story.verdict(), story.reason()) == ("failed", "nothing was sent: its row has no site")


def test_a_whole_row_is_written_without_its_key():
    rows = table(SN1={"location_name": "Tacoma", "update_frequency": 600})
    story = Story(record_step("update", takes_row=True), table=rows).settles()
    assert story.sent[0].fields == {"location_name": "Tacoma", "update_frequency": 600}


def test_a_lost_update_is_asked_about_before_it_is_repeated():
    story = Story(record_step("update", description="new")).settles()
    story.later(1).shows(description="new").drops().later(120)
    assert len(story.sent) == 1
    assert story.verdict() == "succeeded"


def test_a_lost_update_that_was_not_applied_is_sent_again():
    story = Story(record_step("update", description="new")).settles().drops().later(120)
    assert len(story.sent) == 2
    story.writes().later(30)
    assert story.verdict() == "succeeded"


def test_the_last_lost_attempt_is_judged_by_the_record():
    story = Story(record_step("update", description="new", attempts=1)).settles().drops()
    story.shows(description="new").later(200)
    assert story.verdict() == "succeeded"


def test_what_a_killed_process_had_sent_is_found_in_the_record():
    story = Story(record_step("update", description="new")).settles()
    story.shows(description="new").crashes(later=60).later(300)
    assert len(story.sent) == 1
    assert story.verdict() == "succeeded"


def test_replaying_the_journal_gives_the_same_state():
    story = (
        Story(record_step("update", serial_number="SN9"), sleep(60)).settles().writes().later(30)
    )
    before = durable(story.run)
    story.crashes()
    assert durable(story.run)["devices"] == before["devices"]


def test_a_record_that_was_given_another_serial_number_is_still_ours():
    story = Story(record_step("replace", serial_number="SN9"), record_step("update", name="n"))
    story.settles().writes().later(30).writes().later(30)
    assert story.verdict() == "succeeded"


# --- flags -----------------------------------------------------------------------------------------


def test_a_flag_is_an_operation_with_all_its_rules():
    story = Story(record_step("update", flag="reboot", description="new"), devices=2).settles()
    assert [command.fields for command in story.sent] == [{"description": "new", "reboot": True}]
    assert story.device(1).holds_slot, "out of service through us: max_down is one"
    story.accepts().shows(description="new").later(100)
    assert story.verdict(1) is None, "the fields alone prove no reboot"
    story.shows(last_connection=20).later(60)
    story.shows(last_connection=120).later(120)
    assert story.verdict(1) == "succeeded"


def test_a_flag_is_never_already_so():
    story = Story(record_step("update", flag="sync", description="so")).shows(description="so")
    assert story.settles().sent[0].fields == {"sync": True}


def test_a_lost_reboot_by_flag_is_not_repeated_blindly():
    story = Story(record_step("update", flag="reboot")).settles().drops().later(100)
    assert len(story.sent) == 1
    assert story.device().phase.name == "DOUBTING"


# --- replace, deactivate, delete -------------------------------------------------------------------


def test_a_replacement_starts_from_the_fresh_record():
    story = Story(record_step("replace", name="new"))
    story.shows(name="old", description="kept", location=7, software_version="2.4").settles()
    sent = story.sent[0].fields
    assert sent["name"] == "new"
    assert (sent["description"], sent["location"]) == ("kept", 7)
    assert "software_version" not in sent, "no field that only the device reports"


def test_a_deactivation_is_an_update_of_is_active():
    story = Story(record_step("deactivate")).settles()
    assert story.sent[0].fields == {"is_active": False}
    story.writes().later(30)
    assert story.verdict() == "succeeded"


def test_what_is_up_or_active_is_not_deleted():
    story = Story(record_step("delete"), devices=2).shows(2, status="Down").settles()
    assert not story.sent
    assert [story.verdict(1), story.verdict(2)] == ["skipped", "skipped"]


def test_a_deletion_is_proven_by_the_missing_record_and_the_journal_keeps_the_record():
    story = Story(record_step("delete")).shows(status="Down", is_active=False, name="x").settles()
    assert intended(story).before["name"] == "x"
    story.writes(status=204).later(30)
    assert story.verdict() == "succeeded"


def test_a_deletion_whose_answer_was_lost_is_not_repeated_when_the_record_is_gone():
    story = Story(record_step("delete", attempts=1)).shows(status="Down", is_active=False).settles()
    story.loses().drops().later(200)
    assert story.verdict() == "succeeded"


def test_deactivate_then_delete_is_one_walk():
    story = Story(record_step("deactivate"), record_step("delete")).shows(status="Down").settles()
    story.writes().later(60).writes(status=204).later(60)
    assert story.verdict() == "succeeded"
    assert [command.action for command in story.sent] == ["deactivate", "delete"]


# --- create ----------------------------------------------------------------------------------------

NEW = {"table": table(SN1={"name": "branch 1", "type": 15}), "new": (1,)}


def test_a_new_device_is_created_and_gone_on_with_under_its_new_id():
    story = Story(record_step("create", takes_row=True), record_step("update", debug=True), **NEW)
    story.settles()
    assert story.sent[0].fields == {"serial_number": "SN1", "name": "branch 1", "type": 15}
    assert story.sent[0].record is None
    story.creates(4711).later(60)
    assert story.sent[1].record == 4711
    story.writes().later(60)
    assert story.verdict() == "succeeded"


def test_a_device_that_is_there_already_is_not_created_twice():
    story = Story(record_step("create", takes_row=True), **NEW)
    story.another(4711, serial_number="SN1").settles()
    assert not story.sent
    assert story.verdict() == "already_ok"
    assert story.last(events.DeviceFound).record == 4711


def test_a_creation_without_an_answer_is_looked_for_and_not_repeated():
    story = Story(record_step("create", takes_row=True), **NEW).settles()
    story.another(4711, serial_number="SN1", name="branch 1", type=15).drops().later(120)
    assert len(story.sent) == 1
    assert story.verdict() == "succeeded"


def test_a_creation_that_came_to_nothing_is_tried_again():
    story = Story(record_step("create", takes_row=True), **NEW).settles().drops().later(300)
    assert len(story.sent) == 2


def test_a_created_device_that_a_killed_process_left_is_found():
    story = Story(record_step("create", takes_row=True), **NEW).settles()
    story.another(4711, serial_number="SN1", name="branch 1", type=15).crashes(later=5).later(300)
    assert len(story.sent) == 1
    assert story.verdict() == "succeeded"


# --- snapshots -------------------------------------------------------------------------------------


def test_what_a_device_was_is_saved_before_it_is_changed():
    story = Story(record_step("update", description="new"), snapshots=Depth.FULL)
    story.shows(description="old").settles()
    [saved] = story.snapshots
    assert saved.record["description"] == "old"
    assert saved.extras.settings == {"SSID": "branch"}
    assert intended(story).snapshot == "full"


def test_settings_are_saved_once_a_device_and_the_record_before_every_step():
    story = Story(step("reconf"), record_step("update", description="n"), snapshots=Depth.FULL)
    story.settles().accepts().shows(last_connection=30).later(120)
    assert [(saved.step, saved.extras is None) for saved in story.snapshots] == [
        (0, False),
        (1, True),
    ]


def test_a_reboot_changes_nothing_worth_saving():
    story = Story(step("reboot"), snapshots=Depth.FULL).settles()
    assert story.sent
    assert not story.snapshots


# --- secrets ---------------------------------------------------------------------------------------


def test_a_secret_is_prepared_before_it_is_intended_and_only_its_fingerprint_is_recorded():
    story = Story(record_step("update", password=GENERATED)).settles()
    assert intended(story).after == {"password": "fp:0123456789ab"}
    assert story.sent[0].fields == {}
    assert story.sent[0].secrets == {"password": GENERATED}


def test_a_device_is_believed_to_have_a_secret_only_when_it_was_seen_with_it():
    seen = {"contact": True}
    story = (
        Story(record_step("update", proof=seen, password=GENERATED)).settles().accepts().later(20)
    )
    story.shows(last_connection=40).later(60)
    assert story.verdict() is None, "that session brought it the new one"
    story.shows(last_connection=200).later(300)
    assert story.verdict() == "succeeded"


def test_a_secret_that_cannot_be_stored_is_never_sent():
    story = Story(record_step("update", password=GENERATED))
    story.is_unprepared = "the vault cannot be written: the disk is full"
    story.later(3600)
    assert not story.sent
    assert (story.verdict(), story.reason()) == ("failed", story.is_unprepared)


# --- firmware --------------------------------------------------------------------------------------

VERSION = {"conditions": (Condition("software_version", Equals(("2.5",))),)}


def upgrading() -> Story:
    story = Story(record_step("upgrade", proof=VERSION, firmware_image=12))
    return story.shows(software_version="2.4", firmware_image=11)


def test_a_new_version_after_the_return_proves_an_upgrade():
    story = upgrading().settles()
    assert story.device().holds_slot
    story.writes().shows(firmware_image_is_pending=True).later(20)
    story.shows(last_connection=30).later(60)
    story.shows(status="Down", status_change=80).later(60)
    assert story.verdict() is None
    story.shows(status="Up", status_change=200, last_connection=200, software_version="2.5",
                firmware_image_is_pending=False).later(300)  # fmt: skip
    assert story.verdict() == "succeeded"


def test_an_upgrade_that_came_back_with_the_old_version_is_unconfirmed():
    story = upgrading().settles().writes().later(20)
    story.shows(last_connection=300, firmware_image_is_pending=False).later(4000)
    assert story.verdict() == "unconfirmed"
    assert "software_version is 2.4" in story.reason()


def test_a_device_that_runs_the_version_already_is_left_alone():
    story = upgrading().shows(software_version="2.5").settles()
    assert story.verdict() == "already_ok"
    assert not story.sent


# --- done_if, escalate, allowances -------------------------------------------------------------------

IS_UP = Condition("status", Equals(("Up",)))


def test_where_nothing_is_to_be_done_nothing_is_done():
    story = Story(DoneStep((IS_UP,), refresh=True), step("reboot")).settles()
    assert story.verdict() == "already_ok"
    assert story.refreshes == 1
    assert not story.sent


def test_where_something_is_to_be_done_the_walk_goes_on():
    old = DoneStep((Condition("software_version", Below("2")),))
    story = Story(old, step("reboot")).shows(software_version="3").settles()
    assert story.operations == [(1, "reboot")]


def test_a_device_that_had_its_share_is_handed_to_a_person():
    story = Story(
        step("reboot"),
        rescue=(EscalateStep("look at it"),),
        allowances=(Allowance(Operation.REBOOT, 2, 86400.0),),
        exhausted={1: "rebooted 2 times since 08:10Z"},
    ).settles()
    assert not story.sent
    assert story.verdict() == "failed"
    [notice] = story.notices
    assert notice.text == "look at it"
    assert notice.history[0] == "step 1, reboot: rebooted 2 times since 08:10Z"


# --- found again -----------------------------------------------------------------------------------


def test_a_device_that_comes_back_under_another_id_is_found_by_its_serial_number():
    story = Story(step("factory"), step("reconf")).settles().accepts().later(1400)
    story.another(77, serial_number="SN1", last_connection=1300, status_change=1300)
    story.later(200)
    assert story.last(events.DeviceFound).record == 77
    story.shows(77, last_connection=1700).later(600)
    assert story.operations == [(1, "factory"), (1, "reconf")]
    assert story.sent[-1].address == 77


def test_a_device_that_is_nowhere_is_unconfirmed_after_one_search_and_one_last_look():
    story = Story(step("factory")).settles().accepts().later(4000)
    searches = [read for read in story.reads if isinstance(read, commands.FindDevice)]
    assert len(searches) == 1
    assert story.refreshes == 1
    assert story.verdict() == "unconfirmed"


# --- witnesses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("testimony", "verdict"),
    [
        (readings.Testimony(), "succeeded"),
        (readings.Testimony(up_time=90.0), "succeeded"),
        (readings.Testimony(up_time=86_400.0), None),
        (readings.Testimony(applied=False), None),
    ],
)
def test_witnesses_confirm_a_reboot_or_speak_against_it(testimony, verdict):
    both = (Witness.UP_TIME, Witness.DEVICE_LOG)
    story = Story(step("reboot", witnesses=both))
    story.testimony = testimony
    story.settles().accepts().shows(last_connection=20).later(60)
    story.shows(last_connection=120).later(150)
    assert story.verdict() == verdict


def test_pending_settings_may_be_asked_of_a_change():
    clear = {
        "nothing_pending": True,
        "conditions": (Condition("pending_settings", NothingPending()),),
    }
    story = Story(record_step("update", proof=clear, description="n")).settles()
    story.shows(pending_settings="description").writes().later(20)
    assert story.verdict() is None
    story.shows(pending_settings="none").later(30)
    assert story.verdict() == "succeeded"


# --- waves -----------------------------------------------------------------------------------------

TWO_WAVES = {
    "devices": 2,
    "max_down": 2,
    "waves": (Wave(1, must_succeed=1), Wave(1)),
    "rollout": Rollout(waves=(1, 1), between_waves=BetweenWaves(60.0, 1)),
}


def test_a_gate_asks_no_deleted_device_whether_it_is_still_up():
    story = Story(record_step("delete"), **TWO_WAVES)
    story.shows(1, status="Down", is_active=False).shows(2, status="Down", is_active=False)
    story.settles().writes(status=204).later(120).writes(status=204).later(60)
    assert [story.verdict(1), story.verdict(2)] == ["succeeded", "succeeded"]


def test_what_was_as_wanted_before_passes_a_gate():
    story = Story(record_step("update", description="so"), **TWO_WAVES)
    story.shows(1, description="so").shows(2, description="so").later(200)
    assert [story.verdict(1), story.verdict(2)] == ["already_ok", "already_ok"]


def test_a_row_of_a_list_page_does_not_spoil_what_was_prepared():
    story = Story(record_step("update", description="n"), devices=2, max_down=2, in_flight=1,
                  snapshots=Depth.FULL)  # fmt: skip
    story.settles().later(10).observes(2).later(5).writes().later(5)
    prepared = [each for each in story.reads if isinstance(each, commands.PrepareDevice)]
    assert [each.device for each in prepared] == [1, 2]
    assert [each.device for each in story.sent] == [1, 2]


@pytest.mark.parametrize(
    ("operation", "log", "is_applied"),
    [
        ("reboot", {"booted": True}, True),
        ("reboot", {"applied": True}, False),
        ("factory", {"booted": True}, False),
        ("factory", {"booted": True, "applied": True}, True),
        ("reboot", {}, False),
    ],
)
def test_at_the_end_of_a_doubt_the_device_log_is_asked(operation, log, is_applied):
    story = Story(step(operation))
    story.testimony = readings.Testimony(**log)
    story.settles().drops().shows(last_connection=226, pending_settings="x").later(3000)
    resolved = [each.sign for each in story.events(events.DoubtResolved) if each.applied]
    assert bool(resolved) is is_applied


def test_a_lost_sync_that_is_pending_is_waited_for_and_not_repeated():
    story = Story(step("sync")).settles().later(1).drops()
    story.shows(pending_settings="sync_requested").later(60)
    assert story.operations == [(1, "sync")]
    story.shows(pending_settings="none", last_connection=90).later(60)
    assert story.verdict() == "succeeded"


def test_between_a_lost_sync_and_the_next_there_is_time_for_it_to_show():
    story = Story(step("sync")).settles().later(1).drops().later(9)
    assert len(story.sent) == 1
    assert len(story.later(60).sent) == 2


def test_a_creation_that_is_refused_because_it_is_there_is_already_ok():
    story = Story(record_step("create", takes_row=True), **NEW).settles()
    story.another(4711, serial_number="SN1").refuses(409, answers.Refusal.REJECTED).later(60)
    assert story.verdict() == "already_ok"
    assert story.last(events.DeviceFound).record == 4711


def test_a_creation_that_is_refused_for_another_records_sake_fails():
    story = Story(record_step("create", takes_row=True), **NEW).settles()
    story.refuses(409, answers.Refusal.REJECTED).later(60)
    assert (story.verdict(), story.reason()) == ("failed", "the controller answered 409")


# --- what a reviewer broke -------------------------------------------------------------------------


def test_a_lost_upgrade_of_a_device_that_is_down_by_now_keeps_its_place():
    story = Story(record_step("upgrade", proof=VERSION, firmware_image=12), devices=2)
    story.shows(1, firmware_image=11, software_version="2.4").until(1).drops()
    story.shows(1, status="Down", status_change=5).later(60)
    assert story.device(1).holds_slot
    assert [command.device for command in story.sent] == [1]


def test_no_device_is_rebooted_while_it_takes_firmware():
    story = Story(step("reboot")).shows(firmware_image_is_pending=True).settles()
    assert (story.verdict(), story.reason()) == ("skipped", "a firmware upgrade is pending")


def test_nor_in_a_rescue_after_an_upgrade_that_was_never_proven():
    upgrade = record_step("upgrade", proof={**VERSION, "within": 600.0}, firmware_image=12)
    story = Story(upgrade, rescue=(step("reboot"),), by_pages=True)
    story.shows(firmware_image=11, software_version="2.4").settles().writes()
    story.shows(firmware_image_is_pending=True).later(1500)
    assert [command.action for command in story.sent if hasattr(command, "action")] == ["upgrade"]
    assert len(story.sent) == 1


def test_a_deletion_that_was_applied_and_lost_is_not_tried_again():
    story = Story(record_step("delete")).shows(status="Down", is_active=False).until(1)
    story.loses().drops().later(120)
    assert (len(story.sent), story.verdict()) == (1, "succeeded")


@pytest.mark.parametrize("attempts", [1, 4])
def test_a_new_serial_number_that_was_applied_and_lost_is_ours(attempts):
    story = Story(record_step("replace", attempts=attempts, serial_number="SN9")).until(1)
    story.shows(serial_number="SN9").drops().later(200)
    assert (len(story.sent), story.verdict()) == (1, "succeeded")


def test_a_field_that_shows_tells_that_the_reboot_beside_it_was_asked_for_too():
    story = Story(record_step("update", flag="reboot", description="new")).until(1)
    story.shows(description="new").drops().later(60)
    assert [each.applied for each in story.events(events.DoubtResolved)] == [True]
    assert len(story.sent) == 1


def test_a_lost_password_of_a_device_that_is_unfit_by_now_is_in_doubt():
    seen = {"contact": True}
    story = Story(record_step("update", proof=seen, password=GENERATED), rescue=(step("sync"),))
    story.until(1).drops().shows(status="Down").later(4000)
    assert story.verdict() == "in_doubt"
    assert len(story.sent) == 1, "nor is it rescued: nobody knows what it has"


def test_lost_attempts_are_counted_once():
    story = Story(record_step("update", attempts=2, description="new")).until(1)
    story.drops().later(60).drops().later(600)
    assert "(tried 2 times)" in story.reason()


def test_uses_of_this_run_count_against_the_allowance():
    story = Story(
        step("reboot"),
        step("reboot"),
        rescue=(EscalateStep("look at it"),),
        allowances=(Allowance(Operation.REBOOT, 1, 86400.0),),
    )
    story.settles().accepts().shows(last_connection=20).later(60)
    story.shows(last_connection=120).later(200)
    assert len(story.sent) == 1
    assert "reboot was asked for once, at most 1 in 1d" in story.reason()
    assert story.reason().endswith("handed to a person")


def test_a_field_that_no_record_has_is_not_sent():
    story = Story(record_step("update", bogus=1)).settles()
    assert story.reason() == "nothing was sent: its record has no field bogus"
