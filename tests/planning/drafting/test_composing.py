"""Playbooks that commands write say exactly what was typed, or what a table holds."""

import textwrap

import pytest

from orchestrator.engine.rollout.budgeting import overspent
from orchestrator.model.values import Table
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.drafting import composing
from orchestrator.planning.drafting.composing import Filters
from orchestrator.planning.drafting.limiting import resolve_limits
from orchestrator.playbook.composing import compose
from orchestrator.playbook.faults import Faults
from tests.support.playbooks import minimal, playbook


def table(*rows, key="serial_number", secrets=()) -> Table:
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    named = {str(row[key]): {c: v for c, v in row.items() if v is not None} for row in rows}
    lines = {name: place for place, name in enumerate(named, start=2)}
    return Table("sites.csv", key, columns, named, lines, frozenset(secrets))


def body(text: str) -> str:
    """Leave out the head, which is the same for all."""
    return text.split("devices:\n", 1)[1]


def expected(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


ROW = {"serial_number": "ZN1", "name": "branch-1", "type": 15, "update_frequency": 300}
MANY = [ROW | {"serial_number": f"ZN{number}"} for number in range(10)]


def test_filters_stand_as_a_playbook_has_them():
    filters = Filters((123, 456), (15,), "up", "2026-01-01", ("is_active=true", "name: {missing}"))

    assert body(composing.listing(filters)) == expected("""
          expect: {at_least: 0}
          organization: [123, 456]
          type: [15]
          status: "up"
          last_status_change_from: "2026-01-01"
          where:
            is_active: true
            name: {missing}
        steps:
          - sleep: 1s
        """)


def test_no_filter_at_all_means_everything_to_a_listing():
    assert "  all: true\n" in composing.listing(Filters())


def test_onboarding_creates_waits_for_the_first_contact_and_then_writes_settings():
    text = composing.importing(table(ROW), file="sites.csv", wait=86400.0)

    assert text.startswith("# Made by `orchestrator devices import`.\nplaybook: devices-import\n")
    assert body(text) == expected("""
          with: "@sites.csv"
          key: serial_number
        steps:
          - create: {name: "${row.name}", type: "${row.type}"}
          - check: {status: up}
            within: 1d
          - update: {name: "${row.name}", type: "${row.type}", \
update_frequency: "${row.update_frequency}"}
        """)


def test_onboarding_without_waiting_writes_settings_at_once():
    text = composing.importing(table(ROW), file="sites.csv", wait=None)

    assert "check" not in text
    assert "- update:" in text
    assert "organization" not in text


def test_a_table_of_serial_numbers_alone_creates_by_the_row_and_updates_nothing():
    text = composing.importing(table({"serial_number": "ZN1"}), file="sites.csv", wait=None)

    assert "- create: row\n" in text
    assert "update" not in text


def test_an_import_moves_no_device_and_leaves_its_password_alone():
    sites = table(ROW | {"organization_id": 123, "password": True}, secrets=("password",))

    create, update = composing.importing(sites, file="sites.csv", wait=None).split("- update:")

    assert "password" in create
    assert 'organization_id: "${row.organization_id}"' in create
    assert "password" not in update
    assert "organization_id" not in update


def test_a_gap_beside_secrets_is_nothing_for_devices_that_are_there():
    secret = ROW | {"password": True}
    sites = table(secret, secret | {"serial_number": "ZN2", "name": None}, secrets=("password",))

    create, update = composing.importing(sites, file="sites.csv", wait=None).split("- update:")

    assert composing.only_for_new(sites) == ("name",)
    assert "- create: row\n" in create
    assert "name" not in update
    assert '{type: "${row.type}", update_frequency' in update


def test_devices_that_are_elsewhere_are_left_out_of_an_import():
    text = composing.importing(table(ROW), file="sites.csv", wait=None, exclude=[1001, 1002])

    assert "  exclude: [1001, 1002]\nsteps:" in text


@pytest.mark.parametrize(
    "text",
    [
        composing.importing(table(*MANY), file="sites.csv", wait=60.0),
        composing.importing(table(*MANY), file="sites.csv", wait=None),
        composing.updating_from(table(*MANY), file="sites.csv"),
        composing.updating(Filters((123,)), {"debug": "true"}),
        composing.deleting(Filters((123,)), deactivate_first=True),
    ],
    ids=["import", "import at once", "update from a file", "update", "delete"],
)
@pytest.mark.parametrize("devices", [1, 3, 10_000])
def test_a_budget_ends_what_is_refused_again_and_again_in_a_set_of_any_size(text, devices):
    rollout = text[text.index("rollout: ") :]

    budget = resolve_limits(playbook(minimal(more=rollout)), devices).budget

    assert (str(budget.failure_rate), budget.after) == ("20%", min(10, devices))
    assert overspent(budget, {Verdict.FAILED: 3}, devices)


def test_devices_that_wait_for_their_first_contact_do_not_wait_for_each_other():
    assert "strict: false" in composing.importing(table(*MANY), file="sites.csv", wait=60.0)
    assert "strict" not in composing.importing(table(*MANY), file="sites.csv", wait=None)


def test_of_a_few_rows_each_has_its_own_result():
    assert "rollout" not in composing.importing(table(*MANY[:9]), file="sites.csv", wait=60.0)
    assert "rollout" not in composing.updating_from(table(*MANY[:9]), file="sites.csv")


def test_a_listing_has_no_budget():
    assert "rollout" not in composing.listing(Filters())


def test_credentials_belong_to_what_a_device_is_created_with():
    sites = table(ROW | {"username": True, "password": True}, secrets=("username", "password"))

    columns = composing.columns_of(sites)

    assert columns.identity == ("name", "type", "username", "password")
    assert columns.settings == ("update_frequency",)


def test_what_the_controller_keeps_by_itself_is_left_out():
    columns = composing.columns_of(table(ROW | {"id": 7, "status": "Up", "created": "2026-01-01"}))

    assert columns.left_out == ("id", "status", "created")
    assert "status" not in columns.written


def test_an_undocumented_column_is_a_setting():
    assert composing.columns_of(table(ROW | {"site_code": "N1"})).settings == (
        "update_frequency",
        "site_code",
    )


def test_a_column_without_any_value_is_not_written():
    assert "name" not in composing.columns_of(table(ROW | {"name": None})).written


def test_a_row_without_a_value_keeps_what_the_device_has():
    sites = table(ROW, ROW | {"serial_number": "ZN2", "name": None})

    text = composing.importing(sites, file="sites.csv", wait=None)

    assert "- create: row\n" in text
    assert "- update: row\n" in text
    assert composing.takes_rows(sites)


def test_a_bulk_update_writes_every_column_but_the_key():
    text = composing.updating_from(table(ROW | {"id": 7}), file="sites.csv")

    assert body(text) == expected("""
          with: "@sites.csv"
          key: serial_number
        steps:
          - update: {name: "${row.name}", type: "${row.type}", \
update_frequency: "${row.update_frequency}"}
        """)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("debug", "true", "true"),
        ("update_frequency", "300", "300"),
        ("latitude", "-12.5", "-12.5"),
        ("firmware_image", "null", "null"),
        ("name", "12", '"12"'),
        ("name", "true", '"true"'),
        ("site_code", "007", '"007"'),
        ("site_code", '"7"', '"7"'),
        ("site_code", "{generate: 24}", '"{generate: 24}"'),
        ("description", "a: b # c", '"a: b # c"'),
        ("description", "was ${device.location_name}", '"was ${device.location_name}"'),
        ("description", "", '""'),
    ],
)
def test_a_typed_value_is_a_scalar_and_never_more(field, text, value):
    assert composing.typed(field, text) == value


def test_an_update_names_its_devices_and_fields():
    text = composing.updating(
        Filters(where=("location_name: Seattle",)), {"debug": "true"}, include=[1001, 1002]
    )

    assert body(text) == expected("""
          include: [1001, 1002]
          where:
            location_name: Seattle
        steps:
          - update: {debug: true}
        rollout: {stop_when: {failure_rate: 20%, after: 10}}
        """)


def test_only_what_is_down_and_inactive_is_deleted():
    text = composing.deleting(Filters(organization=(123,)), deactivate_first=False)

    assert body(text) == expected("""
          organization: [123]
          where:
            status: down
            is_active: false
        steps:
          - delete: true
        rollout: {stop_when: {failure_rate: 20%, after: 10}}
        """)


def test_deactivating_first_takes_active_devices_as_well_but_none_that_is_up():
    text = composing.deleting(Filters(), include=[1001], deactivate_first=True)

    assert body(text) == expected("""
          include: [1001]
          where:
            status: down
        steps:
          - deactivate: true
          - delete: true
        rollout: {stop_when: {failure_rate: 20%, after: 10}}
        """)


@pytest.mark.parametrize(
    "value", ["plain", 'a "quote"', "back\\slash", "snow ☃ 🙂", "line\nbreak", "\x7f\x85\u2028", ""]
)
def test_any_text_reads_back_as_it_was(value):
    faults = Faults("made.yaml", "")

    node = compose(f"key: {composing.scalar(value)}\n", faults)

    assert node.get("key").text == value
