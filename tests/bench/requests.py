"""Part (c): requests for each device of a clean factory and reconf, all of them counted.

Counted is every request of the run, whatever it is for: guards, operations, list pages, records.
Listing for the plan is counted on its own; a person who polls starts from a list, too.

* Lean: list pages alone prove a return (`whole_record: false`), nothing is saved before.
* No snapshots: the default proof, which reads each device's own record once it is back, because
  only that shows a firmware upgrade still pending.
* As shipped: the default proof, and record, settings and variables saved before the reset.

What stands beside them is what a careful person would write (`virtual/poller.py`): the record before,
the PUT, the record every ten seconds until it proves the return by the engine's own rule.
"""

from collections import Counter
from typing import Protocol

from orchestrator.model.devices import DeviceId
from orchestrator.model.policies import RequestLimits
from orchestrator.simulator.fleet import FIRST_ID
from tests.bench.figures import Figure
from tests.bench.virtual import jumping
from tests.bench.virtual.counting import Counted
from tests.bench.virtual.fleets import (
    IN_FLIGHT,
    LEAN,
    SHIPPED,
    STEPS,
    UNSAVED,
    controller_of,
    world_of,
)
from tests.bench.virtual.jumping import JumpClock
from tests.bench.virtual.poller import CarefulPoller
from tests.bench.virtual.redeploying import redeployed

DEVICES, QUICK = 10_000, 1_000
FEWER = 1_000
"""Devices of the campaigns without a goal."""
POLLED = 250
"""Devices of the poller, which treats each by itself: how many there are changes nothing."""
QUARTER = 4
"""Of so many devices one may be down at once."""
FLOOR = 2.0
"""The two operations that nobody can do without."""
GOAL = 2.3


class Asked(Protocol):
    """As much of what a caller wants as counts here."""

    quick: bool


def measure(asked: Asked) -> list[Figure]:
    """Count once: in virtual time the same fleet gives the same counts."""
    devices = QUICK if asked.quick else DEVICES
    campaigns = {
        f"lean, {devices:,} devices": redeployed(devices, devices // QUARTER, LEAN),
        f"no snapshots, {FEWER:,} devices": redeployed(FEWER, FEWER // QUARTER, UNSAVED),
        f"as shipped, {FEWER:,} devices": redeployed(FEWER, FEWER // QUARTER, SHIPPED),
    }
    counted = {
        name: _per_device(found.campaign.requests, len(found.walks))
        for name, found in campaigns.items()
    }
    lean = next(iter(counted))
    poller = sum(_per_device(polled_requests(POLLED), POLLED).values())
    planning = next(iter(campaigns.values())).campaign.planned
    figures = [
        _beside(f"requests, {name}", sum(kinds.values()), "the two operations", FLOOR, name == lean)
        for name, kinds in counted.items()
    ]
    figures += [
        _beside(
            f"requests, {name}", sum(kinds.values()), f"careful poller, {POLLED} devices", poller
        )
        for name, kinds in counted.items()
    ]
    figures += [
        Figure("c", f"{name.split(',')[0]}: {kind}", count, "/device")
        for name, kinds in counted.items()
        for kind, count in kinds.items()
    ]
    figures.append(Figure("c", "planning: list pages", planning.total() / devices, "/device"))
    return figures


def _beside(
    name: str, ours: float, yardstick: str, theirs: float, has_goal: bool = False
) -> Figure:
    return Figure(
        "c",
        name,
        ours,
        "/device",
        yardstick,
        theirs,
        ours / theirs,
        at_most=GOAL if has_goal else None,
        is_absolute=True,
    )


def _per_device(requests: Counter[str], devices: int) -> dict[str, float]:
    """Give how many requests of each kind there were for a device, the most frequent first."""
    return {kind: count / devices for kind, count in requests.most_common()}


def polled_requests(devices: int) -> Counter[str]:
    """Give the requests by kind that the careful poller needs for that many devices."""
    return jumping.run(_polled(devices))


async def _polled(devices: int) -> Counter[str]:
    world, clock = world_of(devices), JumpClock()
    limits = RequestLimits(delay=0.0, in_flight=IN_FLIGHT, per_second=None)
    controller = Counted(controller_of(world, clock), clock, limits, None)
    ids = (DeviceId(each) for each in range(FIRST_ID, FIRST_ID + devices))
    await CarefulPoller(controller, clock, STEPS).take_through(ids, devices // QUARTER)
    return controller.requests
