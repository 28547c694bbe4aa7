"""The shipped playbooks for records: onboarding, bulk updates, exchanged hardware, decommissioning."""

from pathlib import Path

import pytest

from orchestrator.engine.choosing.selecting import Chooser
from orchestrator.playbook.loading import load_playbook
from tests.support.playbooks import NOW, record

FOLDER = Path(__file__).parents[2] / "playbooks"
NAMES = ("onboard", "update-fields", "hardware-replacement", "decommission")


def loaded(name, **variables):
    return load_playbook(FOLDER / f"{name}.yaml", variables)[0]


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_does_to_whom_and_how_to_undo_it(name):
    comment = (FOLDER / f"{name}.yaml").read_text().split("\nplaybook:")[0].splitlines()

    assert all(line.startswith("# ") for line in comment)
    for title in ("# What it does ", "# To whom ", "# To undo it "):
        assert any(line.startswith(title) for line in comment)


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_as_it_is_and_for_another_organization(name):
    assert loaded(name).name == name
    assert loaded(name, organization="456").selection.organizations == (456,)


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        (
            "onboard",
            [
                "create",
                "check status",
                "update update_frequency, debug",
            ],
        ),
        ("update-fields", ["update row"]),
        ("hardware-replacement", ["replace row", "check status"]),
        ("decommission", ["deactivate", "approve", "delete"]),
    ],
)
def test_it_does_these_steps(name, steps):
    done = [step.title for step in loaded(name).steps]

    assert ["create" if title.startswith("create ") else title for title in done] == steps


def test_onboarding_creates_with_what_the_controller_is_documented_to_need():
    step = loaded("onboard").steps[0]

    fields = {assignment.field for assignment in step.assignments}
    assert {"name", "customer_id", "type", "organization_id"} <= fields


def test_the_example_table_names_no_device_that_could_be_anybodys():
    assert list(loaded("onboard").table.rows) == ["EXAMPLE-0001"]
    assert list(loaded("update-fields").table.rows) == ["EXAMPLE-0001"]
    assert list(loaded("hardware-replacement").table.rows) == ["999999999"]


def test_only_devices_that_are_down_and_long_silent_are_decommissioned():
    chooser = Chooser(loaded("decommission").selection, NOW)
    silent = {"status": "Down", "last_connection": "2026-01-01T00:00:00Z"}

    assert chooser.why_not(record(**silent)) is None
    assert chooser.why_not(record(**silent | {"status": "Up"}))
    assert chooser.why_not(record(**silent | {"last_connection": "2026-09-01T00:00:00Z"}))
    assert chooser.why_not(record(**silent | {"organization_id": 456}))


def test_a_table_beside_a_copy_of_the_playbook_is_taken(tmp_path):
    for name in ("onboard", "hardware-replacement"):
        (tmp_path / f"{name}.yaml").write_bytes((FOLDER / f"{name}.yaml").read_bytes())
    (tmp_path / "swaps.csv").write_text("id,serial_number,password\n7,ZN7,hush\n")

    playbook, source = load_playbook(
        tmp_path / "hardware-replacement.yaml", {"table": "@swaps.csv"}
    )

    assert playbook.table.rows == {"7": {"id": "7", "serial_number": "ZN7", "password": True}}
    assert "hush" not in str(source)
