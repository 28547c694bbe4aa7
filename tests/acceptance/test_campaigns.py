"""Whole campaigns over HTTP, judged by what arrived at the controller."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.acceptance.conftest import Simulator, disagreements

JOURNAL = Path("logs/runs/night-1/journal.jsonl")


def started(simulator: Simulator, *arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *arguments],
        env={**os.environ, **simulator.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def wait_for(event: str, count: int) -> None:
    """Return once the journal has so many lines of one kind."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if JOURNAL.exists() and JOURNAL.read_text().count(f'"event":"{event}"') >= count:
            return
        time.sleep(0.01)
    raise AssertionError(f"{event} did not happen {count} times")


def test_a_campaign_ends_with_true_verdicts_and_a_sound_audit_log(simulator, cli):
    ended = cli("run", "reboot.yaml", "--id", "night-1", **simulator.environment)

    told = json.loads(cli("show", "night-1", "--json").out)
    assert ended.code == (1 if told["verdicts"]["unconfirmed"] else 0)
    assert told["state"] == "finished"
    assert sum(told["verdicts"].values()) == 8
    assert told["verdicts"]["succeeded"] >= 6
    assert disagreements(simulator, "night-1") == ()
    assert Path("logs/runs/night-1/report.html").exists()
    head = ended.out.split("chain head")[1].split()[0]
    assert cli("audit", "verify", "night-1", "--head", head).code == 0


def test_json_is_the_only_thing_on_stdout_and_a_run_names_itself(simulator, cli):
    ended = cli("run", "reboot.yaml", "--json", **simulator.environment)

    events = [json.loads(line) for line in ended.out.splitlines()]
    [name] = {event["run"] for event in events}
    assert events[0]["event"] == "RunStarted"
    assert events[-1]["event"] == "RunFinished"
    assert name[:2] == "20"
    assert "-reboot-" in name
    assert Path(f"logs/runs/{name}").is_dir()
    assert f"run {name}: finished" in ended.err


def test_a_destructive_campaign_runs_with_yes(simulator, cli):
    ended = cli("run", "redeploy.yaml", "--yes", "--id", "night-1", **simulator.environment)

    assert ended.code in (0, 1)
    assert disagreements(simulator, "night-1") == ()


def test_ctrl_c_ends_in_130_with_the_command_to_go_on_and_that_goes_on(simulator, cli):
    process = started(simulator, "run", "reboot.yaml", "--id", "night-1")
    wait_for("OperationAccepted", 2)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (130, "")
    assert "To go on:  orchestrator resume night-1\n" in out
    ended = cli("resume", "night-1", **simulator.environment)
    assert ended.code in (0, 1)
    assert "resumed the run" in ended.out
    assert "started reboot" not in ended.out.split("run night-1: finished")[0]
    assert disagreements(simulator, "night-1") == ()


def test_after_kill_9_a_run_is_resumed_without_repeating_anything(simulator, cli):
    arguments = ("run", "redeploy.yaml", "--yes", "--id", "night-1")
    with started(simulator, *arguments) as process:
        wait_for("OperationAccepted", 3)
        process.kill()
        process.communicate()
    for accepted in (5, 8):
        with started(simulator, "resume", "night-1") as process:
            wait_for("OperationAccepted", accepted)
            process.kill()
            process.communicate()

    ended = cli("resume", "night-1", **simulator.environment)

    assert ended.code in (0, 1)
    assert disagreements(simulator, "night-1") == ()
    factories = Counter(
        each["device"]
        for each in simulator.ledger()["operations"]
        if each["operation"] == "factory"
    )
    assert set(factories.values()) == {1}


def test_a_disk_that_is_full_stops_the_run_with_exit_code_4_and_it_can_be_resumed(simulator, cli):
    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))

    process = started(
        simulator,
        *("run", "reboot.yaml", "--id", "night-1", "--log-file", "-", "--log-level", "error"),
        preexec_fn=small_disk,
    )
    out, err = process.communicate(timeout=30)

    assert process.returncode == 4
    assert "error: " in err
    assert "journal.jsonl" in err
    assert "orchestrator resume night-1" in err
    assert "Traceback" not in out + err
    assert cli("resume", "night-1", **simulator.environment).code in (0, 1)
    assert disagreements(simulator, "night-1") == ()


def test_a_reader_that_goes_away_does_not_end_the_run(simulator, workplace):
    process = started(simulator, "run", "reboot.yaml", "--id", "night-1", "--json")
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()

    assert process.wait(timeout=30) in (0, 1)
    assert "Traceback" not in err
    assert '"event":"RunFinished"' in JOURNAL.read_text()


def test_the_demo_holds_itself_against_the_ledger_whatever_a_real_controller_needs(cli):
    Path(".env").write_text(
        "ORCHESTRATOR_TOKEN=two words\nORCHESTRATOR_SPEED=60\nORCHESTRATOR_CA_BUNDLE=nowhere.pem\n"
    )

    ended = cli(
        *("demo", "--devices", "8", "--speed", "1000", "--seed", "3"),
        ORCHESTRATOR_BASE_URL="http://control.example.com/api/v1",
        ORCHESTRATOR_TOKEN_FILE="nowhere",
        http_proxy="http://127.0.0.1:9",
    )

    assert ended.code == 0, ended.out
    assert "The run and the ledger agree" in ended.out
    assert "report.html" in ended.out
