"""What a plan would change in records, shown before anything is sent."""

from dataclasses import replace

import msgspec
import pytest

from orchestrator.cli import plan_values, screen
from orchestrator.model.devices import DeviceId, device_from_record
from orchestrator.model.operations import Action, Operation
from orchestrator.model.plans import Limits, Plan, PlannedDevice
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.selections import Selection
from orchestrator.model.steps import OperationStep, RecordStep, default_proof
from orchestrator.model.values import (
    Assignment,
    Origin,
    Reference,
    Secret,
    SecretKind,
    Table,
    Template,
)


def step(action=Action.UPDATE, *, flag=None, takes_row=False, **fields):
    assignments = tuple(Assignment(name, value) for name, value in fields.items())
    operation = flag or action
    return RecordStep(
        operation,
        default_proof(operation),
        3,
        action=action,
        assignments=assignments,
        takes_row=takes_row,
        flag=flag,
    )


def planned(number, **changes):
    return msgspec.structs.replace(
        PlannedDevice(DeviceId(number), f"SN{number}", f"branch-{number}"), **changes
    )


def plan_of(*steps, devices, table=None, records=None):
    """Give a plan; `devices` are the records' fields by id."""
    known = {
        DeviceId(number): device_from_record({"id": number, **fields})
        for number, fields in devices.items()
    }
    return Plan(
        playbook=Playbook("p", "", Selection(), steps, table=table),
        source=PlaybookSource("p.yaml", ""),
        controller="https://c/api/v1",
        created_at=0.0,
        devices=tuple(map(planned, devices)),
        limits=Limits(len(devices), 1, 1, 0.0, None),
        records=known if records is None else records,
    )


def shown(plan, *, everyone=False):
    return list(plan_values.lines(plan, everyone=everyone))


def sites(*columns, **rows):
    return Table(
        "sites.csv",
        "serial_number",
        ("serial_number", *columns),
        {name: dict(zip(columns, row, strict=True)) for name, row in rows.items()},
        {},
    )


SITE = Template(("moved to ", Reference(Origin.ROW, "site"), ", was "))
OLD = {"description": "old", "is_active": True}


def test_each_field_is_shown_with_what_it_is_and_what_it_becomes():
    plan = plan_of(step(description="new", is_active=True), devices={7: OLD, 8: OLD})

    assert shown(plan) == [
        "What would change (2 devices):",
        "  DEVICE  FIELD        IS     BECOMES",
        "  7       description  'old'  'new'",
        "  8       description  'old'  'new'",
    ]


def test_who_is_so_already_is_counted_and_gets_nothing():
    plan = plan_of(step(description="old"), devices={7: OLD, 8: {"description": "other"}})

    assert shown(plan)[:2] == [
        "What would change (1 device):",
        "  1 is already so and gets nothing",
    ]


def test_before_a_run_it_is_said_in_one_line():
    plan = plan_of(step(description="old"), devices={7: OLD, 8: {"description": "other"}})
    reboot = OperationStep(Operation.REBOOT, default_proof(Operation.REBOOT), 4)

    assert list(plan_values.in_short(plan)) == [
        "the records of 1 device; 1 is already so and gets nothing"
    ]
    assert list(plan_values.in_short(replace(plan, records={}))) == []
    assert list(plan_values.in_short(plan_of(reboot, devices={7: OLD}))) == []


def test_a_device_that_gets_an_operation_too_is_not_said_to_get_nothing():
    reboot = OperationStep(Operation.REBOOT, default_proof(Operation.REBOOT), 4)

    assert shown(plan_of(step(description="old"), reboot, devices={7: OLD})) == []
    assert shown(plan_of(step(description="old", flag=Operation.SYNC), devices={7: OLD})) == []


def test_a_plan_without_changes_of_records_shows_none():
    reboot = OperationStep(Operation.REBOOT, default_proof(Operation.REBOOT), 4)

    assert shown(plan_of(reboot, devices={7: OLD})) == []
    assert plan_values.as_objects(plan_of(reboot, devices={7: OLD})) == []


def test_templates_take_their_values_from_the_row_and_the_record():
    was = Template((*SITE.parts, Reference(Origin.DEVICE, "description")))
    plan = plan_of(step(description=was), devices={7: OLD}, table=sites("site", SN7=["Quito"]))

    assert shown(plan)[-1] == "  7       description  'old'  'moved to Quito, was old'"


def test_what_list_pages_lack_is_said_not_to_be_known_yet():
    plan = plan_of(step(debug=True), devices={7: OLD})

    assert shown(plan)[1:] == [
        "  what is not known yet is read right before the change",
        "  DEVICE  FIELD  IS             BECOMES",
        "  7       debug  not known yet  true",
    ]


def test_a_plan_from_a_file_knows_what_is_written_and_not_what_is_there():
    plan = plan_of(step(description="old"), devices={7: OLD}, records={})

    assert shown(plan)[-1] == "  7       description  not known yet  'old'"


def test_a_reference_without_a_value_is_named():
    frequency = Template((Reference(Origin.DEVICE, "update_frequency"),))
    plan = plan_of(step(description=frequency), devices={7: OLD})

    assert shown(plan)[-1].endswith("not known yet: its record has no update_frequency")


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        (Secret(SecretKind.GENERATE), "generated, 24 characters"),
        (Secret(SecretKind.COMMAND), "printed by the command of the settings"),
        (
            Secret(SecretKind.ENV, "NEW"),
            "from the environment variable NEW, the same for every device",
        ),
        (Secret(SecretKind.FILE, "new.sealed"), "from the sealed table new.sealed"),
    ],
    ids=["generate", "command", "env", "file"],
)
def test_of_a_secret_only_its_origin_is_shown(secret, told):
    plan = plan_of(step(password=secret), devices={7: OLD})

    assert " ".join(" ".join(shown(plan)[2:]).split()).endswith(f"password never shown {told}")
    [found] = plan_values.as_objects(plan)
    assert found["fields"][0]["secret"] == told


def test_what_a_replacement_may_blank_is_loud():
    plan = plan_of(step(Action.REPLACE, description="new"), devices={7: OLD, 8: OLD})

    loud = [line for line in shown(plan) if isinstance(line, screen.Loud)]

    assert " ".join(" ".join(loud).split()) == (
        "MAY BE BLANKED, as the replacement leaves it out: password, username (of 2 devices)"
    )


def test_a_later_step_is_held_against_what_the_one_before_left():
    plan = plan_of(step(description="new"), step(description="newest"), devices={7: OLD})

    assert shown(plan)[-3:] == [
        "  DEVICE  STEP  FIELD        IS     BECOMES",
        "  7       1     description  'old'  'new'",
        "          2     description  'new'  'newest'",
    ]


def test_a_new_device_is_shown_by_its_serial_number():
    plan = plan_of(step(Action.CREATE, takes_row=True), devices={7: OLD})
    new = planned(2**48 + 1, serial_number="SN9", is_new=True)
    table = sites("description", SN9=["fresh"])
    plan = replace(plan, playbook=replace(plan.playbook, table=table), devices=(*plan.devices, new))

    assert shown(plan) == [
        "What would change (1 device):",
        "  1 is already so and gets nothing",
        "  DEVICE  FIELD        IS   BECOMES",
        "  SN9     description  new  'fresh'",
    ]


def test_who_is_handed_to_a_person_is_not_said_to_be_changed():
    plan = plan_of(step(description="new"), devices={7: OLD, 8: OLD})
    first, second = plan.devices
    plan = replace(
        plan, devices=(msgspec.structs.replace(first, exhausted="had 2 reboots"), second)
    )

    assert shown(plan)[0] == "What would change (1 device):"


def test_a_plan_that_only_deletes_has_no_table():
    plan = plan_of(step(Action.DELETE), devices={7: OLD})

    assert shown(plan) == []
    assert plan_values.as_objects(plan)[0]["deleted"] is True


def test_long_values_are_cut_and_names_steer_no_terminal():
    plan = plan_of(step(description="x\x1b[2J" * 40), devices={7: {"description": "o" * 99}})

    text = "\n".join(shown(plan))

    assert "\x1b" not in text
    assert f"'{'o' * 22}…" in text
    assert max(map(len, text.splitlines())) <= 80


def test_of_many_devices_the_first_are_shown_and_programs_get_all():
    plan = plan_of(step(description="new"), devices=dict.fromkeys(range(1, 31), OLD))

    assert shown(plan)[-1] == "  and 20 more; --all lists everyone"
    assert len(shown(plan, everyone=True)) == 32
    assert len(plan_values.as_objects(plan)) == 30


def test_programs_get_each_field_with_its_step():
    [found] = plan_values.as_objects(plan_of(step(description="new"), devices={7: OLD}))

    assert found == {
        "device": 7,
        "serial_number": "SN7",
        "new": False,
        "already_so": False,
        "deleted": False,
        "may_be_blanked": [],
        "fields": [
            {
                "step": 0,
                "field": "description",
                "known": True,
                "before": "old",
                "after": "new",
                "secret": None,
                "note": None,
            }
        ],
    }
