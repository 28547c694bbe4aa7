"""Reading the records of known devices again, with as few requests as that takes."""

import math
from collections.abc import Sequence
from contextlib import aclosing

from orchestrator.engine.choosing.selecting import lasting_filters_of
from orchestrator.model.devices import DETAIL_ONLY_FIELDS, Device, DeviceId
from orchestrator.model.playbooks import Playbook
from orchestrator.planning.drafting.following import Now
from orchestrator.ports import Clock, Controller
from orchestrator.runtime.listing import Listing
from orchestrator.runtime.looking import read_each


async def reread(
    playbook: Playbook,
    devices: Sequence[DeviceId],
    controller: Controller,
    clock: Clock,
    *,
    listed: int,
    page_size: int,
) -> Now:
    """Give the records of these devices as they are now; one that has none any more is left out.

    They are taken from list pages where the playbook's listing, of about `listed` rows, has fewer
    pages than there are devices and says enough of them; the others are read one by one.
    Raises ControllerError.
    """
    asked_at = clock.now()
    wanted = set(devices)
    records: dict[DeviceId, Device] = {}
    server_at: float | None = None
    if not _in_full(playbook) and math.ceil(listed / page_size) < len(wanted):
        listing = Listing(controller, lasting_filters_of(playbook.selection), page_size=page_size)
        async with aclosing(aiter(listing)) as pages:
            async for page in pages:
                server_at = page.server_at if server_at is None else server_at
                records |= {each.id: each for each in page.devices if each.id in wanted}
                has_grown = page.count is not None and page.count > page_size * len(wanted)
                if has_grown or len(records) == len(wanted):
                    break
    missing = [device for device in devices if device not in records]
    async for reading in read_each(controller, missing, playbook.requests):
        server_at = reading.server_at if server_at is None else server_at
        if reading.device is not None:
            records[reading.device_id] = reading.device
    return Now(records, asked_at if server_at is None else server_at, asked_at)


def _in_full(playbook: Playbook) -> bool:
    conditions = playbook.selection.where
    return any(condition.field in DETAIL_ONLY_FIELDS for condition in conditions)
