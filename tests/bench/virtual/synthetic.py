"""A controller of a fleet of any size that remembers nothing of a device but a byte.

Every record is made from the id, as the JSON that a controller sends; of devices that were asked
for an operation within the last minutes the moments are known too. Each of them has applied its
configuration `APPLIES` seconds after the request arrived.
"""

from collections import deque
from collections.abc import Mapping

from orchestrator.adapters.controller.http_answers import Reply, one_device, page_of_devices
from orchestrator.model.answers import Accepted, OperationAnswer
from orchestrator.model.commands import SendChange
from orchestrator.model.devices import DeviceId
from orchestrator.model.moments import as_text
from orchestrator.model.operations import Operation
from orchestrator.model.readings import DeviceFilter, Page, Probed, Reading
from orchestrator.ports import Clock, Offers
from tests.bench.virtual.jumping import START

FIRST = 1001
ANSWERS_OPERATION = 4.0
"""Seconds until an operation request is answered: many are under way together."""
ANSWERS_READ = 0.05
APPLIES = 4.0
REMEMBERS = 600.0
"""Seconds for which it is known when a device applied its configuration; afterwards only that."""

_UNTOUCHED, _ASKED, _APPLIED = 0, 1, 2

_RECORD = (
    '{"id":%d,"name":"router-%d","serial_number":"ZN%010d","type":%d,"type_short_name":"router-%d",'
    '"software_version":"2.%d.%d","organization_id":123,"location":%d,'
    '"location_name":"Branch %d","customer_id":"CUST-%07d","is_active":true,"status":"Up",'
    '"status_change":"%s","last_connection":"%s","last_configuration":"%s",'
    '"pending_settings":"%s","address":"10.%d.%d.%d"}'
)


class SyntheticController:
    """The controller port over that fleet; it makes no trouble."""

    def __init__(self, count: int, clock: Clock) -> None:
        self._count = count
        self._clock = clock
        self._states = bytearray(count)
        self._applied_at: dict[int, float] = {}
        self._latest: deque[tuple[float, int]] = deque()
        self._began = as_text(START)
        self.offers: Offers | None = None
        self.operations = 0

    async def list_devices(self, wanted: DeviceFilter, *, offset: int, limit: int) -> Page:
        assert wanted.status is None or wanted.status.value == "Up"
        asked_at = self._clock.now()
        end = min(offset + limit, self._count)
        more = "null" if end >= self._count else '"https://control.test/api/v1/more"'
        shown = as_text(int(asked_at))
        rows = ",".join(self._row(place, asked_at, shown) for place in range(offset, end))
        body = f'{{"count":{self._count},"next":{more},"previous":null,"results":[{rows}]}}'
        await self._clock.sleep(ANSWERS_READ)
        return page_of_devices(self._reply(body, asked_at))

    async def read_device(self, device: DeviceId, *, update_status: bool = False) -> Reading:
        assert not update_status
        asked_at = self._clock.now()
        body = self._row(device - FIRST, asked_at, as_text(int(asked_at)))
        await self._clock.sleep(ANSWERS_READ)
        reply = self._reply(body, asked_at)
        return Reading(device, one_device(reply), asked_at, reply.server_at)

    async def start_operation(
        self, device: DeviceId, operation: Operation, *, intended: float
    ) -> OperationAnswer:
        now = self._clock.now()
        place = device - FIRST
        assert self._states[place] == _UNTOUCHED, f"{device} is asked again for {operation}"
        self._states[place] = _ASKED
        self._applied_at[place] = now + APPLIES
        self._latest.append((now, place))
        self.operations += 1
        self._forget(now)
        await self._clock.sleep(ANSWERS_OPERATION)
        return Accepted(200, float(int(now)))

    async def probe(self) -> Probed:
        return Probed(self._clock.now(), usable=True)

    async def send_change(
        self, change: SendChange, secrets: Mapping[str, str], *, intended: float
    ) -> OperationAnswer:
        raise AssertionError(f"nobody changes records here: {change.action}")

    def _forget(self, now: float) -> None:
        while self._latest and self._latest[0][0] < now - REMEMBERS:
            _, place = self._latest.popleft()
            del self._applied_at[place]
            self._states[place] = _APPLIED

    def _row(self, place: int, now: float, shown: str) -> str:
        """Give a record as it is at that moment, shown as this text."""
        identity = FIRST + place
        configured, pending = self._began, "none"
        applied_at = self._applied_at.get(place)
        if applied_at is not None:
            pending = "sync_requested" if now < applied_at else "none"
            configured = as_text(int(min(now, applied_at)))
        kind = 15 + place % 4
        return _RECORD % (
            identity, identity, identity, kind, kind, place % 7, place % 5, place // 20,
            place // 20, identity, self._began, shown, configured, pending,
            place >> 16 & 255, place >> 8 & 255, place & 255,
        )  # fmt: skip

    def _reply(self, body: str, asked_at: float) -> Reply:
        return Reply(200, {}, body.encode(), asked_at, self._clock.now())
