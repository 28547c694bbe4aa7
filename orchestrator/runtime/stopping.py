"""Signals: the first asks the drive to end in order, the second ends it at once."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio import CancelScope

from orchestrator.runtime.driving import Drive


@asynccontextmanager
async def heeding_signals(drive: Drive) -> AsyncIterator[CancelScope]:
    """Give a scope to drive in; Ctrl-C (SIGINT) and SIGTERM interrupt the drive, twice cancel it.

    A cancelled drive leaves requests without an answer; resuming treats them as in doubt.
    """
    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            await tasks.start(_listen, drive, scope)
            yield scope
        tasks.cancel_scope.cancel()


async def _listen(
    drive: Drive,
    scope: CancelScope,
    *,
    task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        asked = False
        async for received in signals:
            if asked:
                scope.cancel()
                return
            asked = True
            drive.interrupt(_REASONS[received])


_REASONS = {
    signal.SIGINT: "somebody pressed Ctrl-C",
    signal.SIGTERM: "the system asked the process to end",
}
