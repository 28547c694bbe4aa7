"""Campaigns that were foreseen and then carried out, one after the other, each learning from those before.

What is foreseen comes from imagined campaigns; what it is held against is a campaign of the whole
brain over a simulated fleet, with every read, proof, refusal and retry.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from orchestrator.model import events
from orchestrator.model.devices import Device
from orchestrator.model.events import Event
from orchestrator.model.forecasts import Forecast, Spread
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import PlaybookSource
from orchestrator.model.readings import DeviceFilter, Page, Reading
from orchestrator.model.verdicts import Verdict
from orchestrator.planning.drafting.freezing import freeze
from orchestrator.planning.foresight.experiencing import Experience
from orchestrator.planning.foresight.foreseeing import foresee
from orchestrator.planning.foresight.learning import Lesson, learn, put_together
from orchestrator.planning.foresight.rehearsing import Rehearsal
from orchestrator.simulator.answering import perform_page
from orchestrator.simulator.world import World
from tests.forecasts.kinds import Kind
from tests.support.campaigns import START

NONE = Spread(0, 0, 0)
NOTHING = Experience()

LONGEST = 30 * 86_400.0
"""Simulated seconds after which a campaign counts as one that never ends."""


@dataclass(frozen=True)
class Held:
    """A forecast beside the campaign that it foresaw; times are seconds from the first possible start."""

    kind: str
    seed: int
    devices: int
    learnt_from: int
    """Earlier campaigns of the same kind."""
    p50: float
    p90: float
    took: float
    peak_foreseen: float
    peak: int
    requests_foreseen: float
    requests: int
    unproven_foreseen: float
    unproven: int

    @property
    def error(self) -> float:
        """By how much the P50 was too long, as a share of what it took; negative is too short."""
        return self.p50 / self.took - 1

    @property
    def is_inside_p50(self) -> bool:
        """Whether it took no longer than half of the imagined campaigns."""
        return self.took <= self.p50

    @property
    def is_inside_p90(self) -> bool:
        """Whether it took no longer than nine of ten of them."""
        return self.took <= self.p90


class CarriedOut(Rehearsal):
    """A campaign in virtual time that knows how many of its devices were down at most."""

    def __init__(self, plan: Plan, world: World, listed: tuple[Device, ...], seed: int) -> None:
        self.peak = 0
        super().__init__(plan, world, START, random.Random(f"campaign {seed}").random)
        for device in listed:  # what was read for the plan is not read again
            self.run.observe(Reading(device.id, device, START, START, is_detail=False), START)

    def _record(self, happened: list[Event]) -> None:
        for event in happened:
            super()._record([event])
            self.peak = max(self.peak, self.run.admissions.down)

    def finish(self) -> "CarriedOut":
        """Go on to the end; raises AssertionError when it does not come."""
        self.to_the_end(until=START + LONGEST)
        assert self.run.finished_at is not None, f"{self.plan.playbook.name} never ends"
        return self


@dataclass(frozen=True)
class Told:
    """A campaign that is over: the plan with its forecast, what it came to, what it teaches."""

    plan: Plan
    held: Held
    lesson: Lesson
    by_defaults: Held | None = None
    """The same campaign beside the forecast from the documented defaults, where that was asked for."""


def chances(seed: int) -> Callable[[], float]:
    """Give the chance of an imagined campaign as the program does."""
    return random.Random(seed).random


def in_a_row(
    kind: Kind,
    seeds: range,
    *,
    remembers: int,
    campaigns: int | None = None,
    compared_from: int | None = None,
) -> Iterator[Told]:
    """Foresee and carry out a kind once a seed, each learning from so many of those before it.

    From the seed `compared_from` on, each is foreseen from the documented defaults as well.
    """
    lessons: list[tuple[int, Lesson]] = []
    for seed in seeds:
        learnt = dict(reversed(lessons[-remembers:]))
        experience = put_together({str(each): told for each, told in learnt.items()})
        is_compared = compared_from is not None and seed >= compared_from
        told = once(kind, seed, experience, campaigns=campaigns, is_compared=is_compared)
        lessons.append((seed, told.lesson))
        yield told


def once(
    kind: Kind, seed: int, experience: Experience, *, campaigns: int | None, is_compared: bool
) -> Told:
    """Make a plan of a seed's fleet, foresee it, and carry it out."""
    plan, done = carried_out(kind, seed, experience)
    forecast = foresee(plan, experience, chances, begins_at=START, campaigns=campaigns)
    plan = replace(plan, forecast=forecast)
    held = _held(kind, seed, forecast, done, len(experience.runs))
    by_defaults = None
    if is_compared:
        plain = foresee(plan, Experience(), chances, begins_at=START, campaigns=campaigns)
        by_defaults = _held(kind, seed, plain, done, 0)
    return Told(plan, held, learn(done.journal, plan), by_defaults)


def carried_out(kind: Kind, seed: int, experience: Experience = NOTHING) -> tuple[Plan, CarriedOut]:
    """Make a plan of a seed's fleet and carry it out, which no forecast has any part in."""
    world = kind.world(seed)
    listed = _listed(world)
    plan = freeze(
        kind.playbook(),
        PlaybookSource(f"{kind.name}.yaml", ""),
        listed,
        controller="simulated",
        now=START,
        measured=experience.measured(),
    )
    return plan, CarriedOut(plan, world, listed, seed).finish()


def _listed(world: World) -> tuple[Device, ...]:
    """List all devices, again where the controller refuses."""
    while True:
        listed, _ = perform_page(world, DeviceFilter(), 0, len(world.population), START)
        if isinstance(listed, Page):
            return listed.devices


def _held(kind: Kind, seed: int, forecast: Forecast, done: CarriedOut, learnt_from: int) -> Held:
    begins_at = forecast.begins_at if forecast.opening is None else forecast.opening[0]
    finished_at = done.run.finished_at
    assert finished_at is not None
    troubles = [verdict for verdict in Verdict if verdict.is_trouble]
    foreseen = [forecast.verdicts.get(verdict.value, NONE).p50 for verdict in troubles]
    return Held(
        kind=kind.name,
        seed=seed,
        devices=len(done.plan.devices),
        learnt_from=learnt_from,
        p50=forecast.ends_at.p50 - begins_at,
        p90=forecast.ends_at.p90 - begins_at,
        took=finished_at - begins_at,
        peak_foreseen=forecast.peak_down.p50,
        peak=done.peak,
        requests_foreseen=forecast.requests.p50,
        requests=sum(isinstance(event, events.OperationIntended) for event in done.journal),
        unproven_foreseen=sum(foreseen),
        unproven=sum(done.run.verdicts[verdict] for verdict in troubles),
    )
