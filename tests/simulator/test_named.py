"""Devices are addressed by serial number and name as by id, where the controller offers it."""

from urllib.parse import quote

import pytest

from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.rules import OFFERS
from orchestrator.simulator.world import World, route
from tests.support.worlds import FIRST, START, ask, record, world

NEW = {
    "name": "new-1",
    "customer_id": "CUST-9",
    "type": 15,
    "serial_number": "ZN-NEW-1",
    "organization_id": 123,
}


def address(asked: World, key: str, device: int = FIRST) -> str:
    field = "serial_number" if key == "serial" else "name"
    return quote(str(record(asked, 0, device)[field]), safe="")


@pytest.fixture(params=["serial", "name"])
def key(request) -> str:
    return request.param


def test_a_collection_lists_and_filters_as_the_one_by_id(key) -> None:
    asked = world(60)
    query = {"limit": "7", "type": "15", "pending": "true"}
    by_id = ask(asked, "GET", "inventory_device/", query=query).content
    by_key = ask(asked, "GET", f"inventory_device_{key}/", query=query).content

    assert by_key["results"] == by_id["results"]
    assert by_key["next"] == by_id["next"].replace("_device/", f"_device_{key}/")


def test_a_collection_makes_records(key) -> None:
    asked = world()

    assert ask(asked, "POST", f"inventory_device_{key}/", body=NEW).content["id"] == 1002
    assert ask(asked, "POST", f"inventory_device_{key}/", body=NEW).status == 409


def test_a_record_is_read_updated_replaced_and_deleted(key) -> None:
    asked = world(2)
    path = f"inventory_device_{key}/{address(asked, key)}/"
    row = record(asked, 0)

    assert ask(asked, "GET", path, query={"pending": "true"}).content == row
    assert ask(asked, "PATCH", path, body={"debug": True}).content["debug"] is True
    assert ask(asked, "PUT", path, body=row).content["id"] == FIRST
    assert ask(asked, "DELETE", path).status == 204
    assert ask(asked, "GET", path).status == 404
    assert len(asked.population) == 1


def test_an_operation_is_started_and_counts_for_the_device(key) -> None:
    asked = world()
    path = f"inventory_device_{key}_operation/{address(asked, key)}/"
    answer = ask(asked, "PUT", path, body={"operation": "reboot"})

    assert answer.content == {"id": FIRST, "operation": "reboot"}
    assert asked.ledger.applied(FIRST, "reboot") == (START,)
    assert asked.ledger.arrived(FIRST, "reboot") == (START,)


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_nobody_of_that_name_is_404_in_json(key, method) -> None:
    asked = world()
    answer = ask(asked, method, f"inventory_device_{key}/nobody/", body={})

    assert (answer.status, answer.content) == (404, {"detail": "Not found."})
    assert asked.ledger.arrivals[0].device is None


def test_an_operation_for_nobody_is_404(key) -> None:
    path = f"inventory_device_{key}_operation/nobody/"

    assert ask(world(), "PUT", path, body={"operation": "sync"}).status == 404


def test_names_are_case_sensitive_and_percent_encoded() -> None:
    asked = world()
    name = "Straße 7/9 ü%"
    ask(asked, "PATCH", f"inventory_device/{FIRST}/", body={"name": name})

    assert ask(asked, "GET", f"inventory_device_name/{quote(name, safe='')}/").status == 200
    assert ask(asked, "GET", f"inventory_device_name/{quote(name.upper(), safe='')}/").status == 404
    assert route(f"/api/v1/inventory_device_name/{quote(name, safe='')}/").optional.text == name


def test_a_renamed_device_is_found_by_its_new_name_only() -> None:
    asked = world()
    old = address(asked, "name")
    ask(asked, "GET", f"inventory_device_name/{old}/")
    ask(asked, "PATCH", f"inventory_device/{FIRST}/", body={"name": "new"})

    assert ask(asked, "GET", f"inventory_device_name/{old}/").status == 404
    assert ask(asked, "GET", "inventory_device_name/new/").content["id"] == FIRST


@pytest.mark.parametrize("missing", sorted(OFFERS))
def test_what_is_not_offered_is_404_as_any_unknown_address(missing) -> None:
    asked = world(rules=Rules(offers=OFFERS - {missing}))
    text = address(asked, "name" if "name" in missing else "serial")
    for path in (f"{missing}/", f"{missing}/{text}/"):
        answer = ask(asked, "GET", path, query={"parent_id": str(FIRST)})
        assert answer.status == 404
        assert b"<html>" in answer.body
    for other in OFFERS - {missing}:
        if not other.endswith("operation"):
            query = {"parent_id": str(FIRST)}
            assert ask(asked, "GET", f"{other}/", query=query).status == 200


def test_an_unknown_offer_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such optional endpoint: inventory_whip"):
        Rules(offers=frozenset({"inventory_whip"}))


def test_the_token_is_wanted_here_too(key) -> None:
    assert ask(world(), "GET", f"inventory_device_{key}/x/", token="wrong").status == 401


def test_a_device_that_is_not_ours_is_forbidden(key) -> None:
    asked = world()
    path = f"inventory_device_{key}/{address(asked, key)}/"
    foreign = world(rules=Rules(organizations=frozenset()))

    assert ask(foreign, "GET", path).status == 403


def test_faults_meet_these_requests_too(key) -> None:
    asked = world()
    path = f"inventory_device_{key}/{address(asked, key)}/"
    asked.faults = Faults(operations=Rates(rate_429=1.0))

    assert ask(asked, "PATCH", path, body={"debug": True}).status == 429
