"""Reading the inventory for a playbook, and freezing what it chooses into a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.engine.choosing.selecting import filters_of
from orchestrator.model.devices import DETAIL_ONLY_FIELDS, Device
from orchestrator.model.operations import Operation
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.planning.freezing import Freezer
from orchestrator.ports import Clock, Controller
from orchestrator.runtime.listing import Listing
from orchestrator.runtime.looking import read_in_full


async def survey(
    playbook: Playbook,
    source: PlaybookSource,
    controller: Controller,
    clock: Clock,
    *,
    base_url: str,
    page_size: int,
    measured: Mapping[Operation, Sequence[float]],
) -> Plan:
    """Give the plan of a playbook as the inventory is now (GETs only).

    Ages such as `older_than` are judged by the controller's clock, at its first answer; the window
    by ours, when the inventory was asked for.
    Raises SelectionError or ControllerError.
    """
    selection = playbook.selection
    listing = Listing(controller, filters_of(selection), page_size=page_size)
    began_at = clock.now()
    freezer: Freezer | None = None
    in_full = any(condition.field in DETAIL_ONLY_FIELDS for condition in selection.where)
    candidates: list[Device] = []
    async for page in listing:
        freezer = freezer or Freezer(playbook, source, now=page.server_at, our_now=began_at)
        for device in page.devices:
            if in_full:
                candidates.append(device)
            else:
                freezer.add(device)
    freezer = freezer or Freezer(playbook, source, now=began_at)
    async for device in read_in_full(controller, candidates, playbook.requests):
        freezer.add(device)
    plan = freezer.plan(
        controller=base_url,
        listed=listing.summary.unique,
        notes=listing.summary.warnings,
        measured=measured,
    )
    return replace(plan, read_at=began_at)
