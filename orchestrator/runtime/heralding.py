"""Telling people what happens to a run: one message after the other, never in the run's way.

What came of each message goes back as an event; that nobody could be told fails nothing.
"""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import anyio
import structlog

from orchestrator.model.commands import SendNotice
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import Event, NotificationFailed, NotificationSent
from orchestrator.model.plans import Plan
from orchestrator.model.policies import Notify, Occasion
from orchestrator.model.steps import EscalateStep
from orchestrator.planning import handed
from orchestrator.ports import Clock, Messenger
from orchestrator.report.wording import devices, printable

log = structlog.get_logger(__name__)

ROOM = 1000
"""Messages that may wait at once."""
GATHERING_SECONDS = 5.0
"""How long the first device at a `notify` step is waited with for others."""
BETWEEN_SECONDS = 60.0
"""The least time between two messages of one `notify` step."""
LISTED = 10
"""Devices that a message of a `notify` step names."""
ONE_BY_ONE = 20
"""Devices handed to a person within `BETWEEN_SECONDS` up to which each has a message of its own."""


class Notice(Protocol):
    """A text about the run, and what it is about."""

    @property
    def occasion(self) -> Occasion:
        """What people have to want to hear of to get it."""
        ...

    @property
    def title(self) -> str:
        """One line."""
        ...

    @property
    def body(self) -> str:
        """The rest."""
        ...


class Notices(Protocol):
    """Turns the events of one run into notices."""

    @property
    def heeded(self) -> Collection[type[Event]]:
        """Give the kinds of events that `of` needs."""
        ...

    def of(self, event: Event) -> Notice | None:
        """Take every event of these kinds once and in order, and give what there is to tell, if anything."""
        ...

    def handed_over(self, escalated: Sequence[SendNotice]) -> tuple[str, str]:
        """Give the title and the text that hand these devices to a person, each with its history."""
        ...


@dataclass(frozen=True, slots=True)
class _Message:
    about: str
    to: str
    title: str
    body: str


@dataclass(slots=True)
class _Gathered:
    """What has come together for the next message of a `notify` step."""

    text: str
    due_at: float
    count: int = 0
    devices: list[DeviceId] = field(default_factory=list)


class Herald:
    """Hears what happens (Listener), queues what people want to know, and delivers it in order.

    `serve` delivers while the run goes on, `flush` what is left at its end. `put` takes what came of
    each message; it must not block.
    """

    def __init__(
        self,
        plan: Plan,
        notices: Notices,
        messenger: Messenger,
        clock: Clock,
        put: Callable[[Event], None],
        *,
        room: int = ROOM,
    ) -> None:
        self._plan = plan
        self._notices = notices
        self._messenger = messenger
        self._clock = clock
        self._put = put
        self._room = room
        notify = plan.playbook.notify
        self._to = () if notify is None else tuple(dict.fromkeys(notify.to))
        self._on: Collection[Occasion] = () if notify is None else frozenset(notify.on)
        # What came of a message is nothing to tell of with another.
        self._heeded = frozenset(notices.heeded) - {NotificationSent, NotificationFailed}
        self._queue: deque[_Message] = deque()
        self._gathered: dict[int, _Gathered] = {}
        self._told_at: dict[int, float] = {}
        self._escalated: list[SendNotice] = []
        self._escalated_due_at = 0.0
        self._handed_at: deque[float] = deque()
        """When the last devices were handed over, each with a message of its own."""
        self._all_handed_at = -BETWEEN_SECONDS
        """When many were, with one message."""
        self._turn = anyio.Lock()
        self._bell = anyio.Event()

    def hear(self, events: Sequence[Event]) -> None:
        """Queue what people want to know of these events."""
        if not self._on:
            return
        for event in events:
            notice = self._notice_of(event)
            if notice is not None and notice.occasion in self._on:
                self._enqueue(notice.occasion.value, notice.title, notice.body)

    def hear_history(self, events: Sequence[Event]) -> None:
        """Take a history into account; people were told of it long ago."""
        if not self._on:
            return
        for event in events:
            self._notice_of(event)

    def notice(self, command: SendNotice) -> None:
        """Tell, soon, that a device came to a `notify` step, together with others; or that one is
        handed to a person by an `escalate` step, by itself unless too many are.
        """
        steps = self._plan.playbook.all_steps
        if isinstance(steps[min(command.step, len(steps) - 1)], EscalateStep):
            self._escalate(command)
            return
        gathered = self._gathered.get(command.step)
        if gathered is None:
            now = self._clock.now()
            due_at = now + GATHERING_SECONDS
            if command.step in self._told_at:
                due_at = max(due_at, self._told_at[command.step] + BETWEEN_SECONDS)
            gathered = self._gathered[command.step] = _Gathered(command.text, due_at)
            self._ring()
        gathered.count += 1
        if len(gathered.devices) < LISTED:
            gathered.devices.append(command.device)

    def _escalate(self, command: SendNotice) -> None:
        if not self._escalated:
            now = self._clock.now()
            self._escalated_due_at = max(
                now + GATHERING_SECONDS, self._all_handed_at + BETWEEN_SECONDS
            )
        self._escalated.append(command)
        self._ring()

    async def serve(self) -> None:
        """Deliver one message after the other until cancelled."""
        while True:
            await self._wait()
            self._put_together(self._clock.now())
            await self._deliver_all()

    async def flush(self, seconds: float) -> None:
        """Deliver what waits, for at most so many real seconds, and give up on the rest."""
        self._put_together(None)
        with anyio.move_on_after(seconds):
            await self._deliver_all()
            async with self._turn:
                pass  # the last one may be on its way through `serve`
        while self._queue:
            self._fail(self._queue.popleft(), "the run ended and no time was left for it")

    def _notice_of(self, event: Event) -> Notice | None:
        if type(event) not in self._heeded:
            return None
        try:
            return self._notices.of(event)
        except Exception:
            # A text that cannot be written must not silence all that follow.
            log.exception("notice.lost", happened=type(event).__name__)
            return None

    def _enqueue(self, about: str, title: str, body: str) -> None:
        for to in self._to:
            message = _Message(about, to, title, body)
            if len(self._queue) >= self._room:
                self._fail(message, f"{self._room:,} messages wait already")
            else:
                self._queue.append(message)
        self._ring()

    def _put_together(self, until: float | None) -> None:
        """Make messages of the steps that are due by then; None is all of them."""
        for step, gathered in list(self._gathered.items()):
            if until is not None and gathered.due_at > until:
                continue
            del self._gathered[step]
            self._told_at[step] = self._clock.now()
            about = f"step {step + 1}"
            title = printable(f"{self._plan.playbook.name}: {about}")
            body = f"{printable(gathered.text)}\n{self._who(gathered)}"
            self._enqueue(about, title, body)
        if self._escalated and (until is None or self._escalated_due_at <= until):
            self._hand_over()

    def _hand_over(self) -> None:
        """Make a message of each device that was escalated, or one of all when they are too many."""
        escalated, self._escalated = self._escalated, []
        now, lately = self._clock.now(), self._handed_at
        while lately and lately[0] <= now - BETWEEN_SECONDS:
            lately.popleft()
        if len(lately) + len(escalated) <= ONE_BY_ONE:
            lately.extend(now for _ in escalated)
            batches = [[each] for each in escalated]
        else:
            self._all_handed_at = now
            batches = [escalated]
        for batch in batches:
            about = handed.about(batch[0].step, [each.device for each in batch])
            self._enqueue(about, *self._notices.handed_over(batch))

    def _who(self, gathered: _Gathered) -> str:
        named = ", ".join(self._name(device) for device in gathered.devices)
        more = gathered.count - len(gathered.devices)
        return f"{devices(gathered.count)} came here: {named}" + (
            f", and {more:,} more" if more else ""
        )

    def _name(self, device: DeviceId) -> str:
        planned = self._plan.devices.find(device)
        serial = None if planned is None else planned.serial_number
        return f"{device} ({printable(serial)})" if serial else str(device)

    async def _deliver_all(self) -> None:
        while self._queue:
            async with self._turn:
                if self._queue:
                    await self._deliver(self._queue.popleft())

    async def _deliver(self, message: _Message) -> None:
        reason: str | None = "the run ended before it was known to have arrived"
        try:
            reason = await self._sent(message)
        finally:  # also when it is cancelled: what became of each message is told once
            if reason is None:
                self._put(NotificationSent(round(self._clock.now(), 6), message.about, message.to))
            else:
                self._fail(message, reason)

    async def _sent(self, message: _Message) -> str | None:
        try:
            return await self._messenger.send(message.to, message.title, message.body)
        except Exception as error:  # noqa: BLE001 - a message never ends a run
            # Its traceback could show where the message was to go.
            log.error("messenger.failed", error=type(error).__name__)  # noqa: TRY400
            return "it could not be sent for a reason of our own; see the log"

    def _fail(self, message: _Message, reason: str) -> None:
        now = round(self._clock.now(), 6)
        self._put(NotificationFailed(now, message.about, message.to, reason))

    def _ring(self) -> None:
        self._bell.set()

    async def _wait(self) -> None:
        """Return when a message waits, or when the next step's message is due."""
        while not self._queue:
            self._bell = anyio.Event()
            due = [each.due_at for each in self._gathered.values()]
            due += [self._escalated_due_at] if self._escalated else []
            due_at = min(due, default=None)
            if due_at is None:
                await self._bell.wait()
                continue
            seconds = (due_at - self._clock.now()) / self._clock.speed
            if seconds <= 0:
                return
            with anyio.move_on_after(seconds):
                await self._bell.wait()


def missing_targets(notify: Notify | None, targets: Collection[str]) -> list[str]:
    """Give the names that a playbook notifies and nobody configured, each once and in order."""
    wanted = () if notify is None else notify.to
    return [name for name in dict.fromkeys(wanted) if name not in targets]
