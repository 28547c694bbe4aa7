"""What a run did not bring through is taken up again where it stopped, and the history tells of both."""

import json
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from orchestrator.adapters.plan_file import read_plan
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
    assert "There is nothing to retry in run night-3: 1: succeeded in run night-3." in ended.err


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
