"""A record is read tolerantly, and the unknown is never taken for Up or for clear."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.model.devices import (
    RecordError,
    Status,
    as_flag,
    as_moment,
    as_pending,
    as_status,
    device_from_record,
)


@pytest.mark.parametrize("value", ["Up", "up", "UP", True, 1, "1", "true", "True", 1.0, " up "])
def test_every_documented_form_of_up_is_up(value):
    assert as_status(value) is Status.UP


@pytest.mark.parametrize("value", ["Down", "down", False, 0, "0", "false", "False"])
def test_every_documented_form_of_down_is_down(value):
    assert as_status(value) is Status.DOWN


@pytest.mark.parametrize("value", [None, "", "booting", 2, -1, [], {}, ["Up"], "Upp", float("nan")])
def test_any_other_status_is_unknown_and_never_up(value):
    assert as_status(value) is Status.UNKNOWN


@pytest.mark.parametrize("value", ["none", "None", "", " ", None, False, [], "null", "false"])
def test_every_form_of_nothing_pending_is_clear(value):
    assert as_pending(value) == ()


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("wifi_config,port_forwarding", ("wifi_config", "port_forwarding")),
        ("wifi , ,lan", ("wifi", "lan")),
        (["wifi", "lan"], ("wifi", "lan")),
        ([1, "a"], ("1", "a")),
        (True, ("something",)),
        ("true", ("something",)),
        ("initial", ("initial",)),
    ],
)
def test_pending_settings_are_read_in_every_form(value, names):
    assert as_pending(value) == names


@pytest.mark.parametrize("value", [7, 1.5, {"wifi": True}])
def test_pending_settings_in_an_unknown_form_are_not_known(value):
    assert as_pending(value) is None


def test_pending_settings_that_are_absent_are_not_known():
    assert device_from_record({"id": 1}).pending is None
    assert device_from_record({"id": 1, "pending_settings": None}).pending == ()


@pytest.mark.parametrize(("value", "flag"), [("yes", True), ("off", False), ("?", None), (3, None)])
def test_a_flag_is_true_false_or_not_known(value, flag):
    assert as_flag(value) is flag


@pytest.mark.parametrize("value", [None, 5, "", "never", "2026-99-99", True])
def test_a_timestamp_that_cannot_be_read_is_not_known(value):
    assert as_moment(value) is None


def test_a_record_is_read_whole():
    device = device_from_record(
        {
            "id": "1001",
            "serial_number": 12345,
            "name": "  ",
            "status": "Up",
            "is_active": 1,
            "pending_settings": "none",
            "last_connection": "2026-01-01 00:00:00+00:00",
            "status_change": None,
            "update_frequency": "600",
            "firmware_image_is_pending": "false",
            "vendor_field": [1],
        }
    )

    assert (device.id, device.serial_number, device.name) == (1001, "12345", None)
    assert (device.status, device.is_active, device.pending) == (Status.UP, True, ())
    assert (device.last_connection, device.status_change) == (1_767_225_600.0, None)
    assert (device.update_frequency, device.firmware_is_pending) == (600.0, False)
    assert device.fields["vendor_field"] == [1]


@pytest.mark.parametrize("value", [0, -5, "soon", None, True, []])
def test_an_update_frequency_that_cannot_be_is_not_known(value):
    assert device_from_record({"id": 1, "update_frequency": value}).update_frequency is None


def test_secrets_are_dropped_at_the_door():
    device = device_from_record({"id": 1, "username": "joe", "password": "hunter2"})

    assert "joe" not in repr(device)
    assert "hunter2" not in repr(device)
    assert device.value("password") is None


@pytest.mark.parametrize(
    "record",
    [
        *(None, [], "x", {}, {"id": None}, {"id": "x1"}, {"id": -1}, {"id": True}, {"id": 1.5}),
        *({"id": 1 << 63}, {"id": str(1 << 63)}, {"id": "9" * 5000}),
    ],
    ids=lambda record: str(record)[:30],
)
def test_a_row_without_a_usable_id_is_no_record(record):
    with pytest.raises(RecordError):
        device_from_record(record)


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("status", "1", Status.UP),
        ("status", "?", None),
        ("is_active", "true", True),
        ("pending_settings", "a,b", ("a", "b")),
        ("last_connection", "2026-01-01", 1_767_225_600.0),
        ("created", "never", None),
        ("latitude", "19.4", "19.4"),
        ("nowhere_else", {"a": 1}, {"a": 1}),
    ],
)
def test_conditions_see_a_field_by_its_meaning(field, value, read):
    assert device_from_record({"id": 1, field: value}).value(field) == read


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
FIELDS = ["status", "is_active", "pending_settings", "last_connection", "update_frequency", "name"]


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_whatever_the_fields_hold_the_record_can_be_read(fields):
    device = device_from_record({"id": 1, **fields})

    assert device.status in Status
    for field in FIELDS:
        device.value(field)
