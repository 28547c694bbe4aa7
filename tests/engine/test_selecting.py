"""A selection chooses devices, in an order, and every filter is checked here too."""

from dataclasses import replace

import pytest

from orchestrator.engine.choosing.selecting import (
    Chooser,
    Names,
    filters_of,
    in_order,
    names_of,
    row_name,
)
from orchestrator.model.devices import Status
from orchestrator.model.readings import DeviceFilter
from orchestrator.model.selections import (
    Condition,
    Equals,
    Matches,
    Selection,
    SomethingPending,
)
from orchestrator.model.values import Table
from tests.support.playbooks import NOW, record

SINCE = 1_788_000_000.0


def why(selection, **fields):
    return Chooser(selection, NOW).why_not(record(**fields))


def test_organizations_and_types_are_listed_one_by_one():
    selection = Selection(
        organizations=(1, 2), types=(8, 9), status=Status.DOWN, last_status_change_from=SINCE
    )

    assert filters_of(selection) == tuple(
        DeviceFilter(o, t, Status.DOWN, SINCE) for o in (1, 2) for t in (8, 9)
    )


def test_a_selection_without_filters_is_one_listing_of_everything():
    assert filters_of(Selection(everything=True)) == (DeviceFilter(),)


@pytest.mark.parametrize(
    ("selection", "fields", "reason"),
    [
        (Selection(organizations=(123, 5)), {}, None),
        (Selection(organizations=(123,)), {"organization_id": "123"}, None),
        (
            Selection(organizations=(5,)),
            {},
            "organization_id is 123, not 5",
        ),
        (
            Selection(organizations=(5,)),
            {"organization_id": None},
            "organization_id is not known",
        ),
        (Selection(types=(15,)), {}, None),
        (Selection(types=(16,)), {}, "type is 15, not 16"),
        (Selection(status=Status.UP), {"status": 1}, None),
        (Selection(status=Status.UP), {"status": "Down"}, "status is Down, not Up"),
        (Selection(status=Status.UP), {"status": "?"}, "status is not known"),
        (Selection(last_status_change_from=SINCE), {}, None),
        (
            Selection(last_status_change_from=SINCE),
            {"status_change": "2020-01-01"},
            "status_change is 2020-01-01 00:00:00Z, before 2026-08-29 10:40:00Z",
        ),
        (
            Selection(last_status_change_from=SINCE),
            {"status_change": None},
            "status_change is not known",
        ),
        (
            Selection(where=(Condition("location_name", Matches(("B*",))),)),
            {},
            'location_name is Seattle North, which matches none of "B*"',
        ),
        (Selection(include=frozenset({"1001"})), {}, None),
        (Selection(include=frozenset({"sn1"})), {}, None),
        (Selection(include=frozenset({"1002"})), {}, "it is not named in include"),
        (
            Selection(include=frozenset({"SN1"})),
            {"serial_number": None},
            "it is not named in include",
        ),
        (Selection(exclude=frozenset({"1001"})), {}, "it is excluded by the playbook"),
        (Selection(exclude=frozenset({"Sn1"})), {}, "it is excluded by the playbook"),
        (Selection(exclude=frozenset({"1002"})), {}, None),
    ],
)
def test_a_device_is_chosen_or_the_reason_is_said(selection, fields, reason):
    assert why(selection, **fields) == reason


def test_exclusion_is_stronger_than_inclusion():
    selection = Selection(include=frozenset({"1001"}), exclude=frozenset({"SN1"}))

    assert why(selection) == "it is excluded by the playbook"


def test_a_device_that_never_connected_is_left_out_unless_it_is_asked_for():
    never = {"pending_settings": "initial", "last_connection": None}
    asked = Selection(where=(Condition("pending_settings", SomethingPending(("initial",))),))

    assert why(Selection(), **never) == "it has never connected (pending: initial)"
    assert why(asked, **never) is None
    assert why(Selection(), **never | {"last_connection": "2026-01-01"}) is None


def test_a_device_is_called_by_its_id_and_its_serial_number():
    assert names_of(record(serial_number=" ABC ")) == {"1001", "abc"}
    assert names_of(record(serial_number=None)) == {"1001"}


def test_text_is_ordered_naturally_and_ids_break_ties():
    names = {3: "site 10", 1: "site 9", 4: "site 9", 2: "Site 9"}
    devices = [record(id=i, location_name=n) for i, n in names.items()]

    assert [d.id for d in in_order(devices, ("location_name",))] == [1, 2, 4, 3]


@pytest.mark.parametrize(("field", "ids"), [("latitude", [2, 1, 3]), ("-latitude", [1, 2, 3])])
def test_the_unknown_comes_last_in_either_direction(field, ids):
    devices = [record(id=3, latitude=None), record(id=1, latitude=9), record(id=2, latitude=8)]

    assert [d.id for d in in_order(devices, (field,))] == ids


def test_several_fields_order_one_after_the_other():
    rows = [(1, "b", "1.0"), (2, "a", "1.9"), (3, "a", "1.10")]
    devices = [record(id=i, location_name=n, software_version=v) for i, n, v in rows]

    ordered = in_order(devices, ("location_name", "-software_version"))

    assert [d.id for d in ordered] == [3, 2, 1]


def test_anything_can_be_ordered_by_anything():
    values = [None, 3, "x", True, ["a"], {"k": 1}, "10", -2.5]
    devices = [record(id=i, extra=value) for i, value in enumerate(values)]

    assert {d.id for d in in_order(devices, ("-extra", "pending_settings", "-id"))} == set(range(8))
    assert [d.id for d in in_order(devices, ("-id",))] == [7, 6, 5, 4, 3, 2, 1, 0]


def test_two_controller_forms_of_one_value_are_the_same_to_a_selection():
    selection = Selection(where=(Condition("is_active", Equals((True,))),))

    assert why(selection, is_active=1) is None
    assert why(selection, is_active="True") is None


TABLE = Table("sites.csv", "serial_number", ("serial_number",), {"SN1": {}}, {"SN1": 2})


def test_a_device_is_named_by_id_and_serial_in_any_case_and_by_its_name_as_it_is_written():
    named = Names(["1001", "sn1", "branch-1", "Branch-1"])

    assert sorted(named.of(record())) == ["1001", "branch-1", "sn1"]
    assert why(Selection(include=frozenset({"branch-1"}))) is None
    assert why(Selection(include=frozenset({"BRANCH-1"}))) == "it is not named in include"
    assert why(Selection(exclude=frozenset({"branch-1"}))) == "it is excluded by the playbook"


def test_a_device_without_a_row_in_the_table_is_not_chosen():
    chooser = Chooser(Selection(), NOW, table=TABLE)

    assert chooser.why_not(record()) is None
    assert chooser.why_not(record(serial_number="SN2")) == "it has no row in sites.csv"
    assert chooser.why_not(record(serial_number=None)) == "it has no row in sites.csv"


@pytest.mark.parametrize(
    ("key", "name"), [("id", "1001"), ("serial_number", "SN1"), ("name", "branch-1")]
)
def test_a_row_is_found_by_what_the_table_is_keyed_by(key, name):
    assert row_name(replace(TABLE, key=key), record()) == name


def test_where_outages_are_told_from_devices_those_that_are_up_are_listed_too():
    selection = Selection(
        organizations=(1,),
        types=(8,),
        status=Status.DOWN,
        last_status_change_from=SINCE,
        except_outages_of=("location_name",),
    )

    assert filters_of(selection) == (DeviceFilter(1, 8),)
    assert Chooser(selection, NOW).why_not(record(organization_id=1, type=8)) is not None


def test_a_playbook_that_creates_devices_takes_those_in_that_never_connected():
    fields = {"last_connection": None, "pending_settings": "initial"}

    assert Chooser(Selection(), NOW).why_not(record(**fields)) is not None
    assert Chooser(Selection(), NOW, may_be_new=True).why_not(record(**fields)) is None
