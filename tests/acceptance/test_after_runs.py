"""What a run did not bring through is taken up again where it stopped, and the history tells of both."""

import json
import urllib.request
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest

from orchestrator.adapters.plans.plan_file import read_plan, write_plan
from orchestrator.bootstrap import start_run
from orchestrator.model.errors import RunError
from orchestrator.planner import plan_to_run
from orchestrator.settings import load
from tests.acceptance.conftest import REBOOT, REDEPLOY, TOKEN, disagreements, simulating

CHECKED = REBOOT.replace("limit: 8", "limit: 3").replace(
    "rollout:", '  - check: {name: {matches: "ready*"}}\nrollout:'
)
"""Devices are rebooted, and fail a check unless somebody names them so."""


def operations(simulator):
    """Count what really arrived, by device and operation."""
    asked = simulator.ledger()["operations"]
    return Counter((each["device"], each["operation"]) for each in asked)


def change(simulator, method, device, **fields):
    request = urllib.request.Request(
        f"{simulator.address}/api/v1/inventory_device/{device}/",
        method=method,
        data=json.dumps(fields).encode() if fields else None,
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


def verdicts(cli, run_id):
    rows = cli("show", run_id, "--devices", "--json").out.splitlines()
    return {row["device"]: row["verdict"] for row in map(json.loads, rows)}


def test_what_failed_is_taken_up_at_its_step_and_nothing_is_done_twice(simulator, cli):
    Path("checked.yaml").write_text(CHECKED)
    assert cli("run", "checked.yaml", "--id", "night-1", **simulator.environment).code == 1
    assert set(verdicts(cli, "night-1").values()) == {"failed"}
    first, gone, last = sorted(verdicts(cli, "night-1"))
    rebooted = operations(simulator)
    change(simulator, "PATCH", first, name="ready-1")
    change(simulator, "DELETE", gone)
    Path("checked.yaml").unlink()

    planned = cli("retry", "night-1", "-o", "again.json")

    assert planned.code == 0
    assert "orchestrator run again.json" in planned.out
    assert "the controller no longer has this device" in planned.out
    plan = read_plan(Path("again.json"))
    assert {each.id: each.begins_at for each in plan.devices} == {first: 1, last: 1}
    assert (plan.goes_on_after, plan.operation_requests) == ("night-1", 0)
    ended = cli("run", "again.json", "--id", "night-2")
    assert (ended.code, verdicts(cli, "night-2")) == (1, {first: "succeeded", last: "failed"})
    assert operations(simulator) == rebooted
    change(simulator, "PATCH", last, name="ready-2")
    assert cli("retry", "night-2", "-o", "again.json").code == 0
    assert cli("run", "again.json", "--id", "night-3").code == 0
    assert verdicts(cli, "night-3") == {last: "succeeded"}
    assert operations(simulator) == rebooted
    ended = cli("retry", "night-3")
    assert (ended.code, ended.out) == (0, "")
    assert "There is nothing to retry in run night-3: 1 device succeeded." in ended.err


def test_nobody_is_taken_up_twice_after_the_same_run(simulator, cli):
    Path("checked.yaml").write_text(CHECKED)
    assert cli("run", "checked.yaml", "--id", "e1", **simulator.environment).code == 1
    assert set(verdicts(cli, "e1").values()) == {"failed"}
    first, *others = sorted(verdicts(cli, "e1"))
    for name in ("ea.json", "eb.json"):
        assert cli("retry", "e1", "-o", name).code == 0
    change(simulator, "DELETE", first)
    assert cli("retry", "e1", "-o", "ec.json").code == 0
    assert cli("run", "ec.json", "--id", "e2").code == 1
    asked = simulator.ledger()["operations"]

    second = cli("run", "eb.json")
    shown = cli("plan", "ea.json")
    against = cli("plan", "--against", "ec.json")
    third = cli("retry", "e1")

    taken = "goes on after run e1, and run e2 has taken up 2 of its 3 devices already"
    assert second.code == 2
    assert f"the plan eb.json {taken}; go on with `orchestrator retry e2`" in second.err
    assert f"It cannot be carried out: the plan ea.json {taken}" in shown.out
    assert against.code == 2
    assert "was carried out already by run e2" in against.err
    assert "go on with `orchestrator retry e2`" in against.err
    assert "retry e1" not in against.err
    assert third.code == 0
    assert "There is nothing to retry in run e1: " in third.err
    assert "2 devices were taken up by run e2" in third.err
    assert simulator.ledger()["operations"] == asked
    assert {each["device"] for each in asked} >= set(others)


def test_whom_another_run_takes_up_while_somebody_thinks_is_not_taken_up_again(simulator, cli):
    Path("checked.yaml").write_text(CHECKED)
    assert cli("run", "checked.yaml", "--id", "e1", **simulator.environment).code == 1
    for name in ("ea.json", "eb.json"):
        assert cli("retry", "e1", "-o", name).code == 0
    late = plan_to_run(load(), Path("eb.json"))
    assert cli("run", "ea.json", "--id", "e2").code == 1

    with pytest.raises(RunError, match="run e2 has taken up 3 of its 3 devices already"):
        anyio.run(partial(start_run, load(), late, run_id="e3", once=True))

    assert [entry.name for entry in sorted(Path("logs/runs").iterdir())] == ["e1", "e2"]


def test_devices_that_nobody_has_taken_up_yet_are_retried_beside_the_others(simulator, cli):
    Path("checked.yaml").write_text(CHECKED)
    assert cli("run", "checked.yaml", "--id", "e1", **simulator.environment).code == 1
    one, two, left = sorted(verdicts(cli, "e1"))
    assert cli("retry", "e1", "-o", "whole.json").code == 0
    part = replace(read_plan(Path("whole.json")), devices=())
    kept = [each for each in read_plan(Path("whole.json")).devices if each.id != left]
    limits = replace(part.limits, devices=2, max_down=2)
    write_plan(replace(part, devices=tuple(kept), limits=limits), Path("part.json"))
    assert cli("run", "part.json", "--id", "e2").code == 1

    planned = cli("retry", "e1", "-o", "rest.json")

    assert planned.code == 0
    assert "was taken up by run e2; retry that one" in " ".join(planned.out.split())
    plan = read_plan(Path("rest.json"))
    assert ([each.id for each in plan.devices], plan.listed) == ([left], 3)
    assert any(
        out.count == 2 and set(out.examples) == {str(one), str(two)} for out in plan.left_out
    )
    assert cli("run", "rest.json", "--id", "e3").code == 1
    ended = cli("retry", "e1")
    assert (ended.code, ended.out) == (2, "")
    assert "`orchestrator retry e2`" in ended.err
    assert "`orchestrator retry e3`" in ended.err


@pytest.fixture
def stubborn():
    """A fleet with a device that takes a factory reset, and never its configuration."""
    with simulating("--seed", "11") as simulator:
        yield simulator


def test_a_device_left_without_its_configuration_is_not_reset_again(stubborn, cli):
    Path("wide.yaml").write_text(REDEPLOY.replace("limit: 8", "limit: 14"))
    assert cli("run", "wide.yaml", "--yes", "--id", "night-1", **stubborn.environment).code == 1
    ends = verdicts(cli, "night-1")
    [left] = [device for device, verdict in ends.items() if verdict == "unconfirmed"]
    assert disagreements(stubborn, "night-1") == ()
    before = operations(stubborn)

    planned = cli("retry", "last", "-o", "again.json")

    assert "brings the configuration back" in " ".join(planned.out.split())
    assert cli("run", "again.json", "--yes", "--id", "night-2").code == 1
    assert verdicts(cli, "night-2") == {left: "unconfirmed"}
    assert operations(stubborn) - before == {(left, "reconf"): 1}


def test_the_history_keeps_what_a_finished_run_came_to(simulator, cli):
    assert cli("run", "reboot.yaml", "--id", "night-1", **simulator.environment).code in (0, 1)

    assert Path("logs/runs/night-1/outcome.json").stat().st_mode & 0o777 == 0o600
    [row] = json.loads(cli("runs", "--json", "--state", "finished", "--since", "1d").out)
    told = json.loads(cli("show", "night-1", "--json").out)
    assert row["verdicts"] == told["verdicts"]
    assert row["ended_at"] is not None
