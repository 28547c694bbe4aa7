"""Ways to a fake server for tests of the HTTP adapters: an open controller, and a clock to push."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from orchestrator.adapters.controller.aiohttp_controller import AiohttpController, ReadRetries
from orchestrator.adapters.controller.aiohttp_wire import Timeouts
from orchestrator.adapters.controller.request_gate import RequestGate
from orchestrator.adapters.controller.token_source import TokenSource
from orchestrator.adapters.machine.system_clock import SystemClock
from orchestrator.model.policies import RequestLimits

TOKEN = "tok-3f9c1a77b2"
FREE = RequestLimits(delay=0.0, in_flight=20, per_second=None)


class PushedClock(SystemClock):
    """The machine's clock, pushed where a test says so; its sleeps end at once and are noted."""

    def __init__(self):
        self.slept = []
        self.pushed = 0.0
        self._skipped = 0.0
        super().__init__()

    def push(self, seconds):
        self.pushed += seconds

    def now(self):
        return super().now() + self._skipped

    def steady(self):
        return super().steady() + self.pushed

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self._skipped += seconds
        await super().sleep(0)


@asynccontextmanager
async def controller_at(url, **changes) -> AsyncIterator[AiohttpController]:
    clock = changes.pop("clock", None) or PushedClock()
    limits = changes.pop("limits", FREE)
    token = changes.pop("token", None) or TokenSource(TOKEN)
    changes.setdefault("timeouts", Timeouts(connect=2.0, answer=5.0, read=5.0))
    changes.setdefault("read_retries", ReadRetries(attempts=3))
    gate = changes.pop("gate", None) or RequestGate(clock, limits)
    async with AiohttpController(
        url, token, gate, clock, rng=random.Random(7), **changes
    ) as controller:
        controller.clock = clock
        yield controller
