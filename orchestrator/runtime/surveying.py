"""Reading the inventory for a playbook, and freezing what it chooses into a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.engine.choosing.selecting import filters_of
from orchestrator.model.devices import DETAIL_ONLY_FIELDS, Device
from orchestrator.model.operations import Operation
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.planning.drafting.changing import Onlooker
from orchestrator.planning.drafting.freezing import Freezer
from orchestrator.ports import Clock, Controller
from orchestrator.runtime.listing import Listing
from orchestrator.runtime.looking import read_each, read_in_full

MOST_LOOKED_UP = 500
"""Devices that are read one by one because an onlooker misses them in the listing."""


async def survey(
    playbook: Playbook,
    source: PlaybookSource,
    controller: Controller,
    clock: Clock,
    *,
    base_url: str,
    page_size: int,
    measured: Mapping[Operation, Sequence[float]],
    lifetime: float,
    onlooker: Onlooker | None = None,
) -> Plan:
    """Give the plan of a playbook as the inventory is now (GETs only); it is good for `lifetime`.

    An onlooker is shown every record that is judged, chosen or not, and what became of the devices
    it misses among them. Ages such as `older_than` are
    judged by the controller's clock, at its first answer; the window by ours, when the inventory
    was asked for.
    Raises SelectionError or ControllerError.
    """
    selection = playbook.selection
    listing = Listing(controller, filters_of(selection), page_size=page_size)
    began_at = clock.now()
    freezer: Freezer | None = None
    in_full = any(condition.field in DETAIL_ONLY_FIELDS for condition in selection.where)
    candidates: list[Device] = []

    def judge(by: Freezer, device: Device) -> None:
        if onlooker is not None:
            onlooker.see(device)
        by.add(device)

    async for page in listing:
        freezer = freezer or Freezer(playbook, source, now=page.server_at, our_now=began_at)
        for device in page.devices:
            if in_full:
                candidates.append(device)
            else:
                judge(freezer, device)
    freezer = freezer or Freezer(playbook, source, now=began_at)
    async for device in read_in_full(controller, candidates, playbook.requests):
        judge(freezer, device)
    plan = freezer.plan(
        controller=base_url,
        listed=listing.summary.unique,
        notes=listing.summary.warnings,
        measured=measured,
        lifetime=lifetime,
    )
    if onlooker is not None:
        missing = onlooker.missing[:MOST_LOOKED_UP]
        async for reading in read_each(controller, missing, playbook.requests):
            onlooker.look_up(reading)
    return replace(plan, read_at=began_at)
