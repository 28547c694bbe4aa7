"""Devices are found by id, serial number and what the list filters on."""

from orchestrator.simulator.fleet import make_fleet
from orchestrator.simulator.ledger import Ledger
from orchestrator.simulator.population import Population
from tests.support.worlds import START


def population(count: int = 40) -> Population:
    return Population(make_fleet(count, 7), Ledger(), seed=7, started_at=START)


def test_a_group_holds_exactly_the_devices_of_organization_and_type_in_order_of_id() -> None:
    people = population()
    wanted = list(people.group(None, None, None))
    group = people.group(None, 123, 15)

    assert len(wanted) == len(people) == 40
    assert list(group) == [
        each
        for each in wanted
        if each.fields["organization_id"] == 123 and each.fields["type"] == 15
    ]
    assert group


def test_a_token_that_may_see_one_organization_sees_no_other() -> None:
    group = population().group(frozenset({123}), None, None)

    assert {each.fields["organization_id"] for each in group} == {123}


def test_a_serial_number_is_taken_until_its_record_is_removed() -> None:
    people = population(2)
    owner = people.group(None, None, None)[0]
    serial = owner.fields["serial_number"]

    assert people.has_serial(serial)
    people.remove(owner)
    assert not people.has_serial(serial)
    assert not people.has_serial("ZN-nobody")


def test_a_removed_device_is_found_no_more() -> None:
    people = population(2)
    device = people.device(1001, START)
    people.remove(device)

    assert 1001 not in people
    assert people.device(1001, START) is None
    assert [each.id for each in people.group(None, None, None)] == [1002]
    assert not people.has_serial(device.fields["serial_number"])


def test_an_empty_world_gives_its_first_record_the_first_id() -> None:
    assert population(0).next_id() == 1001


def test_a_device_is_found_by_its_name_also_after_renaming_adding_and_removing() -> None:
    people = population(3)
    first, _, third = people.group(None, None, None)
    old = str(first.fields["name"])
    assert people.with_name(old) == first.id

    people.edit(first, {**first.fields, "name": "shared"}, START)
    people.edit(third, {**third.fields, "name": "shared"}, START)
    assert (people.with_name(old), people.with_name("shared")) == (None, first.id)
    people.remove(first)
    assert people.with_name("shared") == third.id


def test_a_group_follows_a_change_of_type() -> None:
    people = population()
    moved = people.group(None, None, 15)[0]
    people.edit(moved, {**moved.fields, "type": 16}, START)

    assert moved not in people.group(None, None, 15)
    assert moved in people.group(None, None, 16)
