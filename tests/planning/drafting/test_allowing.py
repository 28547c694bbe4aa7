"""A device that had its share of an operation over all runs is handed to a person, and once is enough."""

from dataclasses import replace

import msgspec
import pytest

from orchestrator.model.events import (
    DeliverySeen,
    DeviceFound,
    DeviceReturned,
    DoubtResolved,
    NotificationFailed,
    NotificationSent,
    OperationAccepted,
    OperationIntended,
    OperationLost,
    OperationRefused,
    OperationUnsent,
    OutageSeen,
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
    return [
        Use(device, "reboot", NOW - age, serial_number=serial, is_delivered=True) for age in ages
    ]


def exhausted(*given, device=1001, serial="SN1"):
    return Memory([TWICE], *given).exhausted(device, serial, NOW)


def test_a_device_at_its_limit_had_its_share_and_it_is_told_of_what():
    assert exhausted(uses(3600, 60)) == (
        "rebooted 2 times (2026-09-21 13:13Z and 14:12Z), at most 2 a day"
    )


def asked(*given):
    """Say what is told of requests, each as its run, its age and whether it reached the device."""
    had = [
        Use(1001, "reboot", NOW - age, serial_number="SN1", run=run, is_delivered=delivered)
        for run, age, delivered in given
    ]
    return Memory([TWICE], had).exhausted(1001, "SN1", NOW).split(", at most")[0]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param(
            [("a", 3600, True), ("b", 600, True)],
            "rebooted 2 times (2026-09-21 13:13Z in run a; 14:03Z in run b)",
            id="each reached it",
        ),
        pytest.param(
            [("b", 600, False), ("a", 3600, False)],
            "asked to reboot 2 times (2026-09-21 13:13Z in run a; 14:03Z in run b)",
            id="none did",
        ),
        pytest.param(
            [("a", 3600, True), ("a", 600, False)],
            "asked to reboot 2 times, rebooted once (2026-09-21 13:13Z and 14:03Z in run a)",
            id="one did",
        ),
        pytest.param(
            [("a", 72000, True), ("b", 3600, True), ("c", 600, True), ("d", 60, True)],
            "rebooted 4 times (the last 3: 2026-09-21 13:13Z in run b; 14:03Z in run c;"
            " 14:12Z in run d)",
            id="the last three are enough",
        ),
        pytest.param(
            [("a", 72000, True), ("b", 60, True)],
            "rebooted 2 times (2026-09-20 18:13Z in run a; 2026-09-21 14:12Z in run b)",
            id="another day",
        ),
    ],
)
def test_it_is_told_what_was_asked_and_when_and_in_which_runs(given, told):
    assert asked(*given) == told


@pytest.mark.parametrize(
    ("seen", "is_delivered"),
    [
        (None, False),
        (OperationAccepted(T0, 1001, 0, 1, 200, T0), False),
        (DoubtResolved(T0, 1001, 0, 1, True, "it is pending"), False),
        (DeliverySeen(T0, 1001, 0, T0), True),
        (OutageSeen(T0, 1001, 0, T0), True),
        (DeviceReturned(T0, 1001, 0, "it came back"), True),
        (StepSucceeded(T0, 1001, 0, "proven"), True),
        (DeliverySeen(T0, 1002, 0, T0), False),
        (DeliverySeen(T0, 1001, 1, T0), False),
    ],
)
def test_a_request_that_only_waits_for_the_device_is_not_delivered(seen, is_delivered):
    (use,) = uses_in([intended(), *([] if seen is None else [seen])], ["reboot"])

    assert use.is_delivered is is_delivered


def test_what_is_seen_belongs_to_the_last_attempt():
    told = [intended(1), intended(2), DeliverySeen(T0, 1001, 0, T0)]

    assert [use.is_delivered for use in uses_in(told, ["reboot"])] == [False, True]


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

    assert memory.exhausted(1001, "SN1", NOW).endswith(f"at most 1 {told}")


def test_a_plan_is_marked():
    plan = replace(plan_of(1001, 1002), made_at=NOW)
    marked = remembered(plan, Memory([TWICE], uses(60, 60, serial=None)))

    assert [device.exhausted is None for device in marked.devices] == [False, True]
    assert remembered(plan, None) is plan


def handings(*told):
    plan = plan_of(1001, 1002, 1003, text=REMEDIATE)
    marked = [
        msgspec.structs.replace(each, exhausted="rebooted 2 times") for each in plan.devices[:2]
    ]
    handed_over = [StepSucceeded(T0, 1000 + d, 1, "handed to a person") for d in (1, 2, 3)]
    plan = replace(plan, devices=(*marked, plan.devices[2]))
    return list(handings_in(plan, [*handed_over, *told]))


def test_whoever_was_handed_over_without_a_request_is_known_from_the_message_that_arrived():
    told = [NotificationSent(T0 + d, f"step 2: device {1000 + d}", "noc") for d in (1, 3)]

    assert handings(*told) == [Handing(1001, T0 + 1, "rebooted 2 times", "ZN1001")]


def test_one_message_of_many_hands_over_each_of_them_once():
    told = [NotificationSent(T0 + 9, "step 2: devices 1001, 1002", to) for to in ("noc", "mail")]

    assert [(each.device, each.at) for each in handings(*told)] == [(1001, T0 + 9), (1002, T0 + 9)]


@pytest.mark.parametrize(
    "told",
    [
        pytest.param([], id="nobody was told yet"),
        pytest.param([NotificationFailed(T0, "step 2: device 1001", "noc", "gone")], id="failed"),
        pytest.param([NotificationSent(T0, "step 2", "noc")], id="of whom is not known"),
        pytest.param([NotificationSent(T0, "step 1: device 1001", "noc")], id="another step"),
        pytest.param([NotificationSent(T0, "paused", "noc")], id="another matter"),
    ],
)
def test_an_escalation_that_reached_nobody_does_not_count(told):
    assert handings(*told) == []


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
                    "1001: rebooted 2 times (2026-09-21 13:13Z and 14:03Z), at most 2 a day:"
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
