"""Drivers without HTTP get the world's answers in the words of the model."""

import pytest

from orchestrator.model.answers import Accepted, Lost, Refusal, Refused, Unsent
from orchestrator.model.commands import SendChange
from orchestrator.model.devices import Status, device_from_record
from orchestrator.model.errors import (
    RefusedError,
    UnauthorisedError,
    UnreachableError,
)
from orchestrator.model.operations import Action, Operation
from orchestrator.model.readings import DeviceFilter, Probed, Reading
from orchestrator.model.values import Secret, SecretKind
from orchestrator.simulator.answering import (
    perform_change,
    perform_operation,
    perform_page,
    perform_probe,
    perform_read,
)
from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.fleet import FleetPlan, make_fleet
from orchestrator.simulator.world import World
from tests.support.worlds import FIRST, START, ask, world

REBOOT = Operation.REBOOT


def troubled(count: int = 1, **rates: float) -> World:
    trouble = Rates(**rates)
    return world(count, faults=Faults(operations=trouble, reads=trouble))


def test_an_accepted_operation_has_the_servers_clock_in_whole_seconds() -> None:
    asked = world(rules=Rules(latency=0.5))

    assert perform_operation(asked, FIRST, REBOOT, START + 1.7) == (Accepted(200, START + 2), 0.5)
    assert asked.ledger.applied(FIRST, "reboot") == (START + 1.7,)


@pytest.mark.parametrize(
    ("device", "token", "refusal", "status"),
    [
        (999, None, Refusal.GONE, 404),
        (FIRST, "wrong", Refusal.UNAUTHORISED, 401),
    ],
)
def test_a_refusal_says_which_and_in_the_controllers_words(device, token, refusal, status) -> None:
    answer, _ = perform_operation(world(), device, REBOOT, START, token=token)

    assert isinstance(answer, Refused)
    assert (answer.refusal, answer.status) == (refusal, status)
    assert answer.reason.startswith(f"the controller answered {status}: ")


def test_a_device_that_is_not_ours_is_forbidden_and_an_inactive_one_in_the_wrong_state() -> None:
    foreign = world(rules=Rules(organizations=frozenset()))
    inactive = World(make_fleet(1, 7, FleetPlan(inactive=1.0)), started_at=START)

    assert perform_operation(foreign, FIRST, REBOOT, START)[0].refusal is Refusal.FORBIDDEN
    assert perform_operation(inactive, FIRST, REBOOT, START)[0].refusal is Refusal.STATE


def test_429_and_503_say_how_long_to_wait_whatever_the_form_of_retry_after() -> None:
    throttled = troubled(30, rate_429=1.0)
    unavailable = troubled(30, rate_503=1.0)
    for asked in (throttled, unavailable):
        answers = [
            perform_operation(asked, FIRST + each, REBOOT, START + 0.9)[0] for each in range(30)
        ]

        assert {each.refusal for each in answers} == {Refusal.BUSY}
        assert all(1 <= each.retry_after <= 7 for each in answers)


@pytest.mark.parametrize(
    ("rates", "status"),
    [
        ({"rate_500": 1.0}, 500),
        ({"rate_502_html": 1.0}, 502),
        ({"reset_before": 1.0}, None),
        ({"reset_after": 1.0}, None),
    ],
    ids=str,
)
def test_an_operation_without_a_usable_answer_is_in_doubt(rates, status) -> None:
    answer, _ = perform_operation(troubled(**rates), FIRST, REBOOT, START)

    assert isinstance(answer, Lost)
    assert answer.status == status


def test_a_truncated_200_is_accepted_all_the_same() -> None:
    asked = troubled(20, truncated=1.0)
    answers = [perform_operation(asked, FIRST + each, REBOOT, START)[0] for each in range(20)]

    assert all(isinstance(each, Accepted) for each in answers)


def test_an_answer_that_outlasts_the_patience_is_in_doubt_and_was_applied() -> None:
    asked = troubled(slow=1.0)

    assert perform_operation(asked, FIRST, REBOOT, START, patience=1.0) == (
        Lost("no answer within 1 s"),
        1.0,
    )
    assert asked.ledger.applied(FIRST, "reboot") == (START,)


def test_a_refused_connection_means_nothing_was_sent() -> None:
    asked = world(faults=Faults(outages=((0.0, 10.0),)))
    answer, _ = perform_operation(asked, FIRST, REBOOT, START)

    assert answer == Unsent("the connection was refused")


def test_a_reading_is_what_the_record_over_the_wire_would_be_read_as() -> None:
    asked = World(make_fleet(200, 7), seed=7, started_at=START)
    for device in range(FIRST, FIRST + 200):
        query = {"pending": "true"}
        row = ask(asked, "GET", f"inventory_device/{device}/", after=50, query=query).content
        reading, _ = perform_read(asked, device, False, START + 50)

        assert reading == Reading(device, device_from_record(row), START + 50, START + 50)


def test_a_page_is_what_its_rows_over_the_wire_would_be_read_as() -> None:
    asked = World(make_fleet(60, 7), seed=7, started_at=START)
    rows = ask(
        asked, "GET", "inventory_device/", after=50, query={"pending": "true", "limit": "40"}
    ).content["results"]
    page, _ = perform_page(asked, DeviceFilter(), 0, 40, START + 50)

    assert page.devices == tuple(device_from_record(row) for row in rows)
    assert (page.count, page.has_next, page.rows) == (60, True, 40)
    assert all("username" not in each.fields for each in page.devices)


def test_every_filter_reaches_the_listing() -> None:
    asked = World(make_fleet(200, 7, FleetPlan(down=0.3)), seed=7, started_at=START)
    wanted = DeviceFilter(
        organization=123, type=15, status=Status.DOWN, last_status_change_from=START - 5 * 86400
    )
    page, _ = perform_page(asked, wanted, 0, 500, START)
    up, _ = perform_page(asked, DeviceFilter(status=Status.UP), 0, 500, START)

    assert 0 < page.count < 15
    assert all(
        each.status is Status.DOWN
        and each.fields["type"] == 15
        and each.fields["organization_id"] == 123
        and each.status_change >= START - 5 * 86400
        for each in page.devices
    )
    assert {each.status for each in up.devices} == {Status.UP}


def test_update_status_contacts_the_device_and_takes_its_time() -> None:
    asked = world()
    reading, delay = perform_read(asked, FIRST, True, START + 10)

    assert reading.device.last_connection == START + 10
    assert 1 <= delay <= 2
    assert asked.ledger.refreshes == 1


def test_a_reading_of_nobody_has_no_device() -> None:
    reading, _ = perform_read(world(), 999, False, START)

    assert reading == Reading(999, None, START, START)


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (Faults(reads=Rates(rate_500=1.0)), RefusedError),
        (Faults(reads=Rates(rate_429=1.0)), RefusedError),
        (Faults(reads=Rates(truncated=1.0)), (RefusedError, UnreachableError)),
        (Faults(reads=Rates(reset_before=1.0)), UnreachableError),
        (Faults(reads=Rates(slow=1.0)), UnreachableError),
        (Faults(revoked=((0.0, 10.0),)), UnauthorisedError),
        (Faults(outages=((0.0, 10.0),)), UnreachableError),
    ],
    ids=["500", "429", "truncated", "reset", "slow", "revoked", "outage"],
)
def test_a_read_that_brings_nothing_is_the_error_a_caller_would_meet(faults, error) -> None:
    asked = world(10, faults=faults)
    answers = [
        perform_read(asked, FIRST + each, False, START, patience=1.0)[0] for each in range(10)
    ]
    page, _ = perform_page(asked, DeviceFilter(), 0, 10, START, patience=1.0)

    assert all(isinstance(each, error) for each in [*answers, page])


def test_a_probe_says_whether_the_controller_can_be_used() -> None:
    assert perform_probe(world(), START) == (Probed(START, usable=True), 0.0)
    refused, _ = perform_probe(world(), START, token="wrong")
    away, _ = perform_probe(world(faults=Faults(outages=((0.0, 1.0),))), START)

    assert (refused.usable, refused.unauthorised) == (False, True)
    assert "Invalid token" in refused.detail
    assert (away.usable, away.unauthorised) == (False, False)


FIELDS = {
    "name": "n",
    "customer_id": "c",
    "type": 15,
    "serial_number": "ZN-1",
    "organization_id": 123,
}


def changed(
    asked: World,
    action: Action,
    record: int | None = FIRST,
    secrets: dict[str, str] | None = None,
    patience: float = 30.0,
    **fields: object,
):
    wanted = {name: Secret(SecretKind.GENERATE) for name in secrets or {}}
    change = SendChange(record or 1, 0, 1, action, record, fields, wanted)
    return perform_change(asked, change, secrets or {}, START, patience=patience)[0]


def test_a_creation_that_is_accepted_tells_the_new_id() -> None:
    asked = world()

    assert changed(asked, Action.CREATE, None, **FIELDS) == Accepted(201, START, 1002)
    assert asked.population.device(1002, START).fields["name"] == "n"


@pytest.mark.parametrize(
    ("action", "fields", "method"),
    [
        (Action.UPDATE, {"debug": True}, "PATCH"),
        (Action.UPGRADE, {"debug": True}, "PATCH"),
        (Action.DEACTIVATE, {"is_active": False}, "PATCH"),
        (Action.REPLACE, {**FIELDS, "debug": True}, "PUT"),
    ],
)
def test_every_action_has_its_method_and_writes_its_fields(action, fields, method) -> None:
    asked = world()

    assert changed(asked, action, **fields) == Accepted(200, START)
    (change,) = asked.ledger.changes_of(FIRST)
    assert (change.method, change.wrote, change.applied) == (method, fields, True)


def test_a_deletion_is_accepted_also_when_the_record_is_gone_already() -> None:
    asked = world()

    assert changed(asked, Action.DELETE) == Accepted(204, START)
    assert changed(asked, Action.DELETE) == Accepted(404, START)


def test_a_change_of_what_is_gone_says_so() -> None:
    assert changed(world(), Action.UPDATE, 999, debug=True).refusal is Refusal.GONE


@pytest.mark.parametrize(
    ("action", "fields", "status", "refusal"),
    [
        (Action.UPDATE, {"type": "x"}, 400, Refusal.REJECTED),
        (Action.UPGRADE, {"firmware_image": 999}, 400, Refusal.REJECTED),
        (Action.CREATE, {}, 400, Refusal.REJECTED),
        (Action.CREATE, {**FIELDS, "serial_number": "ZN2024000001"}, 409, Refusal.REJECTED),
        (Action.UPDATE, {"serial_number": "ZN2024000002"}, 409, Refusal.REJECTED),
    ],
)
def test_values_that_are_refused_are_final_for_the_device(action, fields, status, refusal) -> None:
    record = None if action is Action.CREATE else FIRST
    answer = changed(world(2), action, record, **fields)

    assert isinstance(answer, Refused)
    assert (answer.status, answer.refusal) == (status, refusal)


def test_a_refused_change_names_the_fields_that_are_wrong() -> None:
    answer = changed(world(), Action.UPDATE, type="x")

    assert answer.reason == "the controller answered 400: type: A valid integer is required."


def test_a_flag_that_the_devices_state_forbids_is_final_too() -> None:
    inactive = World(make_fleet(1, 7, FleetPlan(inactive=1.0)), started_at=START)

    assert changed(inactive, Action.UPDATE, reboot=True).refusal is Refusal.REJECTED


def test_a_deletion_is_refused_for_now_while_operations_wait() -> None:
    asked = world()
    changed(asked, Action.UPDATE, reboot=True)

    assert changed(asked, Action.DELETE).refusal is Refusal.STATE


@pytest.mark.parametrize("rate", ["rate_500", "rate_502_html", "reset_before", "reset_after"])
def test_a_change_without_a_usable_answer_is_in_doubt(rate) -> None:
    answer = changed(world(faults=Faults(operations=Rates(**{rate: 1.0}))), Action.CREATE, None)

    assert isinstance(answer, Lost)


def test_a_change_that_outlasts_the_patience_is_in_doubt_and_one_refused_by_nobody_unsent() -> None:
    slow = world(faults=Faults(operations=Rates(slow=1.0)))
    away = world(faults=Faults(outages=((0.0, 10.0),)))

    assert isinstance(changed(slow, Action.UPDATE, patience=1.0, debug=True), Lost)
    assert isinstance(changed(away, Action.UPDATE, debug=True), Unsent)


def test_a_creation_whose_answer_was_cut_short_is_in_doubt() -> None:
    asked = world(faults=Faults(operations=Rates(truncated=1.0)))

    assert isinstance(changed(asked, Action.CREATE, None, **FIELDS), Lost)
    assert asked.ledger.changes[0].device == 1002


def test_secret_values_reach_the_record_and_no_answer_or_ledger() -> None:
    asked = world()
    changed(asked, Action.UPDATE, secrets={"password": "hush-1"}, debug=True)
    refused = changed(asked, Action.UPDATE, secrets={"firmware_image": "hush-2"})

    assert asked.population.device(FIRST, START).fields["password"] == "hush-1"
    assert asked.ledger.changes_of(FIRST)[0].wrote == {"debug": True, "password": "***"}
    assert isinstance(refused, Refused)
    assert "hush" not in refused.reason
