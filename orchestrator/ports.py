"""The sockets: what the runtime needs of the world, with the guarantees that adapters must keep."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from orchestrator.model.answers import OperationAnswer
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import Event
from orchestrator.model.operations import Operation
from orchestrator.model.orders import Ask, Order
from orchestrator.model.readings import DeviceFilter, Page, Probed, Reading


class Clock(Protocol):
    """The time of the world that the run is about."""

    def now(self) -> float:
        """Give the moment in seconds since 1970; never runs backwards within a process."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that many of this clock's seconds."""
        ...

    @property
    def speed(self) -> float:
        """Give how many seconds of this clock pass in a real second; 1 outside simulations."""
        ...

    def steady(self) -> float:
        """Give real seconds from an arbitrary start that go on while the machine is suspended.

        Only for judging how old an intention is; never scaled, never part of an event.
        """
        ...


class Controller(Protocol):
    """The CONTROL API (api.md 1). Reads raise ControllerError; an operation request never does."""

    async def list_devices(self, wanted: DeviceFilter, *, offset: int, limit: int) -> Page:
        """Read one page; it may hold fewer rows than asked for, and rows may repeat between pages."""
        ...

    async def read_device(self, device: DeviceId, *, update_status: bool = False) -> Reading:
        """Read one record with its pending settings; a Reading without a device means 404."""
        ...

    async def start_operation(
        self, device: DeviceId, operation: Operation, *, intended: float
    ) -> OperationAnswer:
        """Put one operation request on the wire at most once, and say what became of it.

        `intended` is the reading of `Clock.steady` when the intention became durable; when it is
        older than half a second at the moment the bytes would leave, nothing is sent and the
        answer is Unsent(stale=True). Raises nothing but cancellation.
        """
        ...

    async def probe(self) -> Probed:
        """Ask with the cheapest read whether the controller can be reached and takes the token.

        Reads the token afresh where it comes from a file. Raises nothing but cancellation.
        """
        ...

    async def create_device(self, fields: Mapping[str, object]) -> Reading:
        """Create a record (POST); sent at most once."""
        ...

    async def replace_device(self, device: DeviceId, fields: Mapping[str, object]) -> Reading:
        """Replace all fields of a record (PUT); what is not given may be blanked (api.md 1.4)."""
        ...

    async def update_device(self, device: DeviceId, fields: Mapping[str, object]) -> Reading:
        """Change some fields of a record (PATCH); sent at most once."""
        ...

    async def delete_device(self, device: DeviceId) -> None:
        """Delete a record (DELETE). Cannot be undone."""
        ...


class Journal(Protocol):
    """The durable facts of one run, in order."""

    async def append(self, events: Sequence[Event]) -> None:
        """Return only once all these events are durable, as one batch.

        Raises JournalError when they are not; then none of them may be believed or acted on.
        """
        ...

    def read(self) -> Iterable[Event]:
        """Give every durable event in order.

        Raises JournalError at the first that cannot be believed.
        """
        ...

    @property
    def head(self) -> str:
        """The chain's last hash: whoever keeps it can see later whether a tail was cut."""
        ...


class Listener(Protocol):
    """Somebody who is told what has happened: the console, the log, a stream."""

    def hear(self, events: Sequence[Event]) -> None:
        """Take note of events that are durable by now. Must not block and must not raise."""
        ...


class Orders(Protocol):
    """Where people leave orders for a run from other terminals."""

    def take(self) -> Sequence["Placed"]:
        """Give the orders that nobody took yet, the oldest first; each is given once."""
        ...


class Placed(Protocol):
    """One order as it was placed, and the way back to whoever waits for the answer."""

    @property
    def order(self) -> Order | Ask:
        """What is wanted."""
        ...

    def answer(self, told: str, *, refused: bool) -> None:
        """Tell what came of it, once what came of it is durable. Must not raise."""
        ...


class Leases(Protocol):
    """Which run on this machine holds which device, whichever processes drive them.

    A lease ends with its process, however it dies.
    """

    def hold(self, device: DeviceId) -> str | None:
        """Take a device for this run; None when it is ours now, else who holds it, in words."""
        ...

    def release(self, device: DeviceId) -> None:
        """Give a device back; one that is not held is no error."""
        ...

    @property
    def is_alone(self) -> bool:
        """True when no other run works, or worked in the last minutes, against this controller."""
        ...


class Messenger(Protocol):
    """Chat, mail and webhooks, by the names that the settings give them."""

    async def send(self, to: str, title: str, body: str) -> str | None:
        """Deliver one message within a bounded time; None when it was, else why not, without secrets.

        Raises nothing but cancellation.
        """
        ...
