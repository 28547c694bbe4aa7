"""Right before a device is touched: one sentence why not, or none."""

import msgspec
import pytest

from orchestrator.engine.walking.guarding import change, refusal
from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.operations import Operation
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.policies import Guard
from orchestrator.model.readings import Reading
from orchestrator.model.selections import Condition, Missing, OlderThan
from tests.support.playbooks import NOW, record
from tests.support.stories import step

PLANNED = PlannedDevice(DeviceId(1001), "SN1", "branch-1")


def asked(
    device: Device | None,
    operation: str = "factory",
    *,
    planned: PlannedDevice = PLANNED,
    guard: Guard | None = None,
    touched: bool = False,
) -> str | None:
    reading = Reading(DeviceId(1001), device, NOW - 5, NOW)
    return refusal(planned, reading, step(operation), guard or Guard(), touched=touched)


@pytest.mark.parametrize("operation", list(Operation))
def test_a_healthy_device_may_be_touched(operation):
    assert asked(record(), operation) is None


def test_a_record_that_is_gone_may_not():
    assert asked(None) == "the controller no longer has this device"


@pytest.mark.parametrize("serial", ["SN2", None, ""])
def test_another_or_a_missing_serial_number_may_not(serial):
    assert "the plan says SN1" in asked(record(serial_number=serial))


def test_a_plan_without_a_serial_number_asks_for_none():
    assert asked(record(), planned=msgspec.structs.replace(PLANNED, serial_number=None)) is None


@pytest.mark.parametrize("operation", list(Operation))
@pytest.mark.parametrize("fields", [{"status": "Down"}, {"status": "?"}, {"is_active": False}])
def test_a_device_that_is_not_known_to_be_up_and_active_may_not(fields, operation):
    assert asked(record(**fields), operation) is not None


def test_pending_settings_stop_a_disruptive_operation_and_not_a_gentle_one():
    pending = record(pending_settings="wifi_config")

    assert asked(pending, "reboot") is not None
    assert asked(pending, "sync") is None


def test_unknown_pending_settings_are_not_clear():
    assert asked(msgspec.structs.replace(record(), pending=None), "reboot") is not None


def test_what_our_own_earlier_step_left_pending_does_not_count():
    wiped = record(pending_settings="initial")

    assert asked(wiped, "reboot", touched=True) is None
    assert asked(record(pending_settings="initial", status="Down"), touched=True) is not None


def test_ages_are_measured_on_the_controllers_clock():
    old = Guard(disruptive=(Condition("last_connection", OlderThan(200.0)),))
    device = record()
    reading = Reading(DeviceId(1001), device, 0.0, device.last_connection + 300.0)

    assert refusal(PLANNED, reading, step("reboot"), old, touched=False) is None


def test_a_playbooks_own_guard_takes_the_place_of_the_default():
    own = Guard(disruptive=(Condition("description", Missing()),))

    assert asked(record(status="Down"), guard=own) is None
    assert "status is Down" in asked(record(status="Down"), "sync", guard=own)


CHOSEN = msgspec.structs.replace(PLANNED, chosen_by=("2.3", 15, ["lab", "spare"], None, True))
FIELDS = ("software_version", "type", "tags", "location_name", "vip")


def changed(**now: object) -> str | None:
    same = {"software_version": "2.3", "type": 15, "tags": ["lab", "spare"], "vip": True}
    return change(FIELDS, CHOSEN, record(**{**same, **now}))


def test_what_a_device_was_chosen_by_has_to_be_as_the_plan_says():
    assert changed() is None
    assert changed(software_version="2.4") == (
        "changed since the plan: software_version was 2.3, is 2.4"
    )
    assert changed(tags=["lab"]) is not None
    assert changed(vip=False) == "changed since the plan: vip was True, is False"


def test_the_same_value_in_another_dress_is_no_change():
    assert changed(type="15") is None
    assert changed(vip="true") is None


def test_what_is_not_known_on_either_side_is_not_known_to_have_changed():
    assert changed(location_name="Harbour 3") is None
    assert changed(software_version=None) is None
    assert change(FIELDS, PLANNED, record(software_version="9")) is None
