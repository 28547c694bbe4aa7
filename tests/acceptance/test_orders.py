"""The hand on the switch: orders from another terminal to runs that are driven, left, or over."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.adapters.machine.device_leases import DeviceLeases
from tests.acceptance.conftest import REDEPLOY, TOKEN, disagreements, simulating

NO_WINDOW = "no window: devices lose their configuration at whatever hour the run is started"

SPEED = 100
SLOW = REDEPLOY.replace("max_down: 4", "max_down: 2")
ASKING = SLOW.replace("steps:\n", "steps:\n  - approve: the field crew is on site\n")


@pytest.fixture
def slow_simulator():
    with simulating("--speed", str(SPEED)) as simulator:
        yield simulator


@pytest.fixture
def environment(slow_simulator, workplace, monkeypatch):
    Path("slow.yaml").write_text(SLOW)
    Path("asking.yaml").write_text(ASKING)
    monkeypatch.setenv("ORCHESTRATOR_BASE_URL", f"{slow_simulator.address}/api/v1")
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", TOKEN)
    monkeypatch.setenv("ORCHESTRATOR_SPEED", str(SPEED))


@contextmanager
def driving(*arguments):
    """Drive a run in a process of its own; whatever is left of it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def story(run="night-1"):
    """Give the events that are on disk; the last line may be under way."""
    journal = Path(f"logs/runs/{run}/journal.jsonl")
    lines = journal.read_text().splitlines() if journal.exists() else []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return [each for each in found if "event" in each]


def wait_for(event, count=1, run="night-1"):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if [each["event"] for each in story(run)].count(event) >= count:
            return
        time.sleep(0.02)
    raise AssertionError(f"{event} did not happen {count} times")


def words(ended):
    return " ".join(ended.out.split())


def started_since(event):
    """Name the operations on devices that nothing had been sent to before the last event of a kind."""
    told = story()
    last = max(n for n, each in enumerate(told) if each["event"] == event)
    sent = [(n, e) for n, e in enumerate(told) if e["event"] == "OperationIntended"]
    before = {each["device"] for n, each in sent if n < last}
    return [each for n, each in sent if n > last and each["device"] not in before]


@pytest.mark.usefixtures("environment")
def test_a_live_run_is_paused_lowered_continued_and_cancelled(slow_simulator, cli):
    with driving("run", "slow.yaml", "--yes", "--id", "night-1") as process:
        wait_for("OperationAccepted", 2)
        paused = cli("pause", "night-1", "--why", "the phone rings")
        again = cli("pause", "night-1")
        waiting = [
            each["id"]
            for each in json.loads(Path("logs/runs/night-1/plan.json").read_text())["plan"][
                "devices"
            ]
        ]
        begun = {each["device"] for each in story() if "device" in each}
        why = cli("why", "night-1", str(next(each for each in waiting if each not in begun)))
        wait_for("DeviceFinished", 2)
        time.sleep(1)
        nothing_new = started_since("PauseOrdered")
        lowered = cli("limit", "night-1", "max_down=1")
        too_high = cli("limit", "night-1", "max_down=3")
        continued = cli("continue", "night-1")
        wait_for(
            "OperationIntended", len([e for e in story() if e["event"] == "OperationIntended"]) + 1
        )
        cancelled = cli("cancel", "night-1", "--why", "it is enough")
        out, err = process.communicate(timeout=40)

    assert (paused.code, again.code, lowered.code, too_high.code) == (0, 2, 0, 2)
    assert (continued.code, cancelled.code, process.returncode) == (0, 0, 4)
    assert "night-1: the run is paused; nothing new is started" in words(paused)
    assert "nobody drives" not in words(paused)
    assert "the run is paused already" in again.err
    assert "(the phone rings)" in words(why)
    assert nothing_new == []
    assert "max_down is 1 now; it was 2." in words(lowered)
    assert "above the plan's 2" in too_high.err
    assert started_since("CancelOrdered") == []
    assert err == f"warning: {NO_WINDOW}\n"
    assert "not started" in out
    assert disagreements(slow_simulator, "night-1") == ()
    assert list(Path("logs/runs/night-1/orders").iterdir()) == []
    assert cli("audit", "verify", "night-1").code == 0


@pytest.mark.usefixtures("environment")
def test_a_live_run_asks_and_goes_on_once_it_is_approved(slow_simulator, cli):
    with driving("run", "asking.yaml", "--yes", "--id", "night-1") as process:
        wait_for("ApprovalAsked")
        wrong = cli("approve", "night-1", "wave", "2")
        approved = cli("approve", "night-1", "step", "1", "--why", "they called")
        process.communicate(timeout=50)

    assert wrong.code == 2
    assert "it asks about step 1" in wrong.err
    assert "night-1: step 1 is approved." in words(approved)
    assert process.returncode in (0, 1)
    assert disagreements(slow_simulator, "night-1") == ()


@pytest.mark.usefixtures("environment")
def test_a_run_whose_process_was_killed_takes_orders_and_is_resumed_with_them(slow_simulator, cli):
    with driving("run", "slow.yaml", "--yes", "--id", "night-1") as process:
        wait_for("OperationAccepted", 2)
        process.kill()
        process.communicate()
    lowered = cli("limit", "night-1", "max_down=1")
    paused = cli("pause", "night-1")
    continued = cli("continue", "night-1")
    cancelled = cli("cancel", "night-1")
    refused = cli("pause", "night-1")

    resumed = cli("resume", "night-1")

    assert [each.code for each in (lowered, paused, continued, cancelled)] == [0, 0, 0, 0]
    assert "so this holds when it is resumed" in words(paused)
    assert "2 devices have no verdict yet: resume it to finish them" in words(cancelled)
    assert refused.code == 2
    assert "it starts nothing any more" in refused.err
    assert resumed.code == 4
    assert disagreements(slow_simulator, "night-1") == ()
    finished = {each["verdict"] for each in story() if each["event"] == "DeviceFinished"}
    assert "not_started" in finished
    assert started_since("CancelOrdered") == []


@pytest.mark.usefixtures("environment")
def test_a_finished_run_takes_no_orders_and_tells_how_each_device_ended(cli):
    ended = cli("run", "reboot.yaml", "--id", "night-1")
    device = next(each["device"] for each in story() if each["event"] == "DeviceFinished")

    refused = cli("cancel", "last")
    why = cli("why", "last", str(device))

    assert ended.code in (0, 1)
    assert refused.code == 2
    assert refused.err == "error: run night-1 is finished; there is nothing to cancel\n"
    assert "it ended" in why.out


@pytest.mark.usefixtures("environment")
def test_a_device_that_another_run_holds_keeps_a_run_from_being_resumed(slow_simulator, cli):
    with driving("run", "slow.yaml", "--yes", "--id", "night-1") as process:
        wait_for("OperationAccepted", 2)
        process.kill()
        process.communicate()
    device = next(each["device"] for each in story() if each["event"] == "OperationAccepted")
    locks, url = Path(os.environ["ORCHESTRATOR_LOCKS_DIR"]), os.environ["ORCHESTRATOR_BASE_URL"]

    with DeviceLeases.open(locks, url, "night-2", now=0.0) as leases:
        assert leases.hold(device) is None
        refused = cli("resume", "night-1")
    resumed = cli("resume", "night-1")

    assert refused.code == 2
    assert f"in the middle of device {device}, which run night-2 (process " in refused.err
    assert resumed.code in (0, 1)
    assert disagreements(slow_simulator, "night-1") == ()
