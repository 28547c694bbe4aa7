"""What remediation and the firmware roll-out are about, and what keeps them from doing harm."""

from pathlib import Path

import pytest

from orchestrator.engine.choosing.selecting import Chooser
from orchestrator.model.operations import Action, Operation
from orchestrator.model.policies import Allowance
from orchestrator.playbook.loading import load_playbook
from tests.support.playbooks import DAY, NOW, record

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"


def shipped(name, **variables):
    return load_playbook(PLAYBOOKS / f"{name}.yaml", variables)[0]


@pytest.mark.parametrize(
    ("fields", "is_chosen"),
    [
        ({"status": "Down"}, True),
        ({"status": "Down", "status_change": "2026-09-21T14:00:00Z"}, False),
        ({"status": "Down", "is_active": False}, False),
        ({"status": "Up"}, False),
    ],
)
def test_remediation_is_for_active_devices_that_have_been_down_for_a_while(fields, is_chosen):
    chooser = Chooser.of(shipped("remediate"), NOW)

    assert (chooser.why_not(record(**fields)) is None) is is_chosen


def test_remediation_asks_again_before_it_reboots_once_and_hands_over_what_stays_down():
    playbook = shipped("remediate", minutes="5")

    assert [step.title for step in playbook.steps] == ["done_if status", "reboot"]
    assert playbook.steps[0].refresh
    assert playbook.steps[1].attempts == 1
    assert [step.title for step in playbook.rescue] == ["escalate"]
    assert playbook.allowances == (Allowance(Operation.REBOOT, 2, DAY),)
    assert playbook.selection.except_outages_of == ("location_name",)
    assert playbook.selection.expect.at_least == 0


def test_the_firmware_goes_to_devices_of_one_type_below_the_version():
    chooser = Chooser.of(shipped("firmware-rollout", version="2.6.0"), NOW)

    assert chooser.why_not(record()) is None
    assert chooser.why_not(record(software_version="2.6.0")) is not None
    assert chooser.why_not(record(type=16)) is not None
    assert chooser.why_not(record(status="Down")) is not None


def test_the_firmware_is_proven_by_its_version_in_waves_under_a_budget():
    playbook = shipped("firmware-rollout", image="9", version="3.1")
    (step,) = playbook.steps

    assert (step.operation, step.assignments[0].value) == (Action.UPGRADE, 9)
    assert [condition.field for condition in step.proof.conditions] == ["software_version"]
    assert len(playbook.rollout.waves) == 3
    assert playbook.rollout.stop_when.is_set


@pytest.mark.parametrize("name", ["remediate", "drift-sync", "firmware-rollout", "decommission"])
def test_where_nothing_is_left_to_do_a_second_run_has_good_news(name):
    assert shipped(name).selection.expect.at_least == 0
