"""What was cut off is found again by whoever starts the same playbook by the clock."""

from pathlib import Path

import pytest
from msgspec import structs

from orchestrator.adapters.runs.run_folder import RunFolder
from orchestrator.cli.options import configure_log
from orchestrator.cli.unfinished import finish, unfinished
from orchestrator.model.events import RunFinished
from orchestrator.settings import load
from tests.support.histories import T0, accepted, intended, run_started
from tests.support.recorded_runs import plan_of, record

BASE = "https://control.example.com/api/v1"


@pytest.fixture
def settings(cli, tmp_path):
    settings = load({"base_url": BASE, "token": "abc", "runs_dir": tmp_path / "runs"})
    configure_log(settings)
    return settings


def cut_off(settings, run_id, *, at=T0, **changes):
    story = [structs.replace(run_started(at, devices=1), **changes), intended(1001), accepted(1001)]
    return record(settings.runs_dir, story, run_id=run_id, plan=plan_of(1001))


def found(settings):
    return [folder.run_id for folder in unfinished(settings, "redeploy")]


def test_runs_that_are_not_over_are_found_the_oldest_first(settings):
    cut_off(settings, "b")
    cut_off(settings, "a", at=T0 + 60)

    assert found(settings) == ["b", "a"]


def test_other_playbooks_other_controllers_and_runs_that_are_over_are_let_be(settings):
    cut_off(settings, "other-playbook", playbook="reboot")
    cut_off(settings, "other-controller", controller="https://elsewhere.test")
    over = [run_started(devices=0), RunFinished(T0 + 9, {})]
    record(settings.runs_dir, over, run_id="over", plan=plan_of())

    assert found(settings) == []


def test_a_run_that_a_process_drives_is_let_be(settings):
    with cut_off(settings, "driven").locked(now=T0):
        assert found(settings) == []


def test_of_a_run_that_cannot_be_believed_the_log_is_told(settings):
    folder = cut_off(settings, "odd")
    lines = folder.journal_path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"1001", b"1002")
    folder.journal_path.write_bytes(b"".join(lines))

    assert found(settings) == []
    (line,) = settings.log_file.read_text().splitlines()
    assert "cron.run_cannot_be_read" in line
    assert "run=odd" in line


def test_without_any_a_new_run_may_begin(settings):
    assert finish(settings, "redeploy", yes=False) == (True, 0)


def test_one_that_cannot_be_resumed_is_told_in_one_line_and_no_new_one_begins(settings, capsys):
    folder: RunFolder = cut_off(settings, "night-1")
    folder.plan_path.unlink()

    may_begin, code = finish(settings, "redeploy", yes=True)

    told = capsys.readouterr()
    assert (may_begin, code, told.out) == (False, 2, "")
    assert told.err.count("\n") == 1
    assert "run night-1 is not over and cannot be resumed: " in told.err
    assert Path(folder.path).exists()


def test_one_that_wipes_needs_yes_beside_cron(settings, capsys):
    cut_off(settings, "night-1")

    assert finish(settings, "redeploy", yes=False) == (False, 2)
    assert "--yes" in capsys.readouterr().err
