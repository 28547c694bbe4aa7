"""How a device is doing is said in a few words, and nothing is said of what is not known."""

import pytest

from orchestrator.report.conditions import in_short, pending_text, status_text

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("age", "told"),
    [(-5, "0s"), (0, "0s"), (59.9, "59s"), (61, "1m"), (7_100, "1h"), (200_000, "2d")],
)
def test_an_age_is_told_in_its_largest_unit(age, told):
    assert in_short("Up", NOW - age, (), NOW) == f"Up, seen {told} ago, nothing pending"


@pytest.mark.parametrize(
    ("status", "contact", "pending", "told"),
    [
        ("Down", NOW, ("wifi",), "Down, seen 0s ago, wifi pending"),
        ("Up", NOW, ("wifi", "dns"), "Up, seen 0s ago, 2 settings pending"),
        ("Down", None, ("initial",), "Down, never seen, initial pending"),
        ("Unknown", None, (), "nothing pending"),
        ("Unknown", None, None, ""),
    ],
)
def test_a_device_is_doing_so(status, contact, pending, told):
    assert in_short(status, contact, pending, NOW) == told


def test_for_programs_words_are_those_of_the_record_and_none_is_not_known():
    assert [status_text(each) for each in ("Up", "Down", "Unknown")] == ["Up", "Down", None]
    assert [pending_text(each) for each in ((), ("a", "b"), None)] == ["none", "a,b", None]
