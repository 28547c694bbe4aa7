"""The records of a set say what to fear, each device once."""

import pytest

from orchestrator.model import moments
from orchestrator.model.plans import Limits, PlannedDevice
from orchestrator.planning.drafting.freezing import Freezer, freeze
from orchestrator.planning.drafting.risking import location_risks
from orchestrator.planning.drafting.warning import playbook_warnings
from orchestrator.playbook.reading import read_playbook
from tests.support.playbooks import DAY, NOW, minimal, record, source

FEW = "rollout: {stop_when: {failed: 0}}\n"


def risks(records, devices="organization: 123", steps="- operation: reboot", more=FEW):
    text = source(minimal(devices, steps, more))
    return list(freeze(read_playbook(text), text, records, controller="c", now=NOW).warnings)


def fleet(count, begin=1, **fields):
    return [
        record(
            **{"id": i, "serial_number": f"SN{i}", "location_name": f"site {i}", "rack": "A"}
            | fields
        )
        for i in range(begin, begin + count)
    ]


def ago(seconds):
    return moments.as_text(NOW - seconds)


def test_whom_the_guard_would_skip_is_told_by_reason_the_most_frequent_first():
    records = [
        *fleet(4),
        *fleet(1, 10, pending_settings="lan"),
        *fleet(7, 20, status="Down", last_connection=ago(9 * DAY)),
        *fleet(1, 30, is_active=False, pending_settings="lan"),
        *fleet(1, 40, status="odd"),
    ]

    (told,) = risks(records)

    assert told == (
        "the guard would skip 10 of 14 devices as they are now: 7 Down (20, 21, 22, 23, 24 and 2"
        " more), 1 with settings pending (10), 1 because is_active is not true (30),"
        " 1 because status is not known (40)"
    )


def test_devices_that_are_down_already_are_told_when_the_guard_lets_them_pass():
    records = [*fleet(2), *fleet(1, 10, status="Down", pending_settings="wan")]

    assert risks(records, more=FEW + "guard: {status: any, pending_settings: any}\n") == [
        "1 device is Down already, which the guard lets pass: 10"
    ]


def test_pending_settings_and_firmware_are_told_when_the_guard_lets_them_pass():
    records = [
        *fleet(2),
        *fleet(2, 10, pending_settings=["wan", "lan\n"]),
        *fleet(1, 20, firmware_image_is_pending=True, pending_settings="firmware"),
    ]

    assert risks(records, more=FEW + "guard: {pending_settings: any}\n") == [
        "2 devices with settings pending, which the guard lets pass: 10: wan, lan?, 11: wan, lan?",
        "1 device with firmware pending, proven back in service only once it is installed: 20",
    ]


def test_what_is_pending_is_no_risk_where_nothing_goes_out_of_service():
    records = fleet(2, pending_settings="wan", firmware_image_is_pending=True)

    assert risks(records, steps="- operation: sync") == []


def test_devices_last_seen_long_ago_are_told_the_longest_first():
    records = [
        *fleet(1, 1, last_connection=ago(DAY)),
        *fleet(1, 2, last_connection=ago(DAY + 1)),
        *fleet(1, 3, last_connection=ago(12 * DAY + 7200)),
        *fleet(1, 4, last_connection=None),
    ]

    assert risks(records) == [
        "2 devices last seen more than a day ago, the longest 12d2h ago: 3 (12d2h), 2 (1d1s)"
    ]


def test_a_device_that_says_how_often_it_calls_is_missed_after_three_times():
    records = [
        *fleet(1, 1, last_connection=ago(901), update_frequency=300),
        *fleet(1, 2, last_connection=ago(900), update_frequency=300),
        *fleet(1, 3, last_connection=ago(2 * DAY), update_frequency=DAY),
    ]

    assert risks(records) == [
        "1 device last seen more than 3 update periods ago, the longest 15m1s ago: 1 (15m1s)"
    ]
    assert risks([*records, *fleet(1, 4, last_connection=ago(2 * DAY))])[0].startswith(
        "2 devices last seen more than a day or 3 update periods ago, the longest 2d ago: 4 (2d),"
    )


def test_nobody_is_missed_by_a_playbook_that_only_looks():
    records = fleet(2, last_connection=ago(9 * DAY), status="Down")

    assert risks(records, steps="- check: {status: up}") == []


def test_a_location_of_whose_devices_more_than_half_is_touched_is_named():
    chosen = fleet(3, location_name="Boise\n")
    others = fleet(2, 50, location_name="Boise\n", rack="B")

    assert risks([*chosen, *others], devices="{organization: 123, where: {rack: A}}") == [
        "more than half of the listed devices of Boise is in the set: 3 of 5"
    ]


@pytest.mark.parametrize(
    ("chosen", "others", "steps"),
    [(3, 3, "- operation: reboot"), (2, 0, "- operation: reboot"), (9, 0, "- operation: sync")],
)
def test_half_of_a_location_a_small_one_or_one_nobody_disturbs_is_none(chosen, others, steps):
    records = [
        *fleet(chosen, location_name="Boise"),
        *fleet(others, 50, location_name="Boise", rack="B"),
    ]

    assert risks(records, "{organization: 123, where: {rack: A}}", steps) == []


def test_of_many_locations_the_five_with_most_devices_are_named():
    records = [
        device
        for place in range(3, 10)
        for device in fleet(place, 100 * place, location_name=f"town {place}")
    ]

    (told,) = risks(records)

    assert told == (
        "more than half of the listed devices of each of 7 locations is in the set: town 9 (9 of 9),"
        " town 8 (8 of 8), town 7 (7 of 7), town 6 (6 of 6), town 5 (5 of 5) and 2 more"
    )


@pytest.mark.parametrize(
    ("rollout", "is_open"),
    [
        ("max_down: 2", True),
        ("max_down: 2, max_down_per: {type: 1}", True),
        ("max_down: 2, max_down_per: {location_name: 1}", False),
        ("max_down: 1", False),
    ],
)
def test_it_says_when_nothing_keeps_a_location_from_being_down_together(rollout, is_open):
    more = f"rollout: {{{rollout}, stop_when: {{failed: 0}}}}\n"

    (told,) = risks(fleet(3, location_name="Boise"), more=more)

    assert told.endswith("; no max_down_per keeps them from being down together") is is_open


def test_a_record_that_comes_again_is_counted_where_it_came_last():
    text = source(minimal("{organization: 123, where: {rack: A}}", more=FEW))
    freezer = Freezer(read_playbook(text), text, now=NOW)
    for device in [
        *fleet(3, location_name="Reno"),
        *fleet(3, location_name="Boise"),
        *fleet(3, location_name="Reno"),
        *fleet(3, 10, location_name="Boise", rack="B"),
    ]:
        freezer.add(device)

    plan = freezer.plan(controller="c")

    assert plan.warnings == ("more than half of the listed devices of Reno is in the set: 3 of 3",)


REDEPLOY = "- operation: factory\n- operation: reconf"


def going_on(*begins, steps=REDEPLOY, more="rollout: {max_down: 4}\n"):
    """Give a playbook with limits and devices that begin at these steps, all of one place."""
    playbook = read_playbook(source(minimal(steps=steps, more=more)))
    limits = Limits(len(begins), 4, 20, 0.2, None, budget=playbook.rollout.stop_when)
    devices = [
        PlannedDevice(number, f"SN{number}", None, location="Boise", begins_at=step)
        for number, step in enumerate(begins, start=1)
    ]
    return playbook, limits, devices


NO_WINDOW = "no window: devices lose their configuration at whatever hour the run is started"


@pytest.mark.parametrize(
    ("begins", "told"),
    [
        ((1, 1), []),
        ((1,) * 11, []),
        ((0, 1), [NO_WINDOW]),
        ((0, 0), [NO_WINDOW, "max_down 4 lets all 2 devices be down at once"]),
        (
            (0, 1, 0),
            [
                NO_WINDOW,
                "max_down 4 lets all 2 devices that are still to be disturbed be down at once",
            ],
        ),
    ],
)
def test_what_devices_have_behind_them_is_no_risk_any_more(begins, told):
    assert playbook_warnings(*going_on(*begins)) == told


def test_what_a_rescue_may_do_is_a_risk_wherever_devices_begin():
    rescued = going_on(1, 1, more="rollout: {max_down: 4}\nrescue:\n  - operation: reboot\n")

    assert playbook_warnings(*rescued) == ["max_down 4 lets all 2 devices be down at once"]


def test_a_place_whose_devices_are_not_disturbed_any_more_is_none_to_name():
    listed = {"Boise": 4}

    assert location_risks(*going_on(1, 1, 1), listed) == []
    assert location_risks(*going_on(0, 0, 1), listed) == []
    assert "of Boise is in the set: 3 of 4" in location_risks(*going_on(0, 0, 0, 1), listed)[0]


def costs(records, steps, more="", **files):
    text = source(
        minimal("{organization: 123, expect: {at_least: 0}}" if not files else TABLED, steps, more),
        files={name.replace("_", "."): each for name, each in files.items()},
    )
    found = freeze(read_playbook(text), text, records, controller="c", now=NOW).warnings
    return [each for each in found if "guard would skip" not in each]


TABLED = '{organization: 123, with: "@rows.csv"}'
ANYONE = "guard: {status: any, is_active: any}\n"


def test_what_is_deleted_for_good_is_told_and_who_of_it_is_up():
    records = [*fleet(2), *fleet(3, 10, status="Down")]

    assert costs(records, "- delete: true", ANYONE) == [
        "5 records are deleted for good, 2 of them Up: 1, 2"
    ]
    assert costs(fleet(1), "- delete: true", ANYONE) == [
        "1 record is deleted for good, which is Up: 1"
    ]
    assert costs(fleet(2), "- delete: true", ANYONE) == [
        "2 records are deleted for good, all of them Up: 1, 2"
    ]


def test_whom_the_guard_keeps_from_deletion_is_not_told_as_deleted():
    records = [*fleet(1, status="Down", is_active=False), *fleet(2, 10, status="Down")]

    assert costs(records, "- delete: true") == ["1 record is deleted for good: 1"]
    assert not costs(fleet(2, status="Down"), "- delete: true")


def test_the_deletion_stands_before_whom_the_guard_would_skip():
    found = risks(
        [*fleet(1, status="Down", is_active=False), *fleet(1, 2, status="Down")],
        steps="- delete: true",
    )

    assert [each.split(":")[0] for each in found] == [
        "1 record is deleted for good",
        "the guard would skip 1 of 2 devices as they are now",
    ]


def test_what_a_replacement_leaves_out_is_told_for_it_may_be_blanked():
    assert costs(fleet(3), "- replace: {description: x}") == [
        "3 replacements may blank what is not written: password, username (of 1, 2, 3)"
    ]
    assert costs(fleet(1), "- replace: {description: x, password: {generate: 24}}") == [
        "1 replacement may blank what is not written: username (of 1)"
    ]
    assert not costs(fleet(1), "- replace: {username: {env: WHO}, password: {generate: 24}}")


@pytest.mark.parametrize("step", ["- deactivate: true", "- update: {is_active: false}"])
def test_devices_that_are_up_and_deactivated_are_told(step):
    records = [*fleet(2), *fleet(1, 10, status="Down"), *fleet(1, 20, is_active=False)]

    assert costs(records, step) == ["3 devices are deactivated, 2 of them Up: 1, 2"]


def test_a_row_can_deactivate_too():
    rows = "serial_number,is_active\nSN1,false\nSN2,true\n"

    assert costs(fleet(2), "- update: row", rows_csv=rows) == [
        "1 device is deactivated, which is Up: 1"
    ]


@pytest.mark.parametrize("step", ["- update: {is_active: true}", "- update: {description: x}"])
def test_other_changes_of_records_cost_nothing(step):
    assert not costs(fleet(2), step)


def test_who_is_deleted_in_the_end_is_not_told_as_deactivated_too():
    found = costs(fleet(2, status="Down"), "- deactivate: true\n- delete: true")

    assert found == ["2 records are deleted for good: 1, 2"]
