"""A table narrows the set; rows without a device are named, or become new devices."""

import pytest

from orchestrator.model.errors import SelectionError
from orchestrator.model.plans import LeftOut
from orchestrator.planning.drafting import tabling
from orchestrator.planning.drafting.freezing import freeze
from orchestrator.planning.drafting.tabling import PROVISIONAL, provisional_id
from orchestrator.playbook.reading import read_playbook
from tests.support.playbooks import NOW, minimal, record, source

SITES = "serial_number;location_name;name\nSN1;North;one\nSN7;South;seven\nSN8;South;eight\n"
UPDATE = "- update: {description: '${row.location_name}'}"
CREATE = "- create: row"


def frozen(records, devices='with: "@sites.csv"', steps=UPDATE, more="", sites=SITES):
    text = source(minimal(devices, steps, more), files={"sites.csv": sites})
    return freeze(read_playbook(text), text, records, controller="https://c.test", now=NOW)


def fleet(*serials, **fields):
    return [record(id=i, serial_number=s, **fields) for i, s in enumerate(serials, start=1)]


def test_only_devices_with_a_row_are_chosen():
    plan = frozen(fleet("SN1", "SN2"))

    assert [device.serial_number for device in plan.devices] == ["SN1"]
    assert plan.left_out == (LeftOut("it has no row in sites.csv", 1, ("2",)),)


def test_rows_without_a_device_are_counted_and_named_with_their_lines():
    plan = frozen(fleet("SN1"))

    assert plan.warnings == (
        (
            "2 rows of sites.csv without a device among those that the controller listed for these"
            " filters: SN7 (line 3), SN8 (line 4)"
        ),
    )


def test_a_device_that_is_listed_and_not_chosen_has_its_row_all_the_same():
    plan = frozen(
        [*fleet("SN1", "SN7"), record(id=3, serial_number="SN8", status="Down")],
        devices='{with: "@sites.csv", status: up}',
    )

    assert [device.id for device in plan.devices] == [1, 2]
    assert not any("without a device" in warning for warning in plan.warnings)


def test_rows_without_a_device_become_new_devices_in_the_tables_order():
    plan = frozen(fleet("SN7"), steps=f"{CREATE}\n{UPDATE}")

    found = [(d.id, d.serial_number, d.name, d.location, d.is_new) for d in plan.devices]
    assert found == [
        (1, "SN7", "branch-1", "Seattle North", False),
        (provisional_id("SN1"), "SN1", "one", "North", True),
        (provisional_id("SN8"), "SN8", "eight", "South", True),
    ]
    assert all(device.chosen_by == () for device in plan.devices if device.is_new)
    assert (plan.limits.devices, plan.operation_requests) == (3, 6)
    assert list(plan.records) == [1]


def test_an_empty_fleet_can_be_filled():
    plan = frozen([], steps=CREATE)

    assert [device.serial_number for device in plan.devices] == ["SN1", "SN7", "SN8"]
    assert (plan.listed, plan.warnings) == (0, ())


def test_new_devices_count_in_the_groups_that_their_rows_name():
    plan = frozen([], steps=CREATE, more="rollout: {max_down_per: {location_name: 1}}")

    assert [device.groups for device in plan.devices] == [("North",), ("South",), ("South",)]


def test_what_the_create_step_writes_itself_counts_like_what_the_row_says():
    steps = "- create: {location_name: 'at ${row.location_name}', type: 15}"
    plan = frozen([], steps=steps)

    assert {(device.location, device.kind) for device in plan.devices} == {
        ("at North", "15"),
        ("at South", "15"),
    }


def test_new_devices_are_cut_at_the_limit_and_named_by_their_serial_numbers():
    plan = frozen([], devices='{with: "@sites.csv", limit: 1}', steps=CREATE)

    assert [device.serial_number for device in plan.devices] == ["SN1"]
    assert plan.left_out == (LeftOut("beyond the limit of 1", 2, ("SN7", "SN8")),)


def test_excluded_rows_and_those_of_another_organization_become_no_devices():
    sites = "serial_number,organization_id\nSN1,123\nSN7,5\nSN8,\nSN9,123\n"
    plan = frozen([], '{with: "@sites.csv", organization: 123, exclude: SN9}', CREATE, sites=sites)

    assert [device.serial_number for device in plan.devices] == ["SN1", "SN8"]
    assert {(each.reason, each.count) for each in plan.left_out} == {
        ("organization_id is not 123", 1),
        ("excluded by the playbook", 1),
    }


def test_a_serial_number_that_differs_in_case_only_is_not_created_anew():
    plan = frozen(fleet("sn1"), steps=CREATE)

    assert [device.serial_number for device in plan.devices] == ["SN7", "SN8"]
    assert plan.warnings == (
        (
            "1 row of sites.csv written otherwise than the controller has it, and so without a device:"
            " SN1 (line 2) is sn1 there"
        ),
    )


def test_a_row_by_name_that_several_devices_answer_to_is_told():
    sites = "name,description\nbranch-1,x\n"
    plan = frozen(
        fleet("SN1", "SN2"),
        '{with: "@sites.csv", key: name}',
        "- update: {description: x}",
        sites=sites,
    )

    assert len(plan.devices) == 2
    assert plan.warnings == (
        (
            "1 row of sites.csv that several listed devices answer to, each with the same values:"
            " branch-1 (line 2)"
        ),
    )


def test_provisional_ids_are_beyond_all_real_ones_and_moved_on_where_they_collide(monkeypatch):
    assert provisional_id("SN1") == provisional_id("SN1") != provisional_id("SN2")
    assert PROVISIONAL <= provisional_id("SN1") < PROVISIONAL + 2**47

    monkeypatch.setattr(tabling, "provisional_id", lambda _: PROVISIONAL)
    plan = frozen([], steps=CREATE)

    assert [device.id - PROVISIONAL for device in plan.devices] == [0, 1, 2]


def test_the_set_is_expected_to_be_as_large_as_with_the_new_devices():
    with pytest.raises(SelectionError, match="chose 3 of 0 listed devices"):
        frozen([], '{with: "@sites.csv", expect: {at_most: 2}}', CREATE)
