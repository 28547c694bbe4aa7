"""Reading the inventory for a playbook, and freezing what it chooses into a plan."""

from dataclasses import replace
from itertools import islice

from orchestrator.engine.choosing.selecting import filters_of
from orchestrator.model.devices import DETAIL_ONLY_FIELDS, Device
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.planning.drafting.allowing import Memory
from orchestrator.planning.drafting.changing import Onlooker
from orchestrator.planning.drafting.expecting import Measured
from orchestrator.planning.drafting.freezing import Freezer
from orchestrator.planning.drafting.refusing import (
    SAMPLE,
    check_templates,
    fields_of_templates,
    unheard_of,
)
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
    measured: Measured,
    lifetime: float,
    onlooker: Onlooker | None = None,
    memory: Memory | None = None,
) -> Plan:
    """Give the plan of a playbook as the inventory is now (GETs only); it is good for `lifetime`.

    With a memory, devices that had their share over all runs are marked in it, and those of whom a
    person knows already are left out. An onlooker is shown every record that is judged, chosen or
    not, and what became of the devices it misses among them. Ages such as `older_than` are judged by
    the controller's clock, at its first answer; the window by ours, when the inventory was asked for.
    Raises SelectionError or ControllerError; a SelectionError also when a step writes a field of the
    record that no chosen record has.
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
        freezer = freezer or Freezer(
            playbook, source, now=page.server_at, our_now=began_at, memory=memory
        )
        for device in page.devices:
            if in_full and freezer.may_be_chosen(device):
                candidates.append(device)
            else:
                judge(freezer, device)
    freezer = freezer or Freezer(playbook, source, now=began_at, memory=memory)
    async for device in read_in_full(controller, candidates, playbook.requests):
        judge(freezer, device)
    plan = freezer.plan(
        controller=base_url,
        listed=listing.summary.unique,
        notes=listing.summary.warnings,
        measured=measured,
        lifetime=lifetime,
    )
    await _check_templates(plan, controller)
    if onlooker is not None:
        missing = onlooker.missing[:MOST_LOOKED_UP]
        async for reading in read_each(controller, missing, playbook.requests):
            onlooker.look_up(reading)
    return replace(plan, read_at=began_at)


async def _check_templates(plan: Plan, controller: Controller) -> None:
    """Read a few of the chosen devices in full where list pages do not show what steps write."""
    if not plan.records:
        return
    unheard = unheard_of(fields_of_templates(plan.playbook), plan.records.values())
    if unheard:
        some = list(islice(plan.records.values(), SAMPLE))
        read = [each async for each in read_in_full(controller, some, plan.playbook.requests)]
        check_templates(unheard, read or some)
