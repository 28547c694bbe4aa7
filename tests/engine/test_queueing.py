"""Queues in which whoever is blocked steps aside: nobody is lost, nobody overtakes his own kind."""

import tracemalloc
from collections import UserList
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.rollout.queueing import Lanes, Places


@dataclass
class Gates:
    """Gates that let so many through each; an item is the name of its gate and a number."""

    room: dict[str, int] = field(default_factory=dict)
    asked: int = 0

    def blocker(self, item: tuple[str, int]) -> str | None:
        self.asked += 1
        return item[0] if self.room.get(item[0], 0) <= 0 else None

    def take(self, item: tuple[str, int]) -> tuple[str, int]:
        self.room[item[0]] -= 1
        return item


class Watched(UserList[int]):
    """A sequence that remembers which of its places were looked up."""

    def __init__(self, members: range) -> None:
        super().__init__(members)
        self.looked_up: list[int] = []

    def __getitem__(self, place: int) -> int:
        self.looked_up.append(place)
        return super().__getitem__(place)


def lanes(**room: int) -> tuple[Lanes[tuple[str, int]], Gates]:
    gates = Gates(dict(room))
    return Lanes(gates.blocker), gates


def places(*items: tuple[str, int], **room: int) -> tuple[Places[tuple[str, int]], Gates]:
    """A queue with these items in it, by their places."""
    gates = Gates(dict(room))
    queue = Places(items, gates.blocker)
    queue.fill(range(len(items)))
    return queue, gates


def built(items, blocker, by: str):
    """A queue with these items in it, by their places or put one by one."""
    if by == "places":
        queue = Places(items, blocker)
        queue.fill(range(len(items)))
        return queue
    queue = Lanes(blocker)
    for item in items:
        queue.put(item)
    return queue


def drawn(
    queue: Lanes[tuple[str, int]] | Places[tuple[str, int]], gates: Gates
) -> list[tuple[str, int]]:
    found = []
    while (item := queue.draw()) is not None:
        found.append(gates.take(item))
    return found


def opened(
    queue: Lanes[tuple[str, int]] | Places[tuple[str, int]], gates: Gates, gate: str, more: int
) -> None:
    gates.room[gate] = gates.room.get(gate, 0) + more
    queue.free(gate)


def test_items_come_in_their_order_while_nothing_blocks_them():
    queue, gates = places(("a", 1), ("b", 2), ("a", 3), a=9, b=9)

    assert drawn(queue, gates) == [("a", 1), ("b", 2), ("a", 3)]


def test_whoever_is_blocked_holds_up_nobody_behind():
    queue, gates = places(("a", 1), ("b", 2), ("a", 3), ("b", 4), b=9)

    assert drawn(queue, gates) == [("b", 2), ("b", 4)]
    assert (queue.blockers, queue.aside("a"), queue.aside("b")) == ({"a"}, 2, 0)


def test_those_who_wait_go_before_those_who_were_not_asked_yet():
    queue, gates = places(("a", 1), ("b", 2), ("a", 3), ("b", 4), b=1)
    assert gates.take(queue.draw()) == ("b", 2)

    opened(queue, gates, "a", 1)

    assert drawn(queue, gates) == [("a", 1)]


def test_one_freeing_lets_in_as_many_as_there_is_room_for_in_their_order():
    queue, gates = places(*[("a", n) for n in range(5)])
    assert drawn(queue, gates) == []

    opened(queue, gates, "a", 3)

    assert drawn(queue, gates) == [("a", 0), ("a", 1), ("a", 2)]
    assert queue.aside("a") == 2


def test_an_item_that_something_else_blocks_by_now_lets_the_next_one_try():
    blocked_by = {1: "a", 2: "a"}
    queue: Places[int] = Places([1, 2], blocked_by.get)
    queue.fill(range(2))
    assert queue.draw() is None

    blocked_by.update({1: "b", 2: None})
    queue.free("a")

    assert queue.draw() == 2
    assert queue.blockers == {"b"}


def test_freeing_for_nothing_costs_one_question_however_many_wait():
    queue, gates = places(*[("a", n) for n in range(1000)])
    assert queue.draw() is None
    gates.asked = 0

    for _ in range(10):
        queue.free("a")
        queue.free("a")
        assert queue.draw() is None

    assert gates.asked == 10
    assert queue.aside("a") == 1000


def test_who_was_woken_for_nothing_is_the_first_to_be_woken_again():
    queue, gates = places(*[("a", n) for n in range(3)])
    assert queue.draw() is None
    queue.free("a")
    assert queue.draw() is None

    opened(queue, gates, "a", 3)

    assert drawn(queue, gates) == [("a", 0), ("a", 1), ("a", 2)]


def test_the_source_is_not_read_further_than_to_the_first_that_may_go():
    members = Watched(range(10, 1010))
    queue: Places[int] = Places(members, lambda _: None)
    queue.fill(range(1000))

    assert queue.draw() == 10
    assert members.looked_up == [0]


def test_a_second_filling_comes_behind_those_of_the_first_who_wait_still():
    queue, gates = places(("a", 1), ("a", 2), ("a", 3), ("b", 4))
    queue.fill(range(2))
    assert queue.draw() is None
    queue.fill(range(2, 4))
    assert queue.draw() is None

    opened(queue, gates, "a", 9)
    opened(queue, gates, "b", 9)

    assert drawn(queue, gates) == [("a", 1), ("a", 2), ("a", 3), ("b", 4)]


def test_whoever_is_gone_when_his_turn_comes_is_passed_over():
    gone = {2}
    queue: Places[int] = Places([1, 2, 3, 4], lambda _: None, gone.__contains__)
    queue.fill(range(4))
    assert queue.draw() == 1

    gone.add(3)

    assert (queue.draw(), queue.draw()) == (4, None)


def test_a_member_is_looked_up_once_for_its_turn():
    members = Watched(range(5))
    queue: Places[int] = Places(members, lambda _: None, lambda each: each == 1)
    queue.fill(range(5))

    assert [queue.draw() for _ in range(4)] == [0, 2, 3, 4]
    assert members.looked_up == [0, 1, 2, 3, 4]


def test_a_hundred_thousand_that_wait_cost_a_few_bytes_each():
    number, groups = 100_000, 50
    queue: Places[int] = Places(range(number), lambda each: each % groups)
    queue.fill(range(number))

    tracemalloc.start()
    assert queue.draw() is None
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(queue.aside(group) for group in range(groups)) == number
    assert held / number < 8


@pytest.mark.parametrize("by", ["places", "put"])
def test_items_that_cannot_be_compared_may_wake_together(by):
    class Item:
        def __init__(self, gate: str) -> None:
            self.gate = gate

    is_open: set[str] = set()
    items = [Item("a"), Item("b")]
    queue = built(items, lambda item: None if item.gate in is_open else item.gate, by)
    assert queue.draw() is None

    is_open.update("ab")
    queue.free("a")
    queue.free("b")

    assert [queue.draw().gate, queue.draw().gate] == ["a", "b"]


def test_dismissing_takes_out_those_who_wait_for_one_thing_and_nobody_else():
    queue, _ = places(("a", 1), ("b", 2), ("a", 3))
    assert queue.draw() is None

    assert list(queue.dismiss("a")) == [("a", 1), ("a", 3)]
    assert (queue.blockers, list(queue.dismiss("a"))) == ({"b"}, [])


@pytest.mark.parametrize("is_woken", [False, True], ids=["nobody woken", "one just woken"])
def test_draining_takes_out_everybody_and_leaves_a_queue_as_good_as_new(is_woken):
    queue, gates = lanes()
    for number in range(3):
        queue.put(("a", number))
    assert queue.draw() is None
    if is_woken:
        queue.free("a")
    queue.put(("b", 3))

    assert sorted(queue.drain()) == [("a", 0), ("a", 1), ("a", 2), ("b", 3)]
    assert queue.draw() is None

    queue.put(("a", 7))
    assert queue.draw() is None
    opened(queue, gates, "a", 1)
    assert drawn(queue, gates) == [("a", 7)]


def test_draining_takes_those_too_whose_turn_did_not_come():
    queue, gates = places(("a", 0), ("b", 1), ("a", 2), ("b", 3), b=1)
    assert gates.take(queue.draw()) == ("b", 1)

    assert sorted(queue.drain()) == [("a", 0), ("a", 2), ("b", 3)]


GATES = st.sampled_from("abc")
DOINGS = st.lists(
    st.one_of(
        st.tuples(st.just("draw"), GATES, st.just(0)),
        st.tuples(st.just("open"), GATES, st.integers(0, 3)),
        st.tuples(st.just("shut"), GATES, st.just(0)),
    ),
    max_size=60,
)


def played(gates_of_items: list[str], doings: list[tuple[str, str, int]], by: str):
    gates = Gates({"a": 1})
    items = [(gate, number) for number, gate in enumerate(gates_of_items)]
    queue = built(items, gates.blocker, by)
    found = []
    for doing, gate, more in doings:
        if doing == "open":
            opened(queue, gates, gate, more)
        elif doing == "shut":
            gates.room[gate] = 0
        elif (item := queue.draw()) is not None:
            found.append(gates.take(item))
    return queue, gates, found


@given(st.lists(GATES, max_size=30), DOINGS, st.sampled_from(["places", "put"]))
def test_nobody_overtakes_another_that_waits_for_the_same(items, doings, by):
    queue, gates, found = played(items, doings, by)
    for gate in "abc":
        opened(queue, gates, gate, 99)
    found += drawn(queue, gates)

    for gate in "abc":
        assert [item for item in found if item[0] == gate] == sorted(
            item for item in found if item[0] == gate
        )


@given(st.lists(GATES, max_size=30), DOINGS, st.sampled_from(["places", "put"]))
def test_nobody_is_lost_and_nobody_comes_twice(items, doings, by):
    queue, gates, found = played(items, doings, by)
    for gate in "abc":
        opened(queue, gates, gate, 99)
    found += drawn(queue, gates)

    assert sorted(number for _, number in found) == list(range(len(items)))
    assert list(queue.drain()) == []


@given(st.lists(GATES, max_size=30), DOINGS)
def test_whoever_may_go_is_found_by_drawing_until_nothing_comes(items, doings):
    queue, gates, found = played(items, doings, "places")
    found += drawn(queue, gates)

    waiting = [(gate, n) for n, gate in enumerate(items) if (gate, n) not in found]
    assert [item for item in waiting if gates.room.get(item[0], 0) > 0] == []
