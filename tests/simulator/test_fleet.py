"""A fleet is made from a seed, with every field of the detail record."""

from collections import Counter

import pytest

from orchestrator.model.versions import version_key
from orchestrator.simulator.fleet import FleetPlan, make_fleet
from orchestrator.simulator.temperaments import NAT, SLOW


def test_the_same_seed_gives_the_same_fleet_and_another_seed_another() -> None:
    assert make_fleet(50, 7) == make_fleet(50, 7)
    assert make_fleet(50, 7) != make_fleet(50, 8)


def test_a_device_does_not_depend_on_how_many_others_there_are_except_for_its_location() -> None:
    few, many = make_fleet(40, 7)[3], make_fleet(41, 7)[3]

    assert few == many


def test_ids_count_from_1001_and_serial_numbers_are_unique() -> None:
    fleet = make_fleet(300, 7)

    assert [each.id for each in fleet] == list(range(1001, 1301))
    assert len({each.fields["serial_number"] for each in fleet}) == 300


def test_a_fleet_has_types_organizations_and_locations_to_select_by() -> None:
    fleet = make_fleet(400, 7)
    locations = {each.fields["location_name"] for each in fleet}

    assert {each.fields["type"] for each in fleet} == {15, 16, 21, 34}
    assert {each.fields["organization_id"] for each in fleet} == {123, 456}
    assert len(locations) == 20
    assert any(str(each).startswith("Seattle") for each in locations)


def test_some_devices_run_firmware_below_2_5_and_some_do_not() -> None:
    versions = {str(each.fields["software_version"]) for each in make_fleet(200, 7)}
    old = {each for each in versions if version_key(each) < version_key("2.5")}

    assert old
    assert versions - old


def test_shares_are_kept_within_chance() -> None:
    fleet = make_fleet(2000, 7, FleetPlan(down=0.1, inactive=0.1, initial=0.1, pending=0.2))
    counts = Counter(
        down=sum(each.is_down for each in fleet),
        inactive=sum(each.fields["is_active"] is False for each in fleet),
        initial=sum(each.contact_age is None for each in fleet),
        pending=sum(bool(each.pending) for each in fleet),
    )

    assert 140 < counts["down"] < 230
    assert 150 < counts["inactive"] < 260
    assert 150 < counts["initial"] < 260
    assert 300 < counts["pending"] < 430


def test_a_plain_fleet_is_healthy_and_of_one_temperament() -> None:
    fleet = make_fleet(50, 7, FleetPlan.plain("nat"))

    assert {each.temperament for each in fleet} == {NAT}
    assert not any(each.is_down or each.pending or each.contact_age is None for each in fleet)
    assert all(each.fields["is_active"] for each in fleet)


def test_single_devices_can_be_told_how_to_behave() -> None:
    plan = FleetPlan.plain().with_temperaments({1002: "slow", 1003: NAT})
    fleet = make_fleet(3, 7, plan)

    assert [each.temperament.name for each in fleet] == ["fast", "slow", "nat"]
    assert fleet[1].temperament is SLOW


def test_an_unknown_temperament_for_a_device_is_an_error() -> None:
    with pytest.raises(KeyError):
        make_fleet(1, 7, FleetPlan(temperaments={1001: "angry"}))
