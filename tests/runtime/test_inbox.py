"""The inbox wakes its reader for news, for the time, and now and then for nothing."""

import anyio
import pytest

from orchestrator.adapters.memory.memory_orders import MemoryPlaced
from orchestrator.model.orders import Pause, Person
from orchestrator.model.readings import Probed
from orchestrator.runtime.inbox import LONGEST_WAIT, Inbox
from tests.support.virtual import LoopClock

pytestmark = pytest.mark.looptime


async def test_it_returns_at_once_when_something_is_there():
    inbox = Inbox(LoopClock())
    inbox.put(Probed(0.0, usable=True))

    await inbox.wait(None)

    assert inbox.take() == [Probed(0.0, usable=True)]
    assert inbox.take() == []


async def test_it_wakes_at_the_moment_asked_for(looptime):
    clock = LoopClock()

    await Inbox(clock).wait(clock.now() + 3)

    assert looptime == 3


async def test_a_moment_that_has_passed_does_not_wait(looptime):
    clock = LoopClock()

    await Inbox(clock).wait(clock.now() - 10)

    assert looptime == 0


async def test_it_looks_up_now_and_then_even_if_nobody_said_when(looptime):
    await Inbox(LoopClock()).wait(None)

    assert looptime == LONGEST_WAIT


async def test_a_bell_wakes_the_reader_without_news(looptime):
    inbox = Inbox(LoopClock())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(inbox.wait, None)
        await anyio.sleep(1)
        inbox.ring()

    assert looptime == 1


async def test_on_a_faster_clock_a_wait_is_shorter(looptime):
    clock = LoopClock()
    clock.speed = 60.0

    await Inbox(clock).wait(clock.now() + 60)

    assert looptime == 1


async def test_an_order_wakes_the_reader_and_waits_apart_from_the_news(looptime):
    inbox = Inbox(LoopClock())
    placed = MemoryPlaced(Pause(Person("alice", "ops-1")))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(inbox.wait, None)
        await anyio.sleep(1)
        inbox.put_order(placed)

    assert looptime == 1
    assert inbox.take() == []
    await inbox.wait(None)
    assert looptime == 1
    assert (inbox.take_order(), inbox.take_order()) == (placed, None)
