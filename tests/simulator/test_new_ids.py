"""Some devices are onboarded anew after a factory reset: another id, the same serial number."""

from collections.abc import Iterable

from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START, ask, record, start, world


def by_serial(asked: World, serial: object, after: float):
    return ask(asked, "GET", f"inventory_device_serial/{serial}/", after=after)


def reset(temperament: str, count: int = 1, devices: Iterable[int] = (FIRST,)) -> World:
    asked = world(count, temperament)
    for each in devices:
        start(asked, "factory", after=100, device=each)
    return asked


def test_the_old_id_stays_silent_and_the_serial_number_leads_to_the_new_one() -> None:
    asked = reset("new_id")
    serial = record(asked, 100)["serial_number"]
    found = by_serial(asked, serial, 900).content

    assert record(asked, 900)["status"] == "Down"
    assert (found["id"], found["serial_number"], found["status"]) == (1002, serial, "Up")
    assert record(asked, 900, 1002)["pending_settings"] == "initial"
    assert asked.population.present_id(FIRST) == 1002


def test_a_listing_shows_the_new_record_whoever_is_looked_at() -> None:
    asked = reset("new_id")
    rows = ask(asked, "GET", "inventory_device/", after=900).content["results"]

    assert [row["id"] for row in rows] == [1001, 1002]
    assert rows[0]["serial_number"] == rows[1]["serial_number"]


def test_where_the_record_does_not_stay_the_old_id_is_gone() -> None:
    asked = reset("new_id_only")
    serial = record(asked, 100)["serial_number"]

    assert by_serial(asked, serial, 100).content["id"] == FIRST
    assert by_serial(asked, serial, 900).content["id"] == 1002
    assert ask(asked, "GET", f"inventory_device/{FIRST}/", after=900).status == 404


def test_the_truth_follows_the_device_to_its_new_id() -> None:
    for temperament in ("new_id", "new_id_only"):
        asked = reset(temperament)
        assert asked.truth(FIRST, START + 900) == "in_service_unconfigured"
        start(asked, "reconf", after=900, device=1002)

        assert asked.truth(FIRST, START + 1500) == "in_service_configured"
        assert asked.biography(FIRST, START + 1500)["present_id"] == 1002
        (done,) = asked.ledger.of_device(FIRST)
        assert done.returned_at is not None


def test_a_reboot_leaves_the_id_alone() -> None:
    asked = world(temperament="new_id")
    start(asked, "reboot", after=100)

    assert record(asked, 900)["status"] == "Up"
    assert len(asked.population) == 1


def test_the_new_ids_do_not_depend_on_who_is_looked_at_and_when() -> None:
    watched = reset("new_id", 6, range(FIRST, FIRST + 6))
    for second in range(100, 900):
        record(watched, second, FIRST + second % 6)
    unwatched = reset("new_id", 6, range(FIRST, FIRST + 6))
    query = {"limit": "100"}
    lists = [
        ask(each, "GET", "inventory_device/", after=900, query=query).content["results"]
        for each in (watched, unwatched)
    ]

    assert lists[0] == lists[1]
    assert len(lists[0]) == 12


def test_a_record_made_before_its_first_contact_under_a_new_id_comes_first() -> None:
    asked = reset("new_id")
    body = {
        "name": "n",
        "customer_id": "c",
        "type": 15,
        "serial_number": "ZN-1",
        "organization_id": 123,
    }
    created = ask(asked, "POST", "inventory_device/", after=101, body=body).content

    assert created["id"] == 1002
    assert by_serial(asked, record(asked, 101)["serial_number"], 900).content["id"] == 1003


def test_both_records_can_still_be_edited_and_the_old_one_is_found_when_the_new_one_is_deleted() -> (
    None
):
    asked = reset("new_id")
    serial = record(asked, 900)["serial_number"]
    for device in (FIRST, 1002):
        path = f"inventory_device/{device}/"
        assert ask(asked, "PATCH", path, after=900, body={"debug": True}).status == 200
    assert by_serial(asked, serial, 900).content["id"] == 1002
    assert ask(asked, "DELETE", "inventory_device/1002/", after=900).status == 204

    assert by_serial(asked, serial, 900).content["id"] == FIRST


def test_the_new_record_has_credentials_of_its_own() -> None:
    asked = reset("new_id")
    told = asked.biography(1002, START + 900)["credentials"]

    assert told["username"] == "cpe-1002"
    assert told["is_locked_out"] is False
