"""Each kind of step in one line, and what goes with it: tables, secrets, snapshots, allowances."""

import pytest

from orchestrator.cli import plan_steps
from orchestrator.model.operations import Action, Operation
from orchestrator.model.playbooks import Playbook
from orchestrator.model.policies import Allowance, Depth
from orchestrator.model.selections import Condition, Equals, Present, Selection
from orchestrator.model.steps import (
    CheckStep,
    DoneStep,
    EscalateStep,
    OperationStep,
    Proof,
    RecordStep,
    SleepStep,
    Witness,
    default_proof,
)
from orchestrator.model.values import Assignment, Secret, SecretKind, Table

UP = Condition("status", Equals(("Up",)))
PLAIN = Proof(nothing_pending=False, within=None, settle=0, stable_for=0)
SHARP = Proof(
    nothing_pending=False,
    within=600,
    settle=0,
    stable_for=0,
    conditions=(Condition("software_version", Equals(("2.5",))), Condition("address", Present())),
    contact=True,
    witnesses=(Witness.UP_TIME,),
)


def change(action=Action.UPDATE, *fields, flag=None, proof=PLAIN, attempts=3, takes_row=False):
    return RecordStep(
        flag or action,
        proof,
        attempts,
        action=action,
        assignments=tuple(Assignment(name, "x") for name in fields),
        takes_row=takes_row,
        flag=flag,
    )


def playbook(*steps, **more):
    return Playbook("p", "", Selection(), steps, **more)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (
            change(Action.UPDATE, "description", "location_name", flag=Operation.REBOOT),
            "update description, location_name; reboot: at most 3 attempts",
        ),
        (change(flag=Operation.SYNC), "update sync: at most 3 attempts"),
        (
            change(Action.UPGRADE, "firmware_image", proof=SHARP),
            (
                "update firmware_image: at most 3 attempts, proof by software_version 2.5, address,"
                " a contact of the device, up time within 10m"
            ),
        ),
        (change(Action.REPLACE, takes_row=True), "replace row: at most 3 attempts"),
        (change(Action.DEACTIVATE, attempts=1), "deactivate: at most 1 attempt"),
        (change(Action.DELETE), "delete: at most 3 attempts"),
        (
            DoneStep((UP,), refresh=True),
            "done_if status, asked of the device itself: a device that is so gets nothing more",
        ),
        (CheckStep((UP,), 300.0), "check status: within 5m"),
        (EscalateStep("does not come back"), "escalate to a person: does not come back"),
        (SleepStep(30.0), "sleep 30s"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_step_is_told_in_one_line(step, told):
    assert plan_steps.step_line(step) == told


def test_each_secret_is_told_once_with_where_it_comes_from():
    new = RecordStep(
        Action.UPDATE, PLAIN, 3, assignments=(Assignment("password", Secret(SecretKind.GENERATE)),)
    )

    assert list(plan_steps.secrets(playbook(new, new))) == ["password: generated, 24 characters"]
    assert list(plan_steps.secrets(playbook(SleepStep(1.0)))) == []


def test_a_secret_column_of_a_row_is_told():
    table = Table("a.csv", "id", ("id", "password"), {}, {}, secrets=frozenset({"password"}))

    told = list(plan_steps.secrets(playbook(change(takes_row=True), table=table)))

    assert told == ["password: a column of the table"]


@pytest.mark.parametrize(
    ("depth", "told"),
    [
        (Depth.FULL, "each device's record, settings and variables before it is changed"),
        (Depth.RECORD, "each device's record before it is changed"),
        (
            Depth.NONE,
            "nothing (snapshots: none), so nothing can be put back from this run",
        ),
    ],
)
def test_it_is_told_how_much_is_saved_before_a_change(depth, told):
    assert list(plan_steps.saves(playbook(change(), snapshots=depth))) == [told]


def test_nothing_is_saved_where_nothing_is_changed():
    reboot = OperationStep(Operation.REBOOT, default_proof(Operation.REBOOT), 4)

    assert list(plan_steps.saves(playbook(reboot, change(Action.CREATE)))) == []


def test_an_allowance_is_told_with_its_time():
    allowed = playbook(allowances=(Allowance(Operation.REBOOT, 2, 86_400.0),))

    assert list(plan_steps.allowances(allowed)) == [
        "at most 2 reboots of one device in 1d, all runs counted"
    ]


def test_a_table_is_told_with_its_rows_and_how_many_are_new():
    table = Table("sites.csv", "serial_number", ("serial_number",), {"a": {}, "b": {}}, {})

    assert list(plan_steps.table(playbook(table=table), 1)) == [
        "sites.csv: 2 rows by serial_number",
        "1 row without a record: new, to be created",
    ]
