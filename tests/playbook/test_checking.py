"""Right values that contradict each other are faults, with what would be right."""

import pytest

from tests.support.playbooks import fault, faults, minimal, playbook


@pytest.mark.parametrize(
    "devices", ["limit: 5", "exclude: [1]", "all: false", "expect: {at_most: 3}", "order_by: id"]
)
def test_a_selection_that_would_choose_everything_is_refused(devices):
    found = fault(minimal(devices))

    assert found.key == "devices"
    assert "every device" in found.message
    assert "all: true" in found.hint


def test_a_selection_of_everything_can_be_meant():
    assert playbook(minimal("{all: true, exclude: 7, limit: 3}")).selection.everything


def test_a_misspelt_filter_is_one_fault_and_not_two():
    assert [f.key for f in faults(minimal("organisation: 1"))] == ["devices.organisation"]


@pytest.mark.parametrize("condition", ["type: 1", "where: {name: a}", "include: 7"])
def test_everything_and_a_condition_contradict_each_other(condition):
    found = fault(minimal(f"{{all: true, {condition}}}"))

    assert found.key == "devices.all"
    assert condition.split(":")[0] in found.message


@pytest.mark.parametrize(
    ("devices", "key"),
    [
        ("{type: 1, expect: {at_least: 5, at_most: 4}}", "devices.expect.at_most"),
        ("{type: 1, limit: 5, expect: {at_least: 6}}", "devices.limit"),
        ("{status: up, where: {status: down}}", "devices.where.status"),
        ("{type: [1, 2], where: {type: 3}}", "devices.where.type"),
        ("{organization: 1, where: {organization_id: [2, 3]}}", "devices.where.organization_id"),
        ("{status: up, where: {status: missing}}", "devices.where.status"),
        ("{include: [7, Sn8], exclude: [sn8, 7, 9]}", "devices.exclude"),
    ],
)
def test_a_selection_that_could_choose_nobody_is_a_fault(devices, key):
    assert key in [found.key for found in faults(minimal(devices))]


def test_expecting_no_device_at_least_is_possible():
    devices = "{type: 1, limit: 5, expect: {at_least: 0, at_most: 5}}"

    assert playbook(minimal(devices)).selection.expect.at_least == 0


@pytest.mark.parametrize(
    ("devices", "step", "key", "field"),
    [
        ("status: down", "reboot", "devices.status", "status"),
        ("status: down", "sync", "devices.status", "status"),
        ("where: {status: down}", "reboot", "devices.where.status", "status"),
        ("where: {status: missing}", "reboot", "devices.where.status", "status"),
        ("where: {is_active: false}", "sync", "devices.where.is_active", "is_active"),
        ("where: {pending_settings: any}", "factory", "devices.where.pending_settings", "pending"),
        ("where: {pending_settings: [a]}", "reboot", "devices.where.pending_settings", "pending"),
    ],
)
def test_a_guard_that_would_skip_every_chosen_device_is_a_fault(devices, step, key, field):
    found = fault(minimal(devices, f"- operation: {step}"))

    assert found.key == key
    assert "every chosen device would be skipped" in found.message
    assert f"guard: {{{field}" in found.hint


@pytest.mark.parametrize(
    ("devices", "steps", "more"),
    [
        ("status: down", "- operation: reboot", "guard: {status: any}\n"),
        ("status: down", "- operation: reboot", "guard: {status: down}\n"),
        ("status: down", "- check: {status: up}\n  within: 2h\n- operation: reboot", ""),
        ("where: {pending_settings: any}", "- operation: sync", ""),
        ("where: {status: [up, down]}", "- operation: reboot", ""),
    ],
)
def test_devices_in_trouble_can_be_chosen_when_the_guard_lets_them_pass(devices, steps, more):
    assert faults(minimal(devices, steps, more)) == []


def test_a_guard_that_wants_a_field_missing_skips_whoever_has_it():
    text = minimal("where: {name: {matches: 'a*'}}", more="guard: {name: missing}\n")

    assert "wants name something else, the guard demands missing" in fault(text).message


def test_a_guard_can_contradict_the_selection_by_what_it_adds():
    text = minimal("where: {location_name: A}", more="guard: {location_name: B}\n")

    assert "the guard demands B" in fault(text).message


@pytest.mark.parametrize(
    "name", ["status: up", "settle: 3s", "stable_for: 3s", "whole_record: false"]
)
def test_a_return_from_an_outage_cannot_be_asked_of_an_operation_without_one(name):
    found = fault(minimal(steps=f"- {{operation: sync, proof: {{{name}}}}}"))

    assert found.key == f"steps[0].proof.{name.split(':')[0]}"


def test_a_proof_that_could_never_be_stable_in_time_is_a_fault():
    text = minimal(steps="- {operation: reboot, proof: {within: 2m, stable_for: 2m}}")

    assert fault(text).key == "steps[0].proof.within"
