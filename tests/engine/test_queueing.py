"""Queues in which whoever is blocked steps aside: nobody is lost, nobody overtakes his own kind."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.rollout.queueing import Lanes


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


def lanes(**room: int) -> tuple[Lanes[tuple[str, int]], Gates]:
    gates = Gates(dict(room))
    return Lanes(gates.blocker), gates


def drawn(queue: Lanes[tuple[str, int]], gates: Gates) -> list[tuple[str, int]]:
    found = []
    while (item := queue.draw()) is not None:
        found.append(gates.take(item))
    return found


def opened(queue: Lanes[tuple[str, int]], gates: Gates, gate: str, more: int) -> None:
    gates.room[gate] = gates.room.get(gate, 0) + more
    queue.free(gate)


def test_items_come_in_their_order_while_nothing_blocks_them():
    queue, gates = lanes(a=9, b=9)
    queue.fill(iter([("a", 1), ("b", 2), ("a", 3)]))

    assert drawn(queue, gates) == [("a", 1), ("b", 2), ("a", 3)]


def test_whoever_is_blocked_holds_up_nobody_behind():
    queue, gates = lanes(b=9)
    queue.fill(iter([("a", 1), ("b", 2), ("a", 3), ("b", 4)]))

    assert drawn(queue, gates) == [("b", 2), ("b", 4)]
    assert (queue.blockers, queue.aside("a"), queue.aside("b")) == ({"a"}, 2, 0)


def test_those_who_wait_go_before_those_who_were_not_asked_yet():
    queue, gates = lanes(b=1)
    queue.fill(iter([("a", 1), ("b", 2), ("a", 3), ("b", 4)]))
    assert gates.take(queue.draw()) == ("b", 2)

    opened(queue, gates, "a", 1)

    assert drawn(queue, gates) == [("a", 1)]


def test_one_freeing_lets_in_as_many_as_there_is_room_for_in_their_order():
    queue, gates = lanes()
    queue.fill(iter([("a", n) for n in range(5)]))
    assert drawn(queue, gates) == []

    opened(queue, gates, "a", 3)

    assert drawn(queue, gates) == [("a", 0), ("a", 1), ("a", 2)]
    assert queue.aside("a") == 2


def test_an_item_that_something_else_blocks_by_now_lets_the_next_one_try():
    blocked_by = {1: "a", 2: "a"}
    queue: Lanes[int] = Lanes(blocked_by.get)
    queue.fill(iter([1, 2]))
    assert queue.draw() is None

    blocked_by.update({1: "b", 2: None})
    queue.free("a")

    assert queue.draw() == 2
    assert queue.blockers == {"b"}


def test_freeing_for_nothing_costs_one_question_however_many_wait():
    queue, gates = lanes()
    queue.fill(iter([("a", n) for n in range(1000)]))
    assert queue.draw() is None
    gates.asked = 0

    for _ in range(10):
        queue.free("a")
        queue.free("a")
        assert queue.draw() is None

    assert gates.asked == 10
    assert queue.aside("a") == 1000


def test_who_was_woken_for_nothing_is_the_first_to_be_woken_again():
    queue, gates = lanes()
    queue.fill(iter([("a", n) for n in range(3)]))
    assert queue.draw() is None
    queue.free("a")
    assert queue.draw() is None

    opened(queue, gates, "a", 3)

    assert drawn(queue, gates) == [("a", 0), ("a", 1), ("a", 2)]


def test_the_source_is_not_read_further_than_to_the_first_that_may_go():
    read = []
    queue: Lanes[int] = Lanes(lambda _: None)
    queue.fill(n for n in range(1000) if read.append(n) is None)

    assert queue.draw() == 0
    assert read == [0]


def test_a_second_filling_comes_behind_those_of_the_first_who_wait_still():
    queue, gates = lanes()
    queue.fill(iter([("a", 1), ("a", 2)]))
    assert queue.draw() is None
    queue.fill(iter([("a", 3), ("b", 4)]))
    assert queue.draw() is None

    opened(queue, gates, "a", 9)
    opened(queue, gates, "b", 9)

    assert drawn(queue, gates) == [("a", 1), ("a", 2), ("a", 3), ("b", 4)]


def test_items_that_cannot_be_compared_may_wake_together():
    class Item:
        def __init__(self, gate: str) -> None:
            self.gate = gate

    is_open: set[str] = set()
    queue: Lanes[Item] = Lanes(lambda item: None if item.gate in is_open else item.gate)
    queue.put(Item("a"))
    queue.fill(iter([Item("b")]))
    assert queue.draw() is None

    is_open.update("ab")
    queue.free("a")
    queue.free("b")

    assert [queue.draw().gate, queue.draw().gate] == ["a", "b"]


def test_dismissing_takes_out_those_who_wait_for_one_thing_and_nobody_else():
    queue, _ = lanes()
    queue.fill(iter([("a", 1), ("b", 2), ("a", 3)]))
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
    queue.fill(iter([("b", 3)]))

    assert sorted(queue.drain()) == [("a", 0), ("a", 1), ("a", 2), ("b", 3)]
    assert queue.draw() is None

    queue.put(("a", 7))
    assert queue.draw() is None
    opened(queue, gates, "a", 1)
    assert drawn(queue, gates) == [("a", 7)]


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
    queue, gates = lanes(a=1)
    items = [(gate, number) for number, gate in enumerate(gates_of_items)]
    if by == "fill":
        queue.fill(iter(items))
    else:
        for item in items:
            queue.put(item)
    found = []
    for doing, gate, more in doings:
        if doing == "open":
            opened(queue, gates, gate, more)
        elif doing == "shut":
            gates.room[gate] = 0
        elif (item := queue.draw()) is not None:
            found.append(gates.take(item))
    return queue, gates, found


@given(st.lists(GATES, max_size=30), DOINGS, st.sampled_from(["fill", "put"]))
def test_nobody_overtakes_another_that_waits_for_the_same(items, doings, by):
    queue, gates, found = played(items, doings, by)
    for gate in "abc":
        opened(queue, gates, gate, 99)
    found += drawn(queue, gates)

    for gate in "abc":
        assert [item for item in found if item[0] == gate] == sorted(
            item for item in found if item[0] == gate
        )


@given(st.lists(GATES, max_size=30), DOINGS, st.sampled_from(["fill", "put"]))
def test_nobody_is_lost_and_nobody_comes_twice(items, doings, by):
    queue, gates, found = played(items, doings, by)
    for gate in "abc":
        opened(queue, gates, gate, 99)
    found += drawn(queue, gates)

    assert sorted(number for _, number in found) == list(range(len(items)))
    assert list(queue.drain()) == []


@given(st.lists(GATES, max_size=30), DOINGS)
def test_whoever_may_go_is_found_by_drawing_until_nothing_comes(items, doings):
    queue, gates, found = played(items, doings, "fill")
    found += drawn(queue, gates)

    waiting = [(gate, n) for n, gate in enumerate(items) if (gate, n) not in found]
    assert [item for item in waiting if gates.room.get(item[0], 0) > 0] == []
