"""A run that changed records, and the way back, against a world that is served."""

from pathlib import Path

import anyio
import pytest

from orchestrator import settings as all_settings
from orchestrator.adapters.plans.plan_file import read_plan, write_plan
from orchestrator.adapters.runs.changed_run import read_changed
from orchestrator.adapters.runs.run_folder import RunsFolder
from orchestrator.bootstrap import start_run
from orchestrator.model.errors import RunError
from orchestrator.planner import make_plan
from orchestrator.playbook.wanted import load_wanted
from orchestrator.restorer import drift_of_run, drift_of_wanted, rollback_plan, since_then
from tests.support.changed import done
from tests.support.changed_runs import leave_run
from tests.support.served import served

UPDATE = """\
playbook: rename
devices: {all: true}
steps:
  - update: {description: "by the run", debug: true}
requests: {delay: 0s, per_second: none}
"""


@pytest.fixture
def world():
    with served() as found:
        yield found


@pytest.fixture
def settings(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    return all_settings.load({"locks_dir": str(tmp_path / "locks")})


@pytest.fixture
def ran(settings, tmp_path):
    """A run that gave every device another description, driven to its end."""
    path = tmp_path / "rename.yaml"
    path.write_text(UPDATE)

    async def run():
        return await start_run(settings, await make_plan(settings, path, {}), run_id="night-1")

    assert anyio.run(run).finished
    return "night-1"


def told_of(settings, run_id):
    return read_changed(RunsFolder(settings.runs_dir).find(run_id), None)


def test_what_a_run_changed_is_as_it_was_after_the_rollback(settings, world, ran):
    assert world.record(1001)["description"] == "by the run"

    async def back():
        made = (await rollback_plan(settings, ran)).rollback
        await start_run(settings, made.plan, run_id="back-1", once=True)
        return await rollback_plan(settings, ran), await drift_of_run(
            settings, told_of(settings, ran)
        )

    again, drift = anyio.run(back)

    assert world.record(1001)["description"] != "by the run"
    assert world.record(1001)["debug"] is False
    assert again.rollback.plan is None
    assert not drift.is_any


def test_a_rollback_can_be_rolled_back_itself(settings, world, ran):
    async def back_and_forth():
        for run, name in ((ran, "back-1"), ("back-1", "forth-1")):
            made = (await rollback_plan(settings, run)).rollback
            await start_run(settings, made.plan, run_id=name, once=True)

    anyio.run(back_and_forth)

    assert world.record(1003)["description"] == "by the run"


@pytest.mark.parametrize(("force", "verdict"), [(False, "skipped"), (True, "succeeded")])
def test_a_kept_rollback_writes_over_nothing_that_was_changed_after_planning_unless_forced(
    settings, world, ran, force, verdict
):
    path = Path("back.json")

    async def plan():
        write_plan((await rollback_plan(settings, ran, force=force)).rollback.plan, path)

    async def run():
        return await start_run(settings, read_plan(path), run_id="back-1", once=True)

    anyio.run(plan)
    row = read_plan(path).playbook.table.row_of("1002")
    world.change(1002, description="mine")
    summary = anyio.run(run).summary

    assert world.record(1002)["description"] == (row["description"] if force else "mine")
    assert world.record(1001)["description"] != "by the run"
    assert dict(summary.counts())[verdict] == (3 if force else 1)


def test_the_snapshots_of_a_run_tell_what_differs_since(settings, world, ran):
    world.change(1002, customer_id="mine")
    told = told_of(settings, ran)
    found = anyio.run(since_then, settings, told, told.devices)

    assert {(each.name, each.by_run) for each in found[1002]} == {
        ("description", True),
        ("debug", True),
        ("customer_id", False),
    }


def test_records_are_read_from_pages_where_those_show_enough(settings, world):
    for device in (1001, 1002, 1003):
        world.change(device, description="new", customer_id="C-new")
    events = [each for d in (1001, 1002, 1003) for each in done(d, description=("old", "new"))]
    leave_run(world, *events)

    made = anyio.run(rollback_plan, settings, "night-1").rollback

    assert len(made.plan.devices) == 3


def test_nothing_is_asked_where_nothing_can_be_put_back(settings, world):
    leave_run(world, *done(1001, operation="reboot"))

    made = anyio.run(rollback_plan, settings, "night-1").rollback

    assert (made.plan, made.left_out) == (None, ())


def test_detail_fields_of_a_wanted_state_are_read_in_full(settings, world, tmp_path):
    world.change(1002, debug=True)
    path = tmp_path / "wanted.yaml"
    path.write_text("wanted: quiet\ndevices: {all: true}\nfields: {debug: false}\n")

    drift = anyio.run(drift_of_wanted, settings, load_wanted(path))

    assert [each.device for each in drift.devices] == [1002]


def test_a_run_without_snapshots_cannot_be_drifted_from(settings, world):
    leave_run(world, *done(1001, debug=(True, False)))

    with pytest.raises(RunError, match="kept no snapshots"):
        anyio.run(drift_of_run, settings, told_of(settings, "night-1"))
