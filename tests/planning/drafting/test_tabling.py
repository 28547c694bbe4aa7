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


@pytest.mark.parametrize("steps", [CREATE, UPDATE])
def test_a_serial_number_that_differs_in_case_only_names_the_device_and_is_not_created(steps):
    plan = frozen(fleet("sn1", "SN7", "SN8"), steps=steps)

    assert [device.serial_number for device in plan.devices] == ["SN7", "SN8"]
    assert plan.warnings == (
        (
            "1 row of sites.csv written otherwise than the controller has it, and so without a device:"
            " SN1 (line 2): did you mean sn1, device 1?"
        ),
    )


def test_a_name_that_differs_in_case_only_names_every_device_that_it_may_mean():
    records = [record(id=5, name="Twin"), record(id=6, name="TWIN"), record(id=7, name="other")]
    sites = "name,description\ntwin,x\nother,y\n"
    plan = frozen(records, BY_NAME, "- update: row", sites=sites)

    assert [device.id for device in plan.devices] == [7]
    assert "twin (line 2): did you mean Twin, device 5 or TWIN, device 6?" in plan.warnings[0]


BY_NAME = '{with: "@sites.csv", key: name}'
TWINS = "name,description\ntwin,a\nother,b\n"


def test_a_row_that_several_chosen_devices_answer_to_is_refused_with_its_line_and_their_ids():
    records = [record(id=i, name=name) for i, name in ((5, "twin"), (6, "twin"), (7, "other"))]

    with pytest.raises(SelectionError) as caught:
        frozen(records, BY_NAME, "- update: row", sites=TWINS)

    assert str(caught.value) == (
        "a row of sites.csv is about one device, and nothing was sent: twin (line 2) is the name of"
        " devices 5, 6; key the table by id, or exclude those that are not meant"
    )


def test_a_serial_number_that_two_records_share_is_refused_too():
    with pytest.raises(
        SelectionError, match=r"SN1 \(line 2\) is the serial_number of devices 1, 3;"
    ):
        frozen(fleet("SN1", "SN7", "SN1"))


def test_of_many_rows_that_are_not_clear_a_few_are_told():
    serials = [f"A{number}" for number in range(8)]
    sites = "serial_number,location_name\n" + "".join(f"{each},x\n" for each in serials)

    with pytest.raises(SelectionError, match=r"A4 .* of devices 5, 13; 3 more such rows; key"):
        frozen(fleet(*serials, *serials), sites=sites)


def test_a_row_is_clear_once_one_of_the_devices_is_excluded_and_the_other_is_told():
    records = [
        record(id=i, name=name, serial_number=f"SN{i}")
        for i, name in ((5, "twin"), (6, "twin"), (7, "other"))
    ]
    plan = frozen(records, BY_NAME.replace("}", ", exclude: '6'}"), "- update: row", sites=TWINS)

    assert [device.id for device in plan.devices] == [5, 7]
    assert plan.warnings == (
        (
            "1 row of sites.csv that several listed devices answer to, of which one at most is chosen:"
            " twin (line 2) is the name of devices 5, 6"
        ),
    )


def test_a_record_that_is_listed_twice_is_one_device():
    twice = [record(id=1, serial_number="SN1"), record(id=1, serial_number="SN1")]

    assert [device.id for device in frozen(twice).devices] == [1]


def test_provisional_ids_are_beyond_all_real_ones_and_moved_on_where_they_collide(monkeypatch):
    assert provisional_id("SN1") == provisional_id("SN1") != provisional_id("SN2")
    assert PROVISIONAL <= provisional_id("SN1") < PROVISIONAL + 2**47

    monkeypatch.setattr(tabling, "provisional_id", lambda _: PROVISIONAL)
    plan = frozen([], steps=CREATE)

    assert [device.id - PROVISIONAL for device in plan.devices] == [0, 1, 2]


def test_the_set_is_expected_to_be_as_large_as_with_the_new_devices():
    with pytest.raises(SelectionError, match="chose 3 of 0 listed devices"):
        frozen([], '{with: "@sites.csv", expect: {at_most: 2}}', CREATE)
