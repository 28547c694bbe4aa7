"""What no record has is not written into any, and what is Up is not deleted."""

import pytest

from orchestrator.model.errors import SelectionError
from orchestrator.planning.drafting.refusing import (
    check_templates,
    fields_of_templates,
    unheard_of,
)
from tests.planning.drafting.test_freezing import fleet, frozen
from tests.support.playbooks import minimal, playbook, record

DELETE = "- delete: true"


def test_the_fields_that_templates_take_from_records_are_known():
    steps = "- update: {description: '${device.room} of ${device.location_name}', name: '${device.room}'}"

    assert fields_of_templates(playbook(minimal(steps=steps))) == ("room", "location_name")


def test_a_field_that_no_record_has_is_refused_with_the_nearest():
    chosen = [record(), record(shelf=4)]

    assert unheard_of(("shelf", "location_nam"), chosen) == ("location_nam",)
    with pytest.raises(SelectionError) as caught:
        check_templates(("location_nam",), chosen)
    assert str(caught.value) == (
        "a step writes ${device.location_nam}, and no chosen record has that field; did you mean"
        " ${device.location_name}?"
    )


def test_a_field_that_is_empty_in_every_chosen_record_is_refused():
    with pytest.raises(SelectionError, match=r"\$\{device.customer_id\}, which is empty in every"):
        frozen(fleet(2, customer_id=None), steps="- update: {description: '${device.customer_id}'}")


def test_devices_that_are_up_are_not_deleted():
    records = [*fleet(2, is_active=False), record(id=3, serial_number="SN3", status="Down")]

    with pytest.raises(SelectionError) as caught:
        frozen(records, steps=DELETE)

    assert str(caught.value) == (
        "delete: 2 of the 3 chosen devices are Up, such as 1, 2; deactivate first, choose"
        " `status: down`, or write `guard: {status: any}`"
    )


def test_they_are_where_the_playbooks_own_guard_lets_them_be():
    plan = frozen(fleet(2), steps=DELETE, more="guard: {status: any}")

    assert len(plan.devices) == 2


def test_devices_that_are_down_are_deleted_and_the_plan_says_for_good():
    plan = frozen(fleet(2, status="Down", is_active=False), steps=DELETE)

    (told,) = plan.warnings
    assert told.startswith("2 records are deleted for good: ")
