"""What a run changed is told by its journal: by device, with the values before and after."""

import pytest

from orchestrator.model.events import DeviceFound
from orchestrator.model.operations import Action, Operation
from orchestrator.report.differences import Certainty, Differences, is_same_value
from tests.support.changed import accepted, done, lost, refused, resolved, unsent, wrote
from tests.support.histories import T0, intended, run_started, succeeded


def devices(*events):
    return Differences.of(events).devices


def fields(*events):
    [found] = devices(*events)
    return [(c.field, c.before, c.after, c.certainty.value) for c in found.fields]


def deeds(*events):
    [found] = devices(*events)
    return [(deed.what, deed.certainty) for deed in found.deeds]


def test_a_field_has_its_value_before_and_after():
    found = fields(run_started(), *done(description=("old", "new"), debug=(True, False)))

    assert found == [("description", "old", "new", "proven"), ("debug", True, False, "proven")]


def test_a_field_that_was_written_as_it_was_is_no_change():
    assert fields(
        *done(action="replace", name=("a", "a"), description=(None, ""), type=(1, 2))
    ) == [("type", 1, 2, "proven")]


def test_a_secret_always_is_a_change_and_shows_its_fingerprint_only():
    assert fields(*done(password=(None, "fp:0123456789ab"))) == [
        ("password", None, "fp:0123456789ab", "proven")
    ]


def test_what_a_secret_was_before_is_never_told():
    found = fields(*done(wifi_key=("hunter2", "fp:0123456789ab")))

    assert found == [("wifi_key", None, "fp:0123456789ab", "proven")]


def test_what_was_accepted_and_not_read_back_says_so():
    assert fields(wrote(debug=(True, False)), accepted()) == [("debug", True, False, "accepted")]


def test_what_nobody_answered_is_in_doubt():
    assert fields(wrote(debug=(True, False)), lost()) == [("debug", True, False, "in doubt")]
    assert fields(wrote(debug=(True, False))) == [("debug", True, False, "in doubt")]


def test_a_doubt_that_is_resolved_is_a_change_or_none():
    assert fields(wrote(debug=(True, False)), lost(), resolved())[0][3] == "accepted"
    assert devices(wrote(debug=(True, False)), lost(), resolved(applied=False)) == ()


@pytest.mark.parametrize("answer", [refused(), unsent()])
def test_what_was_not_applied_changed_nothing(answer):
    assert devices(wrote(debug=(True, False)), answer) == ()


def test_another_attempt_of_the_step_counts_by_itself():
    events = [wrote(debug=(True, False)), refused(), wrote(attempt=2, debug=(True, False))]

    assert fields(*events, accepted(attempt=2)) == [("debug", True, False, "accepted")]


def test_an_operation_is_a_deed_and_its_flag_no_field():
    assert deeds(intended(operation="factory"), accepted(), succeeded()) == [
        (Operation.FACTORY, Certainty.PROVEN)
    ]
    flagged = done(operation="reboot", debug=(True, False), reboot=(None, True))
    assert deeds(*flagged) == [(Operation.REBOOT, Certainty.PROVEN)]
    assert fields(*flagged) == [("debug", True, False, "proven")]


def test_a_firmware_upgrade_is_a_deed_and_a_field():
    events = done(action="upgrade", firmware_image=(9, 12))

    assert deeds(*events) == [(Action.UPGRADE, Certainty.PROVEN)]
    assert fields(*events) == [("firmware_image", 9, 12, "proven")]


def test_a_creation_tells_the_id_that_the_record_got_and_what_was_written():
    provisional = 2**48 + 7
    events = done(provisional, action="create", record=5012, serial_number=(None, "SN7"))
    [found] = devices(*events)

    assert (found.device, found.record, found.fields) == (provisional, 5012, ())
    assert found.deeds[0].what is Action.CREATE
    assert found.deeds[0].values == {"serial_number": "SN7"}


def test_a_device_that_was_found_again_has_the_record_it_was_found_under():
    events = [*done(debug=(True, False)), DeviceFound(T0 + 9, 1001, 0, 5013, "its id is silent")]

    assert devices(*events)[0].record == 5013


def test_devices_come_in_the_order_in_which_they_were_touched():
    found = devices(*done(2, at=T0, debug=(1, 0)), *done(1, at=T0 + 10, debug=(1, 0)))

    assert [(each.device, each.last_at) for each in found] == [(2, T0), (1, T0 + 10)]


def test_answers_nobody_asked_for_and_unknown_words_are_passed_over():
    odd = wrote(operation="levitate", action="update", debug=(True, False))

    assert devices(accepted(), succeeded(), refused()) == ()
    assert deeds(odd) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (None, "", True),
        ("", "a", False),
        (1, True, False),
        (1, 1.0, True),
        ("a", "A", False),
        ([], [], True),
    ],
)
def test_values_are_compared_as_they_stand(one, other, same):
    assert is_same_value(one, other) is same
