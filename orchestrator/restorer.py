"""The way back, as surfaces ask for it: what to put back after a run, and how far the fleet drifted."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from anyio import to_thread

from orchestrator.adapters.runs.changed_run import ChangedRun
from orchestrator.adapters.runs.earlier_runs import experience
from orchestrator.adapters.runs.ended_run import read_ended
from orchestrator.adapters.runs.journal_reading import read_records
from orchestrator.adapters.runs.run_folder import RunFolder, RunsFolder
from orchestrator.adapters.runs.snapshot_file import FILE, read_snapshots
from orchestrator.bootstrap import check_controller, connected
from orchestrator.model.devices import DETAIL_ONLY_FIELDS, Device, DeviceId
from orchestrator.model.errors import RunError
from orchestrator.model.plans import Plan
from orchestrator.model.policies import RequestLimits
from orchestrator.model.readings import Reading
from orchestrator.model.snapshots import Extras, Snapshot
from orchestrator.planning.drafting.following import Now
from orchestrator.planning.foresight.experiencing import Experience
from orchestrator.planning.restoring.comparing import Divergence, divergences, first_of
from orchestrator.planning.restoring.drifting import (
    Drift,
    drift_from,
    drift_since,
    is_told_by_lists,
)
from orchestrator.planning.restoring.planning_back import Rollback, plan_back
from orchestrator.planning.restoring.undoing import Undoing, undoing
from orchestrator.playbook.conditions import KNOWN_FIELDS
from orchestrator.playbook.wanted import Wanted
from orchestrator.ports import Controller
from orchestrator.report.differences import DeviceDifferences
from orchestrator.runtime.looking import read_each
from orchestrator.runtime.rereading import reread
from orchestrator.runtime.surveying import survey
from orchestrator.settings import Settings


@dataclass(frozen=True, slots=True)
class Planned:
    """A rollback, and what its forecast is made from."""

    rollback: Rollback
    experience: Experience


async def rollback_plan(
    settings: Settings,
    reference: str,
    *,
    only: Collection[DeviceId] | None = None,
    force: bool = False,
) -> Planned:
    """Plan to put back what a run changed, on all its devices or on these only.

    Only GETs are sent, and none when the run changed nothing that can be put back. Raises RunError
    when the run is not over, JournalError when its journal cannot be believed, or ControllerError.
    """
    folder = RunsFolder(settings.runs_dir).find(reference)
    before, found = await to_thread.run_sync(partial(_read, settings, folder, only))
    check_controller(settings, before, f"run {folder.run_id}")
    now = Now({}, 0.0, 0.0)
    if found.devices:
        now = await _read_again(settings, before, found)
    made = plan_back(
        before, folder.run_id, found, now, force=force, lifetime=settings.plan_lifetime
    )
    return Planned(made, _experience(settings, made.plan))


async def _read_again(settings: Settings, before: Plan, found: Undoing) -> Now:
    """Read the records that are to be changed back, from list pages where that takes fewer requests.

    What a page does not show of them is read one by one.
    """
    asked = {undo.record: [former.field for former in undo.fields] for undo in found.devices}
    playbook = before.playbook
    async with connected(settings, playbook.requests) as (controller, clock):
        now = await reread(
            playbook,
            list(asked),
            controller,
            clock,
            listed=before.listed,
            page_size=settings.page_size,
        )
        records = dict(now.records)
        unshown = [
            device
            for device, record in records.items()
            if any(field not in record.fields for field in asked[device])
        ]
        async for reading in read_each(controller, unshown, playbook.requests):
            if reading.device is None:
                del records[reading.device_id]
            else:
                records[reading.device_id] = reading.device
    return replace(now, records=records)


async def read_now(settings: Settings, devices: Sequence[DeviceId], limits: RequestLimits) -> Now:
    """Read these devices in full, as they are now; one that is gone is left out.

    Raises ControllerError.
    """
    async with connected(settings, limits) as (controller, clock):
        asked_at = clock.now()
        records: dict[DeviceId, Device] = {}
        server_at: float | None = None
        async for reading in read_each(controller, devices, limits):
            server_at = reading.server_at if server_at is None else server_at
            if reading.device is not None:
                records[reading.device_id] = reading.device
    return Now(records, asked_at if server_at is None else server_at, asked_at)


def _read(
    settings: Settings, folder: RunFolder, only: Collection[DeviceId] | None
) -> tuple[Plan, Undoing]:
    ended = read_ended(folder, settings.audit_key_bytes)
    events = (record.event for record in read_records(folder.journal_path, believed=True))
    snapshots = read_snapshots(folder.path / FILE)
    return ended.plan, undoing(ended.plan, events, snapshots, only=only)


async def drift_of_wanted(settings: Settings, wanted: Wanted) -> Drift:
    """Hold the devices that a wanted state is about against it (GETs only).

    Raises SelectionError when its selection chooses fewer or more than it expects, or ControllerError.
    """
    playbook = wanted.playbook
    async with connected(settings, playbook.requests) as (controller, clock):
        plan = await survey(
            playbook,
            wanted.source,
            controller,
            clock,
            base_url=settings.base_url,
            page_size=settings.page_size,
            measured={},
            lifetime=settings.plan_lifetime,
        )
        records = dict(plan.records)
        if not is_told_by_lists(wanted, DETAIL_ONLY_FIELDS, KNOWN_FIELDS):
            ids = [device.id for device in plan.devices]
            readings = read_each(controller, ids, playbook.requests)
            records = {r.device_id: r.device async for r in readings if r.device is not None}
    return drift_from(wanted, plan, records, plan.created_at)


async def drift_of_run(settings: Settings, told: ChangedRun) -> Drift:
    """Hold the devices of a run against what their records said before it (GETs only).

    Raises RunError when it kept no snapshots, they are damaged or of another controller, or
    ControllerError.
    """
    check_controller(settings, told.plan, f"run {told.run_id}")
    snapshots = first_of(read_snapshots(told.snapshots), deep=False)
    if not snapshots:
        raise RunError(f"run {told.run_id} kept no snapshots, so there is nothing to compare with")
    ids = {each.device: each.record for each in told.devices}
    devices = [ids.get(each.device, each.device) for each in snapshots]
    now = await read_now(settings, devices, told.plan.playbook.requests)
    return drift_since(told.run_id, snapshots, ids, now.records)


async def since_then(
    settings: Settings, told: ChangedRun, devices: Sequence[DeviceDifferences]
) -> Mapping[DeviceId, Sequence[Divergence] | None]:
    """Hold the first snapshots of these devices against the fleet as it is now (GETs only).

    Gives None for a device that is gone, and nothing for one of which no snapshot was kept.
    Settings and variables are compared where both were saved and are offered. Raises RunError when
    the snapshots are damaged or of another controller, or ControllerError.
    """
    check_controller(settings, told.plan, f"run {told.run_id}")
    changes = {each.device: each for each in devices}
    kept = [s for s in first_of(read_snapshots(told.snapshots)) if s.device in changes]
    if not kept:
        return {}
    found: dict[DeviceId, Sequence[Divergence] | None] = {}
    limits = told.plan.playbook.requests
    async with connected(settings, limits) as (controller, _):
        records = [changes[snapshot.device].record for snapshot in kept]
        readings = read_each(controller, records, limits)
        async for snapshot, reading in _beside(kept, readings):
            if reading.device is None:
                found[snapshot.device] = None
                continue
            extras = await _extras(controller, snapshot, reading.device_id)
            by = changes[snapshot.device]
            found[snapshot.device] = divergences(snapshot, reading.device, extras, by)
    return found


async def _beside(
    snapshots: Sequence[Snapshot], readings: AsyncIterator[Reading]
) -> AsyncIterator[tuple[Snapshot, Reading]]:
    coming = iter(snapshots)
    async for reading in readings:
        yield next(coming), reading


async def _extras(controller: Controller, snapshot: Snapshot, record: DeviceId) -> Extras:
    """Read what was saved of settings and variables again; what is not offered now stays unknown."""
    kept = snapshot.extras or Extras()
    offers = controller.offers
    if offers is None:
        return Extras()
    settings = None if kept.settings is None else await offers.read_settings(record)
    variables = None if kept.variables is None else await offers.read_variables(record)
    return Extras(settings, variables)


def _experience(settings: Settings, plan: Plan | None) -> Experience:
    name = "" if plan is None else plan.playbook.name
    controller = settings.base_url
    key = settings.audit_key_bytes
    return experience(settings.runs_dir, name, key, controller=controller, operations=())
