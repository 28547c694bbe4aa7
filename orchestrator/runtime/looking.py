"""Reading many single records side by side, where list pages do not say enough."""

from collections.abc import AsyncIterator, Sequence
from itertools import islice

import anyio

from orchestrator.model.devices import Device
from orchestrator.model.policies import RequestLimits
from orchestrator.ports import Controller


async def read_in_full(
    controller: Controller, devices: Sequence[Device], limits: RequestLimits
) -> AsyncIterator[Device]:
    """Give the whole record of each device that is still there, a bounded number at once.

    Raises ControllerError when a record cannot be read.
    """
    coming = iter(devices)
    while batch := list(islice(coming, limits.in_flight)):
        found: dict[int, Device] = {}

        async def read(device: Device, found: dict[int, Device] = found) -> None:
            reading = await controller.read_device(device.id)
            if reading.device is not None:
                found[device.id] = reading.device

        async with anyio.create_task_group() as tasks:
            for device in batch:
                tasks.start_soon(read, device)
        for device in batch:
            if device.id in found:
                yield found[device.id]
