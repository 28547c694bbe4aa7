"""Part (d): how long a clean campaign takes beside what no schedule beats; how soon a return is noticed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median
from typing import Protocol

from orchestrator.simulator.ledger import AppliedOperation
from tests.bench.figures import Figure
from tests.bench.requests import DEVICES, QUARTER, QUICK
from tests.bench.virtual.fleets import LATENCY, SETTLE
from tests.bench.virtual.makespans import greedy_makespan, lower_bound, makespan
from tests.bench.virtual.redeploying import Noticed, Redeployment, redeployed
from tests.bench.virtual.returns import provable_at

GOAL = 1.05
FOLLOWING, PLACES, QUICK_PLACES = 50, 10, 3
"""Devices that follow each other in each place, and places, of the campaign held against the bound."""
BOUND = "the bound that no schedule beats"
GREEDY = "the same durations begun in the same order without a gap"
SLACK = 2 * LATENCY + 1.0
"""Seconds that a reading's answers and the whole seconds of the controller's moments take."""


class Asked(Protocol):
    """As much of what a caller wants as counts here."""

    quick: bool


@dataclass(frozen=True, slots=True)
class Detection:
    """How long after it could be known a return was noticed."""

    late: float
    interval: float
    """Seconds between the two readings that it happened between."""


def measure(asked: Asked) -> list[Figure]:
    """Take what can be had from the campaign of the requests: virtual time has no noise.

    The goal against the bound is for a campaign in which fifty devices follow each other in a
    place. Where a quarter of all are down at once, the longest of the last to begin decide when it
    ends, and nobody knows beforehand who they are: that campaign is held against the same
    durations begun in the same order without a gap, and its bound is shown without a goal.
    """
    devices = QUICK if asked.quick else DEVICES
    large = redeployed(devices, devices // QUARTER)
    places = QUICK_PLACES if asked.quick else PLACES
    long = redeployed(FOLLOWING * places, places)
    greedy = greedy_makespan(large.walks, max_down=large.max_down)
    return [
        _makespan(long, BOUND, _bound(long), GOAL),
        _makespan(large, BOUND, _bound(large), None),
        _makespan(large, GREEDY, greedy, GOAL),
        *_noticing(large),
    ]


def _bound(found: Redeployment) -> float:
    limits = found.campaign.plan.limits
    return lower_bound(
        found.walks,
        max_down=found.max_down,
        delay=limits.delay,
        per_second=limits.per_second,
    )


def _makespan(found: Redeployment, yardstick: str, theirs: float, goal: float | None) -> Figure:
    took = makespan(found.walks)
    return Figure(
        part="d",
        name=f"{len(found.walks):,} devices, {found.max_down:,} down at once",
        ours=took,
        unit="s",
        yardstick=yardstick,
        theirs=theirs,
        ratio=took / theirs,
        at_most=goal,
    )


def _noticing(found: Redeployment) -> list[Figure]:
    seen = list(detections(found))
    late = [each.late for each in seen]
    intervals = [each.interval for each in seen]
    worst = max(max(0.0, each.late - SLACK) / each.interval for each in seen)
    return [
        Figure(
            part="d",
            name="worst late return, in poll intervals",
            ours=worst,
            unit="",
            at_most=1.0,
        ),
        Figure(part="d", name="late returns, median", ours=median(late), unit="s"),
        Figure(part="d", name="late returns, worst", ours=max(late), unit="s"),
        Figure(part="d", name="poll interval, median", ours=median(intervals), unit="s"),
        Figure(part="d", name="poll interval, longest", ours=max(intervals), unit="s"),
    ]


def detections(found: Redeployment) -> Iterator[Detection]:
    """Compare each return in the journal with what the world did, as far as looks can tell.

    Between two looks a device may contact twice, and records show the last contact only; it may as
    well be shown Down and be back. Where the run has seen neither, nor does this.
    """
    for each in found.noticed:
        device = found.world.population.device(each.device, each.at)
        assert device is not None
        applied = _as_seen(found.operations_of(each.device)[each.step], each)
        overdue = device.frequency * device.overdue_periods
        seen, unseen = (
            provable_at(
                applied,
                accepted_at=applied.arrived_at + LATENCY,
                settle=SETTLE,
                overdue=missed,
                next_contact=device._next_inform,
            )
            for missed in (overdue, overdue + each.interval)
        )
        yield Detection(each.at - (unseen if unseen <= each.at else seen), each.interval)


def _as_seen(applied: AppliedOperation, noticed: Noticed) -> AppliedOperation:
    """Put the delivery where the first look after it showed it, if that was within an interval."""
    delivered, seen = applied.delivered_at, noticed.delivery_seen_at
    if delivered is None or seen is None or not 0 < seen - delivered < noticed.interval:
        return applied
    return replace(applied, delivered_at=seen)
