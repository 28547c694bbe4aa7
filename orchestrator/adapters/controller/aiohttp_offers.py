"""The optional endpoints of the controller over aiohttp (api.md 1.8), found out with their first use."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

import structlog

from orchestrator.adapters.controller import http_offers
from orchestrator.adapters.controller.aiohttp_reads import HttpReads
from orchestrator.adapters.controller.http_answers import Reply
from orchestrator.adapters.controller.http_offers import PAGE_ROWS, UP_TIMES, Row, Rows
from orchestrator.model.devices import Device, DeviceId
from orchestrator.model.errors import ControllerError
from orchestrator.model.readings import Reading, Testimony
from orchestrator.model.steps import Witness

log = structlog.get_logger(__name__)

_NOT_FOUND = 404
_NOT_ALLOWED = 405
_NOT_OFFERED = (403, _NOT_FOUND, _NOT_ALLOWED)
_ONE_ROW = "?limit=1&offset=0"
_MOST_PAGES = 50
_NO_PATHS = ("", ".", "..")
"""Names that, as the last part of a path, would name something else."""
_NOBODY = DeviceId(0)


class AiohttpOffers:
    """Keeps the promises of ports.Offers over the controller's own connections and limits."""

    def __init__(self, root: str, reads: HttpReads) -> None:
        self._root = root
        self._reads = reads
        self._offered: dict[str, bool] = {}

    async def find_by_serial(self, serial_number: str) -> Reading | None:
        return await self._find(
            "inventory_device_serial",
            "serial number",
            serial_number,
            lambda device: device.serial_number,
        )

    async def find_by_name(self, name: str) -> Reading | None:
        return await self._find("inventory_device_name", "name", name, lambda device: device.name)

    async def read_settings(self, device: DeviceId) -> Mapping[str, object] | None:
        query = http_offers.settings_query(device)
        rows = await self._rows("inventory_device_setting", query)
        return None if rows is None else http_offers.values_by_name(rows)

    async def read_variables(
        self, device: DeviceId, names: Sequence[str] = (), *, refresh: bool = False
    ) -> Mapping[str, object] | None:
        rows = await self._variables(device, names, refresh=refresh)
        return None if rows is None else http_offers.values_by_name(rows)

    async def read_testimony(
        self, device: DeviceId, witnesses: Sequence[Witness], *, since_at: float
    ) -> Testimony | None:
        told: Testimony | None = None
        trouble: ControllerError | None = None
        for witness in dict.fromkeys(witnesses):
            try:
                part = await self._testimony(device, witness, since_at)
            except ControllerError as error:
                trouble = error  # what the other one says is worth having all the same
            else:
                told = _both(told, part)
        if told is None and trouble is not None:
            raise trouble
        return told

    async def list_types(self) -> Mapping[str, int] | None:
        rows = await self._rows("inventory_type", "")
        return None if rows is None else http_offers.ids_by_name(rows)

    async def _testimony(
        self, device: DeviceId, witness: Witness, since_at: float
    ) -> Testimony | None:
        if witness is Witness.UP_TIME:
            rows = await self._variables(device, UP_TIMES, refresh=True)
            return None if rows is None else http_offers.up_time_told(rows)
        query = http_offers.log_query(device, since_at)
        entries = await self._rows("inventory_device_log", query, first="")
        return None if entries is None else http_offers.log_told(entries, since_at)

    async def _variables(
        self, device: DeviceId, names: Sequence[str], *, refresh: bool
    ) -> list[Row] | None:
        query = http_offers.variables_query(device, names)
        return await self._rows("inventory_device_variables", query, refresh=refresh)

    async def _find(
        self, endpoint: str, what: str, name: str, name_of: Callable[[Device], str | None]
    ) -> Reading | None:
        if self._offered.get(endpoint) is False:
            return None

        def understand(reply: Reply) -> Reading | int:
            if reply.status in _NOT_OFFERED and reply.status != _NOT_FOUND:
                return reply.status
            found = None
            if reply.status != _NOT_FOUND and name not in _NO_PATHS:
                found = http_offers.device_named(reply, what, name, name_of)
            device = _NOBODY if found is None else found.id
            return Reading(device, found, reply.asked_at, reply.server_at)

        item = _ONE_ROW if name in _NO_PATHS else f"{_quoted(name)}/?pending=true"
        is_known = endpoint in self._offered
        also = (_NOT_FOUND,) if is_known else _NOT_OFFERED
        answer = await self._reads.read(self._target(endpoint, item), understand, also=also)
        if answer == _NOT_ALLOWED:
            self._is_not_offered(endpoint, _NOT_ALLOWED)
            return None
        is_there = isinstance(answer, Reading) and answer.device is not None
        if not is_known and not is_there and not await self._has_collection(endpoint):
            return None
        self._offered[endpoint] = True
        if isinstance(answer, Reading):
            return answer
        return await self._find(endpoint, what, name, name_of)  # it is this one device's refusal

    async def _has_collection(self, endpoint: str) -> bool:
        """Find out whether the endpoint or only one thing in it is missing or forbidden."""
        status = await self._reads.read(
            self._target(endpoint, _ONE_ROW), lambda reply: reply.status, also=_NOT_OFFERED
        )
        if status in _NOT_OFFERED:
            self._is_not_offered(endpoint, status)
        return status not in _NOT_OFFERED

    async def _rows(
        self, endpoint: str, query: str, *, first: str = "offset=0", refresh: bool = False
    ) -> list[Row] | None:
        """Give the rows of every page; None where the endpoint is not offered."""
        if self._offered.get(endpoint) is False:
            return None
        rows: list[Row] = []
        size, place, before = 0, first, None
        for _ in range(_MOST_PAGES):
            page = await self._page(endpoint, query, place, refresh=refresh)
            if page is None:
                return None
            if page.rows == before:
                return rows
            rows += page.rows
            size += page.size
            if not page.has_next or not page.size:
                return rows
            before, refresh = page.rows, False
            place = f"offset={size}" if page.cursor is None else f"cursor={_quoted(page.cursor)}"
        raise ControllerError(f"the controller's list at {endpoint} does not end")

    async def _page(self, endpoint: str, query: str, place: str, *, refresh: bool) -> Rows | None:
        also = () if self._offered.get(endpoint) else _NOT_OFFERED

        def understand(reply: Reply) -> Rows | int:
            return http_offers.rows_of(reply) if reply.is_success else reply.status

        parts = [query, place, f"limit={PAGE_ROWS}", "force_update=true" if refresh else ""]
        target = self._target(endpoint, "?" + "&".join(part for part in parts if part))
        # With a refresh the controller contacts the device: never repeated by itself.
        reading = self._reads.read_patiently if refresh else self._reads.read
        page = await reading(target, understand, also=also)
        if isinstance(page, int):
            self._is_not_offered(endpoint, page)
            return None
        self._offered[endpoint] = True
        return page

    def _target(self, endpoint: str, rest: str) -> str:
        return f"{self._root}/{endpoint}/{rest}"

    def _is_not_offered(self, endpoint: str, status: int) -> None:
        if endpoint not in self._offered:
            log.info("not offered by this controller", endpoint=endpoint, status=status)
        self._offered[endpoint] = False


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _both(one: Testimony | None, other: Testimony | None) -> Testimony | None:
    """Put what two witnesses tell together."""
    if one is None or other is None:
        return one or other
    return Testimony(
        up_time=one.up_time if other.up_time is None else other.up_time,
        up_time_at=one.up_time_at if other.up_time_at is None else other.up_time_at,
        applied=one.applied if other.applied is None else other.applied,
        booted=one.booted if other.booted is None else other.booted,
    )
