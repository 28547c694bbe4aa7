"""When a return could first be known: by the rule, from what the device really did."""

from functools import partial

from orchestrator.model.operations import Operation
from orchestrator.simulator.ledger import AppliedOperation
from tests.bench.virtual.returns import provable_at

T0 = 1_800_000_000.0


def reset(*, delivered: float, returned: float) -> AppliedOperation:
    return AppliedOperation(
        1001, Operation.FACTORY, T0, True, T0 + delivered, T0 + delivered + 3, T0 + returned,
        T0 + returned,
    )  # fmt: skip


def every(seconds: float, since: float, after: float) -> float:
    """Give the first contact at or after a moment, of a device that came back at `since`."""
    at = T0 + since
    while at < after:
        at += seconds
    return at


known_at = partial(provable_at, accepted_at=T0, settle=150.0, overdue=200.0)


def test_a_device_that_was_never_missed_is_known_by_a_contact_after_the_settling_time():
    found = known_at(
        reset(delivered=10.0, returned=100.0), next_contact=partial(every, 60.0, 100.0)
    )

    assert found == T0 + 160


def test_a_device_that_was_shown_down_is_known_by_its_first_contact():
    found = known_at(
        reset(delivered=10.0, returned=215.0), next_contact=partial(every, 300.0, 215.0)
    )

    assert found == T0 + 215


def test_a_delivery_in_the_second_of_the_acceptance_cannot_be_told_from_an_earlier_contact():
    found = known_at(reset(delivered=0.5, returned=100.0), next_contact=partial(every, 60.0, 100.0))

    assert found == T0 + 280


def test_a_configuration_is_known_once_it_is_applied():
    applied = AppliedOperation(1001, Operation.RECONF, T0, True, T0 + 5, None, None, T0 + 17)

    assert known_at(applied, next_contact=partial(every, 60.0, 0.0)) == T0 + 17
