"""What if: one column of a comparison, read, refused, and made."""

import pytest

from orchestrator.model.operations import Operation
from orchestrator.model.plans import Wave
from orchestrator.model.policies import BetweenWaves, GroupLimit, Rollout
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.foresight.experiencing import Experience, Outcomes
from orchestrator.planning.foresight.supposing import (
    WhatIfError,
    parse_what_if,
    parse_what_ifs,
    raised,
    suppose,
)
from tests.support.stories import plan_of, step

REBOOT, FACTORY, RECONF = step("reboot"), step("factory"), step("reconf")
SEEN = Experience(
    by_kind={
        (operation, None): Outcomes(
            seconds=tuple(float(n) for n in range(100, 200)),
            failures=((Verdict.FAILED, 50.0),),
            requests=101,
        )
        for operation in Operation
    }
)


def supposed(text: str, **plan: object):
    steps = plan.pop("steps", (FACTORY, RECONF))
    return suppose(plan_of(*steps, **plan), SEEN, parse_what_if(text))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("max_down=40", {"max_down": 40}),
        ("failure=3%", {"failure": 0.03}),
        ("slower=1.5x", {"slower": 1.5}),
        ("slower=150%", {"slower": 1.5}),
        ("delay=100ms", {"delay": 0.1}),
        ("delay=0", {"delay": 0.0}),
        ("approval=30m", {"approval": 1800.0}),
        ("strict=no", {"strict": 0.0}),
        ("max_down=40, failure=3%", {"max_down": 40, "failure": 0.03}),
        ("max_down_per.location=2", {"max_down_per.location": 2}),
    ],
)
def test_what_can_be_supposed(text, values):
    assert parse_what_if(text).values == values


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("max_down", "--what-if 'max_down': write name=value, such as max_down=40"),
        (
            "max_down=0",
            "--what-if 'max_down=0': max_down takes a whole number from 1 to 999999999, not '0'",
        ),
        (
            "max_dwon=4",
            (
                "--what-if 'max_dwon=4': nothing named 'max_dwon' can be supposed;"
                " did you mean max_down?"
            ),
        ),
        (
            "max_down=4,max_down=5",
            "--what-if 'max_down=4,max_down=5' supposes max_down twice; give it one value",
        ),
        (
            "failure=3",
            "--what-if 'failure=3': failure takes a share of the devices such as 3%, not '3'",
        ),
        (
            "failure=130%",
            "--what-if 'failure=130%': failure takes a share of the devices such as 3%, not '130%'",
        ),
        (
            "slower=0x",
            "--what-if 'slower=0x': slower takes a factor such as 1.5x or 150%, not '0x'",
        ),
        ("strict=maybe", "--what-if 'strict=maybe': strict takes yes or no, not 'maybe'"),
        (
            "delay=1s,per_second=5",
            (
                "--what-if 'delay=1s,per_second=5' contradicts itself: with that delay at most 1"
                " requests leave in a second"
            ),
        ),
        (
            "max_down_per=2,max_down_per.location=3",
            (
                "--what-if 'max_down_per=2,max_down_per.location=3': max_down_per already stands"
                " for every group limit; leave out max_down_per.location"
            ),
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(text, sentence):
    with pytest.raises(WhatIfError) as refused:
        parse_what_if(text)

    assert str(refused.value) == sentence


def test_two_columns_that_suppose_the_same_are_refused():
    with pytest.raises(WhatIfError, match="is given twice"):
        parse_what_ifs(["max_down=40", " max_down = 40"])


def test_limits_become_what_is_supposed_and_everything_else_stays():
    plan, experience = supposed("max_down=4,in_flight=2,delay=1s", devices=9, max_down=2)

    assert (plan.limits.max_down, plan.limits.in_flight, plan.limits.delay) == (4, 2, 1.0)
    assert plan.devices == plan_of(FACTORY, RECONF, devices=9).devices
    assert experience == SEEN


def test_more_than_all_devices_cannot_be_down():
    assert supposed("max_down=400", devices=9)[0].limits.max_down == 9


def test_a_group_limit_is_named_by_its_field_or_all_at_once():
    per = [GroupLimit(("location",), 1), GroupLimit(("organization_id", "type"), 5)]

    one = supposed("max_down_per.type=7", per=per)[0].limits.max_down_per
    both = supposed("max_down_per=3", per=per)[0].limits.max_down_per

    assert [limit.at_most for limit in one] == [1, 7]
    assert [limit.at_most for limit in both] == [3, 3]


def test_a_group_limit_that_the_playbook_has_not_is_refused():
    with pytest.raises(WhatIfError, match=r"no max_down_per at all; name one it has"):
        supposed("max_down_per.location=3")
    with pytest.raises(WhatIfError, match=r"only for location; name one it has"):
        supposed("max_down_per.type=3", per=[GroupLimit(("location",), 1)])


@pytest.mark.parametrize("text", ["approval=2h", "strict=no"])
def test_what_would_change_nothing_is_refused(text):
    with pytest.raises(WhatIfError, match="changes nothing"):
        supposed(text)


def test_patient_people_are_supposed_where_a_gate_may_ask_them():
    rollout = Rollout(between_waves=BetweenWaves(succeeded=1))
    plan = {"devices": 2, "waves": [Wave(1, 1), Wave(1)], "rollout": rollout}

    assert supposed("approval=2h", **plan)[1].approval_seconds == 7200.0


def test_a_share_of_failures_never_comes_back_from_the_first_disruptive_step_and_nothing_else_fails():
    _, experience = supposed("failure=3%")

    factory = experience.of(Operation.FACTORY, None)
    assert len(factory.failures) == 30
    assert len(factory.seconds) == 970
    assert {verdict for verdict, _ in factory.failures} == {Verdict.UNCONFIRMED}
    assert factory.failures[0][1] == 1500.0  # twice 300 s and 15 minutes (design 6.5)
    assert not experience.of(Operation.RECONF, None).failures


def test_supposed_failures_leave_the_durations_as_they_were_seen():
    seconds = supposed("failure=3%")[1].of(Operation.FACTORY, None).seconds

    assert (seconds[0], seconds[-1]) == (100.0, 199.0)


def test_everything_can_be_supposed_to_fail():
    outcomes = supposed("failure=100%")[1].of(Operation.FACTORY, None)

    assert (len(outcomes.seconds), outcomes.tried) == (0, 1000)


def test_slower_devices_take_longer_to_come_back_and_to_be_given_up():
    _, experience = supposed("slower=2x")

    outcomes = experience.of(Operation.RECONF, "CPE-7")
    assert (outcomes.seconds[0], outcomes.failures[0][1]) == (200.0, 100.0)


@pytest.mark.parametrize(
    ("limit", "was", "now"), [("max_down", 25, 40), ("in_flight", 20, 30), ("delay", 0.2, 0.1)]
)
def test_the_limit_that_binds_is_raised_as_a_person_would(limit, was, now):
    plan = plan_of(REBOOT, devices=100, max_down=25, delay=0.2)

    name, value, more, changed = raised(plan, limit)

    assert (name, value, more) == (limit, was, pytest.approx(now))
    assert getattr(changed.limits, limit) == pytest.approx(now)


def test_a_small_limit_becomes_at_least_one_more():
    assert raised(plan_of(REBOOT, devices=9, max_down=1), "max_down")[2] == 2


@pytest.mark.parametrize("limit", ["wave", "soak", "approval", "devices", "window", "ramp"])
def test_what_is_no_number_is_not_raised(limit):
    assert raised(plan_of(REBOOT), limit) is None


def test_a_strict_budget_is_raised_by_giving_up_its_strictness():
    name, value, more, changed = raised(plan_of(REBOOT), "budget")

    assert (name, value, more) == ("strict", 1, 0)
    assert not changed.playbook.rollout.strict
