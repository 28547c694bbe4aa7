"""The sockets: what the runtime needs of the world, with the guarantees that adapters must keep."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from orchestrator.model.answers import OperationAnswer
from orchestrator.model.commands import PrepareDevice, SendChange
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import Event
from orchestrator.model.operations import Operation
from orchestrator.model.orders import Ask, Order
from orchestrator.model.readings import DeviceFilter, Page, Probed, Reading, Testimony
from orchestrator.model.snapshots import Snapshot
from orchestrator.model.steps import Witness


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


class Offers(Protocol):
    """What some controllers offer beside the two documents (api.md 1.8): never required.

    Whether an endpoint is there is found out with its first use: each answers None from then on where
    it is not (404 or 405 for the collection, 403). Raises ControllerError for other trouble.
    """

    async def find_by_serial(self, serial_number: str) -> Reading | None:
        """Read the device with this serial number; the Reading's device is None when there is none."""
        ...

    async def find_by_name(self, name: str) -> Reading | None:
        """Read the device with this name, in full."""
        ...

    async def read_settings(self, device: DeviceId) -> Mapping[str, object] | None:
        """Give a device's settings by variable name, every page; secret values as fingerprints."""
        ...

    async def read_variables(
        self, device: DeviceId, names: Sequence[str] = (), *, refresh: bool = False
    ) -> Mapping[str, object] | None:
        """Give a device's variables by name, all or these; secret values as fingerprints.

        With `refresh` the controller asks the device first.
        """
        ...

    async def read_testimony(
        self, device: DeviceId, witnesses: Sequence[Witness], *, since_at: float
    ) -> Testimony | None:
        """Ask these witnesses what they know of a device since a moment of the controller's clock."""
        ...

    async def list_types(self) -> Mapping[str, int] | None:
        """Give the ids of device types, by name and by short name."""
        ...


class Controller(Protocol):
    """The CONTROL API (api.md 1). Reads raise ControllerError; an operation request never does."""

    @property
    def offers(self) -> Offers | None:
        """What it offers beside the two documents; None when nothing is known of that."""
        ...

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

    async def send_change(
        self, change: SendChange, secrets: Mapping[str, str], *, intended: float
    ) -> OperationAnswer:
        """Put one change of a record on the wire at most once: POST, PATCH, PUT or DELETE (api.md 1.2 to 1.6).

        `secrets` are the values of `change.secrets`, by field; no answer repeats one. `intended` as for
        `start_operation`. A creation that is accepted tells the new id. Where a record to be deleted is
        gone already, that is accepted too. Raises nothing but cancellation.
        """
        ...


class Snapshots(Protocol):
    """Where a run keeps what devices were before it changed them."""

    def save(self, snapshots: Sequence[Snapshot]) -> None:
        """Return only once all of these are durable. Raises UnrecordedError when they are not."""
        ...


class Secrets(Protocol):
    """Makes secret values, and keeps them so that none is lost between sent and seen."""

    async def prepare(self, wanted: PrepareDevice) -> Mapping[str, str]:
        """Have each secret value of a step made and durably stored; give their fingerprints, by field.

        Asked again for the same device and step of the same run, it gives the same values.
        Raises SecretError in one sentence when a value cannot be had or stored.
        """
        ...

    def reveal(self, change: SendChange) -> Mapping[str, str]:
        """Give the values that were prepared for this device and step, by field."""
        ...

    def hear(self, events: Sequence[Event]) -> None:
        """Take note of what is durable: a proven step makes its values the device's present ones."""
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
