"""A command line in an empty folder, without the settings of whoever runs the tests."""

import os
import re
from dataclasses import dataclass

import pytest
import structlog

from orchestrator.cli import main


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    for name in list(os.environ):
        if name.startswith("ORCHESTRATOR_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Ended:
        code = main([str(each) for each in arguments])
        captured = capsys.readouterr()
        assert not re.search(r"Traceback|\x1b", captured.out + captured.err)
        return Ended(code, captured.out, captured.err)

    return call


@pytest.fixture(autouse=True)
def _close_log():
    yield
    if structlog.is_configured():
        file = structlog.get_config()["logger_factory"]._file  # None where a test only listened in
        if file is not None:
            file._stream.close()
        structlog.reset_defaults()
