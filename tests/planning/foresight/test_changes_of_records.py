"""Foresight knows steps that change records as it knows operations."""

import random
from dataclasses import replace

import msgspec
import pytest

from orchestrator.model.events import OperationIntended, RunFinished
from orchestrator.model.operations import Action, Operation
from orchestrator.model.steps import DoneStep, EscalateStep, Proof, RecordStep
from orchestrator.model.values import Assignment
from orchestrator.planning.drafting.expecting import expectations
from orchestrator.planning.foresight.experiencing import DEFAULTS, Experience
from orchestrator.planning.foresight.foreseeing import foresee
from orchestrator.planning.foresight.learning import learn
from orchestrator.planning.foresight.presuming import PRESUMED
from orchestrator.planning.foresight.rehearsing import Rehearsal
from orchestrator.planning.foresight.supposing import parse_what_if, suppose
from orchestrator.planning.timing import WithContact
from orchestrator.simulator.fleet import FleetPlan
from tests.support.campaigns import START, Setting, operation_step
from tests.support.stories import T0, plan_of

UPDATE = RecordStep(
    Action.UPDATE,
    Proof(nothing_pending=False, within=None, settle=0.0, stable_for=0.0),
    attempts=3,
    assignments=(Assignment("description", "seen by us"),),
)
WITH_CONTACT = replace(UPDATE, proof=replace(UPDATE.proof, contact=True))
CREATE = replace(UPDATE, operation=Action.CREATE, action=Action.CREATE)
UPGRADE = replace(UPDATE, operation=Action.UPGRADE, action=Action.UPGRADE)
QUIET = Setting(devices=6, fleet=FleetPlan.plain(), max_down=6)


def chances(seed):
    return random.Random(seed).random


def foreseen(*steps, devices=20, **given):
    plan = plan_of(*steps, devices=devices, max_down=devices, delay=0.0, **given)
    return foresee(plan, Experience(), chances, begins_at=T0, campaigns=5)


def seconds(forecast):
    return forecast.ends_at.p50 - T0


def test_every_request_has_a_documented_default():
    assert set(Action) | set(Operation) | {WithContact(each) for each in Action} == set(PRESUMED)


@pytest.mark.parametrize(
    ("key", "least", "most"),
    [
        (Action.UPDATE, 1, 10),
        (WithContact(Action.UPDATE), 60, 320),
        (WithContact(Action.CREATE), 240, 330),
        (Action.UPGRADE, 180, 600),
    ],
)
def test_the_defaults_are_as_long_as_they_are_documented_to_be(key, least, most):
    figures = DEFAULTS[key].seconds

    assert least <= figures[len(figures) // 2] <= most


def test_a_change_of_the_record_alone_is_over_soon_and_one_with_contact_after_a_period():
    assert seconds(foreseen(UPDATE)) < 60
    assert 200 < seconds(foreseen(WITH_CONTACT)) < 1500
    assert foreseen(UPDATE).requests.p50 == 20
    assert foreseen(WITH_CONTACT).based_on == (
        "update with contact: nothing measured yet; the documented defaults are used",
    )


def test_a_firmware_upgrade_takes_devices_down_and_a_change_of_the_record_does_not():
    assert foreseen(UPGRADE).peak_down.p50 == 20
    assert foreseen(UPDATE).peak_down.p50 == 0


def test_what_is_done_already_or_handed_to_a_person_takes_no_time():
    quick = foreseen(DoneStep(()), UPDATE, EscalateStep("look"))

    assert seconds(quick) == pytest.approx(seconds(foreseen(UPDATE)), abs=5)
    assert "nothing is done already: no device is finished by a `done_if`" in quick.assumes


def test_new_devices_are_imagined_as_any_other():
    plan = plan_of(CREATE, UPDATE, devices=5, delay=0.0)
    plan = replace(
        plan, devices=tuple(msgspec.structs.replace(each, is_new=True) for each in plan.devices)
    )

    forecast = foresee(plan, Experience(), chances, begins_at=T0, campaigns=3)

    assert forecast.requests.p50 == 10
    assert forecast.verdicts["succeeded"].p50 >= 4


def test_what_would_be_slower_or_fail_can_be_supposed():
    plan = plan_of(UPDATE, devices=10, delay=0.0)
    supposed, learnt = suppose(plan, Experience(), parse_what_if("slower=10x,failure=50%"))

    forecast = foresee(supposed, learnt, chances, begins_at=T0, campaigns=5)

    assert forecast.verdicts["unconfirmed"].p50 >= 2


def test_a_step_is_expected_to_take_what_its_kind_took_before():
    playbook = plan_of(UPDATE, WITH_CONTACT).playbook
    measured = {Action.UPDATE: [3.0] * 10, WithContact(Action.UPDATE): [200.0] * 10}

    figures, told = expectations(playbook, measured)

    assert figures == (3, 200)
    assert told == (
        "update: 9 of 10 of 10 device runs of earlier runs;"
        " update with contact: 9 of 10 of 10 device runs of earlier runs"
    )


# --- over the simulated world ---------------------------------------------------------------------


def rehearsed(*steps, setting=QUIET):
    setting = replace(setting, steps=steps)
    rehearsal = Rehearsal(setting.plan(), setting.world(), START + 1, random.Random(1).random)
    rehearsal.to_the_end()
    return rehearsal


def test_records_are_changed_in_the_simulated_world_and_proven_by_what_is_read_back():
    rehearsal = rehearsed(UPDATE)
    world = rehearsal.world

    ends = rehearsal.journal[-1]
    assert isinstance(ends, RunFinished)
    assert ends.verdicts == {"succeeded": 6}
    assert rehearsal.requests == sum(world.ledger.methods.values())
    assert world.ledger.methods["PATCH"] == 6


def test_a_second_change_to_the_same_sends_nothing():
    rehearsal = rehearsed(UPDATE, UPDATE)

    assert rehearsal.world.ledger.methods["PATCH"] == 6


def test_what_a_rehearsal_takes_is_learnt_by_its_kind():
    rehearsal = rehearsed(UPDATE, WITH_CONTACT, operation_step(Operation.SYNC))
    told = learn(rehearsal.journal, rehearsal.plan).by_kind

    assert len(told[Action.UPDATE, None].seconds) == 6
    assert max(told[Action.UPDATE, None].seconds) < 30
    assert len(told[Operation.SYNC, None].seconds) == 6


def test_a_device_that_is_deleted_is_gone():
    delete = replace(UPDATE, operation=Action.DELETE, action=Action.DELETE, assignments=())
    deactivate = replace(UPDATE, operation=Action.DEACTIVATE, action=Action.DEACTIVATE)
    setting = replace(QUIET, steps=(replace(deactivate, assignments=()), delete))
    plan = setting.plan()
    guard = replace(plan.playbook.guard, delete=())
    plan = replace(plan, playbook=replace(plan.playbook, guard=guard))
    rehearsal = Rehearsal(plan, setting.world(), START + 1, random.Random(1).random)
    rehearsal.to_the_end()

    intended = [e.operation for e in rehearsal.journal if isinstance(e, OperationIntended)]
    assert sorted(set(intended)) == ["deactivate", "delete"]
    assert rehearsal.journal[-1].verdicts == {"succeeded": 6}
