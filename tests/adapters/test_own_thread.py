"""Work that must not hold up the loop is done in a thread of its own, in order."""

import threading

import anyio
import pytest

from orchestrator.adapters.runs.own_thread import OwnThread


@pytest.fixture
def thread():
    made = OwnThread("apart")
    yield made
    made.close()


async def _awaited(promised):
    return await promised


async def test_work_is_done_in_order_in_one_other_thread(thread):
    done = []

    async def hand_over(number):
        done.append(await thread.run(lambda: (number, threading.current_thread().name)))

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(hand_over, number)

    assert done == [(number, "apart") for number in range(20)]


async def test_the_loop_goes_on_while_work_is_done(thread):
    begun, go_on = threading.Event(), threading.Event()

    def wait():
        begun.set()
        return go_on.wait(10)

    async with anyio.create_task_group() as group:
        group.start_soon(_awaited, thread.run(wait))
        assert await anyio.to_thread.run_sync(begun.wait, 10)
        go_on.set()


async def test_what_the_work_raises_is_raised_where_it_is_awaited(thread):
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0)

    assert await thread.run(lambda: "goes on") == "goes on"


async def test_work_that_nobody_awaits_any_more_spoils_none(thread):
    begun, go_on = threading.Event(), threading.Event()

    def wait():
        begun.set()
        go_on.wait(10)

    async with anyio.create_task_group() as group:
        group.start_soon(_awaited, thread.run(wait))
        assert await anyio.to_thread.run_sync(begun.wait, 10)
        group.cancel_scope.cancel()
    go_on.set()

    assert await thread.run(lambda: "goes on") == "goes on"


async def test_closing_waits_for_the_work_at_hand_and_leaves_no_thread(thread):
    before = threading.active_count()
    await thread.run(lambda: None)
    assert threading.active_count() == before + 1

    thread.close()

    assert threading.active_count() == before
