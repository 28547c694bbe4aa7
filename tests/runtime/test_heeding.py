"""What waits for its place in flight heeds answers that were no acceptance."""

import anyio
import pytest

from orchestrator.model.commands import SendOperation
from orchestrator.model.operations import Operation
from orchestrator.runtime.heeding import LONGEST, Troubles

pytestmark = pytest.mark.looptime

REQUEST = SendOperation(1001, 2, 1, Operation.SYNC)


async def test_what_waits_goes_on_once_everything_that_follows_is_believed():
    troubles, told = Troubles(), []
    troubles.add(REQUEST)

    async def wait():
        told.append(await troubles.considered())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.sleep(0.1)
        troubles.settle(lambda *_: False)
        await anyio.sleep(0.1)
        assert troubles.are_open
        assert told == []
        troubles.settle(lambda device, step, attempt: (device, step, attempt) == (1001, 2, 1))

    assert not troubles.are_open
    assert told == [True]


async def test_what_waits_too_long_is_not_sent(looptime):
    troubles = Troubles()
    troubles.add(REQUEST)

    assert not await troubles.considered()
    assert looptime == LONGEST
