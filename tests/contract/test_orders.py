"""What every box for orders promises, the one in a folder and the one in memory alike."""

import pytest

from orchestrator.adapters.memory.memory_orders import MemoryOrders
from orchestrator.adapters.people import order_box
from orchestrator.adapters.people.order_box import OrderBox
from orchestrator.model.orders import Approve, Cancel, ChangeLimit, Continue, Pause, Person

ALICE = Person("alice", "ops-1", "the phone rings")
EVERY_ORDER = (
    Pause(ALICE),
    Continue(Person("bob", "ops-2")),
    Cancel(ALICE),
    Cancel(ALICE, abandon=True),
    Approve(ALICE),
    Approve(ALICE, "wave 2", granted=False),
    ChangeLimit(ALICE, "max_down_per.location_name, type", 1),
    ChangeLimit(ALICE, "delay", 0.25),
)


class InMemory:
    def __init__(self, _):
        self.box = MemoryOrders()

    def place(self, order):
        return self.box.place(order)

    def answer_to(self, slip):
        return None if slip.told is None else (slip.told, slip.refused)


class InAFolder:
    def __init__(self, folder):
        self.folder = folder
        self.box = OrderBox(folder)
        self.now = order_box.real_now()

    def place(self, order):
        self.now += 1e-3  # files left in the same microsecond have no order
        return order_box.place(self.folder, order, now=self.now, patience=10)

    def answer_to(self, slip):
        answer = slip.answer()
        return None if answer is None else (answer.told, answer.refused)


@pytest.fixture(params=[InMemory, InAFolder])
def orders(request, tmp_path):
    return request.param(tmp_path)


def test_orders_of_every_kind_come_as_they_were_the_oldest_first(orders):
    for order in EVERY_ORDER:
        orders.place(order)

    assert tuple(placed.order for placed in orders.box.take()) == EVERY_ORDER


def test_each_order_is_given_once(orders):
    orders.place(Pause(ALICE))

    assert len(orders.box.take()) == 1
    assert list(orders.box.take()) == []


def test_an_empty_box_gives_nothing(orders):
    assert list(orders.box.take()) == []


@pytest.mark.parametrize("refused", [True, False])
def test_an_answer_reaches_whoever_placed_the_order(orders, refused):
    first, second = orders.place(Pause(ALICE)), orders.place(Continue(ALICE))

    placed = orders.box.take()
    assert orders.answer_to(second) is None
    placed[1].answer("the run goes on", refused=refused)

    assert orders.answer_to(second) == ("the run goes on", refused)
    assert orders.answer_to(first) is None
