"""Both documents' endpoints answer as Django REST would."""

import pytest

from orchestrator.model.moments import from_text
from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.fleet import FleetPlan, make_fleet
from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START, ask, record, start, world

NEW = {
    "name": "new-1",
    "customer_id": "CUST-9",
    "type": 15,
    "serial_number": "ZN-NEW-1",
    "organization_id": 123,
    "username": "cpe",
    "password": "secret",
}


def mixed(**rules: object) -> World:
    plan = FleetPlan(down=0.3, inactive=0, initial=0)
    return World(make_fleet(60, 7, plan), seed=7, started_at=START, rules=Rules(**rules))


def listed(asked: World, **query: str):
    return ask(asked, "GET", "inventory_device/", after=10, query=query)


def ids(asked: World, **query: str) -> list[int]:
    return [row["id"] for row in listed(asked, limit="500", **query).content["results"]]


# Listing


def test_a_listing_pages_with_count_next_and_previous() -> None:
    asked = mixed()
    first = listed(asked, limit="25").content
    second = listed(asked, limit="25", offset="25").content
    last = listed(asked, limit="25", offset="50").content

    assert [first["count"], len(first["results"]), len(last["results"])] == [60, 25, 10]
    assert first["previous"] is None
    assert first["next"].endswith("/inventory_device/?limit=25&offset=25")
    assert second["previous"].endswith("/inventory_device/?limit=25")
    assert last["next"] is None
    assert [row["id"] for row in second["results"]] == list(range(1026, 1051))


def test_next_keeps_the_filters_in_alphabetical_order_and_names_the_asked_host() -> None:
    link = listed(mixed(), type="15", pending="true", limit="2").content["next"]

    assert link == (
        "http://control.test/api/v1/inventory_device/?limit=2&offset=2&pending=true&type=15"
    )


@pytest.mark.parametrize(
    ("limit", "rows"),
    [(None, 25), ("0", 25), ("-3", 25), ("many", 25), ("", 25), ("7", 7), ("9999", 40)],
)
def test_bad_limits_are_the_default_and_great_ones_are_capped(limit, rows) -> None:
    query = {} if limit is None else {"limit": limit}

    assert len(listed(mixed(max_limit=40), **query).content["results"]) == rows


@pytest.mark.parametrize(
    ("offset", "first"), [("-1", 1001), ("x", 1001), ("59", 1060), ("60", None), ("999", None)]
)
def test_bad_offsets_are_zero_and_offsets_past_the_end_are_empty(offset, first) -> None:
    rows = listed(mixed(), offset=offset).content["results"]

    assert (rows[0]["id"] if rows else None) == first


@pytest.mark.parametrize("form", ["0", "false", "False"])
def test_the_status_filter_takes_every_documented_form_of_down(form) -> None:
    asked = mixed()
    down = [each for each in ids(asked) if record(asked, 10, each)["status"] == "Down"]

    assert down
    assert ids(asked, status=form) == down


@pytest.mark.parametrize("form", ["1", "true", "True"])
def test_the_status_filter_takes_every_documented_form_of_up(form) -> None:
    asked = mixed()

    assert set(ids(asked, status=form)) == set(ids(asked)) - set(ids(asked, status="0"))


@pytest.mark.parametrize(
    "query",
    [
        {"status": "Down"},
        {"status": "up"},
        {"status": "TRUE"},
        {"organisation": "123"},
        {"type": "router"},
        {"last_status_change_from": "yesterday"},
        {"pending": "true"},
    ],
    ids=str,
)
def test_what_is_no_documented_filter_is_ignored_and_gives_everything(query) -> None:
    assert len(ids(mixed(), **query)) == 60


def test_type_and_organization_filter_the_listing() -> None:
    asked = mixed()
    rows = listed(asked, type="15", organization="456", limit="500").content["results"]

    assert rows
    assert all(row["type"] == 15 and row["organization_id"] == 456 for row in rows)


@pytest.mark.parametrize("form", ["2027-01-01", "2027-01-01 00:00:00+00:00", "2027-01-01 00:00:00"])
def test_last_status_change_from_takes_a_date_and_date_times(form) -> None:
    asked = mixed()
    since = from_text("2027-01-01")
    expected = [
        each
        for each in ids(asked)
        if from_text(str(record(asked, 10, each)["status_change"])) >= since
    ]

    assert 0 < len(expected) < 60
    assert ids(asked, last_status_change_from=form) == expected


def test_pending_settings_are_shown_only_when_asked_for() -> None:
    asked = mixed()

    assert "pending_settings" not in listed(asked).content["results"][0]
    assert "pending_settings" in listed(asked, pending="true").content["results"][0]
    assert "pending_settings" not in ask(asked, "GET", "inventory_device/1001/").content


def test_update_status_on_the_list_contacts_the_devices_of_the_page_and_is_slow() -> None:
    asked = world(3)
    answer = listed(asked, update_status="true", limit="2")
    contacted = [from_text(row["last_connection"]) for row in answer.content["results"]]

    assert contacted == [START + 10, START + 10]
    assert from_text(str(record(asked, 10, 1003)["last_connection"])) < START + 10
    assert answer.delay > 0.1


# Authority


@pytest.mark.parametrize(
    ("token", "text"),
    [(None, "Authentication credentials were not provided."), ("wrong", "Invalid token.")],
)
def test_without_the_right_token_the_answer_is_401_with_a_challenge(token, text) -> None:
    answer = ask(world(), "GET", "inventory_device/", token=token)

    assert answer.status == 401
    assert answer.content == {"detail": text}
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_sees_only_its_organizations() -> None:
    asked = mixed(organizations=frozenset({123}))
    foreign = next(each.id for each in mixed().population.group(None, 456, None))

    assert listed(asked, organization="456").status == 403
    assert set(ids(asked, organization="123")) == set(ids(asked))
    assert foreign not in ids(asked)
    assert ask(asked, "GET", f"inventory_device/{foreign}/").status == 403
    assert start(asked, "reboot", device=foreign).status == 403
    assert (
        ask(asked, "POST", "inventory_device/", body={**NEW, "organization_id": 456}).status == 403
    )
    assert asked.ledger.applied(foreign, "reboot") == ()


# Operations


@pytest.mark.parametrize("code", ["reboot", "factory", "device_factory", "sync", "reconf"])
def test_each_of_the_five_operations_is_accepted_with_id_and_echo_and_nothing_else(code) -> None:
    asked = world()
    answer = start(asked, code, after=10)

    assert (answer.status, answer.content) == (200, {"id": FIRST, "operation": code})
    assert asked.ledger.applied(FIRST, code) == (START + 10,)


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b'{"operation":', None),
        (b"", None),
        ([1], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
        ({}, {"operation": ["This field is required."]}),
        ({"operation": "explode"}, {"operation": ['"explode" is not a valid choice.']}),
        ({"operation": 5}, {"operation": ['"5" is not a valid choice.']}),
    ],
    ids=str,
)
def test_a_malformed_operation_request_is_400_and_changes_nothing(body, content) -> None:
    asked = world()
    answer = ask(asked, "PUT", f"inventory_device_operation/{FIRST}/", body=body)

    assert answer.status == 400
    assert content is None or answer.content == content
    assert "JSON parse error" in str(answer.content) or content is not None
    assert not asked.ledger.operations


def test_an_operation_for_nobody_is_404_and_one_for_an_inactive_device_422() -> None:
    plan = FleetPlan(down=0, inactive=1.0, initial=0, pending=0)
    asked = World(make_fleet(1, 7, plan), seed=7, started_at=START)

    assert start(asked, "reboot", device=999).status == 404
    assert start(asked, "reboot").status == 422
    assert not asked.ledger.operations


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "inventory_device/", "GET, POST"),
        ("POST", "inventory_device/1001/", "GET, PUT, PATCH, DELETE"),
        ("GET", "inventory_device_operation/1001/", "PUT"),
    ],
)
def test_other_methods_are_405_with_what_is_allowed(method, path, allow) -> None:
    answer = ask(world(), method, path, body={})

    assert answer.status == 405
    assert answer.headers["Allow"] == allow
    assert answer.content == {"detail": f'Method "{method}" not allowed.'}


# Records


def test_a_created_record_is_down_and_initial_until_its_first_contact() -> None:
    asked = world()
    answer = ask(asked, "POST", "inventory_device/", after=50, body=NEW)
    row = answer.content

    assert answer.status == 201
    assert row["id"] == 1002
    assert row["status"] == "Down"
    assert row["status_change"] == row["created"]
    assert from_text(row["created"]) == START + 50
    assert row["pending_settings"] == "initial"
    assert row["username"] == "cpe"
    assert "password" not in row
    assert "location" not in row
    assert row["type_short_name"] == "router-a"
    assert record(asked, 1000, 1002)["status"] == "Up"
    assert record(asked, 1000, 1002)["pending_settings"] == "none"


def test_a_serial_number_exists_only_once() -> None:
    asked = world(2)
    taken = record(asked, 0)["serial_number"]

    assert (
        ask(asked, "POST", "inventory_device/", body={**NEW, "serial_number": taken}).status == 409
    )
    assert (
        ask(asked, "PATCH", "inventory_device/1002/", body={"serial_number": taken}).status == 409
    )
    assert len(asked.population) == 2


def test_a_record_is_not_created_without_its_required_fields() -> None:
    answer = ask(world(), "POST", "inventory_device/", body={"name": "x"})

    assert answer.status == 400
    assert answer.content["serial_number"] == ["This field is required."]


def test_a_full_replacement_blanks_what_it_does_not_give_and_keeps_the_identity() -> None:
    asked = world()
    before = record(asked, 0)
    body = {"name": "n", "customer_id": "c", "type": 99, "organization_id": 456}
    answer = ask(asked, "PUT", f"inventory_device/{FIRST}/", after=20, body=body)
    after = record(asked, 20)

    assert answer.status == 200
    assert answer.content["type_short_name"] == "type-99"
    assert "status_change" not in answer.content
    assert after["description"] == after["username"] == after["location_name"] == ""
    assert after["serial_number"] == before["serial_number"]
    assert from_text(str(after["last_change"])) == START + 20
    assert FIRST in ids(asked, organization="456")


def test_a_replacement_without_a_required_field_is_400_and_changes_nothing() -> None:
    asked = world()
    before = record(asked, 0)
    answer = ask(asked, "PUT", f"inventory_device/{FIRST}/", body={"name": "n"})

    assert answer.status == 400
    assert record(asked, 0) == before


def test_an_update_changes_only_what_it_gives() -> None:
    asked = world()
    before = record(asked, 20)
    answer = ask(asked, "PATCH", f"inventory_device/{FIRST}/", after=20, body={"debug": True})
    changed = {name for name, value in record(asked, 20).items() if value != before[name]}

    assert answer.content["debug"] is True
    assert "reboot" not in answer.content
    assert changed == {"debug", "last_change"}


@pytest.mark.parametrize("flag", ["reboot", "sync", "factory"])
def test_a_flag_of_an_update_starts_the_operation_and_is_echoed(flag) -> None:
    asked = world()
    answer = ask(asked, "PATCH", f"inventory_device/{FIRST}/", after=20, body={flag: True})

    assert answer.content[flag] is True
    assert answer.content["pending_settings"] == f"{flag}_requested"
    assert asked.ledger.applied(FIRST, flag) == (START + 20,)
    assert asked.ledger.arrived(FIRST, flag) == (START + 20,)


def test_a_flag_that_is_false_starts_nothing_and_a_wrong_value_is_400() -> None:
    asked = world()
    quiet = ask(asked, "PATCH", f"inventory_device/{FIRST}/", body={"reboot": False})
    wrong = ask(asked, "PATCH", f"inventory_device/{FIRST}/", body={"reboot": "now"})

    assert (quiet.status, wrong.status) == (200, 400)
    assert not asked.ledger.operations


def test_a_flag_for_an_inactive_device_is_refused_and_nothing_of_the_update_is_kept() -> None:
    asked = world()
    ask(asked, "PATCH", f"inventory_device/{FIRST}/", body={"is_active": False})
    answer = ask(asked, "PATCH", f"inventory_device/{FIRST}/", body={"reboot": True, "debug": True})

    assert answer.status == 400
    assert record(asked, 0)["debug"] is False


def test_an_update_to_a_foreign_organization_is_forbidden() -> None:
    asked = mixed(organizations=frozenset({123}))
    own = ids(asked)[0]
    answer = ask(asked, "PATCH", f"inventory_device/{own}/", body={"organization_id": 456})

    assert answer.status == 403


def test_a_deleted_record_is_gone_and_one_with_waiting_operations_is_kept() -> None:
    asked = world(2)
    start(asked, "reboot", device=1002)
    deleted = ask(asked, "DELETE", "inventory_device/1001/")
    kept = ask(asked, "DELETE", "inventory_device/1002/")

    assert (deleted.status, deleted.body, kept.status) == (204, b"", 409)
    assert ask(asked, "GET", "inventory_device/1001/").status == 404
    assert ids(asked) == [1002]
