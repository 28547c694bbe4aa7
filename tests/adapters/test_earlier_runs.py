"""What runs left behind teaches the next one, within bounds, and never hinders it."""

import os
import shutil
from dataclasses import replace

import msgspec
import pytest
from msgspec import structs

from orchestrator.adapters.runs import earlier_runs
from orchestrator.adapters.runs.earlier_runs import PLENTY, experience
from orchestrator.model.events import OperationIntended, RunFinished, RunResumed, StepSucceeded
from orchestrator.model.forecasts import Forecast, Spread
from orchestrator.model.operations import Operation
from tests.support import histories
from tests.support.recorded_runs import REDEPLOY, plan_of, record

T0 = histories.T0
BASE = "https://control.example.com/api/v1"
FACTORY, RECONF, SYNC = Operation.FACTORY, Operation.RECONF, Operation.SYNC

SYNC_ALL = REDEPLOY.replace("- operation: factory", "- operation: sync").replace(
    "- operation: reconf", "- check: {status: up}"
)


def story(*seconds, playbook="redeploy", operation="factory", controller=BASE):
    """A run in which one device after the other is wiped, each in so many seconds."""
    started = histories.run_started(devices=len(seconds))
    events = [structs.replace(started, playbook=playbook, controller=controller)]
    for device, took in enumerate(seconds, start=1001):
        events += [
            OperationIntended(T0, device, 0, 1, operation, T0, histories.baseline()),
            StepSucceeded(T0 + took, device, 0, "back"),
        ]
    return events


def left_behind(runs, number, *seconds, key=None, plan=None, **given):
    """Leave the run of that night behind; the higher the number, the newer."""
    plan = plan or plan_of(1001, 1002, 1003)
    folder = record(runs, story(*seconds, **given), run_id=f"night-{number}", key=key, plan=plan)
    os.utime(folder.journal_path, (number, number))
    return folder


def sync_left_behind(runs, number, *seconds, playbook="sync-all"):
    plan = plan_of(1001, text=SYNC_ALL)
    return left_behind(runs, number, *seconds, plan=plan, playbook=playbook, operation="sync")


def learnt(runs, name="redeploy", *, key=None, controller=BASE, operations=()):
    return experience(runs, name, key, controller=controller, operations=operations)


def factories(runs, name="redeploy", **given):
    return list(learnt(runs, name, **given).measured().get(FACTORY, ()))


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def test_device_runs_of_several_runs_are_put_together(runs):
    left_behind(runs, 1, 10.0, 20.0)
    left_behind(runs, 2, 30.0)

    known = learnt(runs)

    assert known.runs == ("night-2", "night-1")
    assert known.measured() == {FACTORY: (10.0, 20.0, 30.0)}
    assert known.by_kind[FACTORY, None].runs == 2


def test_types_of_devices_are_told_apart_as_the_plan_knows_them(runs):
    plan = plan_of(1001, 1002)
    kinds = tuple(
        msgspec.structs.replace(d, kind=k)
        for d, k in zip(plan.devices, ("nr-200", "ap-7"), strict=True)
    )
    left_behind(runs, 1, 10.0, 20.0, plan=replace(plan, devices=kinds))

    by_kind = learnt(runs).by_kind

    assert by_kind[FACTORY, "nr-200"].seconds == (10.0,)
    assert by_kind[FACTORY, "ap-7"].seconds == (20.0,)


def test_the_error_of_the_forecast_is_learnt_in_the_same_pass(runs):
    end = T0 + 100.0
    spread = Spread(end, end + 10, end + 20)
    forecast = Forecast(5, T0, 1, spread, ("reboot: 40 device runs",), is_measured=True)
    plan = plan_of(1001, forecast=forecast)
    record(runs, [*story(90.0), RunFinished(T0 + 150.0, {"succeeded": 1})], plan=plan)

    known = learnt(runs)

    assert known.errors == (1.5,)
    assert known.measured() == {FACTORY: (90.0,)}


def test_only_the_newest_runs_count(runs, monkeypatch):
    monkeypatch.setattr(earlier_runs, "MOST_TAUGHT", 5)
    for number in range(1, 9):
        left_behind(runs, number, float(number))

    assert factories(runs) == [4.0, 5.0, 6.0, 7.0, 8.0]


def test_runs_that_taught_nothing_do_not_hide_those_that_do(runs, monkeypatch):
    monkeypatch.setattr(earlier_runs, "MOST_TAUGHT", 1)
    left_behind(runs, 1, 10.0)
    left_behind(runs, 2)

    known = learnt(runs)

    assert (known.runs, known.measured()) == (("night-1",), {FACTORY: (10.0,)})


def test_runs_of_another_playbook_or_controller_tell_nothing(runs):
    left_behind(runs, 1, 10.0)

    assert factories(runs, "reboot") == []
    assert factories(runs, controller="http://127.0.0.1:8080/api/v1") == []
    assert factories(runs, controller=None) == [10.0]


def test_without_a_folder_for_runs_nothing_is_known(runs):
    assert learnt(runs, operations=tuple(Operation)) == earlier_runs.Experience()


# --- other playbooks ----------------------------------------------------------------------------


def test_an_operation_that_was_hardly_measured_is_learnt_from_other_playbooks(runs):
    left_behind(runs, 1, 10.0)
    sync_left_behind(runs, 2, 5.0, 6.0)
    left_behind(runs, 3, 20.0, playbook="wipe")

    known = learnt(runs, operations=(FACTORY, SYNC))

    assert known.measured() == {FACTORY: (10.0, 20.0), SYNC: (5.0, 6.0)}
    assert known.runs == ("night-3", "night-2", "night-1")


def test_an_operation_that_was_measured_often_enough_is_not(runs):
    left_behind(runs, 1, *[10.0] * 20)
    left_behind(runs, 2, 99.0, playbook="wipe")
    sync_left_behind(runs, 3, 5.0)

    known = learnt(runs, operations=(FACTORY, SYNC))

    assert known.measured() == {FACTORY: (10.0,) * 20, SYNC: (5.0,)}


def test_other_playbooks_are_asked_only_until_there_is_plenty_and_only_of_what_is_wanted(runs):
    left_behind(runs, 1, *[1.0] * 15, playbook="wipe")
    left_behind(runs, 2, *[2.0] * PLENTY, playbook="wipe")
    left_behind(runs, 3, *[3.0] * 25, playbook="wipe")  # a small odd run does not stand for all
    sync_left_behind(runs, 4, 5.0)

    known = learnt(runs, operations=(FACTORY,))

    assert known.measured() == {FACTORY: (2.0,) * PLENTY + (3.0,) * 25}
    assert known.runs == ("night-3", "night-2")


def test_other_playbooks_on_another_controller_tell_nothing(runs):
    left_behind(runs, 1, 10.0, playbook="wipe", controller="http://127.0.0.1:8080/api/v1")

    assert factories(runs, operations=(FACTORY,)) == []


def test_the_forecasts_of_other_playbooks_say_nothing_of_this_one(runs):
    end = T0 + 100.0
    plan = plan_of(1001, forecast=Forecast(5, T0, 1, Spread(end, end, end), (), is_measured=True))
    events = [*story(90.0, playbook="wipe"), RunFinished(T0 + 150.0, {"succeeded": 1})]
    record(runs, events, plan=plan)

    assert learnt(runs, operations=(FACTORY,)).errors == ()
    assert learnt(runs, "wipe").errors == (1.5,)


def test_a_playbook_without_any_of_the_operations_is_not_looked_into_again(runs, monkeypatch):
    for number in range(2, 9):
        sync_left_behind(runs, number, 5.0)
    left_behind(runs, 1, 10.0, playbook="wipe")
    read, read_plan = [], earlier_runs.plan_file.read_plan
    monkeypatch.setattr(
        earlier_runs.plan_file, "read_plan", lambda path: read.append(path) or read_plan(path)
    )

    assert factories(runs, operations=(FACTORY,)) == [10.0]
    assert [path.parent.name for path in read] == ["night-8", "night-1"]


def test_a_rescue_counts_as_a_place_where_an_operation_is_found(runs):
    text = f"{SYNC_ALL}\n    rescue:\n      - operation: reboot\n"
    events = story(5.0, playbook="sync-all", operation="sync")
    events += [
        OperationIntended(T0 + 9, 1001, 2, 1, "reboot", T0, histories.baseline()),
        StepSucceeded(T0 + 99, 1001, 2, "back"),
    ]
    record(runs, events, plan=plan_of(1001, text=text))

    known = learnt(runs, operations=(Operation.REBOOT,))

    assert known.measured() == {Operation.REBOOT: (90.0,)}


# --- damaged runs -------------------------------------------------------------------------------


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


def empty(folder):
    folder.journal_path.write_bytes(b"")


def a_folder_instead(folder):
    folder.journal_path.unlink()
    folder.journal_path.mkdir()


def that_of_another_run(folder):
    other = folder.journal_path.parent.parent / "night-1" / folder.journal_path.name
    shutil.copyfile(other, folder.journal_path)


@pytest.mark.parametrize("operations", [(), tuple(Operation)], ids=["same", "any"])
@pytest.mark.parametrize(
    "spoil",
    [
        damaged_plan,
        no_plan,
        no_journal,
        cut_in_the_middle,
        edited,
        not_a_journal,
        empty,
        a_folder_instead,
        that_of_another_run,
    ],
)
def test_a_damaged_run_is_passed_over_and_the_others_count(runs, spoil, operations):
    left_behind(runs, 1, 10.0)
    folder = left_behind(runs, 2, 20.0, 21.0, playbook="wipe" if operations else "redeploy")
    spoil(folder)
    (runs / "a-file").write_text("hello")

    known = learnt(runs, operations=operations)

    assert known.measured() == {FACTORY: (10.0,)}
    assert known.runs == ("night-1",)


def test_a_journal_that_nobody_can_check_and_that_makes_no_sense_is_passed_over(runs):
    left_behind(runs, 1, 10.0)
    folder = left_behind(runs, 2, 20.0, key=b"k" * 32)
    text = folder.journal_path.read_text()
    folder.journal_path.write_text(text.replace('"step":0', '"step":"first"'))

    assert factories(runs) == [10.0]


def test_a_journal_with_a_key_is_checked_with_it_and_read_without_it(runs):
    left_behind(runs, 1, 10.0, key=b"k" * 32)

    assert factories(runs, key=b"k" * 32) == [10.0]
    assert factories(runs, key=None) == [10.0]
    assert factories(runs, key=b"x" * 32) == []


def test_a_journal_without_a_key_still_counts_where_there_is_one_now(runs):
    left_behind(runs, 1, 10.0)

    assert factories(runs, key=b"k" * 32) == [10.0]


def test_a_step_over_which_the_process_changed_is_no_measure(runs):
    events = story(10.0, 20.0)
    events.insert(2, RunResumed(T0 + 5, 2, "ana", "noc-1"))
    record(runs, events)

    assert factories(runs) == [20.0]


# --- bounds -------------------------------------------------------------------------------------


def test_no_more_events_are_read_than_are_worth_the_wait(runs, monkeypatch):
    monkeypatch.setattr(earlier_runs, "MOST_EVENTS", 8)
    left_behind(runs, 1, 1.0, 2.0, 3.0)
    left_behind(runs, 2, 4.0, 5.0)

    # five events of the newer run, and of the older one its first three
    assert factories(runs) == [1.0, 4.0, 5.0]


def test_events_of_the_same_playbook_leave_so_much_less_for_the_others(runs, monkeypatch):
    monkeypatch.setattr(earlier_runs, "MOST_EVENTS", 5)
    left_behind(runs, 1, 1.0, 2.0, 3.0)
    sync_left_behind(runs, 2, 4.0, 5.0)

    assert learnt(runs, operations=(SYNC,)).measured() == {FACTORY: (1.0, 2.0)}


def test_no_more_runs_are_looked_at_than_are_worth_the_wait(runs, monkeypatch):
    monkeypatch.setattr(earlier_runs, "MOST_RUNS", 2)
    for number in range(1, 5):
        left_behind(runs, number, float(number))

    assert factories(runs) == [3.0, 4.0]


def test_no_more_runs_of_other_playbooks_are_learnt_from_than_are_worth_the_wait(runs, monkeypatch):
    monkeypatch.setattr(earlier_runs, "MOST_TAUGHT", 2)
    for number in range(1, 5):
        left_behind(runs, number, float(number), playbook="wipe")

    assert factories(runs, operations=(FACTORY,)) == [3.0, 4.0]


def test_a_plan_too_large_to_be_read_in_passing_is_passed_over(runs, monkeypatch):
    large = plan_of(1001, warnings=("x" * 20_000,))
    left_behind(runs, 1, 10.0)
    left_behind(runs, 2, 20.0, plan=large)
    monkeypatch.setattr(earlier_runs, "MOST_PLAN_BYTES", 20_000)

    assert factories(runs) == [10.0]


def test_the_plans_of_all_runs_share_one_bound(runs, monkeypatch):
    folders = [left_behind(runs, number, float(number)) for number in range(1, 5)]
    size = folders[0].plan_path.stat().st_size
    monkeypatch.setattr(earlier_runs, "MOST_PLAN_BYTES", 2 * size + 10)

    assert factories(runs) == [3.0, 4.0]
