"""A device of a run is named by its id, its serial number or its name."""

from dataclasses import replace

import msgspec
import pytest

from orchestrator.cli.naming import device_of, devices_of
from orchestrator.model.errors import RunError
from tests.support.recorded_runs import plan_of

PLAN = plan_of(1001, 1002, 1003)


@pytest.mark.parametrize(
    "text", ["1002", " 1002 ", "ZN1002", "zn1002", "branch 1002", "Branch 1002"]
)
def test_any_of_its_names_means_the_device(text):
    assert device_of(PLAN, text) == 1002


def test_an_id_goes_before_a_name_that_looks_like_it():
    first, second, third = PLAN.devices
    plan = replace(PLAN, devices=(first, msgspec.structs.replace(second, name="1001"), third))

    assert device_of(plan, "1001") == 1001


def test_a_name_that_several_share_names_their_ids():
    plan = replace(
        PLAN, devices=tuple(msgspec.structs.replace(each, name="branch") for each in PLAN.devices)
    )

    with pytest.raises(RunError) as told:
        device_of(plan, "branch")

    assert str(told.value) == (
        "3 devices of the plan are called 'branch': 1001, 1002, 1003; name one by its id"
    )


def test_the_nearest_name_is_offered():
    with pytest.raises(RunError, match="did you mean 'ZN1003'"):
        device_of(PLAN, "ZN1003x")
    with pytest.raises(RunError, match="it has 3, by id, serial number or name"):
        device_of(PLAN, "???")


def test_devices_without_serial_number_or_name_have_their_ids():
    bare = tuple(
        msgspec.structs.replace(each, serial_number=None, name=None) for each in PLAN.devices
    )

    assert device_of(replace(PLAN, devices=bare), "1003") == 1003


def test_nobody_named_means_all_and_twice_named_means_once():
    assert devices_of(PLAN, []) is None
    assert devices_of(PLAN, ["1002", "ZN1002", "1001"]) == [1002, 1001]
