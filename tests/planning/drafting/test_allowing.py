"""A device that had its share of an operation over all runs is handed to a person, and once is enough."""

from dataclasses import replace

import pytest

from orchestrator.model.events import (
    DeviceFound,
    DoubtResolved,
    OperationAccepted,
    OperationIntended,
    OperationLost,
    OperationRefused,
    OperationUnsent,
    StepSucceeded,
)
from orchestrator.model.operations import Operation
from orchestrator.model.plans import LeftOut
from orchestrator.model.policies import Allowance
from orchestrator.planning.drafting.allowing import (
    Handing,
    Memory,
    Use,
    handings_in,
    remembered,
    uses_in,
)
from orchestrator.planning.drafting.freezing import Freezer
from orchestrator.playbook.reading import read_playbook
from tests.support import histories
from tests.support.playbooks import DAY, NOW, minimal, record, source
from tests.support.recorded_runs import plan_of

T0 = histories.T0
TWICE = Allowance(Operation.REBOOT, at_most=2, per=DAY)
REMEDIATE = """
    playbook: remediate
    devices: {organization: 123}
    steps:
      - operation: reboot
    rescue:
      - escalate: look at it
    notify: {to: noc}
"""


def intended(attempt=1, operation="reboot", device=1001):
    return OperationIntended(T0, device, 0, attempt, operation, T0, histories.baseline())


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        (OperationAccepted(T0, 1001, 0, 1, 200, T0), True),
        (OperationLost(T0, 1001, 0, 1, "no answer"), True),
        (None, True),
        (DoubtResolved(T0, 1001, 0, 1, True, "rebooting"), True),
        (DoubtResolved(T0, 1001, 0, 1, False, "nothing came of it"), False),
        (OperationRefused(T0, 1001, 0, 1, 409, "state", "busy"), False),
        (OperationUnsent(T0, 1001, 0, 1, "no connection"), False),
    ],
)
def test_a_request_counts_unless_it_surely_was_not_applied(answer, counts):
    told = [intended(), *([] if answer is None else [answer])]

    assert len(list(uses_in(told, ["reboot"]))) == counts


def test_every_attempt_counts_and_other_operations_do_not():
    told = [intended(1), intended(2), intended(1, operation="sync", device=1002)]

    assert [use.device for use in uses_in(told, ["reboot"])] == [1001, 1001]


def test_what_was_done_to_a_device_that_was_found_again_counts_for_its_new_record():
    told = [DeviceFound(T0, 1001, 0, 5005, "it was silent"), intended()]

    assert list(uses_in(told, ["reboot"])) == [Use(5005, "reboot", T0, planned=1001)]


def uses(*ages, device=1001, serial="SN1"):
    return [Use(device, "reboot", NOW - age, serial_number=serial) for age in ages]


def exhausted(*given, device=1001, serial="SN1"):
    return Memory([TWICE], *given).exhausted(device, serial, NOW)


def test_a_device_at_its_limit_is_handed_to_a_person_with_the_reason():
    assert exhausted(uses(3600, 60)) == (
        "rebooted 2 times since 2026-09-21 13:13:20Z, at most 2 a day: handed to a person"
    )


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(uses(60), id="less than that"),
        pytest.param(uses(2 * DAY, 60), id="one of them too long ago"),
        pytest.param(uses(60, 60, serial="SN9"), id="another device had its id"),
        pytest.param(uses(60, 60, device=7, serial="SN7"), id="another device"),
    ],
)
def test_a_device_below_its_limit_goes_its_way(given):
    assert exhausted(given) is None


def test_a_record_that_was_made_anew_is_known_by_its_serial_number():
    assert exhausted([*uses(60, device=7), *uses(60)]) is not None


@pytest.mark.parametrize(("per", "told"), [(3600.0, "an hour"), (7200.0, "in 2h")])
def test_the_time_is_told_in_words(per, told):
    memory = Memory([Allowance(Operation.REBOOT, 1, per)], uses(60))

    assert f"at most 1 {told}:" in memory.exhausted(1001, "SN1", NOW)


def test_a_plan_is_marked():
    plan = replace(plan_of(1001, 1002), made_at=NOW)
    marked = remembered(plan, Memory([TWICE], uses(60, 60, serial=None)))

    assert [device.exhausted is None for device in marked.devices] == [False, True]
    assert remembered(plan, None) is plan


def test_whoever_was_handed_over_without_a_request_is_known_from_the_journal():
    plan = plan_of(1001, 1002, text=REMEDIATE)
    marked = replace(plan.devices[0], exhausted="rebooted 2 times")
    plan = replace(plan, devices=(marked, plan.devices[1]))
    told = [StepSucceeded(T0 + d, 1000 + d, 1, "handed to a person") for d in (1, 2)]

    assert list(handings_in(plan, told)) == [Handing(1001, T0 + 1, "rebooted 2 times", "ZN1001")]


def frozen(*records, memory):
    text = source(minimal("{organization: 123, expect: {at_least: 0}}"))
    freezer = Freezer(read_playbook(text), text, now=NOW, memory=memory)
    for each in records:
        freezer.add(each)
    return freezer.plan(controller="https://c.test")


def test_a_device_of_which_a_person_knows_is_left_out_until_it_may_have_more():
    why = exhausted(uses(3600, 600))
    known = Memory([TWICE], uses(3600, 600), [Handing(1001, NOW - 60, why, "SN1")])

    plan = frozen(record(), memory=known)

    assert plan.devices == ()
    assert plan.left_out == (
        LeftOut(
            "was handed to a person already",
            1,
            (
                (
                    "1001: rebooted 2 times since 2026-09-21 13:13:20Z, at most 2 a day:"
                    " handed to a person at 2026-09-21 14:12:20Z"
                ),
            ),
        ),
    )


def test_a_person_who_was_told_of_another_share_is_told_again():
    earlier = exhausted(uses(7200, 3600))
    told_before = Memory([TWICE], uses(3600, 600), [Handing(1001, NOW - 900, earlier, "SN1")])

    plan = frozen(record(), memory=told_before)

    assert [device.exhausted is not None for device in plan.devices] == [True]
