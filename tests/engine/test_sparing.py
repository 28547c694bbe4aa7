"""Blast radius: how many devices of one group may be out of service at once, whoever did it."""

import pytest

from orchestrator.engine.rollout.sparing import CENSUS_SECONDS, PATIENCE, SETTLE, Groups
from orchestrator.model import moments
from orchestrator.model.devices import Device, DeviceId, device_from_record
from orchestrator.model.plans import PlannedDevice
from orchestrator.model.policies import GroupLimit

BY_LOCATION = GroupLimit(("location",), 2)
BY_TYPE = GroupLimit(("location", "type"), 1)
NORTH = (0, "north")


def planned(device: int, *groups: str) -> PlannedDevice:
    return PlannedDevice(DeviceId(device), None, None, groups or ("north",))


def record(device: int, **fields: object) -> Device:
    shown = {"id": device, "status": "Down", "is_active": True, "location": "north", **fields}
    found = device_from_record(shown)
    assert isinstance(found, Device)
    return found


def back(device: int, *, at: float, status: str = "Up") -> Device:
    return record(device, status=status, last_connection=moments.as_text(at))


def groups(*limits: GroupLimit) -> Groups:
    return Groups(limits or (BY_LOCATION,))


def taken(*devices: int) -> Groups:
    found = groups()
    for device in devices:
        found.take(planned(device))
    return found


def test_a_group_has_room_up_to_its_limit():
    assert taken(1).full_for(planned(9)) is None
    assert taken(1, 2).full_for(planned(9)) == NORTH
    assert taken(1, 2).full_for(planned(9, "south")) is None


def test_what_is_given_back_makes_room_again_and_says_where():
    full = taken(1, 2)

    assert full.give_back(planned(1)) == (NORTH,)
    assert full.full_for(planned(9)) is None


def test_devices_down_for_any_reason_count():
    found = taken(1)
    found.count([record(77)])

    assert found.full_for(planned(9)) == NORTH


@pytest.mark.parametrize(
    "fields",
    [{"status": "Up"}, {"status": None}, {"is_active": False}, {"location": "south"}],
    ids=["up again", "status unknown", "not active", "elsewhere"],
)
def test_what_is_not_an_active_device_down_there_does_not_count(fields):
    found = taken(1)
    found.count([record(77, **fields)])

    assert found.full_for(planned(9)) is None


def test_a_device_whose_activity_is_not_known_counts():
    found = taken(1)
    found.count([record(77, is_active=None)])

    assert found.full_for(planned(9)) == NORTH


def test_a_device_that_is_down_through_us_and_in_the_census_counts_once():
    found = taken(1)
    found.count([record(1)])
    assert found.full_for(planned(9)) is None

    found.give_back(planned(1))
    found.take(planned(2))

    assert found.full_for(planned(9)) == NORTH


def test_a_device_that_is_down_itself_is_not_kept_waiting_for_itself():
    """Its guard says what is wrong with it."""
    found = groups(GroupLimit(("location",), 1))
    found.count([record(9)])

    assert found.full_for(planned(9)) is None


def test_the_next_census_replaces_the_last_and_says_where_room_may_be():
    found = groups()
    assert found.count([record(77), record(78)]) == ()

    assert set(found.count([record(78)])) == {NORTH}
    assert found.full_for(planned(9)) is None


def test_a_device_that_moved_counts_where_it_is_now():
    found = groups(GroupLimit(("location",), 1))
    found.count([record(77)])

    assert found.count([record(77, location="south")]) == (NORTH,)
    assert found.full_for(planned(9)) is None
    assert found.full_for(planned(9, "south")) == (0, "south")


def test_devices_without_a_value_form_a_group_of_their_own():
    found = groups(GroupLimit(("location",), 1))
    found.count([record(77, location=None)])

    assert found.full_for(planned(9, "unknown")) == (0, "unknown")
    assert found.full_for(planned(9)) is None


def test_of_several_limits_each_has_to_have_room():
    found = groups(BY_LOCATION, BY_TYPE)
    found.take(planned(1, "north", "north, 15"))

    assert found.full_for(planned(2, "north", "north, 15")) == (1, "north, 15")
    assert found.full_for(planned(2, "north", "north, 16")) is None


# --- devices this run lost ------------------------------------------------------------------------


def test_a_lost_device_counts_until_it_is_seen_up_with_a_later_contact():
    found = taken(1)
    found.lose(planned(2), since=1000.0)
    assert found.full_for(planned(9)) == NORTH

    assert found.look_at(back(2, at=2000.0, status="Down")) == ()
    assert found.look_at(back(2, at=1000.0)) == ()
    assert found.look_at(record(2, status="Up")) == ()
    assert found.full_for(planned(9)) == NORTH

    assert found.look_at(back(2, at=1001.0)) == (NORTH,)
    assert found.full_for(planned(9)) is None
    assert found.lost == {}


def test_the_first_contact_of_a_device_that_never_took_its_command_is_no_return():
    """It comes to take the command, and goes out of service with it."""
    found = groups(GroupLimit(("location",), 1))
    found.lose(planned(2), since=1000.0, delivered=False)

    assert found.look_at(back(2, at=2000.0)) == ()
    assert found.look_at(back(2, at=2000.0 + SETTLE)) == ()
    assert found.look_at(back(2, at=2001.0 + SETTLE)) == (NORTH,)


def test_a_lost_device_counts_though_a_census_does_not_name_it():
    found = groups(GroupLimit(("location",), 1))
    found.lose(planned(2), since=1000.0)
    found.count([record(2)])
    found.count([])

    assert found.full_for(planned(9)) == NORTH


def test_the_record_of_a_device_that_was_never_lost_changes_nothing():
    assert taken(1, 2).look_at(back(1, at=2000.0)) == ()


def test_without_limits_nobody_is_remembered():
    found = Groups(())
    found.lose(PlannedDevice(DeviceId(1), None, None), since=1000.0)

    assert found.lost == {}


# --- patience -------------------------------------------------------------------------------------


def waits(found: Groups, since: float, seconds: float) -> list[tuple[int, str]]:
    """Let somebody wait for the north, noted at every census."""
    for late in range(0, int(seconds) + 1, int(CENSUS_SECONDS)):
        found.note_blocked([NORTH], since + late)
    return list(found.hopeless())


def kept_full() -> Groups:
    found = groups()
    found.count([record(77), record(78)])
    return found


def test_a_group_that_others_keep_full_is_hopeless_after_the_patience():
    assert waits(kept_full(), 100.0, PATIENCE - CENSUS_SECONDS) == []
    assert waits(kept_full(), 100.0, PATIENCE) == [NORTH]


def test_a_group_that_we_keep_full_ourselves_is_never_hopeless():
    found = taken(1)
    found.count([record(77)])

    assert waits(found, 100.0, 9 * PATIENCE) == []


def test_waiting_for_others_begins_when_our_own_device_has_left_the_group():
    found = taken(1)
    found.count([record(77), record(78)])
    assert waits(found, 0.0, PATIENCE) == []
    found.give_back(planned(1))

    assert waits(found, PATIENCE + CENSUS_SECONDS, PATIENCE - 2 * CENSUS_SECONDS) == []
    assert waits(found, 2 * PATIENCE, CENSUS_SECONDS) == [NORTH]


def test_a_closed_window_is_no_waiting_and_the_next_opening_goes_on_counting():
    found = kept_full()
    assert waits(found, 0.0, PATIENCE / 2) == []

    assert waits(found, 86_400.0, PATIENCE / 2 - CENSUS_SECONDS) == []
    assert waits(found, 86_400.0 + PATIENCE / 2, 0.0) == [NORTH]


def test_a_group_that_nobody_waits_for_any_more_is_forgotten():
    found = kept_full()
    waits(found, 0.0, PATIENCE / 2)
    found.note_blocked([], PATIENCE / 2 + 60)

    assert waits(found, PATIENCE / 2 + 120, PATIENCE / 2) == []


def test_after_it_was_found_hopeless_the_next_who_wait_have_the_whole_patience():
    found = kept_full()
    assert waits(found, 0.0, PATIENCE) == [NORTH]

    assert waits(found, PATIENCE + 60, PATIENCE - 60) == []
    assert waits(found, 2 * PATIENCE + 60, 60.0) == [NORTH]


# --- what is said ---------------------------------------------------------------------------------


def test_what_is_full_is_told_with_a_few_of_those_who_are_out_of_service():
    found = groups(GroupLimit(("location",), 4))
    found.count([record(device) for device in (78, 77, 80, 79)])

    assert found.describe(NORTH) == (
        "max_down_per location: 4 of north out of service (77, 78, 79 and 1 more), 4 allowed"
    )


def test_lowering_a_limit_counts_at_once():
    found = taken(1)
    found.limits[0] = GroupLimit(("location",), 1)

    assert found.full_for(planned(9)) == NORTH


def test_what_this_run_itself_has_taken_down_is_counted_by_itself():
    one = groups(GroupLimit(("location",), 1))
    one.count([record(77)])
    assert one.full_of_ours_for(planned(2)) is None

    one.take(planned(1))

    assert one.full_of_ours_for(planned(2)) == NORTH
    assert one.full_of_ours_for(planned(1)) is None
