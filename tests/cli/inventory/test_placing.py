"""No import moves a device: rows that name another organization are told, each with its line."""

from dataclasses import replace

import pytest

from orchestrator.cli.inventory import placing
from orchestrator.model.errors import SelectionError
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.values import Table
from tests.support.playbooks import record
from tests.support.recorded_runs import plan_of


def plan(*devices, new=()):
    planned = [PlannedDevice(each.id, each.serial_number, None) for each in devices]
    planned += [PlannedDevice(each.id, each.serial_number, None, is_new=True) for each in new]
    records = {each.id: each for each in (*devices, *new)}
    return replace(plan_of(1), devices=tuple(planned), records=records)


def table(**organizations):
    rows = {serial: {"organization_id": each} for serial, each in organizations.items()}
    lines = {serial: line for line, serial in enumerate(rows, start=2)}
    return Table("sites.csv", "serial_number", ("organization_id",), rows, lines)


HERE = record(id=1001, serial_number="ZN1", organization_id=123)
THERE = record(id=1002, serial_number="ZN2", organization_id=456)


def test_a_device_that_is_in_another_organization_than_its_row_says_is_told():
    assert placing.misplaced(plan(HERE, THERE), table(ZN1=123, ZN2=123)) == {
        1002: "ZN2 (line 3) is left out: its row names organization 123, and device 1002 is in 456"
    }


def test_a_record_that_does_not_tell_its_organization_is_where_the_row_has_it():
    untold = record(id=1001, serial_number="ZN1", organization_id=None)

    assert placing.misplaced(plan(untold), table(ZN1=123)) == {}


def test_new_devices_are_nowhere_yet():
    assert placing.misplaced(plan(HERE, new=(THERE,)), table(ZN1=123, ZN2=123)) == {}


def test_where_no_other_device_is_left_the_command_ends_with_every_reason():
    with pytest.raises(SelectionError, match=r"nothing was sent: ZN1 .*\n  ZN2 "):
        placing.misplaced(plan(HERE, THERE), table(ZN1=789, ZN2=789))
