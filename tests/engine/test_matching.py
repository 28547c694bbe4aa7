"""A condition holds or not, and if not the reason is one sentence."""

import pytest

from orchestrator.engine.choosing.matching import compiled, holds, rejection, why_not
from orchestrator.model.devices import Status
from orchestrator.model.policies import Guard
from orchestrator.model.selections import (
    AtLeast,
    Below,
    Condition,
    Equals,
    Matches,
    Missing,
    NewerThan,
    NothingPending,
    OlderThan,
    Present,
    SomethingPending,
)
from tests.support.playbooks import DAY, NOW, record

UP = Equals((Status.UP,))


@pytest.mark.parametrize(
    ("field", "test", "value", "expected"),
    [
        ("status", UP, "Up", True),
        ("status", UP, True, True),
        ("status", UP, "Down", False),
        ("status", UP, "booting", False),
        ("status", UP, None, False),
        ("is_active", Equals((True,)), "true", True),
        ("is_active", Equals((True,)), 1, True),
        ("is_active", Equals((True,)), None, False),
        ("is_active", Equals((False,)), None, False),
        ("is_active", Equals((False,)), "maybe", False),
        ("debug", Equals((True,)), "true", True),
        ("type", Equals((15, 16)), 16, True),
        ("type", Equals((15,)), "15", True),
        ("type", Equals((15,)), "15.0", True),
        ("type", Equals((15,)), True, False),
        ("type", Equals((1,)), True, False),
        ("type", Equals((15,)), "", False),
        ("customer_id", Equals(("15",)), 15, True),
        ("customer_id", Equals(("15",)), "015", False),
        ("customer_id", Equals((15,)), "1_5", False),
        ("location_name", Equals(("Seattle",)), "Seattle", True),
        ("location_name", Equals(("Seattle",)), "seattle", False),
        ("location_name", Equals(("Seattle",)), None, False),
        ("location_name", Equals(("Seattle",)), ["Seattle"], False),
        ("location_name", Matches(("seattle*", "B?")), "SEATTLE North", True),
        ("location_name", Matches(("seattle*", "B?")), "b1", True),
        ("location_name", Matches(("seattle*",)), "New Seattle", False),
        ("location_name", Matches(("*",)), None, False),
        ("location_name", Matches(("*",)), " ", False),
        ("location_name", Matches(("[ab]*",)), "bx", True),
        ("type", Matches(("1*",)), 15, True),
        ("type", Matches(("*",)), {"id": 1}, False),
        ("software_version", Below("2.10"), "2.9", True),
        ("software_version", Below("2.10"), "2.10", False),
        ("software_version", Below("2.10"), "v2.10.1", False),
        ("software_version", Below("2.10"), None, False),
        ("software_version", Below("2.10"), "", False),
        ("software_version", Below("2.10"), 2.9, True),
        ("software_version", AtLeast("2.10"), "2.10", True),
        ("software_version", AtLeast("2.10"), "2.9.9", False),
        ("software_version", AtLeast("2.10"), None, False),
        ("latitude", Below(19.5), "19.4326", True),
        ("latitude", AtLeast(-20), "-19.5", True),
        ("latitude", AtLeast(-20), "nan", False),
        ("latitude", Below(20), "inf", False),
        ("latitude", Below(20), True, False),
        ("latitude", Below(20), float("nan"), False),
        ("last_connection", OlderThan(DAY), "2026-09-01T00:00:00Z", True),
        ("last_connection", OlderThan(DAY), "2026-09-21T14:00:00Z", False),
        ("last_connection", OlderThan(DAY), None, False),
        ("last_connection", OlderThan(DAY), "yesterday", False),
        ("last_connection", NewerThan(DAY), "2026-09-21T14:00:00Z", True),
        ("last_connection", NewerThan(DAY), "2026-09-22T00:00:00Z", True),
        ("last_connection", NewerThan(DAY), "2026-09-01T00:00:00Z", False),
        ("last_connection", NewerThan(DAY), None, False),
        ("vendor_seen", NewerThan(DAY), "2026-09-21 14:00:00+00:00", True),
        ("created", Below(NOW), "2026-09-01T00:00:00Z", True),
        ("location_name", Missing(), None, True),
        ("location_name", Missing(), "  ", True),
        ("location_name", Missing(), [], True),
        ("location_name", Missing(), 0, False),
        ("status", Missing(), "booting", True),
        ("status", Missing(), "Up", False),
        ("location_name", Present(), "x", True),
        ("location_name", Present(), "", False),
        ("pending_settings", NothingPending(), "none", True),
        ("pending_settings", NothingPending(), "wifi", False),
        ("pending_settings", NothingPending(), 7, False),
        ("pending_settings", SomethingPending(), "wifi", True),
        ("pending_settings", SomethingPending(), True, True),
        ("pending_settings", SomethingPending(), "none", False),
        ("pending_settings", SomethingPending(), 7, False),
        ("pending_settings", SomethingPending(("a", "wifi")), "wifi,b", True),
        ("pending_settings", SomethingPending(("a",)), "wifi,b", False),
        ("pending_settings", SomethingPending(("a",)), 7, False),
    ],
)
def test_a_condition_holds_only_when_it_is_known_to_be_true(field, test, value, expected):
    device = record(**{field: value})
    condition = Condition(field, test)

    assert holds(condition, device, NOW) is expected
    assert (why_not([condition], device, NOW) is None) is expected


@pytest.mark.parametrize(
    "test", [UP, Matches(("*",)), Below("9"), AtLeast(0), OlderThan(0.1), NewerThan(9e9), Present()]
)
def test_a_field_that_is_not_there_satisfies_nothing_but_missing(test):
    assert not holds(Condition("nowhere", test), record(), NOW)
    assert holds(Condition("nowhere", Missing()), record(), NOW)


def test_pending_settings_that_were_not_read_are_neither_clear_nor_pending():
    device = record()
    bare = type(device)(**{n: getattr(device, n) for n in device.__slots__} | {"pending": None})

    for test in (NothingPending(), SomethingPending(), SomethingPending(("a",))):
        assert not holds(Condition("pending_settings", test), bare, NOW)
    condition = Condition("pending_settings", NothingPending())
    assert why_not([condition], bare, NOW) == "pending_settings is not known"


@pytest.mark.parametrize(
    ("condition", "fields", "sentence", "rule"),
    [
        (
            Condition("software_version", Below("2.5")),
            {"software_version": "2.6.1"},
            "software_version is 2.6.1, not below 2.5",
            "software_version is not below 2.5",
        ),
        (
            Condition("software_version", AtLeast("2.5")),
            {},
            "software_version is 2.4.1, not at least 2.5",
            "software_version is not at least 2.5",
        ),
        (
            Condition("location_name", Equals(("A", "B"))),
            {"location_name": None},
            "location_name is not known",
            "location_name is not known",
        ),
        (
            Condition("type", Equals((1, 2, 3))),
            {},
            "type is 15, not 1, 2 or 3",
            "type is not 1, 2 or 3",
        ),
        (
            Condition("type", Equals(tuple(range(10)))),
            {},
            "type is 15, not one of 0, 1, 2, 3, 4 or 5 more",
            "type is not one of 0, 1, 2, 3, 4 or 5 more",
        ),
        (
            Condition("is_active", Equals((True,))),
            {"is_active": 0},
            "is_active is false, not true",
            "is_active is not true",
        ),
        (Condition("status", UP), {"status": False}, "status is Down, not Up", "status is not Up"),
        (
            Condition("location_name", Matches(("X*", "Y*"))),
            {},
            'location_name is Seattle North, which matches none of "X*" or "Y*"',
            'location_name matches none of "X*" or "Y*"',
        ),
        (
            Condition("last_connection", OlderThan(30 * DAY)),
            {"last_connection": "2026-09-20T14:13:20Z"},
            "last_connection is 1d old, not older than 30d",
            "last_connection is not older than 30d",
        ),
        (
            Condition("last_connection", NewerThan(60)),
            {},
            "last_connection is 3m20s old, not newer than 1m",
            "last_connection is not newer than 1m",
        ),
        (
            Condition("last_connection", OlderThan(60)),
            {"last_connection": "2027-01-01"},
            "last_connection is in the future, not older than 1m",
            "last_connection is not older than 1m",
        ),
        (
            Condition("name", OlderThan(60)),
            {},
            "name is branch-1, which is not a moment",
            "name is not a moment",
        ),
        (
            Condition("created", Below(0.0)),
            {"created": "2026-01-31"},
            "created is 2026-01-31 00:00:00Z, not below 1970-01-01 00:00:00Z",
            "created is not below 1970-01-01 00:00:00Z",
        ),
        (
            Condition("pending_settings", NothingPending()),
            {"pending_settings": "wifi,lan"},
            "settings are pending: wifi, lan",
            "settings are pending",
        ),
        (
            Condition("pending_settings", SomethingPending()),
            {},
            "nothing is pending",
            "nothing is pending",
        ),
        (
            Condition("pending_settings", SomethingPending(("a", "b"))),
            {"pending_settings": "c"},
            "pending_settings is c, not a or b",
            "pending_settings is not a or b",
        ),
        (
            Condition("pending_settings", Equals(("a",))),
            {"pending_settings": "c,d"},
            "pending_settings is c, d, not a",
            "pending_settings is not a",
        ),
        (Condition("name", Missing()), {}, "name is branch-1, not missing", "name is present"),
        (Condition("site", Present()), {}, "site is missing", "site is missing"),
        (
            Condition("latitude", Below(3)),
            {"latitude": True},
            "latitude is true, not below 3",
            "latitude is not below 3",
        ),
    ],
)
def test_the_reason_is_one_sentence_and_the_rule_is_the_same_for_all(
    condition, fields, sentence, rule
):
    found = rejection([condition], record(**fields), NOW)

    assert (found.reason, found.rule) == (sentence, rule)


def test_what_a_record_says_is_shown_on_one_short_line():
    condition = Condition("name", Equals(("x",)))

    assert why_not([condition], record(name="a\n\x1b[31mb"), NOW) == "name is a??[31mb, not x"
    assert "…" in why_not([condition], record(name="a" * 500), NOW)


def test_the_first_condition_that_fails_is_the_reason():
    assert why_not(Guard().disruptive, record(status="Down", is_active=False), NOW) == (
        "status is Down, not Up"
    )
    assert rejection(Guard().disruptive, record(), NOW) is None


def test_a_condition_is_compiled_once():
    assert compiled(Condition("a", UP)) is compiled(Condition("a", Equals((Status.UP,))))
