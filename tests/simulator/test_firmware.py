"""A firmware image is wanted, taken at the next contact, installed out of service, and shown."""

import pytest

from orchestrator.simulator.fleet import FIRMWARE, TYPES, make_fleet
from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START, ask, history, record, start, world


def image_for(asked: World, device: int = FIRST) -> tuple[int, str]:
    """Give the newest image for a device, which nobody runs in the beginning."""
    image = 140 + int(str(record(asked, 0, device)["type"]))
    return image, FIRMWARE[image][1]


def patch(asked: World, after: float = 100, device: int = FIRST, **fields: object):
    return ask(asked, "PATCH", f"inventory_device/{device}/", after=after, body=fields)


def upgraded(temperament: str = "fast") -> tuple[World, str]:
    asked = world(temperament=temperament)
    image, version = image_for(asked)
    assert patch(asked, firmware_image=image).status == 200
    return asked, version


def shown(asked: World, after: float) -> tuple[object, object]:
    row = record(asked, after)
    return row["software_version"], row["firmware_image_is_pending"]


def test_every_type_has_the_image_of_its_records_a_newer_and_an_older_one() -> None:
    for type_id, _, _, _, versions in TYPES:
        assert {FIRMWARE[base + type_id][0] for base in (40, 140, 240)} == {type_id}
        assert FIRMWARE[140 + type_id][1] not in versions
        assert FIRMWARE[240 + type_id][1] in versions


def test_an_image_is_taken_and_the_device_comes_back_with_its_version() -> None:
    asked, version = upgraded()
    before = record(asked, 0)["software_version"]
    seen = history(asked, 600, "software_version", "firmware_image_is_pending", since=100)
    (applied,) = asked.settled_ledger(START + 600).of_device(FIRST)

    assert seen == [(before, True), (version, False)]
    assert applied.operation == "upgrade"
    assert 101 <= applied.delivered_at - START <= 131
    assert 5 <= applied.down_at - applied.delivered_at <= 20
    assert 45 <= applied.returned_at - applied.down_at <= 150
    assert applied.done_at == applied.returned_at


def test_it_is_out_of_service_meanwhile_and_the_ledger_counts_it() -> None:
    asked, _ = upgraded()
    (applied,) = asked.settled_ledger(START + 600).of_device(FIRST)
    again, _ = upgraded()

    assert again.truth(FIRST, applied.down_at + 1) == "out_of_service"
    assert again.truth(FIRST, applied.returned_at) == "in_service_configured"
    assert asked.ledger.peak_out_of_service() == 1
    assert asked.ledger.arrived(FIRST, "upgrade") == (START + 100,)


def test_a_device_that_runs_the_version_takes_nothing() -> None:
    asked = World(make_fleet(40, 7), seed=7, started_at=START)
    there = next(
        each
        for each in asked.population.group(None, None, None)
        if each.fields["software_version"] == FIRMWARE[40 + each.fields["type"]][1]
    )
    answer = patch(asked, device=there.id, firmware_image=40 + there.fields["type"])

    assert answer.status == 200
    assert record(asked, 100, there.id)["firmware_image_is_pending"] is False
    assert not asked.ledger.operations


def test_an_upgrade_that_fails_returns_with_the_old_version_and_nothing_pending() -> None:
    asked, version = upgraded("upgrade_fails")
    (applied,) = asked.settled_ledger(START + 600).of_device(FIRST)
    old, is_pending = shown(asked, 600)

    assert old != version
    assert is_pending is False
    assert applied.returned_at is not None
    assert applied.done_at is None


def test_a_failed_upgrade_can_be_asked_for_again() -> None:
    asked, version = upgraded("upgrade_fails")
    image = record(asked, 600)["firmware_image"]
    patch(asked, after=600, firmware_image=image)

    assert FIRMWARE[image][1] == version
    assert record(asked, 600)["firmware_image_is_pending"] is True
    assert len(asked.ledger.applied(FIRST, "upgrade")) == 2


def test_a_device_may_be_lost_in_an_upgrade() -> None:
    asked, version = upgraded("lost_in_upgrade")

    assert record(asked, 9000)["status"] == "Down"
    assert shown(asked, 9000)[0] != version
    assert asked.truth(FIRST, START + 9000) == "out_of_service"


def test_a_slow_upgrade_is_shown_down_and_up_again() -> None:
    asked, _ = upgraded("slow")

    assert history(asked, 900, "status", since=100) == [("Up",), ("Down",), ("Up",)]


def test_a_device_behind_nat_takes_it_at_its_next_inform_and_one_that_ignores_never() -> None:
    behind, version = upgraded("nat")
    ignoring, _ = upgraded("ignores")

    assert shown(behind, 600) == (version, False)
    assert shown(ignoring, 9000)[1] is True
    assert ignoring.truth(FIRST, START + 9000) == "in_service_configured"
    assert not ignoring.ledger.out_of_service(START + 9000)


@pytest.mark.parametrize("operation", ["reboot", "factory", "sync", "reconf"])
def test_an_operation_at_the_same_time_comes_first_and_the_image_afterwards(operation) -> None:
    asked = world()
    image, version = image_for(asked)
    start(asked, operation, after=100)
    patch(asked, after=100, firmware_image=image)
    first, second = asked.settled_ledger(START + 1500).of_device(FIRST)

    assert first.done_at < second.down_at
    assert shown(asked, 1500) == (version, False)


@pytest.mark.parametrize("after", [102, 110, 115, 120, 125, 130, 135, 140])
def test_a_reboot_in_the_middle_of_an_upgrade_loses_neither(after) -> None:
    asked, version = upgraded()
    start(asked, "reboot", after=after)
    done = asked.settled_ledger(START + 2000).of_device(FIRST)

    assert [each.done_at is not None for each in done] == [True, True]
    assert shown(asked, 2000) == (version, False)


def test_another_image_takes_the_place_of_the_one_that_waits() -> None:
    asked = world(temperament="nat")
    image, _ = image_for(asked)
    patch(asked, after=100, firmware_image=image)
    patch(asked, after=100, firmware_image=image - 100)
    first, second = asked.settled_ledger(START + 900).of_device(FIRST)

    assert (first.delivered_at, first.returned_at) == (None, START + 100)
    assert second.done_at is not None
    assert shown(asked, 900) == (FIRMWARE[image - 100][1], False)


def test_no_image_any_more_takes_the_waiting_one_back() -> None:
    asked = world(temperament="nat")
    image, version = image_for(asked)
    patch(asked, after=100, firmware_image=image)
    patch(asked, after=100, firmware_image=None)

    assert shown(asked, 900) != (version, False)
    assert record(asked, 900)["firmware_image_is_pending"] is False


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (999, 'Invalid pk "999" - object does not exist.'),
        ("2.7.0", "Incorrect type. Expected pk value."),
        (True, "Incorrect type. Expected pk value."),
        ("other type", "This image is for devices of another type."),
    ],
)
def test_an_image_that_is_not_for_the_device_is_a_field_error(image, complaint) -> None:
    asked = world()
    if image == "other type":
        image = next(each for each in FIRMWARE if FIRMWARE[each][0] != record(asked, 0)["type"])
    answer = patch(asked, firmware_image=image)

    assert answer.status == 400
    assert answer.content == {"firmware_image": [complaint]}
    assert not asked.ledger.operations


def test_a_replacement_that_repeats_the_records_image_asks_for_nothing() -> None:
    asked = world()
    row = record(asked, 0)
    answer = ask(asked, "PUT", f"inventory_device/{FIRST}/", after=100, body=row)

    assert answer.status == 200
    assert record(asked, 100)["firmware_image_is_pending"] is False
    assert not asked.ledger.operations


def test_a_record_with_a_waiting_image_is_not_deleted() -> None:
    asked, _ = upgraded("nat")

    assert ask(asked, "DELETE", f"inventory_device/{FIRST}/", after=100).status == 409


def test_a_new_device_takes_the_image_it_was_created_with() -> None:
    asked = world()
    body = {
        "name": "n",
        "customer_id": "c",
        "type": 15,
        "serial_number": "ZN-1",
        "organization_id": 123,
        "firmware_image": 155,
    }
    assert ask(asked, "POST", "inventory_device/", body=body).status == 201
    assert record(asked, 1, 1002)["firmware_image_is_pending"] is True
    row = record(asked, 2000, 1002)

    assert (row["software_version"], row["firmware_image_is_pending"]) == ("2.7.0", False)
