"""Every answer to a change of a record has one meaning; what would blank a field is not sent."""

import orjson
import pytest

from orchestrator.adapters.controller.http_answers import Reply
from orchestrator.adapters.controller.http_changes import change_answer
from orchestrator.model.answers import Accepted, Lost, Refusal, Refused
from orchestrator.model.commands import SendChange
from orchestrator.model.devices import DeviceId
from orchestrator.model.operations import Action

SEVEN = DeviceId(7)
NOW = 1_790_000_000.0


def outcome(action, status, content=None, fields=None, **headers):
    record = None if action is Action.CREATE else SEVEN
    change = SendChange(SEVEN, 0, 1, action, record, fields or {})
    reply = Reply(
        status,
        {name.replace("_", "-"): value for name, value in headers.items()},
        b"" if content is None else orjson.dumps(content),
        asked_at=NOW - 1,
        answered_at=NOW,
    )
    return change_answer(reply, change)


def meaning(found):
    return found.refusal if isinstance(found, Refused) else type(found)


COMMON = {
    301: Refusal.INVALID,
    400: Refusal.REJECTED,
    401: Refusal.UNAUTHORISED,
    403: Refusal.FORBIDDEN,
    405: Refusal.INVALID,
    408: Refusal.BUSY,
    415: Refusal.INVALID,
    422: Refusal.STATE,
    423: Refusal.STATE,
    429: Refusal.BUSY,
    500: Lost,
    502: Lost,
    503: Refusal.BUSY,
    504: Lost,
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(("status", "expected"), COMMON.items())
def test_most_statuses_mean_the_same_for_every_change(action, status, expected):
    found = outcome(action, status)

    assert meaning(found) == expected
    assert found.status == status


OWN = [
    (Action.CREATE, 404, Refusal.GONE),
    (Action.CREATE, 409, Refusal.REJECTED),
    (Action.UPDATE, 404, Refusal.GONE),
    (Action.UPDATE, 409, Refusal.STATE),
    (Action.UPGRADE, 410, Refusal.GONE),
    (Action.REPLACE, 409, Refusal.STATE),
    (Action.DELETE, 404, Accepted),
    (Action.DELETE, 410, Accepted),
    (Action.DELETE, 409, Refusal.STATE),
    (Action.DELETE, 204, Accepted),
    (Action.UPDATE, 200, Accepted),
    (Action.CREATE, 204, Lost),
]


@pytest.mark.parametrize(("action", "status", "expected"), OWN)
def test_some_statuses_mean_what_the_change_makes_of_them(action, status, expected):
    assert meaning(outcome(action, status)) == expected


@pytest.mark.parametrize("action", [Action.UPDATE, Action.REPLACE])
def test_a_conflict_over_a_serial_number_is_final_for_the_device(action):
    assert meaning(outcome(action, 409, fields={"serial_number": "ZN8"})) is Refusal.REJECTED


def test_a_refused_field_is_told_in_the_controllers_words():
    found = outcome(Action.CREATE, 400, {"serial_number": ["This field must be unique."]})

    assert found.reason == (
        "the controller answered 400 Bad Request: serial_number: This field must be unique."
    )


def test_a_record_that_answers_for_another_device_is_in_doubt():
    found = outcome(Action.REPLACE, 200, {"id": 8, "name": "x"})

    assert found == Lost("the controller answered for device 8, asked was 7", 200)


def test_acceptance_carries_the_servers_own_clock_and_the_new_id():
    date = "Mon, 21 Sep 2026 14:13:20 GMT"
    found = outcome(Action.CREATE, 201, {"id": "1234"}, Date=date)

    assert found == Accepted(201, 1_790_000_000.0, 1234)


def test_a_refusal_for_load_says_how_long_to_wait():
    assert outcome(Action.UPDATE, 429, Retry_After="7").retry_after == 7.0
