"""A model world behind a real socket, in a thread of its own, for tests of whole commands."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import orjson

from orchestrator.adapters.machine.system_clock import SystemClock
from orchestrator.adapters.simulated.simulator_server import serve
from orchestrator.simulator.exchange import Request
from orchestrator.simulator.fleet import FleetPlan, make_fleet
from orchestrator.simulator.world import API, World

TOKEN = "simulator-token"


@dataclass(frozen=True)
class Served:
    """A world that is served, and a hand to look into it and to change it."""

    base_url: str
    world: World
    clock: SystemClock

    @property
    def environment(self) -> dict[str, str]:
        return {"ORCHESTRATOR_BASE_URL": self.base_url, "ORCHESTRATOR_TOKEN": TOKEN}

    def ask(self, method: str, device: int, **fields: object) -> dict:
        headers = {"host": "control.test", "authorization": f"Bearer {TOKEN}"}
        body = orjson.dumps(fields) if fields else b""
        path = f"{API}inventory_device/{device}/"
        query = {"pending": "true"} if method == "GET" else {}
        request = Request(method, path, query, headers, body)
        content = self.world.handle(request, self.clock.now()).content
        return content if isinstance(content, dict) else {}

    def record(self, device: int) -> dict:
        return self.ask("GET", device)

    def change(self, device: int, **fields: object) -> None:
        self.ask("PATCH", device, **fields)

    @property
    def changes(self) -> int:
        """Count the changes of records that arrived, those of the test among them."""
        return sum(len(self.world.ledger.changes_of(each)) for each in self.world.ledger.touched())


@contextmanager
def served(devices: int = 3) -> Iterator[Served]:
    """Serve a small healthy fleet while the block runs."""
    clock = SystemClock()
    world = World(make_fleet(devices, 7, FleetPlan.plain()), seed=7, started_at=clock.now())
    ready = threading.Event()
    found: list[object] = []

    async def main() -> None:
        async with serve(world, clock) as port:
            stop = asyncio.Event()
            found.extend([port, asyncio.get_running_loop(), stop])
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert ready.wait(timeout=10)
    port, loop, stop = found
    try:
        yield Served(f"http://127.0.0.1:{port}/api/v1", world, clock)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)
