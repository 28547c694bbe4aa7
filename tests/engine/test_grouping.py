"""Devices with the same values count together, and those without form a group of their own."""

import pytest

from orchestrator.engine.choosing.grouping import group_of, place_of
from orchestrator.model.policies import GroupLimit
from tests.support.playbooks import record


@pytest.mark.parametrize(
    ("fields", "group"),
    [
        (("location_name",), "Seattle North"),
        (("organization_id", "type"), "123, 15"),
        (("type", "organization_id"), "15, 123"),
        (("rack",), "unknown"),
        (("rack", "type"), "unknown, 15"),
        (("status", "is_active"), "Up, true"),
        (("pending_settings",), "none"),
    ],
)
def test_a_group_is_named_by_the_values_in_the_order_of_the_fields(fields, group):
    assert group_of(record(), GroupLimit(fields, 1)) == group


@pytest.mark.parametrize("value", [None, "", "  ", []])
def test_a_value_that_holds_nothing_is_unknown(value):
    assert group_of(record(location_name=value), GroupLimit(("location_name",), 1)) == "unknown"


@pytest.mark.parametrize(
    ("one", "other"), [(15, "15"), (15, 15.0), ("North ", "North"), ("a,b", "a,b")]
)
def test_the_same_value_in_another_form_is_the_same_group(one, other):
    limit = GroupLimit(("site",), 1)

    assert group_of(record(site=one), limit) == group_of(record(site=other), limit)


@pytest.mark.parametrize(("one", "other"), [(15, 16), (1.5, 1), (True, False), ("a", "A")])
def test_another_value_is_another_group(one, other):
    limit = GroupLimit(("site",), 1)

    assert group_of(record(site=one), limit) != group_of(record(site=other), limit)


def test_an_unknown_status_is_unknown():
    assert group_of(record(status="?"), GroupLimit(("status",), 1)) == "unknown"


def test_a_place_is_named_by_its_values_and_unknown_where_one_is_missing():
    device = record(location_name="North", type=15)

    assert place_of(device, ("location_name", "type")) == "North, 15"
    assert place_of(device, ("location_name", "nowhere")) is None
