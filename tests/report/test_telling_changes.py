"""What a request writes, in a sentence: every field, clipped, and never a secret."""

import pytest
from msgspec import structs

from orchestrator.report.telling import describe
from orchestrator.report.telling_changes import intention, value_of
from tests.support.histories import intended, rewritten


def test_each_field_is_told_with_what_it_was_and_becomes():
    told = intention(
        rewritten(
            before={"description": "old", "debug": False, "location": None, "organization_id": 3},
            after={"description": "new", "debug": True, "location": 7, "organization_id": 3},
        )
    )

    assert told == (
        "update is about to be requested: description 'old' -> 'new', debug false -> true,"
        " location empty -> 7; saved before: record"
    )


def test_a_secret_is_told_by_its_fingerprint_and_never_with_what_it_was():
    told = intention(
        rewritten(before={"password": "hunter2"}, after={"password": "fp:12ab34cd56ef"})
    )

    assert "password never shown -> fp:12ab34cd56ef;" in told
    assert "hunter2" not in told


@pytest.mark.parametrize("field", ["password", "username", "wifi_passphrase", "api_token"])
def test_what_is_no_fingerprint_is_not_shown_for_a_secret(field):
    assert value_of(field, "hunter2") == "***"


def test_the_flag_is_told_beside_the_update_and_not_as_a_field():
    event = structs.replace(
        rewritten(after={"description": "new", "reboot": True}), operation="reboot"
    )

    told = intention(event)

    assert told.startswith(
        "update with reboot is about to be requested: description 'old' -> 'new'"
    )
    assert "true" not in told


@pytest.mark.parametrize(
    ("action", "before", "after", "told"),
    [
        (
            "create",
            None,
            {"serial_number": "SN9", "debug": True},
            "create is about to be requested: serial_number 'SN9', debug true",
        ),
        ("delete", {}, {}, "delete of the record is about to be requested"),
        (
            "deactivate",
            {"is_active": True},
            {"is_active": False},
            "deactivate is about to be requested: is_active true -> false",
        ),
        (
            "upgrade",
            {"firmware_image": None},
            {"firmware_image": "2.5"},
            "update is about to be requested: firmware_image empty -> '2.5'",
        ),
    ],
)
def test_each_action_is_told(action, before, after, told):
    event = rewritten(action=action, before=before or {}, after=after)

    assert intention(event) == f"{told}; saved before: record"


def test_an_operation_says_what_was_saved_before_it():
    assert intention(structs.replace(intended(), snapshot="full")) == (
        "factory is about to be requested; saved before: full"
    )


def test_long_values_are_cut_and_many_fields_are_counted():
    after = {f"field_{number}": "x" * 500 for number in range(30)}

    told = intention(rewritten(before={}, after=after))

    assert told.count("…") == 12
    assert "and 18 more fields" in told
    assert len(told) < 1300


def test_what_stands_in_a_record_cannot_steer_a_terminal():
    told = describe(rewritten(before={}, after={"description": "a\x1b[2Jb"}))

    assert "'a [2Jb'" in told
