"""The careful poller: what a person would write who polls each device by itself.

Per device: the record is read and must be Up with nothing pending, one PUT, then the record every ten
seconds until it proves the operation by the engine's own rule; the same again for the next step.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace

from orchestrator.engine.walking.proving import (
    Acceptance,
    Delivered,
    Relapsed,
    Returned,
    WentDown,
    read_signs,
)
from orchestrator.model.answers import Accepted
from orchestrator.model.devices import DeviceId, Status
from orchestrator.model.events import baseline_of
from orchestrator.model.readings import Reading
from orchestrator.model.steps import OperationStep
from orchestrator.ports import Clock, Controller

INTERVAL = 10.0
"""Seconds between two looks at a device."""


class CarefulPoller:
    """Takes devices through operations, so many at once; raises AssertionError when one fails."""

    def __init__(
        self, controller: Controller, clock: Clock, steps: Iterable[OperationStep]
    ) -> None:
        self._controller = controller
        self._clock = clock
        self._steps = tuple(steps)

    async def take_through(self, devices: Iterable[DeviceId], at_once: int) -> None:
        """Do every step on every device."""
        waiting = iter(devices)
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._serve(waiting))

    async def _serve(self, waiting: Iterator[DeviceId]) -> None:
        for device in waiting:
            for step in self._steps:
                await self._do(device, step)

    async def _do(self, device: DeviceId, step: OperationStep) -> None:
        before = await self._controller.read_device(device)
        _check_fit(before, step)
        answer = await self._controller.start_operation(
            device, step.operation, intended=self._clock.steady()
        )
        assert isinstance(answer, Accepted)
        told = Acceptance(
            step.operation,
            step.proof,
            baseline_of(before.device, read_at=before.server_at),
            answer.server_at,
        )
        await self._wait_for(device, told)

    async def _wait_for(self, device: DeviceId, told: Acceptance) -> None:
        """Look every ten seconds until the evidence is there and has held for as long as asked."""
        stable_from = float("inf")
        while self._clock.now() < stable_from + told.proof.stable_for:
            await self._clock.sleep(INTERVAL)
            reading = await self._controller.read_device(device)
            assert reading.device is not None
            for sign in read_signs(told, reading.device, reading.server_at):
                match sign:
                    case Delivered(contact_at):
                        told = replace(told, delivered_at=contact_at)
                    case WentDown(since_at):
                        told = replace(told, outage_at=since_at)
                    case Returned(_, contact_at):
                        told = replace(told, is_back=True, delivered_at=contact_at)
                        stable_from = self._clock.now()
                    case Relapsed(_, contact_at, since_at):
                        told = replace(
                            told, is_back=False, delivered_at=contact_at, outage_at=since_at
                        )
                        stable_from = float("inf")


def _check_fit(before: Reading, step: OperationStep) -> None:
    """Touch nobody who is out of service or, before a reset, waits for settings."""
    found = before.device
    assert found is not None
    assert found.status is Status.UP
    assert found.pending == () or not step.operation.is_disruptive
