"""The yardstick of part (a): the same requests through the plainest correct aiohttp loop.

One session, a few workers over one iterator; every body is read and every status checked. It
knows no journal, no proof and no retry, and forgets what it did. When it is careful it reads each
device's record before it sends, and leaves alone what is not Up.
"""

import asyncio
from collections.abc import Iterator

import aiohttp

from tests.bench.measuring import Stamp, peak_memory


async def put_all(
    base_url: str, devices: Iterator[int], in_flight: int, *, is_careful: bool = False
) -> None:
    """Start the operation on every device, `in_flight` at once."""

    async def work() -> None:
        for device in devices:
            if is_careful:
                async with session.get(f"{base_url}/inventory_device/{device}/") as response:
                    response.raise_for_status()
                    record = await response.json()
                if record["status"] != "Up" or not record["is_active"]:
                    continue
            url = f"{base_url}/inventory_device_operation/{device}/"
            async with session.put(url, json={"operation": "sync"}) as response:
                await response.read()
                response.raise_for_status()

    headers = {"Authorization": "Bearer bench"}
    async with (
        aiohttp.ClientSession(
            headers=headers, connector=aiohttp.TCPConnector(limit=in_flight)
        ) as session,
        asyncio.TaskGroup() as tasks,
    ):
        for _ in range(in_flight):
            tasks.create_task(work())


async def run(base_url: str, devices: int, in_flight: int, *, is_careful: bool) -> dict[str, float]:
    """Measure it, from before the first connection until the last answer."""
    before = Stamp.now()
    await put_all(base_url, iter(range(1000, 1000 + devices)), in_flight, is_careful=is_careful)
    after = Stamp.now()
    return {
        "seconds": after.at - before.at,
        "cpu": after.cpu - before.cpu,
        "peak_memory": peak_memory(),
    }
