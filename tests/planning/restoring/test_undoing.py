"""What can be put back has the oldest values before the run; the rest is told in sentences."""

import pytest

from orchestrator.model.snapshots import Extras
from orchestrator.planning.restoring.undoing import Former, undoing
from tests.support.changed import accepted, done, lost, snapshot, wrote
from tests.support.histories import T0, intended, succeeded
from tests.support.recorded_runs import plan_of

PLAN = plan_of(1001, 1002, 1003)


def undone(*events, snapshots=(), **given):
    return undoing(PLAN, events, snapshots, **given)


def formers(*events, **given):
    [found] = undone(*events, **given).devices
    return found.fields


def sentences(*events, **given):
    return undone(*events, **given).beyond


def operation(word, device=1001, *, step=0, at=T0):
    return [
        intended(device, at=at, step=step, operation=word),
        accepted(device, at=at + 1, step=step),
        succeeded(device, at=at + 2, step=step),
    ]


def test_a_changed_field_is_put_back_to_what_it_was():
    assert formers(*done(description=("old", "new"))) == (Former("description", "old", ("new",)),)


def test_a_field_that_was_changed_twice_goes_back_to_its_first_value():
    events = [
        *done(description=("old", "new")),
        *done(at=T0 + 9, step=1, description=("new", "newer")),
    ]

    assert formers(*events) == (Former("description", "old", ("new", "newer")),)


def test_the_device_that_was_changed_last_comes_first():
    events = [*done(1001, debug=(True, False)), *done(1002, at=T0 + 50, debug=(True, False))]

    assert [each.device for each in undone(*events).devices] == [1002, 1001]


def test_only_the_devices_that_are_asked_for_are_put_back():
    events = [*done(1001, debug=(True, False)), *done(1002, debug=(True, False))]

    assert [each.device for each in undone(*events, only=[1002]).devices] == [1002]


def test_what_is_in_doubt_is_put_back_too_since_the_record_will_tell():
    events = [wrote(debug=(True, False)), lost()]

    assert formers(*events) == (Former("debug", True, (False,)),)


def test_a_run_that_changed_nothing_leaves_nothing_to_do():
    found = undone(succeeded(1001))

    assert (found.devices, found.beyond) == ((), ())


def test_what_the_journal_does_not_know_is_taken_from_the_first_snapshot():
    shots = [snapshot(customer_id="C7"), snapshot(step=1, customer_id="C8"), snapshot(1002)]

    assert formers(*done(customer_id=(None, "C9")), snapshots=shots) == (
        Former("customer_id", "C7", ("C9",)),
    )


def test_what_was_null_is_null_again_where_that_can_be_written():
    assert formers(*done(description=(None, "x")), snapshots=[snapshot(description=None)]) == (
        Former("description", None, ("x",)),
    )
    assert formers(*done(description=("", "x"))) == (Former("description", "", ("x",)),)
    assert sentences(*done(name=(None, "x")), snapshots=[snapshot(name=None)]) == (
        "1 device where what name held before, or that it held nothing, cannot be written: 1001",
    )


def test_a_value_that_nobody_knows_is_told():
    told = ("1 device where what location held before is not known: 1001",)

    assert sentences(*done(location=(None, 7))) == told
    assert sentences(*done(location=(None, 7)), snapshots=[snapshot()]) == told


@pytest.mark.parametrize("before", [["a"], {"a": 1}, "a\x00b"])
def test_a_value_that_no_table_holds_is_told(before):
    [told] = sentences(*done(description=(before, "x")))

    assert "cannot be written" in told


def test_a_secret_is_not_put_back():
    [told] = sentences(*done(password=(None, "fp:1")), *done(1002, password=(None, "fp:2")))

    assert told == (
        "2 devices with a new password: only fingerprints are kept with the run;"
        " the vault may hold the old one: 1001, 1002"
    )


def test_a_read_only_field_is_not_put_back():
    [told] = sentences(*done(action="replace", address=("10.0.0.1", "10.0.0.2")))[1:]

    assert told == "1 device where address is read-only: 1001"


def test_a_replaced_record_may_have_lost_what_nobody_sees():
    found = undone(*done(action="replace", debug=(True, False)))

    assert found.devices[0].fields == (Former("debug", True, (False,)),)
    assert found.beyond[0].startswith("1 device whose record was replaced as a whole: a user name")


def test_a_deactivated_device_is_activated_again():
    assert formers(*done(action="deactivate", is_active=(True, False))) == (
        Former("is_active", True, (False,)),
    )


def test_a_reboot_cannot_be_undone():
    events = [*operation("reboot"), *operation("reboot", 1002)]

    assert sentences(*events) == ("2 devices rebooted: a reboot cannot be undone: 1001, 1002",)


def test_a_reboot_in_doubt_is_told_as_one():
    events = [*operation("reboot"), intended(1002, operation="reboot"), lost(1002)]

    assert sentences(*events) == (
        "2 devices (1 of them perhaps) rebooted: a reboot cannot be undone: 1001, 1002",
    )
    assert sentences(*events[3:])[0].startswith("1 device (perhaps) rebooted")


def test_a_reset_device_gets_its_configuration_only_from_reconf():
    assert sentences(*operation("device_factory")) == (
        (
            "1 device reset: what was configured there is gone;"
            " `reconf` brings back what the controller keeps of it: 1001"
        ),
    )


def test_a_reset_device_that_was_configured_again_is_said_to_be():
    events = [*operation("factory"), *operation("reconf", step=1, at=T0 + 60)]

    assert sentences(*events) == (
        (
            "1 device reset: what was configured there is gone;"
            " the run's own `reconf` brought back what the controller keeps of it: 1001"
        ),
    )


def test_pushed_settings_are_in_the_snapshots_and_not_written_back():
    shots = [snapshot(extras=Extras({"a": 1, "b": 2}, {"c": 3})), snapshot(1002, extras=Extras())]
    events = [*operation("sync"), *operation("reconf", 1002)]

    assert sentences(*events, snapshots=shots) == (
        (
            "2 devices had settings pushed: this program does not write settings; 2 settings and"
            " 1 variable as they were are in snapshots.jsonl: 1001, 1002"
        ),
    )
    assert "nothing of them as they were is kept" in sentences(*events)[0]


def test_a_created_record_is_deleted_by_a_person():
    events = done(2**48 + 1, action="create", record=5012, serial_number=(None, "SN7"))
    plan = plan_of(2**48 + 1)

    found = undoing(plan, events, ())

    assert found.devices == ()
    assert found.beyond == (
        "1 record created: `orchestrator devices delete` removes what is not wanted: 5012 (SN7)",
    )


def test_a_deleted_record_does_not_come_back():
    events = [
        *done(description=("a", "b")),
        wrote(at=T0 + 9, step=1, action="delete"),
        accepted(step=1),
    ]
    found = undone(*events)

    assert found.devices == ()
    assert found.beyond == (
        (
            "1 record deleted: how they were is in snapshots.jsonl, but created again they get another"
            " id and no password: 1001"
        ),
    )


def test_firmware_goes_back_by_an_upgrade_of_its_own():
    events = done(action="upgrade", firmware_image=(9, 12), description=("a", "b"))
    found = undone(*events)

    assert found.devices[0].fields == (Former("description", "a", ("b",)),)
    assert found.beyond == (
        (
            "1 device given firmware image 12 over image 9; going back is an upgrade of its own:"
            " a copy of firmware-rollout.yaml with image 9, its version, and the condition on"
            " software_version turned around: 1001"
        ),
    )
    assert (
        "over an image that is not known"
        in undone(*done(action="upgrade", firmware_image=(None, 12))).beyond[0]
    )
