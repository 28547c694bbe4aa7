"""The smallest server that answers like the controller, so that it is never what limits a client.

It runs in a process of its own: `python -m tests.bench.controller DEVICES SECONDS` prints its port
and serves until its standard input is closed. Every operation is accepted, every device is Up,
clear and freshly configured; an answer leaves that many seconds after its request was read, 0 at
once. `GET /arrivals` gives, and forgets, when each request's first byte came (seconds of
`time.monotonic`, which all processes of a machine share), with the device of a PUT or of a GET of
one record; a list page names none.
"""

import asyncio
import json
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import cast

from orchestrator.model import moments
from tests.bench.loops import fastest, loop_factory

_OPERATION = re.compile(rb"PUT /api/v1/inventory_device_operation/(\d+)/ ")
_LISTING = re.compile(rb"GET /api/v1/inventory_device/\?limit=(\d+)&offset=(\d+)")
_ONE = re.compile(rb"GET /api/v1/inventory_device/(\d+)/")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_FIRST_ID = 1000
_DETAIL = {
    "unique_identifier": "",
    "product_class": "BR-1",
    "update_frequency": 300,
    "firmware_image": None,
    "firmware_image_is_pending": False,
}
"""What the record of one device has, and the row of a list page lacks."""


class Inventory:
    """The bodies of all answers, and the arrivals of all requests."""

    def __init__(self, devices: int) -> None:
        self._devices = devices
        # A proof needs a configuration later than the acceptance: a day ahead is so for every run.
        now = datetime.now(UTC)  # noqa: TID251 - a server has a clock of its own
        self._configured = moments.as_text((now + timedelta(days=1)).timestamp())
        self._connected = moments.as_text(now.timestamp())
        self.operations: list[tuple[float, int]] = []
        self.readings: list[tuple[float, int | None]] = []
        self._records = {
            device: json.dumps(self._record(device) | _DETAIL).encode()
            for device in range(_FIRST_ID, _FIRST_ID + devices)
        }

    def answer(self, head: bytes, body: bytes, arrived: float) -> bytes:
        """Give the body of the answer to one request; an empty one is 404."""
        if found := _OPERATION.match(head):
            self.operations.append((arrived, int(found[1])))
            code = json.loads(body)["operation"]
            return b'{"id":%s,"operation":"%s"}' % (found[1], code.encode())
        if found := _ONE.match(head):
            self.readings.append((arrived, int(found[1])))
            return self._records.get(int(found[1]), b"")
        if found := _LISTING.match(head):
            self.readings.append((arrived, None))
            return self._page(int(found[1]), int(found[2]))
        if head.startswith(b"GET /arrivals "):
            return self._arrivals()
        return b""

    def _arrivals(self) -> bytes:
        said = json.dumps({"operations": self.operations, "readings": self.readings}).encode()
        self.operations, self.readings = [], []
        return said

    @lru_cache(maxsize=10_000)  # noqa: B019 - there is one inventory, and it lives to the end
    def _page(self, limit: int, offset: int) -> bytes:
        rows = range(offset, min(offset + limit, self._devices))
        more = offset + limit < self._devices
        page = {
            "count": self._devices,
            "next": f"http://127.0.0.1/?limit={limit}&offset={offset + limit}" if more else None,
            "previous": None,
            "results": [self._record(_FIRST_ID + row) for row in rows],
        }
        return json.dumps(page).encode()

    def _record(self, device: int) -> dict[str, object]:
        return {
            "id": device,
            "uuid": f"00000000-0000-4000-8000-{device:012d}",
            "name": f"branch-{device}",
            "customer_id": f"C{device}",
            "is_active": True,
            "status": "Up",
            "status_change": "2026-01-15T08:00:00Z",
            "type": 15,
            "type_short_name": "router",
            "software_version": "2.4.1",
            "hardware_version": "1.0",
            "manufacturer": "Zequenze",
            "serial_number": f"ZN{device:010d}",
            "description": "",
            "organization_id": 123,
            "location_name": f"Site {device % 100}",
            "location": device % 100,
            "latitude": "19.432608",
            "longitude": "-99.133209",
            "address": None,
            "last_connection": self._connected,
            "last_configuration": self._configured,
            "created": "2025-01-15T08:00:00Z",
            "pending_settings": "none",
        }


class Connection(asyncio.Protocol):
    """One kept-alive connection; requests are answered in their order."""

    def __init__(self, inventory: Inventory, seconds: float = 0.0) -> None:
        self._inventory = inventory
        self._seconds = seconds
        self._received = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # those of uvloop do not inherit

    def data_received(self, data: bytes) -> None:
        if not self._received:
            self._began = time.monotonic()
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head, rest = self._received[: end + 4], self._received[end + 4 :]
            length = _LENGTH.search(head)
            size = int(length[1]) if length else 0
            if len(rest) < size:
                return
            self._respond(self._inventory.answer(head, rest[:size], self._began))
            self._received, self._began = rest[size:], time.monotonic()

    def _respond(self, body: bytes) -> None:
        status = b"200 OK" if body else b"404 Not Found"
        answer = (
            b"HTTP/1.1 %s\r\nDate: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % (status, _date(int(time.time())), len(body))  # noqa: TID251 - a server has a clock
            + body
        )
        if self._seconds:
            asyncio.get_running_loop().call_later(self._seconds, self._transport.write, answer)
        else:
            self._transport.write(answer)


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True).encode()


async def serve(devices: int, seconds: float) -> None:
    """Serve on a free port of the loopback until standard input ends."""
    loop = asyncio.get_running_loop()
    inventory = Inventory(devices)
    server = await loop.create_server(lambda: Connection(inventory, seconds), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory(fastest())) as runner:
        runner.run(serve(int(sys.argv[1]), float(sys.argv[2])))
