"""The world as a whole: routes, fates of answers, and the truth about devices."""

import orjson
import pytest

from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.exchange import Fate, Request, from_http_date
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START, ask, start, world


def troubled(count: int = 40, **rates: float) -> World:
    return world(count, faults=Faults(operations=Rates(**rates)))


def test_a_path_without_its_slash_is_redirected_and_not_served() -> None:
    asked = world()
    answer = ask(asked, "PUT", f"inventory_device_operation/{FIRST}", body={"operation": "reboot"})

    assert answer.status == 301
    assert answer.headers["Location"] == f"/api/v1/inventory_device_operation/{FIRST}/"
    assert not asked.ledger.operations


@pytest.mark.parametrize(
    "path",
    ["inventory_devices/", "inventory_device/one/", "inventory_device_operation/", "a/1/", ""],
)
def test_an_unknown_path_is_404_in_html(path) -> None:
    answer = ask(world(), "GET", path)

    assert answer.status == 404
    assert b"<html>" in answer.body


def test_a_path_outside_the_api_is_404() -> None:
    assert world().handle(Request("GET", "/admin/"), START).status == 404


def test_429_and_503_are_refused_with_retry_after_and_nothing_is_applied() -> None:
    busy, down = troubled(rate_429=1.0), troubled(rate_503=1.0)
    throttled = [start(busy, "reboot", device=1001 + each) for each in range(40)]
    unavailable = [start(down, "reboot", device=1001 + each) for each in range(40)]
    waits = [each.headers["Retry-After"] for each in unavailable]
    dates = [from_http_date(each) for each in waits if not each.isdigit()]

    assert {each.status for each in throttled} == {429}
    assert all(1 <= int(each.headers["Retry-After"]) <= 5 for each in throttled)
    assert {each.status for each in unavailable} == {503}
    assert any(each.isdigit() for each in waits)
    assert dates
    assert all(START < date <= START + 7 for date in dates)
    assert not busy.ledger.operations
    assert not down.ledger.operations


@pytest.mark.parametrize(("rate", "status"), [("rate_500", 500), ("rate_502_html", 502)])
def test_after_500_and_502_an_operation_may_or_may_not_have_been_applied(rate, status) -> None:
    asked = troubled(**{rate: 1.0})
    answers = [start(asked, "reboot", device=1001 + each) for each in range(40)]

    assert {each.status for each in answers} == {status}
    assert all(b"<html>" in each.body for each in answers)
    assert 8 < len(asked.ledger.operations) < 32
    assert [each.applied for each in answers] == [
        bool(asked.ledger.applied(1001 + each, "reboot")) for each in range(40)
    ]


def test_a_reset_before_applies_nothing_and_a_reset_after_everything() -> None:
    before, after = troubled(reset_before=1.0), troubled(reset_after=1.0)

    assert start(before, "reboot").fate is Fate.CLOSE_BEFORE
    assert start(after, "reboot").fate is Fate.CLOSE_AFTER
    assert not before.ledger.operations
    assert after.ledger.applied(FIRST, "reboot") == (START,)


def test_a_truncated_answer_is_half_of_the_json_or_loses_its_connection() -> None:
    asked = troubled(truncated=1.0)
    answers = [start(asked, "reboot", device=1001 + each) for each in range(40)]
    cut = [each for each in answers if each.fate is Fate.TRUNCATE]
    broken = [each for each in answers if each.fate is Fate.ANSWER]

    assert cut
    assert broken
    assert all(orjson.loads(each.body)["operation"] == "reboot" for each in cut)
    assert all(not each.body.endswith(b"}") for each in broken)
    assert len(asked.ledger.operations) == 40


def test_an_answer_without_a_body_cannot_be_truncated() -> None:
    asked = troubled(1, truncated=1.0)

    assert ask(asked, "DELETE", f"inventory_device/{FIRST}/").body == b""


def test_a_slow_answer_is_applied_at_once_and_dated_when_it_leaves() -> None:
    asked = troubled(slow=1.0)
    answer = start(asked, "reboot", after=10)

    assert 2 <= answer.delay <= 8
    assert answer.at == START + 10 + answer.delay
    assert asked.ledger.applied(FIRST, "reboot") == (START + 10,)


def test_while_the_token_is_revoked_everything_is_401() -> None:
    asked = world(faults=Faults(revoked=((10.0, 20.0),)))

    assert [start(asked, "sync", after=each).status for each in (9, 10, 20)] == [200, 401, 200]


def test_during_an_outage_nobody_listens() -> None:
    asked = world(faults=Faults(outages=((10.0, 20.0),)))

    assert start(asked, "reboot", after=15).fate is Fate.REFUSE
    assert not asked.ledger.operations


def test_a_restart_cuts_off_the_answers_under_way_and_what_was_applied_stays() -> None:
    faults = Faults(restarts=(11.0,), operations=Rates(slow=1.0), reads=Rates(slow=1.0))
    asked = world(faults=faults)
    change = start(asked, "reboot", after=10)
    read = ask(asked, "GET", "inventory_device/", after=10)

    assert (change.fate, change.delay) == (Fate.CLOSE_AFTER, 1.0)
    assert read.fate is Fate.CLOSE_BEFORE
    assert start(asked, "sync", after=12).fate is Fate.REFUSE
    assert asked.ledger.applied(FIRST, "reboot") == (START + 10,)


def test_faults_can_be_changed_while_the_world_runs() -> None:
    asked = world()
    start(asked, "sync")
    asked.faults = Faults(operations=Rates(rate_500=1.0))

    assert asked.faults.operations.rate_500 == 1.0
    assert start(asked, "sync").status == 500


def test_pages_and_new_records_meet_faults_too() -> None:
    rates = Rates(rate_429=1.0)
    asked = world(faults=Faults(operations=rates, reads=rates))

    assert ask(asked, "GET", "inventory_device/").status == 429
    assert ask(asked, "POST", "inventory_device/", body={}).status == 429


def test_every_request_is_in_the_ledger_with_what_it_asked_for_and_what_came_of_it() -> None:
    asked = world(rules=Rules(latency=0.5))
    start(asked, "reboot", after=1)
    start(asked, "explode", after=2)
    ask(asked, "PUT", f"inventory_device_operation/{FIRST}/", after=3, body=b"[")
    ask(asked, "PUT", f"inventory_device_operation/{FIRST}/", after=3, body=[])
    ask(asked, "GET", f"inventory_device/{FIRST}/", after=4, query={"update_status": "1"})
    noted = [(each.operation, each.applied, each.status) for each in asked.ledger.arrivals]

    assert noted == [
        ("reboot", True, 200),
        ("explode", False, 400),
        ("?", False, 400),
        ("?", False, 400),
        (None, False, 200),
    ]
    assert asked.ledger.refreshes == 1
    assert asked.ledger.peak_in_flight == 2
    assert asked.ledger.arrivals[0].answered_at == START + 1.5


def test_the_truth_follows_a_device_through_its_reset() -> None:
    asked = world(2)
    before = asked.truth(FIRST, START + 9)
    start(asked, "factory", after=10)
    during = asked.truth(FIRST, START + 60)
    start(asked, "reconf", after=400)

    assert before == "untouched"
    assert during == "out_of_service"
    assert asked.truth(FIRST, START + 399) == "in_service_unconfigured"
    assert asked.truth(FIRST, START + 500) == "in_service_configured"
    assert asked.truth(1002, START + 500) == "untouched"
    assert asked.truth(5, START + 500) == "gone"


def test_a_biography_tells_operations_and_own_outages_and_survives_the_record() -> None:
    asked = world(temperament="flapping")
    start(asked, "reboot", after=10)
    told = asked.biography(FIRST, START + 900)
    ask(asked, "DELETE", f"inventory_device/{FIRST}/", after=900)
    after = asked.biography(FIRST, START + 900)

    assert told["truth"] == "in_service_configured"
    assert told["temperament"] == "flapping"
    assert [each["operation"] for each in told["operations"]] == ["reboot"]
    assert told["own_outages"][0][0] == "flap"
    assert after["truth"] == "gone"
    assert after["operations"] == told["operations"]


def test_the_ledger_knows_every_change_with_what_it_wrote_and_whether_it_was_applied() -> None:
    asked = world(2)
    new = {
        "name": "n",
        "customer_id": "c",
        "type": 15,
        "serial_number": "ZN-1",
        "organization_id": 123,
        "username": "u",
        "password": "hush",
    }
    ask(asked, "POST", "inventory_device/", body=new)
    ask(asked, "POST", "inventory_device/", body=new)
    ask(asked, "PATCH", f"inventory_device/{FIRST}/", body={"type": "x"})
    ask(asked, "PATCH", f"inventory_device/{FIRST}/", body={"reboot": True})
    ask(asked, "DELETE", "inventory_device_serial/ZN-1/")
    ask(asked, "DELETE", "inventory_device/999/")
    start(asked, "sync", device=1002)
    changes = asked.ledger.changes

    assert [(each.method, each.device, each.applied, each.status) for each in changes] == [
        ("POST", 1003, True, 201),
        ("POST", None, False, 409),
        ("PATCH", FIRST, False, 400),
        ("PATCH", FIRST, True, 200),
        ("DELETE", 1003, True, 204),
        ("DELETE", 999, False, 404),
    ]
    assert changes[0].wrote == {**new, "username": "***", "password": "***"}
    assert asked.ledger.applied(FIRST, "reboot") == (START,)
    assert asked.biography(FIRST, START)["changes"][1]["wrote"] == {"reboot": True}


def test_a_creation_whose_answer_is_lost_is_known_with_its_id() -> None:
    asked = troubled(3, reset_after=1.0)
    body = {
        "name": "n",
        "customer_id": "c",
        "type": 15,
        "serial_number": "ZN-1",
        "organization_id": 123,
    }
    answer = ask(asked, "POST", "inventory_device/", body=body)

    assert answer.fate is Fate.CLOSE_AFTER
    assert asked.ledger.changes_of(1004, "POST")[0].applied
