"""What operations took is read from the newest runs of the same playbook, and never hinders."""

import os

import pytest

from orchestrator.adapters import earlier_runs
from orchestrator.adapters.earlier_runs import measured_durations
from orchestrator.model.events import OperationIntended, RunResumed, StepSucceeded
from orchestrator.model.operations import Operation
from tests.support import histories
from tests.support.recorded_runs import plan_of, record

T0 = histories.T0
BASE = "https://control.example.com/api/v1"


def story(*seconds):
    """A run in which one device after the other is wiped, each in so many seconds."""
    events = [histories.run_started(devices=len(seconds))]
    for device, took in enumerate(seconds, start=1001):
        events += [
            OperationIntended(T0, device, 0, 1, "factory", T0, histories.baseline()),
            StepSucceeded(T0 + took, device, 0, "back"),
        ]
    return events


def left_behind(runs, number, *seconds, **given):
    folder = record(runs, story(*seconds), run_id=f"night-{number}", **given)
    os.utime(folder.journal_path, (number, number))
    return folder


def factories(runs, name="redeploy", key=None, **given):
    return sorted(measured_durations(runs, name, key, **given).get(Operation.FACTORY, []))


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def test_device_runs_of_several_runs_are_put_together(runs):
    left_behind(runs, 1, 10.0, 20.0)
    left_behind(runs, 2, 30.0)

    assert measured_durations(runs, "redeploy", None) == {Operation.FACTORY: [30.0, 10.0, 20.0]}


def test_only_the_newest_runs_count(runs):
    for number in range(1, 9):
        left_behind(runs, number, float(number))

    assert factories(runs) == [4.0, 5.0, 6.0, 7.0, 8.0]
    assert factories(runs, newest=2) == [7.0, 8.0]


def test_runs_of_another_playbook_or_controller_tell_nothing(runs):
    left_behind(runs, 1, 10.0)

    assert factories(runs, "reboot") == []
    assert factories(runs, controller="http://127.0.0.1:8080/api/v1") == []
    assert factories(runs, controller=BASE) == [10.0]


def test_without_a_folder_for_runs_nothing_is_known(runs):
    assert measured_durations(runs, "redeploy", None) == {}


def damaged_plan(folder):
    folder.plan_path.write_text("{}")


def no_plan(folder):
    folder.plan_path.unlink()


def no_journal(folder):
    folder.journal_path.unlink()


def cut_in_the_middle(folder):
    lines = folder.journal_path.read_bytes().splitlines(keepends=True)
    folder.journal_path.write_bytes(b"".join(lines[:1] + lines[2:]))


def edited(folder):
    text = folder.journal_path.read_text()
    folder.journal_path.write_text(text.replace("back", "fine"))


def not_a_journal(folder):
    folder.journal_path.write_bytes(b"\xff\n[]\n")


def a_folder_instead(folder):
    folder.journal_path.unlink()
    folder.journal_path.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        damaged_plan,
        no_plan,
        no_journal,
        cut_in_the_middle,
        edited,
        not_a_journal,
        a_folder_instead,
    ],
)
def test_a_damaged_run_is_passed_over_and_the_others_count(runs, spoil):
    left_behind(runs, 1, 10.0)
    spoil(left_behind(runs, 2, 20.0, 21.0))
    (runs / "a-file").write_text("hello")

    assert factories(runs) == [10.0]


def test_a_journal_with_a_key_is_checked_with_it_and_read_without_it(runs):
    left_behind(runs, 1, 10.0, key=b"k" * 32)

    assert factories(runs, key=b"k" * 32) == [10.0]
    assert factories(runs, key=None) == [10.0]
    assert factories(runs, key=b"x" * 32) == []


def test_a_journal_without_a_key_still_counts_where_there_is_one_now(runs):
    left_behind(runs, 1, 10.0)

    assert factories(runs, key=b"k" * 32) == [10.0]


def test_no_more_events_are_read_than_are_worth_the_wait(runs, monkeypatch):
    monkeypatch.setattr(earlier_runs, "MOST_EVENTS", 8)
    left_behind(runs, 1, 1.0, 2.0, 3.0)
    left_behind(runs, 2, 4.0, 5.0)

    # five events of the newer run, and of the older one its first three
    assert factories(runs) == [1.0, 4.0, 5.0]


def test_no_more_runs_are_looked_at_than_are_worth_the_wait(runs, monkeypatch):
    monkeypatch.setattr(earlier_runs, "MOST_RUNS", 2)
    for number in range(1, 5):
        left_behind(runs, number, float(number))

    assert factories(runs) == [3.0, 4.0]


def test_a_plan_too_large_to_be_read_in_passing_is_passed_over(runs, monkeypatch):
    monkeypatch.setattr(earlier_runs, "LARGEST_PLAN", 2_000)
    left_behind(runs, 1, 10.0, plan=plan_of(1001, warnings=("x" * 2_000,)))

    assert factories(runs) == []


def test_a_step_over_which_the_process_changed_is_no_measure(runs):
    events = story(10.0, 20.0)
    events.insert(2, RunResumed(T0 + 5, 2, "ana", "noc-1"))
    record(runs, events)

    assert factories(runs) == [20.0]
