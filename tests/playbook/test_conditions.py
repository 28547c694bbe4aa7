"""What can be demanded of each field, and what cannot."""

import pytest

from orchestrator.model.devices import Status
from orchestrator.model.selections import (
    AtLeast,
    Below,
    Equals,
    Matches,
    Missing,
    NewerThan,
    NothingPending,
    OlderThan,
    Present,
    SomethingPending,
)
from tests.support.playbooks import fault, minimal, playbook


def where(text):
    return minimal(
        f"where: {{{text}}}", more="guard: {status: any, is_active: any, pending_settings: any}\n"
    )


def wanted(text):
    return [condition.test for condition in playbook(where(text)).selection.where]


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("location_name: Seattle", Equals(("Seattle",))),
        ("location_name: [Seattle, 12, no]", Equals(("Seattle", "12", "no"))),
        ("location_name: 'missing'", Equals(("missing",))),
        ("location_name: missing", Missing()),
        ("location_name: present", Present()),
        ("location_name: {missing: true}", Missing()),
        ("location_name: {missing: false}", Present()),
        ("location_name: {present: true}", Present()),
        ("location_name: {present: false}", Missing()),
        ("location_name: {matches: 'A*'}", Matches(("A*",))),
        ("location_name: {matches: ['A*', B?]}", Matches(("A*", "B?"))),
        ("software_version: {below: 2.10}", Below("2.10")),
        ("software_version: {at_least: '2.5'}", AtLeast("2.5")),
        ("type: [15, '16']", Equals((15, 16))),
        ("latitude: {below: -3.5}", Below(-3.5)),
        ("update_frequency: {at_least: '300'}", AtLeast(300)),
        ("vendor_thing: 15", Equals((15,))),
        ("vendor_thing: 1.5", Equals((1.5,))),
        ("vendor_thing: true", Equals((True,))),
        ("vendor_thing: [1, true, 1]", Equals((1, True))),
        ("vendor_thing: '15'", Equals(("15",))),
        ("vendor_thing: {below: '15'}", Below("15")),
        ("vendor_thing: {below: 15}", Below(15)),
        ("vendor_thing: {older_than: 1h}", OlderThan(3600.0)),
        ("'software_versio': 1", Equals((1,))),
        ("last_connection: {older_than: 30d}", OlderThan(2_592_000.0)),
        ("last_connection: {newer_than: 90}", NewerThan(90.0)),
        ("created: {below: 2026-01-31}", Below(1_769_817_600.0)),
        ("last_connection: missing", Missing()),
        ("status: [up, down]", Equals((Status.UP, Status.DOWN))),
        ("status: missing", Missing()),
        ("is_active: false", Equals((False,))),
        ("debug: [true]", Equals((True,))),
        ("pending_settings: none", NothingPending()),
        ("pending_settings: any", SomethingPending()),
        ("pending_settings: wifi_config", SomethingPending(("wifi_config",))),
        ("pending_settings: [a, b]", SomethingPending(("a", "b"))),
    ],
)
def test_a_condition_means(text, test):
    assert repr(wanted(text)) == repr([test])  # for which 1 and True differ


def test_several_operators_on_a_field_have_to_hold_together():
    assert wanted("software_version: {at_least: '2.1', below: '2.5'}") == [
        AtLeast("2.1"),
        Below("2.5"),
    ]


@pytest.mark.parametrize(
    ("text", "key", "message", "hint"),
    [
        ("sofware_version: 1", "sofware_version", "no documented field", "'software_version'"),
        ("password: x", "password", "secret", ""),
        ("username: missing", "username", "secret", ""),
        ("organization: 1", "organization", "is a filter", "organization_id"),
        ("last_status_change_from: 1", "last_status_change_from", "is a filter", "status_change"),
        ("location_name: {match: x}", "location_name.match", "no operator", "'matches'"),
        ("location_name: {}", "location_name", "no operator here", "known: matches"),
        ("location_name: ", "location_name", "no value here", ""),
        ("location_name: []", "location_name", "list is empty", ""),
        ("location_name: [[a]]", "location_name[0]", "found a list", ""),
        ("location_name: {older_than: 3d}", "location_name.older_than", "does not fit", "matches"),
        ("location_name: {missing: maybe}", "location_name.missing", "not true or false", ""),
        ("location_name: {matches: []}", "location_name.matches", "list is empty", ""),
        ("software_version: {below: '-'}", "software_version.below", "no version", ""),
        ("software_version: {below: [1]}", "software_version.below", "found a list", ""),
        ("vendor_thing: {below: true}", "vendor_thing.below", "true and false", ""),
        ("type: router", "type", "not a number", ""),
        ("latitude: {below: north}", "latitude.below", "not a number", ""),
        ("last_connection: 2026-01-31", "last_connection", "no value equals", "older_than"),
        ("last_connection: {matches: '2*'}", "last_connection.matches", "does not fit", ""),
        ("last_connection: {older_than: 0}", "last_connection.older_than", "no time", ""),
        ("created: {below: soon}", "created.below", "not a date", ""),
        ("status: onn", "status", "not a status", ""),
        ("status: unknown", "status", "not a status", "status: missing"),
        ("status: {below: 3}", "status.below", "does not fit", "missing"),
        ("is_active: yes", "is_active", "not true or false", "write true"),
        ("pending_settings: [none, a]", "pending_settings", "stand alone", ""),
        ("pending_settings: {missing: true}", "pending_settings.missing", "does not fit", "none"),
        ("pending_settings: ", "pending_settings", "no value here", ""),
        ("type: {missing: true, below: 3}", "type", "missing cannot be", ""),
        ("type: {at_least: 3, below: 3}", "type", "at least 3 and below 3", ""),
        ("created: {older_than: 3d, newer_than: 1d}", "created", "older and newer", ""),
    ],
)
def test_a_condition_that_cannot_be_meant_is_a_fault(text, key, message, hint):
    found = fault(where(text))

    assert found.key == f"devices.where.{key}"
    assert message in found.message
    assert hint in found.hint


def test_any_takes_a_default_of_the_guard_away_and_is_a_plain_text_elsewhere():
    assert wanted("location_name: any") == [Equals(("any",))]
