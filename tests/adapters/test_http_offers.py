"""Answers of endpoints that hardly anybody knows: understood where possible, else left out."""

import orjson
import pytest

from orchestrator.adapters.controller.http_answers import Reply, UnreadableError
from orchestrator.adapters.controller.http_offers import (
    PAGE_ROWS,
    ids_by_name,
    log_told,
    rows_of,
    up_time_told,
    values_by_name,
)
from orchestrator.model import moments, readings

SINCE = moments.from_text("2026-11-22T04:15:00Z")


def reply(content):
    return Reply(200, {}, orjson.dumps(content), asked_at=SINCE, answered_at=SINCE)


def test_a_bare_array_is_a_page_and_a_full_one_may_have_a_successor():
    assert not rows_of(reply([{"id": 1}])).has_next
    assert rows_of(reply([{"id": n} for n in range(PAGE_ROWS)])).has_next


def test_rows_that_are_no_objects_count_but_say_nothing():
    page = rows_of(reply({"next": None, "results": [1, None, {"id": 2}]}))

    assert (page.rows, page.size, page.has_next) == (({"id": 2},), 3, False)


NEXTS = {
    "a cursor": ("https://h/x/?limit=1&cursor=abc%3D", "abc="),
    "an offset": ("https://h/x/?limit=1&offset=5", None),
    "no address": ("http://[half", None),
    "no text": (7, None),
    "nothing": (None, None),
}


@pytest.mark.parametrize(("following", "cursor"), NEXTS.values(), ids=NEXTS)
def test_of_the_next_page_only_the_cursor_is_taken(following, cursor):
    page = rows_of(reply({"next": following, "results": []}))

    assert page.cursor == cursor
    assert page.has_next == (following is not None)


@pytest.mark.parametrize("content", [{}, {"results": None}, "x", None, {"detail": "ok"}])
def test_what_is_no_list_is_not_taken_for_an_empty_one(content):
    with pytest.raises(UnreadableError):
        rows_of(reply(content))


ROWS = {
    "its variable name": {"variable_name": "A.b", "name": "the b", "value": 1},
    "its name": {"name": "A.b", "value": 1},
    "the parameter's": {"parameter__variable_name": "A.b", "value": 1},
    "the nested parameter's": {"parameter": {"id": 3, "variable_name": "A.b"}, "value": 1},
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_value_is_known_by_its_most_exact_name(row):
    assert values_by_name([row]) == {"A.b": 1}


def test_rows_without_a_name_or_a_value_are_left_out_but_null_is_a_value():
    rows = [{"value": 1}, {"name": "a"}, {"name": "", "value": 1}, {"name": "b", "value": None}]

    assert values_by_name(rows) == {"b": None}


def test_what_is_nested_without_end_is_masked_rather_than_followed():
    value: object = "x"
    for _ in range(900):
        value = [value]

    assert "***" in str(values_by_name([{"name": "a", "value": value}]))


def at(text, **entry):
    return {"datetime": f"2026-11-22T{text}Z", **entry}


def up(value, text="04:16:00", name="Device.DeviceInfo.UpTime"):
    return at(text, variable_name=name, value=value)


@pytest.mark.parametrize("value", [42, "42", 42.0])
def test_an_up_time_is_a_number_in_any_form(value):
    assert up_time_told([up(value)]) == readings.Testimony(up_time=42.0, up_time_at=SINCE + 60)


def test_the_newest_of_both_roots_counts():
    old = up(9, "04:15:00", "InternetGatewayDevice.DeviceInfo.UpTime")

    assert up_time_told([up(42), old]).up_time == 42.0
    assert up_time_told([old, up(42)]).up_time == 42.0


NO_UP_TIMES = {
    "no number": up("two days"),
    "a negative one": up(-3),
    "a truth": up(True),
    "no moment": {"name": "Device.DeviceInfo.UpTime", "value": 42},
    "an unreadable moment": {**up(42), "datetime": "just now"},
    "another variable": up(42, name="Device.IP.Interface.1.UpTime"),
}


@pytest.mark.parametrize("row", NO_UP_TIMES.values(), ids=NO_UP_TIMES)
def test_an_up_time_that_is_not_understood_is_none(row):
    assert up_time_told([row]) == readings.Testimony()


def command(text="04:15:05", **said):
    return at(text, action="command", **said)


def event(text, value, **more):
    return at(text, action="event", value=value, **more)


COMMANDS = {
    "applied": ({"is_pending": False, "is_applied": True}, True),
    "applied, in words": ({"is_pending": "False", "is_applied": "True"}, True),
    "applied is all it says": ({"is_applied": True}, True),
    "not pending is all it says": ({"is_pending": False}, True),
    "no error to speak of": ({"is_applied": True, "error_code": 0, "error_message": "OK"}, True),
    "under way": ({"is_pending": True, "is_applied": False}, None),
    "both at once": ({"is_pending": True, "is_applied": True}, None),
    "neither": ({"is_pending": False, "is_applied": False}, None),
    "nothing": ({}, None),
    "an error code": ({"is_applied": False, "error_code": 9002}, False),
    "an error text": ({"is_pending": False, "error_message": "Request denied"}, False),
    "a failed status": ({"status": "Failed"}, False),
}


@pytest.mark.parametrize(("said", "applied"), COMMANDS.values(), ids=COMMANDS)
def test_an_entry_of_a_command_tells_whether_it_was_applied(said, applied):
    assert log_told([command(**said)], SINCE) == readings.Testimony(applied=applied)


def test_what_was_before_the_moment_is_no_testimony():
    assert log_told([command("04:14:59", is_applied=True)], SINCE) == readings.Testimony()


def test_what_fell_into_the_same_second_counts():
    assert log_told([command("04:15:00", is_applied=True)], SINCE + 0.9).applied is True


def test_the_newest_decided_command_counts_in_whatever_order_they_come():
    failed = command("04:15:05", error="no")
    applied = command("04:15:50", is_applied=True)
    pending = command("04:16:00", is_pending=True)

    assert log_told([pending, applied, failed], SINCE).applied is True
    assert log_told([failed, applied, pending], SINCE).applied is True


DONE = command(is_applied=True)

BOOTS = {
    "its code": [event("04:16:00", "1 BOOT"), DONE],
    "a bootstrap": [event("04:16:00", "0 BOOTSTRAP"), DONE],
    "several codes": [event("04:16:00", ["1 BOOT", "M Reboot"]), DONE],
    "in the message": [event("04:16:00", None, message="Inform: 1 boot"), DONE],
}


@pytest.mark.parametrize("entries", BOOTS.values(), ids=BOOTS)
def test_an_event_after_the_command_that_names_a_boot_is_one(entries):
    assert log_told(entries, SINCE) == readings.Testimony(applied=True, booted=True)


NO_BOOTS = {
    "before the command": [event("04:15:01", "1 BOOT"), DONE],
    "without a command": [event("04:16:00", "1 BOOT")],
    "after a failed one": [event("04:16:00", "1 BOOT"), command(error="no")],
    "only a reboot asked for": [event("04:16:00", "M Reboot"), DONE],
    "the name of the device": [event("04:16:00", "2 PERIODIC", parent="boot 7"), DONE],
    "no event": [at("04:16:00", action="set", value="1 BOOT"), DONE],
}


@pytest.mark.parametrize("entries", NO_BOOTS.values(), ids=NO_BOOTS)
def test_nothing_else_is_a_boot(entries):
    assert log_told(entries, SINCE).booted is None


def test_a_word_that_means_two_types_means_none():
    rows = [
        {"id": 1, "name": "A", "short_name": "same"},
        {"id": 2, "name": "B", "short_name": "same"},
        {"id": 3, "name": "C", "short_name": "C"},
        {"id": None, "name": "D"},
        {"id": 5, "name": 5},
    ]

    assert ids_by_name(rows) == {"A": 1, "B": 2, "C": 3}
