"""Signals: the first asks the drive to end in order, the second ends it at once."""

import signal
from collections.abc import Awaitable, Callable

import anyio

from orchestrator.model.errors import OrchestratorError
from orchestrator.runtime.driving import Drive


async def heeding_signals(drive: Drive, work: Callable[[], Awaitable[None]]) -> bool:
    """Do the work; Ctrl-C (SIGINT) and SIGTERM interrupt the drive, a second one cancels the work.

    Says whether it was cancelled: then requests may be without an answer, which resuming treats
    as in doubt. Errors of the work come out as they are, not in a group.
    """
    failure: OrchestratorError | None = None
    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            await tasks.start(_listen, drive, scope)
            try:
                await work()
            except OrchestratorError as error:
                failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return scope.cancelled_caught


async def _listen(
    drive: Drive,
    scope: anyio.CancelScope,
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
