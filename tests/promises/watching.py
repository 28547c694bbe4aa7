"""A controller behind a socket that remembers every request, for tests of whole commands."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from orchestrator.adapters.machine.system_clock import SystemClock
from orchestrator.adapters.simulated.simulator_server import serve
from orchestrator.simulator.exchange import Request, Response
from orchestrator.simulator.fleet import FleetPlan, make_fleet
from orchestrator.simulator.rules import Rules
from orchestrator.simulator.world import API, World
from tests.support.worlds import FIRST

DAY = 86_400.0
SPEED = 1000.0
TOKEN = "tok-9a41f2c7"  # looked for in everything that is written
LIST = f"{API}inventory_device/"

INITIAL = FIRST + 30
"""Never connected."""
GONE = (FIRST + 31, FIRST + 32)
"""Down for weeks, and switched off."""
SILENT = FIRST + 33
"""Down for weeks, and still in service on paper."""
LAGGING = FIRST + 34
"""With settings that wait."""


class Asked(World):
    """A world that keeps every request as it arrived, the query as the server read it."""

    def __init__(self, *given, **named) -> None:
        super().__init__(*given, **named)
        self.requests: list[Request] = []

    def handle(self, request: Request, now: float) -> Response:
        self.requests.append(request)
        return super().handle(request, now)


@dataclass
class Watched:
    """What a test may look at: the requests since it began, and the records as they are."""

    base_url: str
    world: Asked
    clock: SystemClock
    since: int = 0

    @property
    def requests(self) -> list[Request]:
        return self.world.requests[self.since :]

    @property
    def methods(self) -> Counter[str]:
        return Counter(each.method for each in self.requests)

    @property
    def lists(self) -> list[dict[str, str]]:
        """The queries of all list requests."""
        return [dict(r.query) for r in self.requests if r.method == "GET" and r.path == LIST]

    def bodies(self, method: str) -> list[dict]:
        return [json.loads(each.body) for each in self.requests if each.method == method]

    def record(self, device: int) -> dict:
        return self._look(f"inventory_device/{device}/")

    @property
    def listing(self) -> list[dict]:
        """All records as a list shows them."""
        return self._look("inventory_device/", limit="500", pending="true")["results"]

    def _look(self, path: str, **query: str) -> dict:
        """Look into the world without leaving a trace among the requests."""
        headers = {"host": "control.test", "authorization": f"Bearer {TOKEN}"}
        request = Request("GET", API + path, query, headers)
        content = World.handle(self.world, request, self.clock.now()).content
        assert isinstance(content, dict)
        return content


def branch() -> list:
    """Forty devices of two organizations, with the odd ones named above."""
    members = make_fleet(40, 7, replace(FleetPlan.plain(), frequencies=(60,)))
    odd = {
        INITIAL: {"contact_age": None, "configuration_age": None},
        LAGGING: {"pending": ("wifi_config",)},
        **{each: {"is_down": True, "contact_age": 20 * DAY} for each in (*GONE, SILENT)},
    }
    changed = [replace(each, **odd.get(each.id, {})) for each in members]
    return [
        replace(each, fields={**each.fields, "is_active": each.id not in GONE}) for each in changed
    ]


@contextmanager
def watching() -> Iterator[Watched]:
    """Serve it while the block runs, a thousand times as fast as the world's own time."""
    clock = SystemClock(SPEED)
    world = Asked(branch(), seed=7, started_at=clock.now(), rules=Rules(token=TOKEN))
    ready, found = threading.Event(), []

    async def main() -> None:
        async with serve(world, clock, speed=SPEED) as port:
            stop = asyncio.Event()
            found.extend([port, asyncio.get_running_loop(), stop])
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert ready.wait(timeout=10)
    port, loop, stop = found
    try:
        yield Watched(f"http://127.0.0.1:{port}/api/v1", world, clock)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)
