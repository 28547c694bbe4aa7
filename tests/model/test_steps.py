"""What an operation step needs as proof when the playbook says nothing."""

import pytest

from orchestrator.model.operations import Operation
from orchestrator.model.selections import Condition, Present
from orchestrator.model.steps import (
    CheckStep,
    OperationStep,
    Proof,
    SleepStep,
    default_proof,
    proof_seconds,
)


@pytest.mark.parametrize(
    ("operation", "proof"),
    [
        ("reboot", Proof(False, None, 60.0, 30.0)),
        ("factory", Proof(False, None, 150.0, 30.0)),
        ("device_factory", Proof(False, None, 150.0, 30.0)),
        ("sync", Proof(True, None, 0.0, 0.0)),
        ("reconf", Proof(True, None, 0.0, 0.0)),
    ],
)
def test_every_operation_has_its_own_proof(operation, proof):
    assert default_proof(Operation(operation)) == proof


@pytest.mark.parametrize(
    ("operation", "frequency", "seconds"),
    [
        ("reboot", 600.0, 1500.0),
        ("factory", 600.0, 2100.0),
        ("device_factory", None, 1500.0),
        ("sync", None, 900.0),
        ("reconf", 120.0, 540.0),
    ],
)
def test_a_proof_is_waited_for_two_contacts_and_a_margin(operation, frequency, seconds):
    step = OperationStep(Operation(operation), default_proof(Operation(operation)), 1)

    assert proof_seconds(step, frequency) == seconds


def test_a_playbook_can_say_how_long_to_wait():
    step = OperationStep(Operation.REBOOT, Proof(False, 42.0, 60.0, 30.0), 1)

    assert proof_seconds(step, 600.0) == 42.0


def test_a_step_is_called_as_the_playbook_calls_it():
    check = CheckStep((Condition("status", Present()), Condition("name", Present())))

    assert check.title == "check status, name"
    assert SleepStep(90.0).title == "sleep 1m30s"
    assert OperationStep(Operation.SYNC, default_proof(Operation.SYNC), 1).title == "sync"


@pytest.mark.parametrize(
    ("operation", "disruptive", "destructive"),
    [
        ("reboot", True, False),
        ("factory", True, True),
        ("device_factory", True, True),
        ("sync", False, False),
        ("reconf", False, False),
    ],
)
def test_what_an_operation_does_to_a_device(operation, disruptive, destructive):
    code = Operation(operation)

    assert (code.is_disruptive, code.is_destructive) == (disruptive, destructive)
    assert code.may_be_repeated is not disruptive
