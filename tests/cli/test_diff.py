"""`diff` shows what a run changed, and with --now what of it still is so."""

import json
from functools import partial

import pytest

from orchestrator.model.snapshots import Extras, Snapshot
from tests.support.changed import accepted, done, lost, wrote
from tests.support.changed_runs import leave_run
from tests.support.histories import T0, intended, succeeded
from tests.support.recorded_runs import REDEPLOY
from tests.support.served import served

UPDATE = REDEPLOY.replace("- operation: factory", '- update: {description: "new", debug: false}')


@pytest.fixture(scope="module")
def world():
    with served() as found:
        yield found


@pytest.fixture
def leave(monkeypatch, cli, world):
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    return partial(leave_run, world)


def kept(world, device, extras=None, **changes):
    return Snapshot(device, 0, T0, {**world.record(device), **changes}, extras)


def operation(word, step, at, device=1002):
    return [
        intended(device, at=at, step=step, operation=word),
        accepted(device, at=at + 1, step=step),
        succeeded(device, at=at + 2, step=step),
    ]


def test_fields_and_operations_are_told_device_by_device(cli, leave):
    leave(
        *done(1001, description=("old", "new"), debug=(True, False), password=(None, "fp:0123")),
        *operation("factory", 0, T0),
        *operation("reconf", 1, T0 + 60),
        text=UPDATE,
    )
    ended = cli("diff", "night-1")

    assert (ended.code, ended.err) == (0, "")
    lines = [line.split() for line in ended.out.splitlines()]
    assert lines[0] == ["Run", "night-1", "(redeploy)", "changed", "2", "devices."]
    assert lines[2][0] == "1001"
    assert lines[3:7] == [
        ["FIELD", "BEFORE", "AFTER", "STEP"],
        ["description", "old", "new", "1,", "update", "description,", "debug"],
        ["debug", "true", "false", "1,", "update", "description,", "debug"],
        ["password", "never", "shown", "fp:0123", "1,", "update", "description,", "debug"],
    ]
    assert ended.out.splitlines()[-1] == (
        "  reset at 2026-11-22 04:15:00Z and configured at 2026-11-22 04:16:00Z"
    )


def test_a_run_that_goes_on_is_told_so_far_with_what_is_in_doubt(cli, leave):
    leave(wrote(debug=(True, False)), lost(), over=False)
    ended = cli("diff", "last")

    assert ended.out.startswith("Run night-1 (redeploy) changed 1 device so far.\n")
    assert "(in doubt)" in ended.out


def test_a_run_that_changed_nothing_says_so(cli, leave):
    leave()

    assert cli("diff", "night-1").out == "Run night-1 (redeploy) changed nothing.\n"


def test_one_device_can_be_asked_for_by_name(cli, leave):
    leave(*done(1001, debug=(True, False)), *done(1002, debug=(True, False)))
    told = json.loads(cli("diff", "night-1", "--device", "branch 1002", "--json").out)

    assert [each["device"] for each in told["devices"]] == [1002]
    assert (told["over"], told["changed"]) == (True, 2)
    assert told["devices"][0]["fields"] == [
        {
            "field": "debug",
            "before": True,
            "after": False,
            "step": 0,
            "at": "2026-11-22T04:15:00.250000Z",
            "certainty": "proven",
        }
    ]


def test_that_others_were_changed_too_is_said(cli, leave):
    leave(*done(1001, debug=(True, False)), *done(1002, debug=(True, False)))

    assert cli("diff", "night-1", "--device", "1001").out.startswith(
        "Run night-1 (redeploy) changed 2 devices; 1 of them asked for.\n"
    )


def test_programs_get_operations_and_where_a_record_is_now(cli, leave):
    leave(*done(1001, action="create", record=5012, name=(None, "x")))
    [told] = json.loads(cli("diff", "night-1", "--json").out)["devices"]

    assert (told["record"], told["operations"][0]["operation"]) == (5012, "create")


def test_with_now_the_fleet_says_what_still_differs_and_whose_it_is(cli, leave, world):
    world.change(1001, description="new", customer_id="by-somebody")
    shots = [kept(world, 1001, description="old", customer_id="C1")]
    leave(*done(1001, description=("old", "new")), snapshots=shots)
    before = world.changes
    ended = cli("diff", "night-1", "--now")

    assert ended.code == 0
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["description", "old", "new", "the", "run"] in lines
    assert ["customer_id", "C1", "by-somebody", "not", "the", "run"] in lines
    assert world.changes == before


def test_settings_are_compared_too_where_they_were_kept(cli, leave, world):
    shots = [kept(world, 1001, Extras({"no_such_setting": "1"}, None))]
    leave(*done(1001, debug=(True, False)), snapshots=shots)
    [told] = json.loads(cli("diff", "night-1", "--now", "--json").out)["devices"]

    assert {"setting"} == {each["part"] for each in told["now"]["differs"]}


def test_what_is_as_before_or_gone_or_was_not_kept_is_said(cli, leave, world):
    gone = Snapshot(9, 0, T0, {"id": 9}, None)
    leave(
        *done(1001, debug=(True, False)),
        *done(1002, debug=(True, False)),
        *done(9, debug=(True, False)),
        snapshots=[kept(world, 1001), gone],
    )
    ended = cli("diff", "night-1", "--now")

    assert "now: as it was before the run" in ended.out
    assert "now: no snapshot was kept to compare with" in ended.out
    assert "now: the controller no longer has this device" in ended.out


def test_the_same_is_told_to_programs(cli, leave, world):
    gone = Snapshot(9, 0, T0, {"id": 9}, None)
    leave(*done(1002, debug=(1, 0)), *done(9, debug=(1, 0)), snapshots=[gone])
    told = json.loads(cli("diff", "night-1", "--now", "--json").out)["devices"]

    assert [each["now"] for each in told] == [
        {"snapshot": False},
        {"snapshot": True, "gone": True},
    ]


def test_without_any_snapshot_nothing_is_asked(cli, leave, monkeypatch):
    leave(*done(1001, debug=(True, False)))
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", "wrong")

    assert "no snapshot was kept" in cli("diff", "night-1", "--now").out


def test_an_edited_journal_is_refused(cli, leave):
    folder = leave(*done(1001, debug=(True, False)))
    text = folder.journal_path.read_text()
    folder.journal_path.write_text(text.replace("debug", "debuh"))
    ended = cli("diff", "night-1")

    assert (ended.code, ended.out) == (2, "")
    assert "does not match the hash chain" in ended.err
