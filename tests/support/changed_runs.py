"""Runs on disk that changed records of a world that is served."""

from dataclasses import replace
from pathlib import Path

from msgspec import structs

from orchestrator.adapters.plans import plan_file
from orchestrator.adapters.runs.snapshot_file import SnapshotFile
from orchestrator.model.devices import DeviceId
from orchestrator.model.plans import PlannedDevice
from tests.support.recorded_runs import ENDING, STORY, plan_of, record

IDS = (1001, 1002, 1003)


def leave_run(world, *events, over=True, snapshots=(), run_id="night-1", text=None):
    """Leave a run behind against this world, over its first three devices."""
    devices = tuple(
        PlannedDevice(DeviceId(each), world.record(each)["serial_number"], f"branch {each}")
        for each in IDS
    )
    made = plan_of(*IDS) if text is None else plan_of(*IDS, text=text)
    plan = replace(made, controller=world.base_url, devices=devices)
    begun = structs.replace(STORY[0], plan_digest=plan_file.digest(plan))
    ending = (ENDING[-1],) if over else ()
    folder = record(Path("logs/runs"), [begun, *events, *ending], plan=plan, run_id=run_id)
    if snapshots:
        with SnapshotFile.open(folder.path) as file:
            file.save(snapshots)
    return folder
