"""The model world as a controller in this process: the twin of the one over HTTP."""

from collections.abc import Mapping

from orchestrator.adapters.simulated.simulated_offers import SimulatedOffers
from orchestrator.model.answers import OperationAnswer, Unsent
from orchestrator.model.commands import SendChange
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import ControllerError
from orchestrator.model.operations import Operation
from orchestrator.model.readings import DeviceFilter, Page, Probed, Reading
from orchestrator.ports import Clock
from orchestrator.simulator.answering import (
    PATIENCE,
    perform_change,
    perform_operation,
    perform_page,
    perform_probe,
    perform_read,
)
from orchestrator.simulator.world import World

FRESH_SECONDS = 0.5
"""Seconds after which an intention is too old to act on (ports.Controller)."""


class SimulatedController:
    """Asks a world directly; answers take the clock's time, a request's effect is there at once."""

    def __init__(
        self,
        world: World,
        clock: Clock,
        token: str | None = None,
        *,
        patience: float = PATIENCE,
    ) -> None:
        """Use the world's own token when none is given; `patience` is the time-out in seconds."""
        self._world = world
        self._clock = clock
        self._token = token
        self._patience = patience
        self._offers = SimulatedOffers(world, clock, token, patience=patience)

    @property
    def offers(self) -> SimulatedOffers:
        """What this world's rules offer beside the documents."""
        return self._offers

    async def list_devices(self, wanted: DeviceFilter, *, offset: int, limit: int) -> Page:
        answer, delay = perform_page(
            self._world,
            wanted,
            offset,
            limit,
            self._clock.now(),
            token=self._token,
            patience=self._patience,
        )
        await self._clock.sleep(delay)
        if isinstance(answer, ControllerError):
            raise answer
        return answer

    async def read_device(self, device: DeviceId, *, update_status: bool = False) -> Reading:
        answer, delay = perform_read(
            self._world,
            device,
            update_status,
            self._clock.now(),
            token=self._token,
            patience=self._patience,
        )
        return await self._after(delay, answer)

    async def start_operation(
        self, device: DeviceId, operation: Operation, *, intended: float
    ) -> OperationAnswer:
        if self._clock.steady() - intended > FRESH_SECONDS:
            return Unsent("the intention had grown too old", stale=True)
        answer, delay = perform_operation(
            self._world,
            device,
            operation,
            self._clock.now(),
            token=self._token,
            patience=self._patience,
        )
        await self._clock.sleep(delay)
        return answer

    async def probe(self) -> Probed:
        answer, delay = perform_probe(
            self._world, self._clock.now(), token=self._token, patience=self._patience
        )
        await self._clock.sleep(delay)
        return answer

    async def send_change(
        self, change: SendChange, secrets: Mapping[str, str], *, intended: float
    ) -> OperationAnswer:
        if self._clock.steady() - intended > FRESH_SECONDS:
            return Unsent("the intention had grown too old", stale=True)
        answer, delay = perform_change(
            self._world,
            change,
            secrets,
            self._clock.now(),
            token=self._token,
            patience=self._patience,
        )
        await self._clock.sleep(delay)
        return answer

    async def _after(self, delay: float, answer: Reading | ControllerError) -> Reading:
        await self._clock.sleep(delay)
        if isinstance(answer, ControllerError):
            raise answer
        return answer
