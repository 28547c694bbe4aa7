"""A command line in an empty folder, and a controller that it may be pointed at."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from orchestrator.cli import main
from tests.acceptance.conftest import simulating
from tests.support.served import served


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.startswith("ORCHESTRATOR_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ORCHESTRATOR_LOCKS_DIR", str(tmp_path / "locks"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cli(workplace, capsys):
    def call(*arguments: object) -> Ended:
        close_log()
        code = main([str(each) for each in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Ended(code, captured.out, captured.err)

    yield call
    close_log()
    structlog.reset_defaults()


def close_log() -> None:
    """Let go of the log of the command before, as its process would by ending."""
    if structlog.is_configured():
        structlog.get_config()["logger_factory"]._file._stream.close()


@pytest.fixture
def controller(workplace, monkeypatch):
    """Three healthy devices behind a socket; nothing has reached them yet."""
    with served(3) as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


REDEPLOY = """\
playbook: redeploy
devices:
  organization: 123
  status: up
  where: {is_active: true, pending_settings: none}
  include: "@alarms.csv"
steps:
  - operation: factory
    proof: {within: 60m}
  - operation: reconf
rollout: {max_down: 4}
requests: {delay: 200ms}
"""
SECRET = "tok-51e0c6b9"


@dataclass(frozen=True)
class Night:
    """A run that a monitoring system started, with nobody at a terminal, and what it left behind."""

    ended: Ended
    folder: Path
    run_id: str = "night-1"

    @property
    def journal(self) -> list[dict]:
        text = (self.runs / self.run_id / "journal.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    @property
    def runs(self) -> Path:
        return self.folder / "logs/runs"


@pytest.fixture(scope="session")
def night(tmp_path_factory) -> Night:
    folder = tmp_path_factory.mktemp("night")
    with simulating("--token", SECRET) as simulator:
        (folder / "alarms.csv").write_text("id\n1003\n1006\n1008\n")
        (folder / "redeploy.yaml").write_text(REDEPLOY)
        order = ("run", "redeploy.yaml", "--yes", "--json", "--id", "night-1")
        clean = {name: each for name, each in os.environ.items() if "ORCHESTRATOR_" not in name}
        own = {"ORCHESTRATOR_LOCKS_DIR": str(folder / "locks"), "ORCHESTRATOR_TOKEN": SECRET}
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator", *order],
            cwd=folder,
            env=clean | simulator.environment | own,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
    return Night(Ended(done.returncode, done.stdout, done.stderr), folder)
