"""Intentions made durable while earlier requests are in flight, and when they are not."""

import pytest

from orchestrator.engine.run import QUICK
from orchestrator.model import events
from orchestrator.model.orders import Cancel, ChangeLimit, Pause, Person
from orchestrator.model.policies import Budget
from tests.support.stories import Story, step

SYNC = step("sync")
IN_FLIGHT = 2
ALICE = Person("alice", "noc-1")


def story(*, answered_in=QUICK / 2, in_flight=IN_FLIGHT, **plan):
    """Twenty devices with a queue before the wire, of which some were answered that quickly."""
    told = Story(SYNC, devices=20, in_flight=in_flight, **plan)
    told.run.look_ahead = in_flight
    told.settles()
    assert len(told.open) == min(in_flight, 20 if not plan.get("delay") else 1)
    told.later(answered_in)
    return told.accepts()


def test_nothing_is_intended_ahead_while_nobody_knows_how_quickly_answers_come():
    told = Story(SYNC, devices=20, in_flight=IN_FLIGHT)
    told.run.look_ahead = IN_FLIGHT

    assert len(told.settles().open) == IN_FLIGHT


def test_where_answers_come_quickly_as_many_again_are_intended_ahead():
    assert len(story().open) == 2 * IN_FLIGHT


def test_where_answers_take_their_time_none_is_intended_ahead():
    assert len(story(answered_in=QUICK * 1.1).open) == IN_FLIGHT


def test_one_slow_answer_is_remembered_for_a_while():
    told = story(answered_in=QUICK * 2)
    for _ in range(3):
        told.accepts()
    assert len(told.open) == IN_FLIGHT

    for _ in range(5):
        told.accepts()
    assert len(told.open) == 2 * IN_FLIGHT


def test_without_a_queue_before_the_wire_none_is_intended_ahead():
    told = Story(SYNC, devices=20, in_flight=IN_FLIGHT).settles().later(0.01).accepts()

    assert len(told.open) == IN_FLIGHT


def test_a_pause_between_requests_leaves_nothing_to_intend_ahead():
    assert len(story(in_flight=1, delay=60.0).open) == 0


def test_a_limit_lowered_by_a_person_holds_for_what_is_intended_too():
    told = story().obeys(ChangeLimit(ALICE, "in_flight", 1.0))
    while len(told.open) > 1:
        told.accepts()

    assert len(told.settles().open) <= 1


def test_no_more_is_intended_ahead_than_the_budget_leaves_room_for():
    told = story(budget=Budget(failed=2))

    assert told.run.waits.underway <= 3


@pytest.mark.parametrize("ending", ["interrupted", "paused", "cancelled"])
def test_what_waits_for_its_place_is_not_wanted_once_nothing_new_is_to_be_sent(ending):
    told = story()
    waiting = told.open[-1].device
    assert told.run.may_still_send(waiting, told.now, on_wire=IN_FLIGHT - 1)

    if ending == "interrupted":
        told.run.interrupt("Ctrl-C")
    else:
        order = Pause(ALICE) if ending == "paused" else Cancel(ALICE)
        told._record(told.run.obey(order, told.now))

    assert not told.run.may_still_send(waiting, told.now, on_wire=IN_FLIGHT - 1)


def test_what_was_held_back_before_its_place_was_free_is_intended_again():
    told = story()
    last = told.open[-1].device

    told.open.pop()
    told._record([events.OperationUnsent(told.now, last, 0, 1, "held back", stale=True)])
    told.settles()
    while told.open:
        told.accepts()

    assert [sent.device for sent in told.sent].count(last) == 2
