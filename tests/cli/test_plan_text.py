"""A plan as people and programs read it."""

from orchestrator.cli import plan_text
from orchestrator.model.steps import CheckStep, SleepStep
from tests.support.playbooks import record
from tests.support.recorded_runs import plan_of

MANY = tuple(range(1001, 1301))


def full(plan, *, everyone=False):
    return "\n".join(plan_text.full(plan, everyone=everyone))


def test_it_says_who_is_touched_and_who_not_and_why():
    text = full(plan_of(1001, 1002))

    assert "devices   2 of 6 listed devices" in text
    assert "  1001  ZN1001  branch 1001" in text
    assert "Not touched (4):\n        4  status is Down\n" in text
    assert "1007 (ZN1007); 1009 (ZN1009); ..." in text


def test_it_says_every_limit_as_a_number():
    text = full(plan_of(1001, 1002))

    assert "at most 2 devices out of service at once" in text
    assert "20 requests in flight at once" in text
    assert "200ms between operation requests" in text
    assert "20 requests a second" in text
    assert "requests  4 for operations, about 40 reads" in text


def test_it_says_every_step():
    text = full(plan_of(1001))

    assert "steps     1. factory: at most 4 attempts" in text
    assert "          2. reconf: at most 4 attempts" in text


def test_many_devices_are_sampled_and_grouped():
    records = {device: record(id=device) for device in MANY}
    text = full(plan_of(*MANY, records=records))

    assert "and 280 more; --all lists everyone" in text
    assert "by location name: Seattle North (300)" in text
    assert "by software version: 2.4.1 (300)" in text
    assert "1290" not in text


def test_all_lists_everyone():
    text = full(plan_of(*MANY), everyone=True)

    assert "1300  ZN1300" in text
    assert "more" not in text


def test_an_empty_plan_touches_nobody():
    assert "No device is touched." in full(plan_of())


def test_it_keeps_to_80_columns():
    records = {device: record(id=device, location_name=f"branch {device}") for device in MANY}
    text = full(plan_of(*MANY, records=records))

    assert max(map(len, text.splitlines())) <= 80


def test_a_program_gets_the_same():
    told = plan_text.as_object(plan_of(1001))

    assert told["devices"] == [{"device": 1001, "serial_number": "ZN1001", "name": "branch 1001"}]
    assert told["limits"]["max_down"] == 2
    assert told["destructive"] is True
    assert told["steps"] == ["factory", "reconf"]
    assert told["left_out"][0]["reason"] == "status is Down"
    assert told["created_at"] == "2026-11-22T04:15:00.250000Z"


def test_steps_without_a_request_are_told_by_their_title():
    assert plan_text._step(SleepStep(30.0)) == "sleep 30s"
    assert plan_text._step(CheckStep((), 60.0)).endswith("within 1m")
