"""`run --cron`: asked for by the clock, silent when there is nothing to tell."""

from pathlib import Path

import pytest

from orchestrator.adapters.machine.playbook_lock import alone
from orchestrator.cli.cron import TroubleLines, check_permitted, is_trouble, note_outages
from orchestrator.cli.exit_codes import NeedsYesError
from orchestrator.cli.options import configure_log
from orchestrator.model.events import NotificationFailed, RunContinued, RunPaused
from orchestrator.planning.drafting.freezing import Freezer
from orchestrator.playbook.reading import read_playbook
from orchestrator.settings import load
from tests.support.histories import T0, careful_story, finished, run_started
from tests.support.playbooks import NOW, minimal, playbook, record, source
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


def test_that_nobody_could_be_told_is_said_each_time_and_before_anything_is_read(at_work):
    Path("branch.yaml").write_text(f"{REBOOT}notify: {{to: noc}}\n")

    ended = at_work("run", "branch.yaml", "--cron")

    assert ended.code == 2
    assert "the playbook notifies 'noc'" in " ".join(ended.err.split())
    assert not Path("logs/runs").exists()


@pytest.mark.parametrize(("options", "is_on_screen"), [(["--cron"], False), ([], True)])
def test_a_doubtful_setting_is_told_to_a_person_or_to_the_log(
    at_work, tmp_path, monkeypatch, options, is_on_screen
):
    Path("targets").write_text("noc = json://127.0.0.1:9\n")
    Path("targets").chmod(0o644)
    monkeypatch.setenv("ORCHESTRATOR_NOTIFY_FILE", "targets")
    Path("branch.yaml").write_text("stepz: 1\n")

    ended = at_work("run", "branch.yaml", *options)

    assert ("others can read" in ended.err) is is_on_screen
    assert ("others can read" in Path("logs/orchestrator.log").read_text()) is not is_on_screen


def test_a_place_that_is_down_as_a_whole_has_a_line_in_the_log_each_time(at_work):
    devices = "{organization: 123, status: down, except_outages_of: location_name}"
    text = source(minimal(devices, more="guard: {status: any}\n"))
    freezer = Freezer(read_playbook(text), text, now=NOW)
    for number in (1, 2):
        freezer.add(record(id=number, serial_number=f"SN{number}", status="Down"))
    freezer.add(record(id=3, serial_number="SN3", location_name="elsewhere"))
    freezer.add(record(id=4, serial_number="SN4", location_name="there", status="Down"))
    settings = load()
    configure_log(settings)

    note_outages(freezer.plan(controller=BASE))
    note_outages(plan_of(1001))

    (line,) = settings.log_file.read_text().splitlines()
    assert "cron.outage" in line
    assert "devices=2" in line
    assert "its whole location" in line


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


def test_what_another_process_told_of_is_not_told_again():
    lines = []
    listener = TroubleLines(plan_of(1001, 1002, 1003), lines.append, silent_history=True)

    listener.hear(STORY)
    listener.hear([RunPaused(T0, "token", "no")])

    assert len(lines) == 1
    assert "token" in lines[0]


def test_a_reader_that_goes_away_ends_no_run():
    def broken(_):
        raise BrokenPipeError

    TroubleLines(plan_of(1001), broken).hear([run_started(), *careful_story()])
