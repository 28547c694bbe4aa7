"""A playbook that a crontab starts: quiet without work, and with a memory over its runs."""

from pathlib import Path

import pytest

from orchestrator.adapters.plans.plan_file import read_plan
from tests.acceptance.conftest import REBOOT
from tests.acceptance.test_campaigns import started, wait_for

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
def somebody(workplace, webhook):
    return reached_at(webhook[0])


def reached_at(url):
    targets = Path("targets")
    targets.touch(mode=0o600)
    targets.write_text(f"noc = {url}\n")
    return {"ORCHESTRATOR_NOTIFY_FILE": "targets"}


def test_when_nobody_is_chosen_it_says_nothing_and_makes_no_run(shared_simulator, cli):
    Path("nobody.yaml").write_text(NOBODY)

    ended = cli("run", "nobody.yaml", "--cron", **shared_simulator.environment)

    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert not list(Path("logs").glob("runs/*"))
    assert "cron.nothing_chosen" in Path("logs/orchestrator.log").read_text()


@pytest.mark.parametrize("name", ["firmware-rollout", "decommission", "drift-sync"])
def test_by_hand_nothing_to_do_is_good_news_and_is_not_to_be_confirmed(shared_simulator, cli, name):
    ended = cli("run", name, "--var", "organization=999", **shared_simulator.environment)

    assert ended.code == 0, ended.err
    assert "Nothing to do: no device is chosen." in ended.out


def test_when_everything_is_as_it_should_be_only_the_log_is_told(simulator, cli):
    text = "playbook: named\ndevices: {organization: 123, limit: 2}\nsteps:\n"
    Path("named.yaml").write_text(text + "  - update: {description: by the clock}\n")

    def run(*more):
        return cli("run", "named.yaml", *more, **simulator.environment)

    first, second, told = run("--cron"), run("--cron"), run("--yes")

    assert (first.code, second.code, told.code) == (0, 0, 0)
    assert "2 succeeded" in " ".join(first.out.split())
    assert (second.out, second.err) == ("", "")
    assert "nothing had to be done" in told.out
    assert "cron.nothing_had_to_be_done" in Path("logs/orchestrator.log").read_text()


def test_a_person_who_could_not_be_reached_is_told_again_by_the_next_run(simulator, cli, webhook):
    Path("once.yaml").write_text(ONCE_A_DAY)
    url, told = webhook

    def run(url):
        return cli("run", "once.yaml", "--cron", **simulator.environment, **reached_at(url))

    run(url)
    (folder,) = Path("logs/runs").iterdir()
    ids = ", ".join(str(device.id) for device in read_plan(folder / "plan.json").devices)
    Path("once.yaml").write_text(ONCE_A_DAY.replace("limit: 2", f"include: [{ids}]"))
    told.clear()
    unreached, reached, silent = run("json://127.0.0.1:9"), run(url), run(url)

    assert (unreached.code, reached.code, silent.code) == (1, 1, 0)
    assert "could not be notified" in unreached.out
    assert len(told) == 2
    assert all(" once (" in each["message"] for each in told)
    assert (silent.out, silent.err) == ("", "")


def test_what_was_cut_off_is_brought_to_its_end_before_anything_new(simulator, cli):
    Path("reboot.yaml").write_text(REBOOT.replace("limit: 8", "limit: 2"))
    arguments = ("run", "reboot.yaml", "--cron", "--id", "night-1")
    with started(simulator, *arguments) as process:
        wait_for("OperationAccepted", 1)
        process.kill()
        process.communicate()

    ended = cli("run", "reboot.yaml", "--cron", "--id", "night-2", **simulator.environment)

    assert ended.code in (0, 1)
    resumed, new = ended.out.index("run night-1: finished"), ended.out.index("run night-2: ")
    assert resumed < new
    assert "cron.resumes" in Path("logs/orchestrator.log").read_text()
    assert ended.err == ""
    journal = Path("logs/runs/night-1/journal.jsonl").read_text()
    assert journal.count('"event":"RunResumed"') == 1
    assert journal.count('"attempt":1,"operation":"reboot"') == 2


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
