"""Requests per device of a clean factory and reconf, against a careful poller and the floor of two."""

from collections import Counter
from typing import Protocol

from orchestrator.model.devices import DeviceId
from orchestrator.model.policies import RequestLimits
from orchestrator.simulator.fleet import FIRST_ID
from tests.bench.figures import Figure
from tests.bench.virtual import jumping
from tests.bench.virtual.counting import Counted
from tests.bench.virtual.fleets import IN_FLIGHT, STEPS, controller_of, world_of
from tests.bench.virtual.jumping import JumpClock
from tests.bench.virtual.poller import CarefulPoller
from tests.bench.virtual.redeploying import redeployed

DEVICES, QUICK = 10_000, 1_000
WITH_SNAPSHOTS = 1_000
"""Devices that are redeployed with everything saved before: how many there are changes nothing."""
POLLED = 500
QUARTER = 4
"""Of so many devices one may be down at once."""
FLOOR = 2.0
"""The two operations that nobody can do without."""
GOAL, POLLER_NEEDS = 2.3, 10.0


class Asked(Protocol):
    """As much of what a caller wants as counts here."""

    quick: bool


def measure(asked: Asked) -> list[Figure]:
    """Count once: in virtual time the same fleet gives the same counts."""
    devices = QUICK if asked.quick else DEVICES
    polled = Counter(polled_requests(POLLED))
    poller = polled.total() / POLLED
    plain = redeployed(devices, devices // QUARTER)
    saving = redeployed(WITH_SNAPSHOTS, WITH_SNAPSHOTS // QUARTER, "full")
    run = plain.campaign.requests
    ours = run.total() / devices
    return [
        Figure(
            part="c",
            name=f"requests per device, {devices:,} devices",
            ours=ours,
            unit="requests",
            yardstick="floor of two",
            theirs=FLOOR,
            at_most=GOAL / FLOOR,
            ratio=ours / FLOOR,
        ),
        Figure(
            part="c",
            name="the same against the careful poller",
            ours=ours,
            unit="requests",
            yardstick=f"careful poller, {POLLED} devices",
            theirs=poller,
            ratio=ours / poller,
            at_most=GOAL / POLLER_NEEDS,
        ),
        *_by_kind("run", run, devices),
        *_by_kind("planning", plain.campaign.planned, devices),
        *_by_kind("run saving all", saving.campaign.requests, WITH_SNAPSHOTS),
        *_by_kind("careful poller", polled, POLLED),
    ]


def _by_kind(whose: str, requests: Counter[str], devices: int) -> list[Figure]:
    return [
        Figure(part="c", name=f"{whose}: {kind}", ours=count / devices, unit="per device")
        for kind, count in requests.most_common()
    ]


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
