"""What a record does not say although it should is a deviation; what is not known is one too."""

import pytest

from orchestrator.model.devices import DETAIL_ONLY_FIELDS, DeviceId
from orchestrator.planning.drafting.freezing import freeze
from orchestrator.planning.restoring.drifting import (
    Remedy,
    drift_from,
    drift_since,
    is_told_by_lists,
)
from orchestrator.planning.restoring.remedying import remedying
from orchestrator.playbook.conditions import KNOWN_FIELDS
from orchestrator.playbook.reading import read_playbook
from orchestrator.playbook.wanted import load_wanted
from tests.support.changed import snapshot
from tests.support.playbooks import NOW, record, source


@pytest.fixture
def wanted(tmp_path):
    def load(fields, devices="organization: 123", sites="serial_number,site\nSN1,Seattle\n"):
        (tmp_path / "sites.csv").write_text(sites)
        path = tmp_path / "w.yaml"
        path.write_text(f"wanted: branch\ndevices: {{{devices}}}\nfields: {{{fields}}}\n")
        return load_wanted(path)

    return load


def drifted(found, *devices):
    plan = freeze(found.playbook, found.source, devices, controller="https://c/api", now=NOW)
    return drift_from(found, plan, {each.id: each for each in devices}, NOW)


def told(drift):
    return [
        (each.device, d.field, d.shown, d.should, d.remedy.value)
        for each in drift.devices
        for d in each.deviations
    ]


def test_what_is_as_it_should_be_is_no_drift(wanted):
    drift = drifted(wanted("is_active: true, type: 15"), record())

    assert (drift.checked, drift.devices, drift.is_any) == (1, (), False)


@pytest.mark.parametrize(
    ("fields", "given", "expected"),
    [
        ("is_active: true", {"is_active": False}, ("false", "true", "write")),
        ("description: new", {"description": "old"}, ("old", "new", "write")),
        ("description: new", {}, ("not known", "new", "write")),
        ("vendor_thing: 7", {"vendor_thing": 8}, ("8", "7", "write")),
        ("status: up", {"status": "Down"}, ("Down", "Up", "none")),
        ("status: up", {"status": "?"}, ("not known", "Up", "none")),
        ("description: [a, b]", {"description": "c"}, ("c", "a or b", "none")),
        ("name: {matches: 'hq-*'}", {}, ("branch-1", "like hq-*", "none")),
        ("type: {below: 9}", {}, ("15", "below 9", "none")),
        ("type: missing", {}, ("15", "missing", "none")),
        ("description: present", {}, ("not known", "present", "none")),
        ("software_version: {at_least: '2.5'}", {}, ("2.4.1", "at least 2.5", "firmware")),
        ("firmware_image: 12", {"firmware_image": 9}, ("9", "12", "firmware")),
        ("pending_settings: none", {"pending_settings": "wifi"}, ("wifi", "none", "sync")),
        ("pending_settings: none", {"pending_settings": {}}, ("not known", "none", "sync")),
        ("pending_settings: any", {}, ("none", "any", "none")),
        (
            "last_connection: {newer_than: 1m}",
            {},
            ("2026-09-21 14:10:00Z", "newer than 1m", "none"),
        ),
        (
            "last_connection: {older_than: 1d}",
            {},
            ("2026-09-21 14:10:00Z", "older than 1d", "none"),
        ),
        (
            "status_change: {at_least: 2026-09-20}",
            {},
            ("2026-09-01 00:00:00Z", "at least 2026-09-20 00:00:00Z", "none"),
        ),
    ],
)
def test_a_deviation_says_what_is_and_what_should_be(wanted, fields, given, expected):
    field = fields.partition(":")[0]

    assert told(drifted(wanted(fields), record(**given))) == [(1001, field, *expected)]


def test_each_device_should_say_what_its_row_says(wanted):
    sites = "serial_number,site\nSN1,Seattle\nSN2,\nSN3,Tacoma\nSN9,Reno\n"
    found = wanted('location_name: "${row.site}"', 'with: "@sites.csv"', sites)
    drift = drifted(
        found,
        record(location_name="Boise"),
        record(id=1002, serial_number="SN2"),
        record(id=1003, serial_number="SN3", location_name="Tacoma"),
        record(id=1004, serial_number="SN4"),
    )

    assert told(drift) == [(1001, "location_name", "Boise", "Seattle", "write")]
    assert drift.checked == 3
    assert drift.without_device == ("SN9",)


def test_a_device_that_vanishes_meanwhile_is_told(wanted):
    found = wanted("is_active: true")
    plan = freeze(found.playbook, found.source, [record()], controller="https://c/api", now=NOW)

    drift = drift_from(found, plan, {}, NOW)

    assert drift.devices[0].why_gone == "the controller no longer has this device"


@pytest.mark.parametrize(
    ("fields", "enough"), [("type: 1", True), ("debug: true", False), ("vendor_thing: 1", False)]
)
def test_lists_are_enough_where_they_show_every_field(wanted, fields, enough):
    assert is_told_by_lists(wanted(fields), DETAIL_ONLY_FIELDS, KNOWN_FIELDS) is enough


def since(record_now, device=1001, moved=None, **fields):
    shot = snapshot(device, **{"serial_number": "SN1", **fields})
    records = {} if record_now is None else {record_now.id: record_now}
    ids = {} if moved is None else {DeviceId(device): DeviceId(moved)}
    return drift_since("night-1", [shot], ids, records)


def test_the_records_before_a_run_are_a_wanted_state_too():
    drift = since(
        record(description=None, type=15, firmware_image=12, status="Down"),
        description="old",
        type=15,
        firmware_image=9,
        status="Up",
        latitude=None,
        organization_id=123,
    )

    assert drift.wanted == "run night-1"
    assert told(drift) == [
        (1001, "description", "not known", "old", "write"),
        (1001, "firmware_image", "12", "9", "firmware"),
    ]


def test_what_was_null_is_written_as_null_where_that_can_be():
    drift = since(record(description="x", debug=True), description=None, debug=None)

    assert [(d.field, d.remedy, d.value) for d in drift.devices[0].deviations] == [
        ("description", Remedy.WRITE, None),
        ("debug", Remedy.NONE, None),
    ]


def test_a_device_of_the_run_that_is_gone_or_another_by_now_is_told():
    assert since(None).devices[0].why_gone == "the controller no longer has this device"
    other = since(record(serial_number="SN9"))
    assert other.devices[0].why_gone == "its record shows another serial number"


def test_a_device_with_a_new_id_is_compared_under_that():
    drift = since(record(id=5012, description="new"), moved=5012, description="old")

    assert told(drift) == [(5012, "description", "new", "old", "write")]


def test_the_remedy_writes_only_what_deviates(wanted):
    found = wanted("description: standard, is_active: true")
    made = remedying(drifted(found, record(), record(id=1002, serial_number="SN2")), "fix.jsonl")
    playbook = read_playbook(source(made.playbook, files={"fix.jsonl": made.table}))

    assert made.devices == 2
    assert dict(playbook.table.rows) == {
        "1001": {"id": "1001", "description": "standard"},
        "1002": {"id": "1002", "description": "standard"},
    }
    assert [step.title for step in playbook.steps] == ["update row"]
    assert made.playbook.splitlines()[:3] == [
        "# What it does   Remedies what deviates from branch: writes description.",
        "# To whom        2 devices that deviate, by the rows of fix.jsonl.",
        (
            "# To undo it     `orchestrator rollback RUN` puts back what its run changed in records;"
            " settings that were delivered stay."
        ),
    ]


def test_pending_settings_are_delivered_by_sync(wanted):
    found = wanted("pending_settings: none")
    made = remedying(drifted(found, record(pending_settings="wifi")), "fix.jsonl")
    playbook = read_playbook(source(made.playbook, files={"fix.jsonl": made.table}))

    assert [step.title for step in playbook.steps] == ["sync"]


def test_devices_without_pending_settings_are_not_synced(wanted):
    found = wanted("pending_settings: none, description: standard")
    devices = [
        record(pending_settings="wifi", description="standard"),
        record(id=1002, serial_number="SN2"),
    ]
    made = remedying(drifted(found, *devices), "fix.jsonl")
    playbook = read_playbook(source(made.playbook, files={"fix.jsonl": made.table}))

    assert [step.title for step in playbook.steps] == [
        "update row",
        "done_if pending_settings",
        "sync",
    ]
    assert set(playbook.table.rows) == {"1001", "1002"}


def test_what_no_playbook_remedies_is_said_at_its_top(wanted):
    found = wanted("software_version: {at_least: '2.5'}, status: up, description: a")
    made = remedying(drifted(found, record(status="Down")), "fix.jsonl")

    assert made.left == (
        "software_version should be at least 2.5: firmware-rollout.yaml upgrades firmware (1 device)",
        "status should be Up, which no playbook can write by itself (1 device)",
    )
    assert f"# Not remedied here: {made.left[0]}" in made.playbook.splitlines()


def test_where_nothing_can_be_remedied_there_is_no_playbook(wanted):
    made = remedying(drifted(wanted("status: up"), record(status="Down")), "fix.jsonl")

    assert (made.playbook, made.table, made.devices) == ("", "", 0)


def test_devices_that_are_gone_and_rows_without_one_are_not_remedied(wanted):
    sites = "serial_number,site\nSN1,Seattle\nSN9,Reno\n"
    found = wanted('location_name: "${row.site}"', 'with: "@sites.csv"', sites)
    rows = remedying(drifted(found, record()), "fix.jsonl")

    assert rows.left == ("1 row without a device",)
    assert remedying(since(None), "x.jsonl").left == (
        "1 device with no record, or another device's",
    )


def test_a_run_as_wanted_state_makes_a_playbook_that_can_be_read():
    made = remedying(since(record(description="new"), description="old"), "x.jsonl")
    playbook = read_playbook(source(made.playbook, files={"x.jsonl": made.table}))

    assert playbook.name == "remedy-of-run night-1"
    assert playbook.table.rows["1001"]["description"] == "old"
