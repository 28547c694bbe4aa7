"""What somebody did after the run is not undone unasked."""

import pytest

from orchestrator.model.plans import LeftOut
from orchestrator.planning.restoring.settling import CHANGED_SINCE, quoted, settle
from orchestrator.planning.restoring.undoing import undoing
from tests.support.changed import done
from tests.support.histories import T0
from tests.support.playbooks import record
from tests.support.recorded_runs import plan_of

PLAN = plan_of(1001, 1002, 1003)


def settled(*events, force=False, **fields):
    fields = {"serial_number": "ZN1001", **fields}
    records = {1001: record(**fields)} if fields.get("id", 1001) == 1001 else {}
    return settle(undoing(PLAN, events, ()), PLAN, records, force=force)


def test_what_is_as_the_run_left_it_is_put_back():
    found = settled(*done(description=("old", "new")), description="new")

    assert (found.rows, found.left_out) == ({1001: {"description": "old"}}, ())


def test_only_what_is_not_as_before_is_written():
    events = done(description=("old", "new"), customer_id=("C1", "C2"))

    assert settled(*events, description="new", customer_id="C1").rows == {
        1001: {"description": "old"}
    }


def test_what_is_as_it_was_before_needs_nothing():
    found = settled(*done(description=("old", "new")), description="old")

    assert found.rows == {}
    assert found.left_out == (LeftOut("is as it was before the run", 1, ("1001",)),)


def test_what_somebody_changed_since_is_left_alone_as_a_whole():
    events = done(description=("old", "new"), customer_id=("C1", "C2"))
    found = settled(*events, description="new", customer_id="C3")

    assert found.rows == {}
    assert found.left_out == (
        LeftOut(CHANGED_SINCE, 1, ("1001: customer_id is C3, the run wrote C2",)),
    )


def test_by_force_it_is_put_back_all_the_same():
    found = settled(*done(description=("old", "new")), description="mine", force=True)

    assert found.rows == {1001: {"description": "old"}}


def test_any_value_that_the_run_wrote_is_the_runs_own():
    events = [*done(description=("a", "b")), *done(at=T0 + 9, step=1, description=("b", "c"))]

    assert settled(*events, description="b").rows == {1001: {"description": "a"}}


def test_numbers_are_the_same_however_the_controller_writes_them():
    found = settled(*done(latitude=(1.5, 2.5)), latitude="2.500")

    assert found.rows == {1001: {"latitude": 1.5}}


def test_a_record_that_is_gone_is_left_out():
    found = settled(*done(description=("old", "new")), id=7)

    assert found.left_out == (LeftOut("the controller no longer has this device", 1, ("1001",)),)


def test_a_record_that_is_another_devices_by_now_is_left_out():
    found = settled(*done(description=("old", "new")), description="new", serial_number="ZN9")

    assert found.left_out == (
        LeftOut("its record shows another serial number", 1, ("1001: ZN9, was ZN1001",)),
    )


def test_a_serial_number_that_the_run_itself_wrote_is_put_back():
    found = settled(*done(serial_number=("ZN1001", "ZN9")), serial_number="ZN9")

    assert found.rows == {1001: {"serial_number": "ZN1001"}}


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "empty"), (True, "true"), (["a", "b"], "a, b"), ("a\nb", "a?b"), (7, "7")],
)
def test_a_value_reads_on_one_line(value, text):
    assert quoted(value) == text
