"""Answers look as HTTP and Django REST write them."""

import pytest

from orchestrator.simulator.exchange import (
    Response,
    detail,
    from_http_date,
    http_date,
    page,
    timestamp,
)


def test_a_date_is_written_as_http_does_and_read_back() -> None:
    assert http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert from_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777.0


@pytest.mark.parametrize(
    "text", ["", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Xyz 1994 08:49:37 GMT"]
)
def test_anything_else_is_no_date(text) -> None:
    with pytest.raises(ValueError, match=r".*"):
        from_http_date(text)


def test_a_timestamp_has_whole_seconds_and_a_z() -> None:
    assert timestamp(784111777) == "1994-11-06T08:49:37Z"


def test_bodies_are_json_or_what_was_given_raw_or_nothing() -> None:
    assert detail(404, "Not found.").body == b'{"detail":"Not found."}'
    assert b"<h1>Bad</h1>" in page(502, "Bad").body
    assert Response(204).body == b""


def test_the_date_header_is_the_moment_of_the_answer_in_whole_seconds() -> None:
    assert Response(200, at=784111777.9).date == "Sun, 06 Nov 1994 08:49:37 GMT"


def test_a_refusal_carries_its_headers() -> None:
    assert detail(429, "Slow down.", Retry_After="3").headers == {"Retry-After": "3"}
