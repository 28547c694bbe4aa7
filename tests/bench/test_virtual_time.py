"""The loop whose time jumps: timers cost nothing, threads and journals are waited for."""

import asyncio
import time

import anyio
from anyio import to_thread

from orchestrator.adapters.runs.file_journal import FileJournal
from tests.bench.virtual import jumping
from tests.bench.virtual.jumping import START, JumpClock
from tests.support.histories import run_started

HOUR = 3600.0


def test_an_hour_of_sleep_passes_at_once_and_exactly():
    async def sleep() -> float:
        await anyio.sleep(HOUR)
        return JumpClock().now()

    before = time.monotonic()
    at = jumping.run(sleep())

    assert at == START + HOUR
    assert time.monotonic() - before < HOUR / 60


def test_sleepers_wake_in_the_order_of_their_moments():
    woken = []

    async def sleeper(seconds: float) -> None:
        await JumpClock().sleep(seconds)
        woken.append((seconds, JumpClock().steady()))

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for seconds in (30.0, 10.0, 20.0):
                group.create_task(sleeper(seconds))

    jumping.run(all_of_them())

    assert woken == [(10.0, 10.0), (20.0, 20.0), (30.0, 30.0)]


def test_no_time_passes_while_a_thread_is_at_work():
    async def work() -> float:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, HOUR)
            await to_thread.run_sync(time.sleep, 0.05)
            at = JumpClock().now()
            group.cancel_scope.cancel()
        return at

    assert jumping.run(work()) == START


def test_no_time_passes_while_events_are_made_durable(tmp_path):
    async def append() -> float:
        with FileJournal.create(tmp_path / "journal.jsonl", "bench") as journal:
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep, HOUR)
                for _ in range(20):
                    await journal.append([run_started()])
                at = JumpClock().now()
                group.cancel_scope.cancel()
        return at

    assert jumping.run(append()) == START


def test_threads_and_journals_are_as_before_afterwards():
    before = to_thread.run_sync, FileJournal.append

    jumping.run(anyio.sleep(HOUR))

    assert (to_thread.run_sync, FileJournal.append) == before
