"""`rollback` shows what it would put back, keeps it as a plan, and says what cannot be put back."""

import json
from functools import partial
from pathlib import Path

import pytest

from orchestrator.adapters.plans import plan_file
from tests.support.changed import done, snapshot
from tests.support.changed_runs import leave_run
from tests.support.histories import T0
from tests.support.served import served


@pytest.fixture(scope="module")
def world():
    with served() as found:
        yield found


@pytest.fixture
def leave(monkeypatch, cli, world):
    """Leave a run behind, with these events, against the world that is served."""
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)

    return partial(leave_run, world)


@pytest.fixture
def changed(leave, world):
    """Two devices that a run gave another description, the second one later."""
    for device in (1001, 1002):
        world.change(device, description="by the run")
    return leave(
        *done(1001, at=T0, description=("first", "by the run")),
        *done(1002, at=T0 + 60, description=("second", "by the run")),
    )


def test_it_shows_what_is_put_back_and_changes_nothing(cli, changed, world):
    before = world.changes
    ended = cli("rollback", "night-1")

    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith("rollback-of-night-1 on http://127.0.0.1")
    [begin] = [place for place, line in enumerate(lines) if line.startswith("What would change")]
    assert [line.split() for line in lines[begin + 2 : begin + 4]] == [
        ["1002", "description", "'by", "the", "run'", "'second'"],
        ["1001", "description", "'by", "the", "run'", "'first'"],
    ]
    assert "orchestrator rollback night-1 -o rollback-night-1.json" in ended.out
    assert world.changes == before


def test_with_o_the_plan_is_kept_whole(cli, changed):
    ended = cli("rollback", "night-1", "-o", "back.json")

    assert ended.code == 0
    assert "orchestrator run back.json" in ended.out
    kept = plan_file.read_plan(Path("back.json"))
    assert [device.id for device in kept.devices] == [1002, 1001]
    assert kept.playbook.table.rows["1001"]["description"] == "first"


def test_programs_get_the_plan_and_its_values(cli, changed):
    told = json.loads(cli("rollback", "night-1", "--json", "-o", "back.json").out)

    assert told["playbook"] == "rollback-of-night-1"
    assert told["values"]["1002"]["description"] == "second"
    assert told["not_put_back"] == []
    assert told["file"] == "back.json"


def test_only_the_named_devices_are_put_back(cli, changed, world):
    serial = world.record(1001)["serial_number"]
    told = json.loads(cli("rollback", "night-1", "--device", serial, "--json").out)

    assert [each["device"] for each in told["devices"]] == [1001]


def test_a_device_that_nobody_knows_is_answered_with_the_nearest(cli, changed):
    ended = cli("rollback", "night-1", "--device", "branch 10011")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error: no device of the plan is called 'branch 10011'; did you mean 'branch 1001'?\n"
    )


@pytest.fixture
def changed_since(changed, world):
    for device in (1001, 1002):
        world.change(device, description="by somebody")


def test_what_somebody_changed_since_is_left_alone(cli, changed_since):
    ended = cli("rollback", "night-1")

    assert (ended.code, ended.out) == (0, "")
    assert "There is nothing to put back in run night-1." in ended.err
    assert "2 devices left alone: somebody changed it since the run" in ended.err


def test_by_force_it_is_put_back_all_the_same(cli, changed_since):
    ended = cli("rollback", "night-1", "--force")

    assert "2 of 2 listed devices" in ended.out
    assert "orchestrator rollback night-1 --force -o" in ended.out


def test_what_cannot_be_put_back_is_said_and_nothing_asked(cli, leave, world):
    leave(*done(1001, action="update", operation="reboot", password=(None, "fp:012345")))
    ended = cli("rollback", "night-1", "--json")

    assert ended.code == 0
    told = json.loads(ended.out)
    assert told["plan"] is None
    assert [each.partition(":")[0] for each in told["not_put_back"]] == [
        "1 device rebooted",
        "1 device with a new password",
    ]
    assert "Not put back: 1 device rebooted: a reboot cannot be undone: 1001" in ended.err


def test_what_the_journal_does_not_know_comes_from_the_snapshots(cli, leave, world):
    world.change(1003, customer_id="C-new")
    shot = snapshot(1003, customer_id="C-old")
    leave(*done(1003, customer_id=(None, "C-new")), snapshots=[shot])
    told = json.loads(cli("rollback", "night-1", "--json").out)

    assert told["values"] == {"1003": {"id": "1003", "customer_id": "C-old"}}


def test_a_run_that_is_not_over_is_refused(cli, leave):
    leave(over=False)
    ended = cli("rollback", "night-1")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: run night-1 is not over: take it up with `resume`")


def test_a_run_of_another_controller_is_refused(cli, changed, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_BASE_URL", "https://other.example.com/api/v1")
    ended = cli("rollback", "night-1")

    assert ended.code == 2
    assert "the settings say https://other.example.com" in ended.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("-o plan.yaml", "a plan is kept in a file named *.json"),
        ("--devices 1001", "there is no option --devices; did you mean --device"),
    ],
)
def test_what_cannot_be_asked_is_answered_in_one_sentence(cli, changed, options, sentence):
    ended = cli("rollback", "night-1", *options.split())

    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err.splitlines()[0]


def test_damaged_snapshots_are_named_with_file_and_line(cli, changed):
    (changed.path / "snapshots.jsonl").write_text("{}\n")
    ended = cli("rollback", "night-1")

    assert ended.code == 2
    assert "snapshots.jsonl:1: this line is damaged" in ended.err
