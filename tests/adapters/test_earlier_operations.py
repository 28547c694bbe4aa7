"""Runs of one folder remember for each other what they asked of devices."""

import os
from dataclasses import replace

import msgspec
import pytest
from msgspec import structs

from orchestrator.adapters.runs.earlier_operations import earlier_operations
from orchestrator.model.events import DeliverySeen, NotificationSent, StepSucceeded
from tests.planning.drafting.test_allowing import REMEDIATE
from tests.support import histories
from tests.support.recorded_runs import plan_of, record

BASE = "https://control.example.com/api/v1"
T0 = histories.T0


def story(*devices, controller=BASE, operation="reboot"):
    events = [structs.replace(histories.run_started(devices=len(devices)), controller=controller)]
    for device in devices:
        events += [structs.replace(histories.intended(device), operation=operation)]
        events += [histories.accepted(device)]
    return events


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def told(runs, *, written_since=None, key=None):
    return earlier_operations(
        runs, key, controller=BASE, operations={"reboot"}, written_since=written_since
    )


def test_requests_of_all_runs_are_given_with_the_serial_numbers_of_their_plans(runs):
    record(runs, story(1001), run_id="one")
    record(runs, story(1001, 1002), run_id="two")

    found = told(runs)

    assert [(use.device, use.serial_number) for use in found.uses] == [
        (1001, "ZN1001"),
        (1001, "ZN1001"),
        (1002, "ZN1002"),
    ]
    assert found.warnings == ()


def test_each_request_is_given_with_its_run_and_whether_it_reached_the_device(runs):
    record(runs, [*story(1001), DeliverySeen(T0 + 9, 1001, 0, T0 + 8)], run_id="one")
    record(runs, story(1001), run_id="two")

    assert [(use.run, use.is_delivered) for use in told(runs).uses] == [
        ("one", True),
        ("two", False),
    ]


def test_runs_against_other_controllers_and_other_operations_do_not_count(runs):
    record(runs, story(1001, controller="https://elsewhere.test"), run_id="one")
    record(runs, story(1001, operation="sync"), run_id="two")

    assert told(runs).uses == ()


def test_a_journal_that_was_last_written_too_long_ago_is_not_read(runs):
    folder = record(runs, story(1001), run_id="one")
    os.utime(folder.journal_path, (5_000, 5_000))

    assert told(runs, written_since=6_000.0).uses == ()
    assert len(told(runs, written_since=4_000.0).uses) == 1
    assert len(told(runs).uses) == 1


def test_a_damaged_journal_counts_as_far_as_it_can_be_believed_and_is_named(runs):
    folder = record(runs, story(1001, 1002), run_id="one")
    lines = folder.journal_path.read_bytes().splitlines(keepends=True)
    lines[-1] = lines[-1].replace(b"1002", b"1003")
    folder.journal_path.write_bytes(b"".join(lines))

    found = told(runs)

    assert 1001 in [use.device for use in found.uses]
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("run one cannot be counted in full for `per_device`: ")


def test_without_a_readable_plan_the_ids_decide_alone(runs):
    record(runs, story(1001), run_id="one").plan_path.write_text("{")

    assert [use.serial_number for use in told(runs).uses] == [None]


def test_no_folder_and_no_journals_tell_nothing(runs):
    assert told(runs).uses == ()
    (runs / "odd").mkdir(parents=True)

    assert told(runs) == earlier_operations(
        runs / "nowhere", None, controller=BASE, operations=(), written_since=None
    )


def test_who_was_handed_to_a_person_at_once_is_told(runs):
    plan = plan_of(1001, text=REMEDIATE)
    plan = replace(
        plan, devices=(msgspec.structs.replace(plan.devices[0], exhausted="rebooted 2 times"),)
    )
    events = [
        *story(),
        StepSucceeded(T0 + 1, 1001, 1, "handed to a person"),
        NotificationSent(T0 + 5, "step 2: device 1001", "noc"),
    ]
    folder = record(runs, events, run_id="one", plan=plan)

    handed = told(runs).handed

    assert folder.run_id == "one"
    assert [(each.device, each.at, each.serial_number) for each in handed] == [
        (1001, T0 + 5, "ZN1001")
    ]
