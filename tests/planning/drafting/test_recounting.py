"""A plan says how often each device had what the playbook allows it so much of."""

from dataclasses import replace

import pytest

from orchestrator.model.operations import Operation
from orchestrator.model.policies import Allowance
from orchestrator.planning.drafting.allowing import Memory, Use, remembered
from orchestrator.planning.drafting.freezing import Freezer
from orchestrator.playbook.reading import read_playbook
from tests.support.playbooks import DAY, NOW, minimal, record, source
from tests.support.recorded_runs import plan_of

TWICE_A_DAY = Allowance(Operation.REBOOT, at_most=2, per=DAY)
ONE_SYNC_AN_HOUR = Allowance(Operation.SYNC, at_most=1, per=3600.0)


def memory(*uses):
    return Memory([TWICE_A_DAY, ONE_SYNC_AN_HOUR], uses)


def use(operation, age, device=1001):
    return Use(device, operation, NOW - age)


def test_uses_are_counted_for_each_allowance_within_its_own_period():
    known = memory(use("reboot", 7200), use("reboot", 2 * DAY), use("sync", 60), use("sync", 7200))

    assert known.uses(1001, "SN1", NOW) == (1, 1)
    assert known.uses(1002, "SN2", NOW) == (0, 0)


def test_a_plan_says_them_of_every_device_that_had_some():
    plan = replace(plan_of(1001, 1002), made_at=NOW)

    assert [d.uses for d in remembered(plan, memory(use("reboot", 60))).devices] == [(1, 0), ()]


@pytest.mark.parametrize(("later", "uses", "is_exhausted"), [(0, (2, 0), True), (DAY, (), False)])
def test_a_plan_that_is_counted_anew_says_what_holds_then(later, uses, is_exhausted):
    old = replace(plan_of(1001), made_at=NOW - DAY)
    plan = remembered(old, memory(use("reboot", 60), use("reboot", 90)), NOW + later)

    [device] = plan.devices
    assert (device.uses, device.exhausted is not None) == (uses, is_exhausted)


def test_a_new_plan_has_them():
    text = source(minimal("{organization: 123}"))
    freezer = Freezer(read_playbook(text), text, now=NOW, memory=memory(use("reboot", 60)))
    freezer.add(record())

    assert freezer.plan(controller="https://c.test").devices[0].uses == (1, 0)
