"""Snapshots against the fleet as it is now: whose work a difference is."""

from orchestrator.model.snapshots import Extras
from orchestrator.planning.restoring.comparing import Divergence, Part, divergences, first_of
from orchestrator.report.differences import Differences
from tests.support.changed import done, snapshot
from tests.support.playbooks import record


def compared(shot, now, extras=None, *events):
    found = Differences.of(events).devices
    return divergences(shot, now, extras or Extras(), found[0] if found else None)


def shot_of(device, **changes):
    return snapshot(**{**device.fields, **changes})


def test_what_the_run_wrote_is_the_runs_and_the_rest_is_not():
    now = record(description="new", name="mine")
    found = compared(
        shot_of(now, description="old", name="branch"), now, None, *done(description=("old", "new"))
    )

    assert found == [
        Divergence(Part.RECORD, "name", "branch", "mine", by_run=False),
        Divergence(Part.RECORD, "description", "old", "new", by_run=True),
    ]


def test_what_somebody_wrote_over_the_runs_value_is_not_the_runs():
    now = record(description="mine")
    [found] = compared(shot_of(now, description="old"), now, None, *done(description=("old", "b")))

    assert not found.by_run


def test_what_changes_by_itself_is_passed_over():
    now = record()

    assert compared(shot_of(now, status="Down", last_connection=None), now) == []


def test_settings_and_variables_are_compared_where_both_sides_know_them():
    now = record()
    kept = Extras(
        {"wifi": "a", "psk": "fp:1", "password": "x"}, {"leases": 1, "Device.DeviceInfo.UpTime": 1}
    )
    shot = snapshot(extras=kept, **now.fields)

    found = compared(shot, now, Extras({"wifi": "b", "psk": "fp:2", "password": "y"}, None))
    assert found == [Divergence(Part.SETTING, "wifi", "a", "b", by_run=False)]
    found = compared(shot, now, Extras(None, {"leases": 2, "Device.DeviceInfo.UpTime": 9}))
    assert found == [Divergence(Part.VARIABLE, "leases", 1, 2, by_run=False)]


def test_the_first_snapshot_of_a_device_is_the_one_before_the_run():
    shots = [snapshot(1), snapshot(2), snapshot(1, step=1)]

    assert first_of(shots) == (shots[0], shots[1])


def test_settings_are_left_aside_where_nobody_asks_for_them():
    assert first_of([snapshot(extras=Extras({"a": 1}))], deep=False) == (snapshot(),)
