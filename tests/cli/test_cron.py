"""`run --cron`: asked for by the clock, silent when there is nothing to tell."""

from pathlib import Path

import pytest

from orchestrator.adapters.playbook_lock import alone
from orchestrator.cli.cron import TroubleLines, check_permitted, is_trouble
from orchestrator.cli.exit_codes import NeedsYesError
from orchestrator.model.events import NotificationFailed, RunContinued, RunPaused
from tests.support.histories import T0, careful_story, finished, run_started
from tests.support.playbooks import minimal, playbook
from tests.support.recorded_runs import STORY, plan_of

BASE = "https://control.test/api/v1"
REBOOT = minimal()


@pytest.fixture
def at_work(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_BASE_URL", BASE)
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "abc")
    monkeypatch.setenv("ORCHESTRATOR_LOCKS_DIR", str(tmp_path / "locks"))
    Path("branch.yaml").write_text(REBOOT)
    Path("wiping.yaml").write_text(REBOOT.replace("reboot", "factory"))
    return cli


def test_while_it_runs_already_a_second_one_ends_in_silence_with_a_line_in_the_log(
    at_work, tmp_path
):
    with alone(tmp_path / "locks", "branch", BASE):
        ended = at_work("run", "branch.yaml", "--cron")

    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert "cron.running_already" in Path("logs/orchestrator.log").read_text()
    assert not Path("logs/runs").exists()


def test_what_wipes_needs_yes_beside_it(at_work):
    ended = at_work("run", "wiping.yaml", "--cron")

    assert ended.code == 2
    assert "--cron asks nobody; write --yes beside it" in " ".join(ended.err.split())


@pytest.mark.parametrize(
    ("steps", "yes", "is_permitted"),
    [
        ("- operation: reboot", False, True),
        ("- operation: factory", False, False),
        ("- operation: factory", True, True),
        ("- delete: true", False, False),
        ("- delete: true", True, True),
    ],
)
def test_only_what_brings_itself_back_goes_without_permission(steps, yes, is_permitted):
    read = playbook(minimal(steps=steps))
    try:
        check_permitted(read, yes=yes)
    except NeedsYesError:
        assert not is_permitted
    else:
        assert is_permitted


def test_json_tells_of_everything_and_cron_of_trouble_only(at_work):
    ended = at_work("run", "branch.yaml", "--cron", "--json")

    assert ended.code == 2
    assert "leave one out" in ended.err


def test_a_faulty_playbook_is_told_as_ever(at_work):
    Path("branch.yaml").write_text("stepz: 1\n")

    ended = at_work("run", "branch.yaml", "--cron")

    assert ended.code == 2
    assert "stepz" in ended.err


def test_trouble_is_what_somebody_has_to_look_at():
    assert is_trouble(finished(1, verdict="unconfirmed"))
    assert not is_trouble(finished(1, verdict="skipped"))
    assert not is_trouble(finished(1))
    assert is_trouble(RunPaused(T0, "token", "no"))
    assert is_trouble(NotificationFailed(T0, "step 2", "noc", "gone"))
    assert not is_trouble(RunContinued(T0))


def test_only_trouble_has_a_line():
    lines = []
    listener = TroubleLines(plan_of(1001, 1002, 1003), lines.append)

    listener.hear(STORY)

    assert len(lines) == 1
    assert "1002" in lines[0]
    assert "unconfirmed" in lines[0]


def test_a_reader_that_goes_away_ends_no_run():
    def broken(_):
        raise BrokenPipeError

    TroubleLines(plan_of(1001), broken).hear([run_started(), *careful_story()])
