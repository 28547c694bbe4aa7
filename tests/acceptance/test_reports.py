"""Reports and comparisons of real campaigns: during them, after them, by a program of its own."""

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.acceptance.conftest import REBOOT, simulating

JOURNAL = Path("logs/runs/night-1/journal.jsonl")
WAVES = REBOOT.replace("{max_down: 4}", "{max_down: 4, waves: [2, 100%]}")


def test_a_campaign_is_reported_in_every_form_and_all_of_them_agree(simulator, cli):
    Path("waves.yaml").write_text(WAVES)
    ran = cli("run", "waves.yaml", "--id", "night-1", **simulator.environment)
    head = ran.out.split("chain head")[1].split()[0]

    told = json.loads(cli("report", "last", "--format", "json").out)
    rows = list(csv.DictReader(cli("report", "last", "--format", "csv").out.splitlines()))
    suites = ET.fromstring(cli("report", "last", "--format", "junit").out)
    ticket = cli("report", "last", "--format", "md").out
    page = cli("report", "last", "-o", "-").out

    assert told["state"] == "finished"
    assert told["audit"] == {
        "head": head,
        "events": len(JOURNAL.read_text().splitlines()),
        "keyed": False,
        "sound": True,
    }
    verdicts = [device["verdict"] for device in told["devices"]]
    assert len(verdicts) == 8
    assert [row["verdict"] for row in rows] == verdicts
    assert [row["device"] for row in rows] == [str(each["device"]) for each in told["devices"]]
    failures = told["verdicts"]["failed"] + told["verdicts"]["unconfirmed"]
    assert (suites.get("tests"), suites.get("failures")) == ("8", str(failures))
    assert [len(each) for each in suites[0].findall("testsuite")] == [2, 6]
    assert f"| succeeded | {told['verdicts']['succeeded']} |\n" in ticket
    assert all(head in text for text in (ticket, page))
    assert all(device["attempts"] >= 1 for device in told["devices"] if device["began_at"])


def test_a_campaign_that_goes_on_is_reported_by_another_process(cli):
    with simulating("--speed", "60") as simulator:
        environment = {**os.environ, **simulator.environment, "ORCHESTRATOR_SPEED": "60"}
        with subprocess.Popen(
            [sys.executable, "-m", "orchestrator", "run", "reboot.yaml", "--id", "night-1"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                wait_for("OperationAccepted")
                ended = cli("report", "night-1", "--format", "json")
                page = cli("report", "night-1")
                still = process.poll() is None
            finally:
                process.kill()

    told = json.loads(ended.out)
    assert still
    assert (ended.code, told["state"], told["finished_at"]) == (0, "running", None)
    assert told["audit"]["sound"] is True
    assert "Run night-1 is still going on" in ended.err
    assert page.out == "logs/runs/night-1/report.html\n"
    assert Path("logs/runs/night-1/report.html").exists()
    assert json.loads(cli("report", "night-1", "--format", "json").out)["state"] == "interrupted"


def wait_for(event):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if JOURNAL.exists() and f'"event":"{event}"' in JOURNAL.read_text():
            return
        time.sleep(0.02)
    raise AssertionError(f"{event} did not happen")


def test_two_campaigns_are_held_against_each_other(simulator, cli):
    cli("run", "reboot.yaml", "--id", "night-1", **simulator.environment)
    cli("run", "redeploy.yaml", "--yes", "--id", "night-2", **simulator.environment)

    ended = cli("compare", "night-1", "night-2")
    told = json.loads(cli("compare", "night-1", "night-2", "--json").out)

    assert ended.code == 0
    assert "! The playbooks are different ones: reboot and redeploy.\n" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80
    assert told["devices"]["first"] == told["devices"]["second"] == 8
    assert told["requests"]["second"] > told["requests"]["first"]
    compared = told["compared"]
    assert compared["both"] + compared["only_first"] == 8


def test_a_report_of_a_run_that_was_tampered_with_is_refused(simulator, cli):
    cli("run", "reboot.yaml", "--id", "night-1", **simulator.environment)
    page = Path("logs/runs/night-1/report.html").read_bytes()
    JOURNAL.write_text(JOURNAL.read_text().replace('"verdict":"succeeded"', '"verdict":"failed"'))

    ended = cli("report", "night-1")

    assert (ended.code, ended.out) == (1, "")
    assert "not match the hash chain" in ended.err
    assert "orchestrator audit verify night-1" in ended.err
    assert Path("logs/runs/night-1/report.html").read_bytes() == page
