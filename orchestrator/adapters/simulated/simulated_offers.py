"""What the model world offers beside the two documents: the twin of the one over HTTP."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import ControllerError
from orchestrator.model.readings import Reading, Testimony
from orchestrator.model.steps import Witness
from orchestrator.ports import Clock
from orchestrator.simulator.answering import PATIENCE
from orchestrator.simulator.optional.offering import Asker
from orchestrator.simulator.world import World

_Told = TypeVar("_Told")


class SimulatedOffers:
    """Asks a world directly for what its rules offer; answers take the clock's time."""

    def __init__(
        self,
        world: World,
        clock: Clock,
        token: str | None = None,
        *,
        patience: float = PATIENCE,
    ) -> None:
        """Use the world's own token when none is given; `patience` is the time-out in seconds."""
        self._asker = Asker(world, token, patience=patience)
        self._clock = clock

    async def find_by_serial(self, serial_number: str) -> Reading | None:
        return await self._after(self._asker.find("serial", serial_number, self._clock.now()))

    async def find_by_name(self, name: str) -> Reading | None:
        return await self._after(self._asker.find("name", name, self._clock.now()))

    async def read_settings(self, device: DeviceId) -> Mapping[str, object] | None:
        return await self._after(self._asker.settings(device, self._clock.now()))

    async def read_variables(
        self, device: DeviceId, names: Sequence[str] = (), *, refresh: bool = False
    ) -> Mapping[str, object] | None:
        return await self._after(self._asker.variables(device, names, refresh, self._clock.now()))

    async def read_testimony(
        self, device: DeviceId, witnesses: Sequence[Witness], *, since_at: float
    ) -> Testimony | None:
        now = self._clock.now()
        return await self._after(self._asker.testimony(device, witnesses, since_at, now))

    async def list_types(self) -> Mapping[str, int] | None:
        return await self._after(self._asker.types(self._clock.now()))

    async def _after(self, told: tuple[_Told | ControllerError, float]) -> _Told:
        answer, delay = told
        await self._clock.sleep(delay)
        if isinstance(answer, ControllerError):
            raise answer
        return answer
