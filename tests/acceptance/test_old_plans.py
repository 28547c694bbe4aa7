"""A plan may be old: what its devices had since counts when it is carried out."""

from pathlib import Path

import pytest

from orchestrator.adapters.plans.plan_file import read_plan
from tests.acceptance.test_by_the_clock import ONCE_A_DAY


@pytest.fixture
def somebody(workplace):
    targets = Path("targets")
    targets.touch(mode=0o600)
    targets.write_text("noc = json://127.0.0.1:9\n")
    return {"ORCHESTRATOR_NOTIFY_FILE": "targets"}


def test_devices_that_had_their_share_since_the_plan_was_made_are_handed_to_a_person(
    simulator, cli, somebody
):
    environment = simulator.environment | somebody
    Path("once.yaml").write_text(ONCE_A_DAY)
    assert cli("plan", "once.yaml", "-o", "plan.json", "--seeds", "0", **environment).code == 0
    assert not any(device.uses for device in read_plan(Path("plan.json")).devices)
    cli("run", "once.yaml", "--yes", "--id", "between", **environment)
    sent = simulator.ledger()["requests"]["methods"]["PUT"]

    ended = cli("run", "plan.json", "--yes", "--plain", "--id", "later", **environment)

    assert ended.code == 1, ended.out + ended.err
    assert simulator.ledger()["requests"]["methods"]["PUT"] == sent
    devices = read_plan(Path("logs/runs/later/plan.json")).devices
    assert [(device.uses, device.exhausted is not None) for device in devices] == [((1,), True)] * 2
    again = cli("run", "plan.json", "--yes", **environment)
    assert again.code == 2
    assert "carried out already by run later" in again.err
