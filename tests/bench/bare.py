"""The yardstick: the same PUTs through the plainest correct aiohttp loop.

One session, a few workers over one iterator; every body is read and every status checked. It
knows no journal, no proof and no retry, and forgets what it did.
"""

import asyncio
from collections.abc import Iterator

import aiohttp

from tests.bench.measuring import Stamp, peak_memory


async def put_all(base_url: str, devices: Iterator[int], in_flight: int) -> None:
    """Start the operation on every device, `in_flight` at once."""

    async def work() -> None:
        for device in devices:
            url = f"{base_url}/inventory_device_operation/{device}/"
            async with session.put(url, json={"operation": "sync"}) as response:
                await response.read()
                response.raise_for_status()

    headers = {"Authorization": "Bearer bench"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        asyncio.TaskGroup() as tasks,
    ):
        for _ in range(in_flight):
            tasks.create_task(work())


async def run(base_url: str, devices: int, in_flight: int) -> dict[str, float]:
    """Measure it, from before the first connection until the last answer."""
    before = Stamp.now()
    await put_all(base_url, iter(range(1000, 1000 + devices)), in_flight)
    after = Stamp.now()
    return {
        "seconds": after.at - before.at,
        "cpu": after.cpu - before.cpu,
        "peak_memory": peak_memory(),
    }
