"""What holds in every test: no task may outlive the test that started it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio


@pytest.fixture(autouse=True)
def _no_stray_tasks(request: pytest.FixtureRequest) -> None:
    # Sync tests are spared the event loop that an async autouse fixture would start for them.
    if pytest_asyncio.is_async_test(request.node):
        request.getfixturevalue("_loop_left_clean")
    else:
        # looptime 0.9 asks for the current loop; unless told there is none, asyncio makes one
        # that nobody closes, and some later test fails for it.
        asyncio.set_event_loop(None)


@pytest.fixture
async def _loop_left_clean() -> AsyncIterator[None]:
    """Set up before and torn down after every other fixture, so it sees what they leave too."""
    before = asyncio.all_tasks()
    yield
    for _ in range(3):  # tasks that are just ending may end
        await asyncio.sleep(0)  # noqa: TID251 - only yields to the loop
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    names = sorted(task.get_name() + " " + repr(task.get_coro()) for task in left)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    assert not names, f"tasks outlived the test: {names}"
