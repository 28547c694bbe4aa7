"""Requests that wait for their place in flight heed what is answered to those before them."""

from collections.abc import Callable

import anyio

from orchestrator.model.commands import SendChange, SendOperation
from orchestrator.model.devices import DeviceId

IsConsidered = Callable[[DeviceId, int, int], bool]
"""Says of a device's step and attempt whether all that follows from its answer is believed."""

LONGEST = 0.5
"""Real seconds for which a request waits until an earlier answer is believed: an intention that is
older is not sent any more, but decided anew (design 5)."""


class Troubles:
    """Answers that were no acceptance: what was intended before them waits until they are believed.

    They may mean that nothing more is to be sent, or not yet.
    """

    def __init__(self) -> None:
        self._open: set[tuple[DeviceId, int, int]] = set()
        self._over = anyio.Event()

    @property
    def are_open(self) -> bool:
        """True while something may follow from an answer that is not believed yet."""
        return bool(self._open)

    def add(self, command: SendOperation | SendChange) -> None:
        """A request was answered by something else than an acceptance."""
        self._open.add((command.device, command.step, command.attempt))

    def settle(self, is_considered: IsConsidered) -> None:
        """Forget the answers of which everything is believed that follows from them at once."""
        self._open = {each for each in self._open if not is_considered(*each)}
        if not self._open:
            self._over.set()
            self._over = anyio.Event()

    async def considered(self) -> bool:
        """Return when none is open; False when whatever waits has grown too old to be sent."""
        with anyio.move_on_after(LONGEST) as wait:
            await self._over.wait()
        return not wait.cancelled_caught
