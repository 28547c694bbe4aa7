"""Records have the shapes of api.md 1.9, and what may be written to them is checked."""

import pytest

from orchestrator.simulator import records
from tests.support.worlds import FIRST, START, world

LISTED = {
    "id",
    "uuid",
    "name",
    "customer_id",
    "is_active",
    "status",
    "status_change",
    "type",
    "type_short_name",
    "software_version",
    "hardware_version",
    "manufacturer",
    "serial_number",
    "description",
    "organization_id",
    "location_name",
    "location",
    "latitude",
    "longitude",
    "address",
    "last_connection",
    "last_configuration",
    "created",
}
DETAIL_ONLY = {
    "unique_identifier",
    "product_class",
    "serial_number_alt",
    "location_short_name",
    "username",
    "update_frequency",
    "firmware_image",
    "firmware_image_is_pending",
    "last_change",
    "debug",
}

CUSTOM = {"time_zone"}
"""No documented field: what a controller was given of its own (api.md 1.9: tolerate the unknown)."""


def shaped(shape: records.Shape) -> dict[str, object]:
    device = world().population.device(FIRST, START + 10)
    return shape.record(device, START + 10)


def test_the_list_shape_lacks_what_only_the_detail_has() -> None:
    assert set(shaped(records.LISTED)) == LISTED | CUSTOM
    assert set(shaped(records.DETAILED)) == LISTED | CUSTOM | DETAIL_ONLY


@pytest.mark.parametrize(
    "shape",
    [records.LISTED, records.DETAILED, records.CREATED, records.REPLACED, records.UPDATED],
    ids=["listed", "detailed", "created", "replaced", "updated"],
)
def test_no_shape_ever_holds_the_password(shape) -> None:
    assert "password" not in shaped(shape)


def test_positions_are_decimal_text_and_moments_end_in_z() -> None:
    row = shaped(records.DETAILED)

    assert isinstance(row["latitude"], str)
    assert float(row["latitude"])
    assert all(
        str(row[name]).endswith("Z")
        for name in (
            "status_change",
            "last_connection",
            "last_configuration",
            "last_change",
            "created",
        )
    )


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"name": 5}, {"name": ["Not a valid string."]}),
        ({"is_active": "yes"}, {"is_active": ["Must be a valid boolean."]}),
        ({"type": True}, {"type": ["A valid integer is required."]}),
        ({"latitude": "north"}, {"latitude": ["A valid number is required."]}),
        ({"latitude": True}, {"latitude": ["A valid number is required."]}),
        (
            {"update_frequency": 0},
            {"update_frequency": ["Ensure this value is greater than or equal to 1."]},
        ),
        ({"reboot": 1}, {"reboot": ["Must be a valid boolean."]}),
        ({"latitude": None, "longitude": "3.5", "unknown": object(), "id": "x"}, {}),
    ],
)
def test_a_wrong_value_is_named_with_the_frameworks_words(body, faults) -> None:
    assert records.faults_of(body, ()) == faults


def test_a_required_field_may_be_neither_missing_nor_blank() -> None:
    assert records.faults_of({"name": ""}, ("name", "type")) == {
        "name": ["This field may not be blank."],
        "type": ["This field is required."],
    }


def test_flags_and_unknown_fields_are_not_kept_on_the_record() -> None:
    kept = records.written({"name": "x", "reboot": True, "nonsense": 1, "latitude": 3.5})

    assert kept == {"name": "x", "latitude": "3.5"}


def test_what_a_replacement_blanks_may_also_be_given_as_null() -> None:
    body = {"location": None, "firmware_image": None, "update_frequency": None, "latitude": None}

    assert records.faults_of(body, ()) == {}
    assert set(records.faults_of({"location": "x", "update_frequency": 0}, ())) == {
        "location",
        "update_frequency",
    }
