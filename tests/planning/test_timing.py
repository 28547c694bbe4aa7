"""What waits for the device itself is not timed together with what only the record has to show."""

import pytest

from orchestrator.model.operations import Action, Operation
from orchestrator.planning.timing import WithContact, timed, waits_for_device
from tests.support.playbooks import minimal, playbook


@pytest.mark.parametrize(
    ("step", "key", "waits"),
    [
        ("operation: reboot", Operation.REBOOT, True),
        ("update: {debug: true}", Action.UPDATE, False),
        ("update: {debug: true}\n  proof: {contact: true}", WithContact(Action.UPDATE), True),
        (
            "update: {debug: true}\n  proof: {shows: {software_version: '2.5'}}",
            WithContact(Action.UPDATE),
            True,
        ),
        ("update: {reboot: true}", Operation.REBOOT, True),
        (
            "update: {firmware_image: 7}\n  proof: {shows: {software_version: '2.5'}}",
            Action.UPGRADE,
            True,
        ),
        ("delete: true", Action.DELETE, False),
    ],
)
def test_a_step_is_timed_by_what_its_proof_waits_for(step, key, waits):
    (read,) = playbook(minimal(steps=f"- {step}")).steps

    assert timed(read) == key
    assert waits_for_device(read) is waits


def test_what_waits_for_contact_is_named_so():
    kept = WithContact(Action.CREATE)

    assert (kept.value, kept.is_disruptive) == ("create with contact", False)
