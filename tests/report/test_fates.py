"""What became of each device: exact for every device, small for a million."""

from orchestrator.model.device_sets import DeviceSet
from orchestrator.report.fates import Fates, Went
from tests.support.histories import finished, planned


def fates(*devices, **given):
    return Fates(DeviceSet(planned(*devices).values()), **given)


def test_an_end_is_known_with_its_step_and_its_reason():
    found = fates(3, 1)

    assert found.end(finished(1, verdict="failed", step=2, reason="404"))
    assert found.ended(1) == ("failed", 2, "404")
    assert (found.ended(3), found.ended(9), found.count) == (None, None, 1)


def test_the_first_verdict_of_a_device_stays():
    found = fates(1)
    found.end(finished(1, verdict="skipped", reason="down"))

    assert not found.end(finished(1, verdict="failed", reason="404"))
    assert found.ended(1) == ("skipped", 0, "down")
    assert found.count == 1


def test_devices_outside_of_the_plan_end_as_well():
    found = fates(1)
    found.name(7, 70)
    found.end(finished(9, reason="late"))
    found.end(finished(7, verdict="failed"))

    assert (found.ended(9), found.ended(7)) == (("succeeded", 0, "late"), ("failed", 0, ""))
    assert (found.record(7), found.record(9), found.record(1)) == (70, None, None)


def test_without_a_plan_devices_stand_in_the_order_of_their_ends():
    found = fates()
    for device in (5, 2, 9):
        found.end(finished(device))

    assert list(found.ids([4, 5])) == [5, 2, 9, 4]


def test_with_a_plan_devices_stand_in_its_order():
    found = fates(3, 1)
    found.end(finished(1))

    assert list(found.ids([8])) == [3, 1]


def test_what_devices_went_through_is_counted_once_each():
    found = fates(1, 2)
    for device in (1, 1, 2, 9):
        found.note(device, Went.RESCUED)
    found.note(2, Went.THROUGH)
    found.end(finished(2))

    assert (found.went(Went.RESCUED), found.went(Went.THROUGH), found.went(Went.FORGIVEN)) == (
        3,
        1,
        0,
    )
    assert found.has(2, Went.THROUGH)
    assert not found.has(1, Went.THROUGH)
    assert not found.has(8, Went.RESCUED)


def test_records_are_known_of_devices_that_got_one():
    found = fates(1, 2)
    found.end(finished(9))
    found.name(2, 77)
    found.name(9, 0)
    found.end(finished(8))

    assert [found.record(device) for device in (1, 2, 9, 8)] == [None, 77, 0, None]


def test_without_rows_only_the_verdict_is_kept():
    found = fates(1, rows=False)
    found.end(finished(1, verdict="failed", step=2, reason="404"))
    found.end(finished(9, verdict="skipped", reason="down"))

    assert (found.ended(1), found.ended(9)) == (("failed", None, ""), ("skipped", None, ""))
