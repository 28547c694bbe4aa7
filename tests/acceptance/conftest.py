"""A simulated controller in a process of its own, and a command line that is pointed at it."""

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import structlog

from orchestrator.adapters.plans.plan_file import read_plan
from orchestrator.adapters.runs.journal_reading import read_records
from orchestrator.adapters.runs.run_folder import RunFolder
from orchestrator.cli import comparing, main
from orchestrator.report.summary import Summary

SPEED = 800
TOKEN = "simulator-token"

REBOOT = """\
playbook: reboot
devices:
  organization: 123
  status: up
  where: {is_active: true, pending_settings: none}
  limit: 8
steps:
  - operation: reboot
    proof: {within: 20m}
rollout: {max_down: 4}
requests: {delay: 200ms, in_flight: 10}
"""
REDEPLOY = REBOOT.replace("playbook: reboot", "playbook: redeploy").replace(
    "- operation: reboot\n    proof: {within: 20m}",
    "- operation: factory\n    proof: {within: 40m}\n    attempts: 2\n  - operation: reconf",
)


@dataclass(frozen=True)
class Simulator:
    """A running simulator, as a test talks to it beside its API."""

    address: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ORCHESTRATOR_BASE_URL": f"{self.address}/api/v1",
            "ORCHESTRATOR_TOKEN": TOKEN,
            "ORCHESTRATOR_SPEED": str(SPEED),
        }

    def ledger(self) -> dict:
        with urllib.request.urlopen(f"{self.address}/_simulator/ledger", timeout=10) as answer:
            return json.load(answer)


@contextmanager
def simulating(*options: str) -> Iterator[Simulator]:
    command = [sys.executable, "-m", "orchestrator", "simulator", "--until-stdin-closes"]
    command += ["--port", "0", "--speed", str(SPEED), "--devices", "60", *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        line = next(line for line in process.stdout if "ORCHESTRATOR_BASE_URL=" in line)
        yield Simulator(line.split("=")[1].strip().removesuffix("/api/v1"))
        process.stdin.close()
        assert process.wait(timeout=10) == 0


@pytest.fixture(scope="session")
def shared_simulator() -> Iterator[Simulator]:
    """For tests that send nothing; they check it at their end."""
    with simulating() as simulator:
        yield simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with simulating() as simulator:
        yield simulator


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder with two playbooks, and no settings but what a test sets."""
    for name in list(os.environ):
        if name.startswith("ORCHESTRATOR_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ORCHESTRATOR_LOCKS_DIR", str(tmp_path / "locks"))
    monkeypatch.chdir(tmp_path)
    Path("reboot.yaml").write_text(REBOOT)
    Path("redeploy.yaml").write_text(REDEPLOY)
    yield tmp_path
    if structlog.is_configured():
        structlog.get_config()["logger_factory"]._file._stream.close()
        structlog.reset_defaults()


@pytest.fixture
def cli(workplace, monkeypatch, capsys):
    def call(*arguments: str, **environment: str) -> Ended:
        if structlog.is_configured():
            structlog.get_config()["logger_factory"]._file._stream.close()
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = main(list(arguments))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Ended(code, captured.out, captured.err)

    return call


@pytest.fixture
def webhook():
    """A place that takes messages, and what it was told."""
    told = []

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Takes) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"json://user:s3cret-word@127.0.0.1:{server.server_port}", told
        server.shutdown()
        thread.join()


def disagreements(simulator: Simulator, run_id: str) -> tuple[str, ...]:
    """Hold a run against what the simulator knows to have happened."""
    folder = RunFolder(Path("logs/runs") / run_id)
    plan = read_plan(folder.plan_path)
    events = [record.event for record in read_records(folder.journal_path)]
    summary = Summary.of(plan, events)
    return comparing.compare(
        summary, events, simulator.ledger(), plan.limits.max_down
    ).disagreements
