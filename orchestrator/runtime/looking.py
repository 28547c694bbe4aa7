"""Reading many single records side by side, where list pages do not say enough."""

from collections.abc import AsyncIterator, Sequence
from itertools import islice

import anyio

from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.errors import ControllerError
from orchestrator.model.policies import RequestLimits
from orchestrator.model.readings import Reading
from orchestrator.ports import Controller


async def read_in_full(
    controller: Controller, devices: Sequence[Device], limits: RequestLimits
) -> AsyncIterator[Device]:
    """Give the whole record of each device that is still there, a bounded number at once.

    Raises ControllerError when a record cannot be read.
    """
    async for reading in read_each(controller, [device.id for device in devices], limits):
        if reading.device is not None:
            yield reading.device


async def read_each(
    controller: Controller, devices: Sequence[DeviceId], limits: RequestLimits
) -> AsyncIterator[Reading]:
    """Give the reading of each device in this order, a bounded number at once.

    Raises ControllerError when a record cannot be read.
    """
    coming = iter(devices)
    while batch := list(islice(coming, limits.in_flight)):
        for reading in await _read_batch(controller, batch):
            yield reading


async def _read_batch(controller: Controller, batch: Sequence[DeviceId]) -> list[Reading]:
    """Read them at once, and give them in the order asked for; the first error ends the others."""
    found: dict[DeviceId, Reading] = {}
    failures: list[ControllerError] = []

    async def read(device: DeviceId) -> None:
        try:
            found[device] = await controller.read_device(device)
        except ControllerError as error:
            failures.append(error)
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for device in batch:
            tasks.start_soon(read, device)
    if failures:
        raise failures[0]
    return [found[device] for device in batch]
