"""A rollback is a plan like any other, whole without files, the device that was changed last first."""

import json
from dataclasses import replace

from orchestrator.adapters.plans.plan_file import read_plan, write_plan
from orchestrator.engine.walking.guarding import change
from orchestrator.model.policies import RequestLimits
from orchestrator.planning.drafting.following import Now
from orchestrator.planning.restoring.planning_back import plan_back
from orchestrator.planning.restoring.undoing import undoing
from orchestrator.planning.restoring.writing import unfit
from tests.support.changed import done
from tests.support.histories import T0, intended
from tests.support.playbooks import NOW, record, source
from tests.support.recorded_runs import plan_of

PLAN = plan_of(1001, 1002, 1003)


def rolled_back(*events, plan=PLAN, records=None, **given):
    records = records or {
        device: record(id=device, serial_number=f"ZN{device}", description="new", debug=False)
        for device in (1001, 1002, 1003)
    }
    return plan_back(plan, "night-1", undoing(plan, events, ()), Now(records, NOW, NOW), **given)


EVENTS = [
    *done(1001, at=T0, description=("old 1", "new")),
    *done(1002, at=T0 + 60, description=("old 2", "new"), debug=(True, False)),
]


def test_the_plan_writes_each_device_what_it_said_before():
    table = rolled_back(*EVENTS).plan.playbook.table

    assert dict(table.rows) == {
        "1001": {"id": "1001", "description": "old 1"},
        "1002": {"id": "1002", "description": "old 2", "debug": True},
    }


def test_the_device_that_was_changed_last_has_its_turn_first():
    assert [device.id for device in rolled_back(*EVENTS).plan.devices] == [1002, 1001]


def test_its_playbook_begins_with_what_it_does_to_whom_and_how_to_undo_it():
    text = rolled_back(*EVENTS).plan.source.text.splitlines()

    assert text[:3] == [
        "# What it does   Puts back what run night-1 (redeploy) changed in records: debug, description.",
        "# To whom        2 devices, the one that was changed last first.",
        "# To undo it     roll back the run that carries this out.",
    ]


def test_it_is_whole_without_the_files_and_says_so(tmp_path):
    plan = rolled_back(*EVENTS).plan
    write_plan(plan, tmp_path / "back.json")
    kept = read_plan(tmp_path / "back.json")

    assert kept.playbook == plan.playbook
    assert kept.devices == plan.devices
    assert kept.source.is_made
    assert not source("playbook: x").is_made


def test_it_keeps_to_the_request_limits_of_the_run():
    limits = RequestLimits(delay=1.5, in_flight=3, per_second=None)
    plan = replace(PLAN, playbook=replace(PLAN.playbook, requests=limits))

    assert rolled_back(*EVENTS, plan=plan).plan.playbook.requests == limits


def test_what_cannot_be_put_back_is_a_warning_of_the_plan():
    made = rolled_back(*EVENTS, intended(1003, operation="reboot"))

    assert made.beyond == ("1 device (perhaps) rebooted: a reboot cannot be undone: 1003",)
    assert made.plan.warnings[0] == f"not put back: {made.beyond[0]}"


def test_without_anything_to_put_back_there_is_no_plan_but_the_reasons():
    made = rolled_back(*done(1001, description=("new", "newer")))

    assert made.plan is None
    assert [out.reason for out in made.left_out] == ["is as it was before the run"]


def test_a_device_that_is_left_alone_is_named_in_the_plan():
    records = {
        1001: record(id=1001, serial_number="ZN1001", description="mine"),
        1002: record(id=1002, serial_number="ZN1002", description="new", debug=False),
    }
    made = rolled_back(*EVENTS, records=records)

    assert [device.id for device in made.plan.devices] == [1002]
    assert made.plan.left_out[0].examples == ("1001: description is mine, the run wrote new",)
    assert made.plan.listed == 2


def test_values_keep_their_types_and_odd_signs():
    events = done(description=('a "b"\n${x} é', "new"), latitude=(47.5, None), type=(15, 16))
    now = {1001: record(serial_number="ZN1001", description="new", latitude=None, type=16)}
    made = rolled_back(*events, records=now)

    [row] = made.plan.playbook.table.rows.values()
    assert row == {"id": "1001", "description": 'a "b"\n${x} é', "latitude": "47.5", "type": 15}
    assert json.loads(made.plan.source.files["rollback.jsonl"])["id"] == 1001


def why_another(plan, device, **fields):
    """Say why the device is not any more what was planned, with such a record right before its turn."""
    planned = next(each for each in plan.devices if each.id == device)
    shown = {"serial_number": f"ZN{device}", "description": "new", "debug": False, **fields}
    return change(plan.attributes, planned, record(id=device, **shown))


def test_a_device_that_somebody_changes_after_planning_is_left_alone(tmp_path):
    plan = rolled_back(*EVENTS).plan
    write_plan(plan, tmp_path / "back.json")
    kept = read_plan(tmp_path / "back.json")

    assert why_another(kept, 1001) is None
    assert why_another(kept, 1001, description="mine") == (
        "changed since the plan: description was new, is mine"
    )
    assert why_another(kept, 1002, debug=True) == "changed since the plan: debug was False, is True"


def test_it_holds_on_to_nothing_that_it_does_not_write():
    plan = rolled_back(*EVENTS).plan

    assert plan.attributes == ("debug", "description")
    assert why_another(plan, 1001, debug=True, name="other") is None


def test_what_was_empty_when_it_was_planned_and_holds_something_now_was_changed_too():
    now = {1001: record(id=1001, serial_number="ZN1001", description="", latitude=None)}
    events = done(1001, description=("old", ""), latitude=("47.5", None))
    plan = rolled_back(*events, records=now).plan

    assert why_another(plan, 1001, description="", latitude=None) is None
    assert why_another(plan, 1001, description="mine", latitude=None) == (
        "changed since the plan: description was (empty), is mine"
    )
    assert why_another(plan, 1001, description="", latitude="1.5") == (
        "changed since the plan: latitude was (empty), is 1.5"
    )


def test_forced_it_holds_on_to_nothing():
    plan = rolled_back(*EVENTS, force=True).plan

    assert plan.attributes == ()
    assert why_another(plan, 1001, description="mine") is None


def test_what_no_table_holds_is_known_before():
    assert not unfit("description", None)
    assert not unfit("thing_of_a_vendor", 1.5)
    assert unfit("debug", "perhaps")
    assert unfit("debug", None)
    assert unfit("status", "Up")
    assert unfit("descripton", "x")
    assert unfit("password", "x")
    assert unfit("description", ["x"])
