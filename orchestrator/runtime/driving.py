"""The loop: take decisions, record them, believe them, perform them (design 5)."""

from collections.abc import Callable, Sequence

import anyio
import structlog

from orchestrator.engine.explaining import why
from orchestrator.engine.run import Run
from orchestrator.model.commands import Command, SaveSnapshot, SendNotice
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import OrchestratorError
from orchestrator.model.events import Event, NotificationFailed, NotificationSent
from orchestrator.model.orders import Ask, OrderRefusedError
from orchestrator.model.readings import Observation
from orchestrator.ports import (
    Clock,
    Controller,
    Journal,
    Leases,
    Listener,
    Orders,
    Placed,
    Secrets,
    Snapshots,
)
from orchestrator.runtime.collecting import seldom_collecting
from orchestrator.runtime.heralding import Herald
from orchestrator.runtime.inbox import Inbox
from orchestrator.runtime.obeying import is_too_late, told_of
from orchestrator.runtime.performing import Performer

log = structlog.get_logger(__name__)

LOOKS_FOR_ORDERS = 0.5
"""Real seconds between two looks for orders."""
LAST_WORDS = 10.0
"""Real seconds for which people may still be told of how a run ended."""


class Drive:
    """One process driving one run from where its journal stands until it is over."""

    def __init__(
        self,
        run: Run,
        *,
        journal: Journal,
        controller: Controller,
        clock: Clock,
        chance: Callable[[], float],
        listeners: Sequence[Listener] = (),
        page_size: int = 500,
        leases: Leases | None = None,
        orders: Orders | None = None,
        herald: Herald | None = None,
        inbox: Inbox | None = None,
        secrets: Secrets | None = None,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._run = run
        self._journal = journal
        self._snapshots = snapshots
        self._clock = clock
        self._chance = chance
        self._listeners = list(listeners)
        self._orders = orders
        self._herald = herald
        self._inbox = inbox or Inbox(clock)
        self._performer = Performer(
            run.plan,
            controller,
            clock,
            self._inbox,
            page_size=page_size,
            leases=leases,
            notice=self._send_notice,
            secrets=secrets,
            is_wanted=lambda device, on_wire: run.may_still_send(
                device, clock.now(), on_wire=on_wire
            ),
        )
        run.look_ahead = run.plan.limits.in_flight
        if secrets is not None:
            self._listeners.append(secrets)
        if herald is not None:
            self._listeners.append(herald)

    def interrupt(self, reason: str) -> None:
        """Start nothing new; the drive ends once no request is under way, and can be resumed."""
        self._run.interrupt(reason)
        self._inbox.ring()

    async def to_the_end(self) -> None:
        """Drive until the run is finished or interrupted.

        Raises JournalError when an event cannot be made durable: then nothing more is sent.
        """
        failure: OrchestratorError | None = None
        with seldom_collecting():
            async with anyio.create_task_group() as tasks:
                self._performer.start(tasks)
                if self._orders is not None:
                    tasks.start_soon(self._look_for_orders, self._orders, name="taking orders")
                if self._herald is not None:
                    tasks.start_soon(self._herald.serve, name="telling people")
                try:
                    while not self._run.is_over:
                        await self._turn()
                    await self._say_last_words()
                except OrchestratorError as error:  # let out as it is, not in a group
                    failure = error
                finally:
                    self._turn_away_the_rest()
                tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _turn(self) -> None:
        """Believe what has come in, decide, and wait if there was nothing to do."""
        news = []
        now = self._clock.now()
        for item in self._inbox.take():
            if isinstance(item, Observation):
                self._run.observe(item, now)
            else:
                news.append(item)
        await self.record(news)
        while placed := self._inbox.take_order():
            await self._obey(placed)
        self._run.waits.pages = self._performer.pages
        decision = self._run.decide(self._clock.now(), self._chance)
        self._save(decision.commands)
        await self.record(decision.events)
        self._performer.perform(decision.commands)
        self._performer.settle(self._run.is_considered)
        if not decision.events:
            await self._inbox.wait(self._run.next_wake())

    def _save(self, commands: Sequence[Command]) -> None:
        """Keep what devices were, before anything is intended that changes them."""
        if self._snapshots is None:
            return
        saved = [each.snapshot for each in commands if isinstance(each, SaveSnapshot)]
        if saved:
            self._snapshots.save(saved)

    async def _obey(self, placed: Placed) -> None:
        """Answer an order once what it does is durable, or say why it does nothing."""
        if isinstance(placed.order, Ask):
            device = DeviceId(placed.order.device)
            if self._run.plan.devices.place(device) is None:
                placed.answer(f"there is no device {device} in this run", refused=True)
                return
            placed.answer(why(self._run, device, self._clock.now()), refused=False)
            return
        try:
            happened = self._run.obey(placed.order, self._clock.now())
            await self.record(happened)
        except OrderRefusedError as refusal:
            placed.answer(str(refusal), refused=True)
        except OrchestratorError as error:
            placed.answer(f"it could not be recorded: {error}", refused=True)
            raise
        else:
            placed.answer(told_of(happened), refused=False)

    async def _look_for_orders(self, orders: Orders) -> None:
        while True:
            for placed in orders.take():
                self._inbox.put_order(placed)
            await anyio.sleep(LOOKS_FOR_ORDERS)

    def _turn_away_the_rest(self) -> None:
        """Answer the orders that came too late; from here to the end nothing waits, so none is lost."""
        ending = "the process that drove the run is just ending; give the order again"
        is_finished = self._run.finished_at is not None
        while placed := self._inbox.take_order():
            told = is_too_late(placed.order) if is_finished else ending
            placed.answer(told, refused=True)

    def _send_notice(self, command: SendNotice) -> None:
        if self._herald is not None:
            self._herald.notice(command)

    async def _say_last_words(self) -> None:
        """Have people told of the end for a while, and record whether they were."""
        if self._herald is None:
            return
        await self._herald.flush(LAST_WORDS)
        told = [item for item in self._inbox.take() if isinstance(item, _LAST_EVENTS)]
        await self.record(told)

    async def record(self, events: Sequence[Event]) -> None:
        """Make events durable, then believe them, then tell."""
        if not events:
            return
        await self._journal.append(events)
        for event in events:
            self._run.after(event)
        for listener in tuple(self._listeners):
            self._tell(listener, events)

    def _tell(self, listener: Listener, events: Sequence[Event]) -> None:
        """A listener that breaks its promise is no longer told; the run goes on."""
        try:
            listener.hear(events)
        except Exception:
            self._listeners.remove(listener)
            log.exception("listener.dropped", listener=type(listener).__name__)


_LAST_EVENTS = (NotificationSent, NotificationFailed)
