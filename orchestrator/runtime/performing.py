"""Commands are carried out here: requests go out, answers and readings go into the inbox."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from orchestrator.model.answering import event_of, failure_of
from orchestrator.model.answers import OperationAnswer, Refusal, Refused, Unsent
from orchestrator.model.commands import (
    AskWitnesses,
    Command,
    FindDevice,
    HoldDevices,
    PrepareDevice,
    ProbeController,
    ReadDevice,
    ReadDevices,
    ReleaseDevices,
    SendChange,
    SendNotice,
    SendOperation,
    TakeCensus,
)
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import ControllerError, SecretError
from orchestrator.model.plans import Plan
from orchestrator.model.readings import DevicesHeld, ReadingFailed
from orchestrator.ports import Clock, Controller, Leases, Secrets
from orchestrator.runtime.counting import census_of
from orchestrator.runtime.inbox import Inbox
from orchestrator.runtime.preparing import Preparer
from orchestrator.runtime.watching import Watcher

T = TypeVar("T")

_Closely = PrepareDevice | FindDevice | AskWitnesses
"""Readings of one device that ask for more than its record."""

ALONE_SECONDS = 1.0
"""Real seconds for which the answer holds whether another run works here too."""


@dataclass(frozen=True, slots=True)
class _Send:
    command: SendOperation | SendChange
    intended: float


class Performer:
    """A few long-lived workers over queues; the pool sizes are the limits in flight."""

    def __init__(
        self,
        plan: Plan,
        controller: Controller,
        clock: Clock,
        inbox: Inbox,
        *,
        page_size: int,
        leases: Leases | None = None,
        notice: Callable[[SendNotice], None],
        secrets: Secrets | None = None,
        is_wanted: Callable[[DeviceId], bool] = lambda _: True,
    ) -> None:
        """`is_wanted` is asked of each device whose request waited for its place in flight."""
        self._is_wanted = is_wanted
        self._controller = controller
        self._secrets = secrets
        self._preparer = Preparer(plan, controller, secrets, page_size=page_size)
        self._clock = clock
        self._inbox = inbox
        self._leases = leases or Unshared()
        self._was_alone = False
        self._asked_alone_at = float("-inf")
        self._notice = notice
        self._page_size = page_size
        self._plan = plan
        self._watcher = Watcher(plan, controller, clock, inbox, page_size)
        self._in_flight = plan.limits.in_flight
        self._sends = Queue[_Send]()
        self._reads = Queue[ReadDevice | _Closely]()
        self._rounds = Queue[ReadDevices]()

    @property
    def pages(self) -> int | None:
        """Requests that a round of reading takes; None while unknown."""
        return self._watcher.pages

    def start(self, tasks: TaskGroup) -> None:
        """Start the workers; they end when the group is cancelled."""
        for number in range(self._in_flight):
            tasks.start_soon(self._sends.serve, self._send, name=f"sending {number}")
        for number in range(max(1, self._in_flight // 2)):
            tasks.start_soon(self._reads.serve, self._read, name=f"reading {number}")
        tasks.start_soon(self._rounds.serve, self._watch, name="watching")
        self._tasks = tasks

    def perform(self, commands: Iterable[Command]) -> None:
        """Hand the commands to the workers; what they depend on is durable by now, snapshots too."""
        intended = self._clock.steady()
        for command in commands:
            match command:
                case SendOperation() | SendChange():
                    self._sends.put(_Send(command, intended))
                case ReadDevice() | PrepareDevice() | FindDevice() | AskWitnesses():
                    self._reads.put(command)
                case ReadDevices():
                    self._rounds.put(command)
                case ProbeController():
                    self._tasks.start_soon(self._probe, name="probing")
                case HoldDevices(devices):
                    self._inbox.put(self._hold(devices))
                case ReleaseDevices(devices):
                    self._release(devices)
                case TakeCensus():
                    self._tasks.start_soon(self._take_census, name="taking a census")
                case SendNotice():
                    self._notice(command)

    async def _send(self, send: _Send) -> None:
        command = send.command
        answer: OperationAnswer
        if not self._is_wanted(command.device):
            answer = Unsent("held back: it is not wanted any more", stale=True)
        elif isinstance(command, SendChange):
            answer = await self._change(command, send.intended)
        else:
            answer = await self._controller.start_operation(
                command.address, command.operation, intended=send.intended
            )
        self._inbox.put(event_of(command, answer, self._clock.now()))

    async def _change(self, command: SendChange, intended: float) -> OperationAnswer:
        secrets: Mapping[str, str] = {}
        if command.secrets:
            try:
                secrets = self._secrets.reveal(command) if self._secrets is not None else {}
            except SecretError as error:
                return _unsendable(str(error))
            if missing := command.secrets.keys() - secrets.keys():
                return _unsendable(f"nobody keeps the secret {min(missing)}")
        return await self._controller.send_change(command, secrets, intended=intended)

    async def _read(self, command: ReadDevice | _Closely) -> None:
        try:
            if isinstance(command, ReadDevice):
                self._inbox.put(
                    await self._controller.read_device(
                        command.device, update_status=command.update_status
                    )
                )
            else:
                self._inbox.put(await self._preparer.look(command))
        except ControllerError as error:
            self._inbox.put(failure_of((command.device,), error))
        except SecretError as error:
            self._inbox.put(ReadingFailed((command.device,), str(error), unprepared=True))

    async def _watch(self, command: ReadDevices) -> None:
        for device in await self._watcher.read(command.devices):
            self._reads.put(ReadDevice(device))

    async def _probe(self) -> None:
        self._inbox.put(await self._controller.probe())

    def _hold(self, devices: Iterable[DeviceId]) -> DevicesHeld:
        held, elsewhere = [], []
        for device in devices:
            holder = self._leases.hold(device)
            if holder is None:
                held.append(device)
            else:
                elsewhere.append((device, holder))
        at = round(self._clock.now(), 6)
        return DevicesHeld(at, tuple(held), tuple(elsewhere), self._is_alone())

    def _is_alone(self) -> bool:
        """Ask once a second: nobody begins, changes a device and lets go of it in less."""
        now = self._clock.steady()
        if now >= self._asked_alone_at + ALONE_SECONDS:
            self._was_alone, self._asked_alone_at = self._leases.is_alone, now
        return self._was_alone

    def _release(self, devices: Iterable[DeviceId]) -> None:
        for device in devices:
            self._leases.release(device)

    async def _take_census(self) -> None:
        selection = self._plan.playbook.selection
        self._inbox.put(
            await census_of(selection, self._controller, self._clock, page_size=self._page_size)
        )


def _unsendable(reason: str) -> OperationAnswer:
    """Give what a change comes to that has lost its secret: final for the device, nobody's trouble else."""
    return Refused(Refusal.REJECTED, 0, f"nothing was sent: {reason}")


class Unshared:
    """Leases of a run that is alone in its world."""

    def hold(self, device: DeviceId) -> str | None:  # noqa: ARG002 - as the port calls it
        """Give the device: nobody else is there."""
        return None

    def release(self, device: DeviceId) -> None:
        """Forget nothing: nothing was kept."""

    @property
    def is_alone(self) -> bool:
        """Say so."""
        return True


class Queue(Generic[T]):
    """An unbounded queue whose workers sleep on one event each, and only when there is no work."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._idle: deque[anyio.Event] = deque()

    def put(self, item: T) -> None:
        """Leave a piece of work; never waits."""
        self._items.append(item)
        if self._idle:
            self._idle.popleft().set()

    async def serve(self, work: Callable[[T], Awaitable[None]]) -> None:
        """Do one piece of work after the other until cancelled."""
        while True:
            while not self._items:
                bell = anyio.Event()
                self._idle.append(bell)
                await bell.wait()
            await work(self._items.popleft())
