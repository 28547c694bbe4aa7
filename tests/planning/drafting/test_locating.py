"""A place that is Down as a whole is an outage; a device that is Down alone is not."""

import pytest

from orchestrator.planning.drafting.locating import Places
from tests.planning.drafting.test_freezing import frozen
from tests.support.playbooks import record

DOWN = "{organization: 123, status: down, except_outages_of: location_name}"


def site(name, *states, first=1, **fields):
    return [
        record(id=first + i, serial_number=f"SN{first + i}", location_name=name, status=s, **fields)
        for i, s in enumerate(states)
    ]


def outages(*devices, fields=("location_name",)):
    places = Places(fields)
    for device in devices:
        places.see(device)
    return [device.id for device in devices if places.outage(device) is not None]


@pytest.mark.parametrize(
    ("devices", "found"),
    [
        pytest.param(site("A", "Down", "Down"), [1, 2], id="all of two"),
        pytest.param(site("A", "Down"), [], id="one is no place"),
        pytest.param(site("A", "Down", "Down", "Up"), [], id="one is Up"),
        pytest.param(site("A", "Down", "Down", None), [], id="of one nobody knows"),
        pytest.param(site(None, "Down", "Down"), [], id="the place is not known"),
        pytest.param(
            [*site("A", "Down", "Down"), *site("A", "Up", first=9, is_active=False)],
            [1, 2],
            id="what is not active says nothing",
        ),
        pytest.param(
            [*site("A", "Down", "Up"), *site("B", "Down", "Down", first=5)], [5, 6], id="another"
        ),
    ],
)
def test_a_place_is_out_when_all_of_two_or_more_active_devices_are_down(devices, found):
    assert outages(*devices) == found


def test_a_record_that_comes_again_counts_as_it_is_now():
    places = Places(["location_name"])
    one, other = site("A", "Down", "Down")
    places.see(one)
    places.see(record(id=2, location_name="A", status="Up"))
    assert places.outage(one) is None

    places.see(other)

    assert places.outage(one).reason == (
        "its whole location_name 'A' is Down (2 devices): an outage, not a device"
    )


def test_a_plan_leaves_devices_of_an_outage_out_and_says_why():
    fleet = [*site("A", "Down", "Down"), *site("B", "Down", "Up", first=5)]
    plan = frozen(fleet, devices=DOWN, more="guard: {status: any}")

    assert [device.id for device in plan.devices] == [5]
    outage = plan.left_out[0]
    assert (outage.reason, outage.count) == (
        "its whole location_name is Down: an outage, not a device",
        2,
    )
    assert outage.examples[0] == (
        "1: its whole location_name 'A' is Down (2 devices): an outage, not a device"
    )
