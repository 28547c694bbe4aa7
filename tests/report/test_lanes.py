"""Lanes: where single devices spent their time, with bounded memory for any fleet."""

from orchestrator.model.events import (
    DeviceReturned,
    DoubtResolved,
    OperationLost,
    RetryScheduled,
    StepHeld,
    StepStarted,
)
from orchestrator.report.lanes import Lanes, Phase
from tests.support.histories import T0, accepted, finished, intended, run_started, succeeded


def lanes_of(*events, **given):
    lanes = Lanes(**given)
    for event in events:
        lanes.after(event)
    return lanes


def walk(device, begins, lasts, verdict="succeeded"):
    at = T0 + begins
    return intended(device, at=at), finished(device, at=at + lasts, verdict=verdict)


def told(lane):
    return [
        (each.phase, each.step, each.begins_at - T0, each.ends_at - T0) for each in lane.stretches
    ]


def test_a_lane_tells_each_phase_from_its_beginning_to_the_next():
    lanes = lanes_of(
        run_started(),
        intended(1, at=T0),
        accepted(1, at=T0 + 1),
        DeviceReturned(T0 + 50, 1, 0, "contact"),
        succeeded(1, at=T0 + 80),
        StepStarted(T0 + 90, 1, 1, T0 + 120),
        succeeded(1, at=T0 + 120, step=1),
        finished(1, at=T0 + 120, step=1),
    )

    (lane,) = lanes.chosen(T0 + 500)
    assert told(lane) == [
        (Phase.PROVING, 0, 0, 50),
        (Phase.SETTLING, 0, 50, 80),
        (Phase.BETWEEN, 0, 80, 90),
        (Phase.HOLDING, 1, 90, 120),
        (Phase.BETWEEN, 1, 120, 120),
    ]
    assert (lane.device, lane.verdict, lane.seconds, lane.step) == (1, "succeeded", 120, 1)


def test_doubt_ends_in_proof_or_in_another_attempt():
    lost = OperationLost(T0 + 5, 1, 0, 1, "no answer")

    def phases(applied):
        resolved = DoubtResolved(T0 + 9, 1, 0, 1, applied=applied, sign="a sign")
        (lane,) = lanes_of(intended(1), lost, resolved).chosen(T0 + 20)
        return [each.phase for each in lane.stretches]

    assert phases(applied=True) == [Phase.PROVING, Phase.IN_DOUBT, Phase.PROVING]
    assert phases(applied=False) == [Phase.PROVING, Phase.IN_DOUBT, Phase.RESTING]


def test_a_device_that_is_held_or_rests_shows_it():
    (lane,) = lanes_of(
        intended(1),
        RetryScheduled(T0 + 2, 1, 0, 1, T0 + 9, "409"),
        StepHeld(T0 + 9, 1, 1, "Down", T0),
    ).chosen(T0 + 20)

    assert [each.phase for each in lane.stretches] == [Phase.PROVING, Phase.RESTING, Phase.HOLDING]


def test_a_device_that_was_never_begun_has_no_lane():
    assert lanes_of(finished(1, verdict="skipped")).chosen(T0 + 500) == []


def test_those_in_trouble_come_first_and_then_the_slowest():
    events = [event for device in range(100) for event in walk(device, device, device + 1)]
    events += [*walk(200, 0, 5, "failed"), *walk(201, 0, 9, "unconfirmed")]

    chosen = lanes_of(*events, keep=5).chosen(T0 + 900)

    assert [lane.device for lane in chosen] == [200, 201, 99, 98, 97]
    assert [lane.is_trouble for lane in chosen] == [True, True, False, False, False]


def test_many_in_trouble_leave_room_for_the_slowest():
    events = [event for device in range(40) for event in walk(device, 0, 5, "failed")]
    events += [event for device in range(100, 140) for event in walk(device, 0, device)]

    chosen = lanes_of(*events).chosen(T0 + 900)

    assert [lane.device for lane in chosen] == [*range(18), *range(139, 127, -1)]


def test_where_there_are_no_others_those_in_trouble_fill_the_room():
    events = [event for device in range(40) for event in walk(device, 0, 5, "failed")]

    assert [lane.device for lane in lanes_of(*events).chosen(T0 + 900)] == list(range(30))


def test_a_device_under_way_counts_as_far_as_it_is():
    chosen = lanes_of(*walk(1, 0, 50), intended(2, at=T0 + 10), intended(3, at=T0 + 90)).chosen(
        T0 + 100
    )

    assert [(lane.device, lane.seconds, lane.verdict) for lane in chosen] == [
        (2, 90, None),
        (1, 50, "succeeded"),
        (3, 10, None),
    ]


def test_what_is_kept_stays_small_whatever_happens():
    lanes = lanes_of(keep=5, followed=100, marks=8)
    for device in range(5_000):
        for turn in range(20):
            lanes.after(accepted(device, at=T0 + turn))
            lanes.after(RetryScheduled(T0 + turn, device, 0, 1, T0, "409"))
    for device in range(0, 5_000, 2):
        lanes.after(finished(device, at=T0 + 100, verdict="failed" if device % 4 else "succeeded"))

    assert len(lanes._underway) == 50
    assert len(lanes._troubles) == len(lanes._slowest) == 5
    assert all(len(lane.stretches) == 8 for lane in lanes.chosen(T0 + 200))
