"""Part (f): how much CPU foreseeing takes: campaigns of ten thousand devices, one of a hundred thousand."""

import random
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol

from orchestrator.model.devices import DeviceId
from orchestrator.model.plans import Limits, Plan, PlannedDevice
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.policies import RequestLimits, Rollout
from orchestrator.model.selections import Selection
from orchestrator.planning.foresight.experiencing import Experience
from orchestrator.planning.foresight.foreseeing import COMPARED, foresee
from orchestrator.simulator.fleet import FIRST_ID
from tests.bench.figures import Figure, compared
from tests.bench.virtual.fleets import STEPS
from tests.bench.virtual.jumping import START

DEVICES, SEEDS, LARGE = 10_000, 50, 100_000
GOAL, LARGE_GOAL = 60.0, 15.0
"""CPU seconds."""
ROUNDS = 3
"""Enough for CPU seconds, which vary less than what a clock on the wall says."""
FEW, SMALL = 2, 2_000
"""Seeds that are measured at a time, of as many devices where it has to go quickly."""
MAX_DOWN = 500


class Asked(Protocol):
    """As much of what a caller wants as counts here."""

    rounds: int
    quick: bool


def measure(asked: Asked) -> list[Figure]:
    """Take turns with the yardstick; few seeds are measured and counted as many: each costs the same."""
    devices = SMALL if asked.quick else DEVICES
    plan = plan_of(devices)
    ours, theirs = [], []
    for number in range(min(asked.rounds, ROUNDS)):
        turns = [(ours, lambda: imagined(plan, FEW)), (theirs, lambda: bare_heap(devices, FEW))]
        for found, work in turns if number % 2 == 0 else reversed(turns):
            seconds, campaigns = cpu_seconds(work)
            found.append(campaigns * devices * len(STEPS) / seconds)
    rate = compared(
        part="f",
        name=f"device steps foreseen, {devices:,} devices",
        unit="/s",
        ours=ours,
        yardstick="plain heap loop",
        theirs=theirs,
    )
    scaled = DEVICES * len(STEPS) * (SEEDS + COMPARED) / rate.ours
    figures = [
        rate,
        Figure(
            part="f",
            name=f"{DEVICES:,} devices x {SEEDS} seeds: CPU, from x {FEW}",
            ours=scaled,
            unit="s",
            at_most=GOAL,
        ),
    ]
    if not asked.quick:
        large = plan_of(LARGE)
        figures.append(
            Figure(
                part="f",
                name=f"{LARGE:,} devices, one seed: CPU",
                ours=cpu_seconds(lambda: imagined(large, 1))[0],
                unit="s",
                at_most=LARGE_GOAL,
            )
        )
    return figures


def cpu_seconds(work: Callable[[], int]) -> tuple[float, int]:
    """Give the CPU seconds that this process needs for it, and what it gives."""
    before = time.process_time()
    given = work()
    return time.process_time() - before, given


def imagined(plan: Plan, seeds: int) -> int:
    """Foresee the plan as the program does, by what is presumed where no run taught anything.

    Gives how many campaigns that took: some are imagined again with a limit raised.
    """
    begun: list[int] = []

    def chances(seed: int) -> Callable[[], float]:
        begun.append(seed)
        return random.Random(seed).random

    found = foresee(plan, Experience(), chances, begins_at=START, campaigns=seeds)
    assert found.devices == len(plan.devices)
    return len(begun)


def bare_heap(devices: int, seeds: int) -> int:
    """Let devices take the same number of steps through a heap, as many at once, with no rule at all."""
    for seed in range(seeds):
        chance = random.Random(seed).random
        waiting = iter(range(devices))
        coming = [(chance(), next(waiting), 0) for _ in range(min(MAX_DOWN, devices))]
        coming.sort()
        finished = 0
        while coming:
            at, device, step = heappop(coming)
            if step + 1 < len(STEPS):
                heappush(coming, (at + chance(), device, step + 1))
                continue
            finished += 1
            following = next(waiting, None)
            if following is not None:
                heappush(coming, (at + chance(), following, 0))
        assert finished == devices
    return seeds


def plan_of(devices: int) -> Plan:
    """Give a redeployment of that many devices with the default limits for requests."""
    requests = RequestLimits()
    playbook = Playbook(
        "bench",
        "",
        Selection(everything=True),
        tuple(STEPS),
        rollout=Rollout(MAX_DOWN),
        requests=requests,
    )
    return Plan(
        playbook=playbook,
        source=PlaybookSource("bench.yaml", ""),
        controller="https://control.test/api/v1",
        created_at=START,
        devices=tuple(
            PlannedDevice(DeviceId(each), None, None)
            for each in range(FIRST_ID, FIRST_ID + devices)
        ),
        limits=Limits(devices, MAX_DOWN, requests.in_flight, requests.delay, requests.per_second),
        listed=devices,
    )
