"""What a command composed is carried out for the devices that were meant, once somebody agreed."""

import io
from dataclasses import replace

import pytest
import typer

from orchestrator.cli.exit_codes import NeedsYesError
from orchestrator.cli.inventory import carrying
from orchestrator.model.errors import SelectionError
from orchestrator.model.plans import LeftOut, PlannedDevice
from tests.support.playbooks import record
from tests.support.recorded_runs import plan_of

PLAN = replace(plan_of(1), devices=tuple(PlannedDevice(n, f"ZN{n}", None) for n in (1, 2, 3)))
IDS = [device.id for device in PLAN.devices]


def test_a_plan_is_for_the_devices_that_were_named():
    carrying.only_those(IDS)(PLAN)
    carrying.only_those([])(PLAN)


def test_a_named_device_that_is_left_out_stops_the_command_with_the_reason():
    left = LeftOut("it never connected", 1, ("77",))

    with pytest.raises(SelectionError, match="device 77 cannot be taken: it never connected"):
        carrying.only_those([*IDS, 77])(replace(PLAN, left_out=(left,)))


def test_another_device_whose_serial_number_reads_like_an_id_is_not_taken():
    with pytest.raises(SelectionError, match="another device reads like one of these ids"):
        carrying.only_those(IDS[1:])(PLAN)


def test_the_listing_is_narrowed_to_the_organizations_of_the_devices():
    devices = [record(organization_id=456), record(organization_id=123)]

    assert carrying.around(devices).organization == (123, 456)
    assert carrying.around([*devices, record(organization_id=None)]).is_empty
    assert carrying.around([]).is_empty


def test_without_a_terminal_a_run_needs_its_yes(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(NeedsYesError, match="this run would update 3 devices"):
        carrying.typed_number(PLAN, 3, "update 3 devices", yes=False)
    carrying.typed_number(PLAN, 3, "update 3 devices", yes=True)


@pytest.mark.parametrize("given", [{"name": "a"}, {"as_json": True}])
def test_what_only_a_run_can_do_is_refused_beside_a_plan(given):
    asked = {"name": None, "output": None, "dry_run": True, "as_json": False, "plain": False}

    with pytest.raises(typer.BadParameter, match="only makes a plan"):
        carrying.Asked(**asked | given).check()
