"""The ledger answers what a run is judged by."""

from orchestrator.model.operations import Operation
from orchestrator.simulator.ledger import AppliedOperation, Arrival, Change, Ledger


def arrival(at: float, *, until: float | None = None, operation: str | None = "reboot") -> Arrival:
    return Arrival(
        at=at,
        method="PUT",
        path="/",
        device=1,
        operation=operation,
        applied=True,
        status=200,
        fate="answer",
        answered_at=at if until is None else until,
        refreshed=False,
    )


def applied(
    ledger: Ledger, device: int, at: float, *, back: float | None, operation: str = "reboot"
) -> AppliedOperation:
    done = ledger.note_applied(device, Operation(operation), at)
    done.returned_at = back
    return done


def test_the_gaps_are_those_between_operation_requests_only() -> None:
    ledger = Ledger()
    for each in (arrival(1), arrival(2, operation=None), arrival(4), arrival(4.5)):
        ledger.note_arrival(each)

    assert ledger.operation_gaps() == (3, 0.5)
    assert ledger.arrived(1, "reboot") == (1, 4, 4.5)
    assert ledger.arrived(1, "factory") == ()


def test_the_peak_of_requests_under_way_is_counted_from_arrival_to_answer() -> None:
    ledger = Ledger()
    for each in (
        arrival(1, until=5),
        arrival(2, until=3),
        arrival(3, until=6),
        arrival(4, until=5),
    ):
        ledger.note_arrival(each)

    assert ledger.peak_in_flight == 3


def test_a_face_that_counts_more_requests_under_way_is_believed() -> None:
    ledger = Ledger()
    ledger.note_in_flight(4)
    ledger.note_arrival(arrival(1))

    assert ledger.peak_in_flight == 4


def test_a_device_is_out_of_service_from_arrival_to_its_boot_inform() -> None:
    ledger = Ledger()
    applied(ledger, 1, 10, back=20)
    applied(ledger, 2, 15, back=None)
    applied(ledger, 3, 15, back=None, operation="sync")

    assert ledger.out_of_service(9.9) == frozenset()
    assert ledger.out_of_service(10) == {1}
    assert ledger.out_of_service(19.9) == {1, 2}
    assert ledger.out_of_service(20) == {2}


def test_the_peak_counts_devices_and_a_return_makes_room_at_the_same_moment() -> None:
    ledger = Ledger()
    applied(ledger, 1, 10, back=20)
    applied(ledger, 1, 12, back=20)
    applied(ledger, 2, 20, back=30)
    applied(ledger, 3, 25, back=26)

    assert ledger.peak_out_of_service() == 2


def test_devices_nobody_waits_for_can_be_left_out_of_the_peak() -> None:
    ledger = Ledger()
    applied(ledger, 1, 10, back=None)
    applied(ledger, 2, 20, back=30)

    assert ledger.peak_out_of_service() == 2
    assert ledger.peak_out_of_service(exclude={1}) == 1


def test_an_operation_overlaps_when_the_device_was_not_back_from_a_disruptive_one() -> None:
    ledger = Ledger()
    applied(ledger, 1, 10, back=20)
    applied(ledger, 1, 20, back=None)
    early = applied(ledger, 1, 30, back=None, operation="reconf")
    applied(ledger, 2, 10, back=None, operation="sync")
    applied(ledger, 2, 11, back=None, operation="sync")

    assert ledger.overlapping_operations() == (early,)


def test_applied_gives_the_moments_of_one_operation_on_one_device() -> None:
    ledger = Ledger()
    applied(ledger, 1, 10, back=20)
    applied(ledger, 1, 30, back=40, operation="factory")
    applied(ledger, 1, 50, back=60)

    assert ledger.applied(1, "reboot") == (10, 50)
    assert ledger.applied(2, "reboot") == ()
    assert list(ledger.touched()) == [1]


def test_old_requests_are_forgotten_but_counted_and_operation_requests_are_kept() -> None:
    ledger = Ledger(keep_arrivals=2)
    for each in range(5):
        ledger.note_arrival(arrival(each))

    assert len(ledger.arrivals) == 2
    assert len(ledger.operation_arrivals) == 5
    assert ledger.methods["PUT"] == 5


def test_the_summary_is_plain_data() -> None:
    ledger = Ledger()
    ledger.note_arrival(arrival(1))
    applied(ledger, 1, 1, back=2)
    summary = ledger.summary()

    assert summary["peak_out_of_service"] == 1
    assert summary["smallest_operation_gap"] is None
    assert summary["operations"][0]["operation"] == "reboot"
    assert summary["operation_requests"][0]["device"] == 1


def test_the_changes_of_a_record_are_counted_by_method() -> None:
    ledger = Ledger()
    for method in ("PATCH", "PATCH", "DELETE"):
        ledger.note_change(Change(1.0, method, 7, {"debug": True}, applied=True, status=200))
    ledger.note_change(Change(2.0, "POST", None, {}, applied=False, status=400))

    assert len(ledger.changes_of(7)) == 3
    assert len(ledger.changes_of(7, "PATCH")) == 2
    assert ledger.changes_of(8) == ()
    assert len(ledger.summary()["changes"]) == 4
