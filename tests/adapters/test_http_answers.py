"""Every answer of the controller has one meaning, and its words reach people without secrets."""

import orjson
import pytest

from orchestrator.adapters.controller import http_answers
from orchestrator.adapters.controller.http_answers import LONGEST_SENTENCE, Reply, UnreadableError
from orchestrator.model.answers import Accepted, Lost, Refusal, Refused
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import ControllerError, GoneError, RefusedError, UnauthorisedError
from orchestrator.model.operations import Operation

SEVEN = DeviceId(7)
NOW = 1_790_000_000.0


def reply(status=200, content=b"", whole=True, **headers):
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    return Reply(
        status,
        {name.replace("_", "-"): value for name, value in headers.items()},
        body,
        asked_at=NOW - 1,
        answered_at=NOW,
        is_whole=whole,
    )


def outcome(*args, **headers):
    return http_answers.operation_answer(reply(*args, **headers), SEVEN, Operation.REBOOT)


TABLE = {
    200: Accepted,
    202: Accepted,
    301: Refusal.INVALID,
    400: Refusal.INVALID,
    401: Refusal.UNAUTHORISED,
    403: Refusal.FORBIDDEN,
    404: Refusal.GONE,
    405: Refusal.INVALID,
    408: Refusal.BUSY,
    409: Refusal.STATE,
    415: Refusal.INVALID,
    422: Refusal.STATE,
    429: Refusal.BUSY,
    500: Lost,
    502: Lost,
    503: Refusal.BUSY,
    504: Lost,
    599: Lost,
}


@pytest.mark.parametrize(("status", "meaning"), TABLE.items())
def test_each_status_has_one_meaning_for_an_operation(status, meaning):
    found = outcome(status)

    assert (found.refusal if isinstance(found, Refused) else type(found)) == meaning
    assert found.status == status


ECHOES = {
    "nothing": b"",
    "its own echo": {"id": 7, "operation": "reboot"},
    "an id as text": {"id": "7"},
    "no object": [7],
    "HTML": b"<html>ok</html>",
    "an id that is no number": {"id": None, "operation": None},
}


@pytest.mark.parametrize("content", ECHOES.values(), ids=ECHOES)
def test_a_200_is_accepted_unless_its_body_clearly_says_otherwise(content):
    assert isinstance(outcome(200, content), Accepted)


CONTRADICTIONS = {
    "another device": {"id": 8, "operation": "reboot"},
    "another device as text": {"id": "8"},
    "another operation": {"id": 7, "operation": "factory"},
}


@pytest.mark.parametrize("content", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_200_that_contradicts_the_request_is_in_doubt(content):
    assert isinstance(outcome(200, content), Lost)


def test_acceptance_carries_the_servers_own_clock():
    found = outcome(200, Date="Mon, 21 Sep 2026 14:13:20 GMT")

    assert found.server_at == 1_790_000_000.0


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Sep 2026 14:13:20 GMT", "1"])
def test_an_unreadable_date_falls_back_to_our_clock(date):
    assert outcome(200, Date=date).server_at == NOW


def test_a_date_without_a_zone_is_utc():
    assert outcome(200, Date="Mon, 21 Sep 2026 14:13:20 -0000").server_at == 1_790_000_000.0


WAITS = {
    "seconds": ("120", 120.0),
    "zero": ("0", 0.0),
    "a fraction": ("1.5", 1.5),
    "a date": ("Mon, 21 Sep 2026 14:14:00 GMT", 40.0),
    "a date gone by": ("Mon, 21 Sep 2026 14:00:00 GMT", 0.0),
    "a year": ("99999999", 86400.0),
    "words": ("soon", None),
    "a negative number": ("-5", None),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("said", "seconds"), WAITS.values(), ids=WAITS)
def test_retry_after_is_read_in_both_forms(said, seconds):
    # Our clock is an hour off: only the server's own Date may count.
    found = Reply(
        429,
        {"Retry-After": said, "Date": "Mon, 21 Sep 2026 14:13:20 GMT"},
        b"",
        NOW + 3600,
        NOW + 3600,
    )

    assert found.retry_after == seconds


SENTENCES = {
    "detail": (
        400,
        {"detail": "Malformed request."},
        "the controller answered 400 Bad Request: Malformed request.",
    ),
    "fields": (
        400,
        {"operation": ['"x" no.'], "name": ["Too long.", "Not unique."]},
        'the controller answered 400 Bad Request: operation: "x" no.; name: Too long. Not unique.',
    ),
    "non-field errors": (
        409,
        {"non_field_errors": ["Serial exists."]},
        "the controller answered 409 Conflict: Serial exists.",
    ),
    "nested": (
        400,
        {"settings": [{"ssid": ["Blank."]}, {}]},
        "the controller answered 400 Bad Request: settings: ssid: Blank.",
    ),
    "a list": (400, ["One.", "Two."], "the controller answered 400 Bad Request: One.; Two."),
    "a null": (404, None, "the controller answered 404 Not Found"),
    "HTML with a title": (
        502,
        b"<!DOCTYPE html><html><head><title>502 Bad\n Gateway</title></head><body>x</body></html>",
        "the controller answered 502 Bad Gateway: 502 Bad Gateway",
    ),
    "HTML with a heading": (
        500,
        b"<html><h1>Server &amp; Error</h1><p>more</p></html>",
        "the controller answered 500 Internal Server Error: Server & Error",
    ),
    "HTML without either": (
        500,
        b"<body><script>alert(1)</script><!-- no --><p>Oops,</p> try later</body>",
        "the controller answered 500 Internal Server Error: Oops, try later",
    ),
    "broken JSON": (
        429,
        b'{"detail": "Request was thr',
        'the controller answered 429 Too Many Requests: {"detail": "Request was thr',
    ),
    "control characters": (
        500,
        b"bad\x1b[31m\x00 \xff thing\r\nInjected: line",
        "the controller answered 500 Internal Server Error: bad [31m \ufffd thing Injected: line",
    ),
    "a status nobody knows": (599, b"", "the controller answered 599"),
    "a redirect": (
        302,
        b"<html>moved</html>",
        "the controller answered 302 Found: redirects are not followed; is the base URL right?",
    ),
}


@pytest.mark.parametrize(("status", "content", "text"), SENTENCES.values(), ids=SENTENCES)
def test_any_body_becomes_one_readable_sentence(status, content, text):
    assert http_answers.sentence(reply(status, content)) == text


def test_a_sentence_is_cut_at_its_longest():
    text = http_answers.sentence(reply(400, {"detail": "x" * 1000}))

    assert len(text) == LONGEST_SENTENCE
    assert text.endswith("…")


def test_deep_bodies_do_no_harm():
    text = http_answers.sentence(reply(400, b"[" * 100_000))

    assert len(text) <= LONGEST_SENTENCE


SPELLINGS = {
    "plain": 'hun"ter<2>',
    "JSON": r"hun\"ter<2>",
    "HTML": "hun&quot;ter&lt;2&gt;",
    "URL": "hun%22ter%3C2%3E",
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_hidden_in_every_spelling(spelling):
    text = http_answers.hidden(f"the password {spelling} is weak", ['hun"ter<2>'])

    assert text == "the password *** is weak"


def test_a_secret_at_the_cut_leaves_no_piece():
    body = {"detail": "y" * 200 + " sekret-password-1"}
    text = http_answers.sentence(reply(400, body), ["sekret-password-1"])

    assert "sek" not in text


def test_a_very_short_secret_is_hidden_as_a_word_only():
    assert http_answers.hidden("ab is about cabs", ["ab"]) == "*** is about cabs"


def test_any_bearer_token_is_hidden_known_or_not():
    assert http_answers.hidden("got Bearer abc.def-1", []) == "got Bearer ***"


def test_an_echoed_credential_field_is_dropped_and_a_complaint_about_it_kept():
    echo = http_answers.sentence(reply(400, {"password": "hunter2", "name": ["Blank."]}))
    complaint = http_answers.sentence(reply(400, {"password": ["Too short."]}))

    assert "hunter2" not in echo
    assert complaint.endswith("password: Too short.")


ERRORS = {
    401: UnauthorisedError,
    403: RefusedError,
    404: GoneError,
    409: RefusedError,
    500: RefusedError,
}


@pytest.mark.parametrize(("status", "kind"), ERRORS.items())
def test_each_refusal_of_a_read_is_an_error_of_its_kind(status, kind):
    error = http_answers.refusal_error(reply(status, {"detail": "no"}))

    assert type(error) is kind
    assert isinstance(error, ControllerError)
    assert error.status == status


def test_a_page_is_read_from_the_envelope():
    page = http_answers.page_of_devices(
        reply(200, {"count": "2", "next": "http://evil/?x", "results": [{"id": 1}, {"id": 2}]})
    )

    assert [device.id for device in page.devices] == [1, 2]
    assert (page.count, page.has_next, page.rows) == (2, True, 2)
    assert (page.asked_at, page.server_at) == (NOW - 1, NOW)


def test_a_page_is_read_from_a_bare_array():
    page = http_answers.page_of_devices(reply(200, [{"id": 1}]))

    assert (page.count, page.has_next, page.rows) == (None, False, 1)


def test_rows_that_are_no_records_are_told_and_counted():
    rows = [{"id": 1}, {"name": "no id"}, "text"]
    page = http_answers.page_of_devices(reply(200, {"count": True, "results": rows}))

    assert len(page.devices) == 1
    assert (page.rows, len(page.unreadable), page.count) == (3, 2, None)


NO_PAGES = {
    "HTML": reply(200, b"<html>login</html>"),
    "no results": reply(200, {"detail": "x"}),
    "torn JSON": reply(200, b'{"count": 1, "results": [{"id"'),
    "a broken connection": reply(200, {"count": 0, "results": []}, whole=False),
}


@pytest.mark.parametrize("found", NO_PAGES.values(), ids=NO_PAGES)
def test_what_is_no_page_is_unreadable(found):
    with pytest.raises(UnreadableError):
        http_answers.page_of_devices(found)


def test_a_record_without_an_id_is_unreadable():
    with pytest.raises(UnreadableError, match="id"):
        http_answers.one_device(reply(200, {"name": "x"}))
