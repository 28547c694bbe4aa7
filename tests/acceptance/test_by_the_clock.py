"""A playbook that a crontab starts: quiet without work, and with a memory over its runs."""

from pathlib import Path

import pytest

from orchestrator.adapters.plan_file import read_plan
from tests.acceptance.conftest import REBOOT

NOBODY = REBOOT.replace("status: up", "status: up\n  expect: {at_least: 0}").replace(
    "organization: 123", "organization: 999"
)
ONCE_A_DAY = (
    REBOOT.replace("limit: 8", "limit: 2\n  expect: {at_least: 0}").replace(
        "proof: {within: 20m}", "proof: {within: 20m}\n    attempts: 1"
    )
    + """\
rescue:
  - escalate: rebooted already
per_device:
  - {operation: reboot, at_most: 1, per: 1d}
notify: {to: noc, on: [paused]}
"""
)


@pytest.fixture
def somebody(workplace):
    targets = Path("targets")
    targets.touch(mode=0o600)
    targets.write_text("noc = json://127.0.0.1:9\n")
    return {"ORCHESTRATOR_NOTIFY_FILE": "targets"}


def test_when_nobody_is_chosen_it_says_nothing_and_makes_no_run(shared_simulator, cli):
    Path("nobody.yaml").write_text(NOBODY)

    ended = cli("run", "nobody.yaml", "--cron", **shared_simulator.environment)

    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert not list(Path("logs").glob("runs/*"))
    assert "cron.nothing_chosen" in Path("logs/orchestrator.log").read_text()


def test_a_device_that_had_its_share_is_handed_to_a_person_and_then_left_alone(
    simulator, cli, somebody
):
    Path("once.yaml").write_text(ONCE_A_DAY)

    def run():
        return cli("run", "once.yaml", "--cron", **simulator.environment, **somebody)

    first = run()
    (folder,) = Path("logs/runs").iterdir()
    ids = ", ".join(str(device.id) for device in read_plan(folder / "plan.json").devices)
    Path("once.yaml").write_text(ONCE_A_DAY.replace("limit: 2", f"include: [{ids}]"))
    sent = simulator.ledger()["requests"]["methods"]["PUT"]
    second, third = run(), run()

    assert first.code in (0, 1)
    assert "succeeded" in first.out + first.err
    assert second.code == 1
    assert "at most 1 a day" in second.out
    assert (third.code, third.out, third.err) == (0, "", "")
    assert simulator.ledger()["requests"]["methods"]["PUT"] == sent
    assert len(list(Path("logs/runs").iterdir())) == 2
