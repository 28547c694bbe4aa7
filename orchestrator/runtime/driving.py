"""The loop: take decisions, record them, believe them, perform them (design 5)."""

from collections.abc import Callable, Sequence

import anyio
import structlog

from orchestrator.engine.run import Run
from orchestrator.model.errors import OrchestratorError
from orchestrator.model.events import Event
from orchestrator.model.readings import Observation
from orchestrator.ports import Clock, Controller, Journal, Listener
from orchestrator.runtime.collecting import seldom_collecting
from orchestrator.runtime.inbox import Inbox
from orchestrator.runtime.performing import Performer

log = structlog.get_logger(__name__)


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
    ) -> None:
        self._run = run
        self._journal = journal
        self._clock = clock
        self._chance = chance
        self._listeners = list(listeners)
        self._inbox = Inbox(clock)
        self._performer = Performer(run.plan, controller, clock, self._inbox, page_size=page_size)

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
                try:
                    while not self._run.is_over:
                        await self._turn()
                except OrchestratorError as error:  # let out as it is, not in a group
                    failure = error
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
        self._run.waits.pages = self._performer.pages
        decision = self._run.decide(self._clock.now(), self._chance)
        await self.record(decision.events)
        self._performer.perform(decision.commands)
        if not decision.events:
            await self._inbox.wait(self._run.next_wake())

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
