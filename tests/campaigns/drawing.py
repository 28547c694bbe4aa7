"""What a seed stands for: a fleet, a playbook frozen into a plan, faults, people and interruptions.

Everything is drawn from the seed alone. What the planning refuses is drawn again, so every plan
here is one that an operator could have started.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import count, pairwise

from orchestrator.model.amounts import Amount, Share
from orchestrator.model.devices import Device, Status
from orchestrator.model.errors import SelectionError
from orchestrator.model.operations import Action, Operation
from orchestrator.model.orders import Order
from orchestrator.model.plans import Plan
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.policies import (
    Approver,
    BetweenWaves,
    Budget,
    GroupLimit,
    RequestLimits,
    RetryPolicy,
    Rollout,
)
from orchestrator.model.readings import DeviceFilter
from orchestrator.model.selections import Condition, Equals, Present, Selection
from orchestrator.model.steps import (
    ApproveStep,
    CheckStep,
    NotifyStep,
    OperationStep,
    RecordStep,
    SleepStep,
    Step,
)
from orchestrator.model.verdicts import Verdict
from orchestrator.model.windows import Blackout, Window
from orchestrator.planning.drafting.expecting import expectations
from orchestrator.planning.drafting.freezing import freeze
from orchestrator.simulator.answering import perform_page
from orchestrator.simulator.devices import SimulatedDevice
from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.faults import Faults, Rates
from orchestrator.simulator.fleet import FleetPlan, Member, make_fleet
from orchestrator.simulator.temperaments import NORMAL_MIX
from orchestrator.simulator.world import World
from tests.campaigns.changing import changing
from tests.support.campaigns import operation_step

ZONE_FIELD = "description"
"""The field of the records here that names a device's own time zone."""

STARTS = (
    datetime(2027, 1, 15, 8, 0, tzinfo=UTC),
    datetime(2027, 3, 13, 22, 30, tzinfo=UTC),  # North America puts its clocks forward
    datetime(2027, 3, 27, 20, 0, tzinfo=UTC),  # Europe does
    datetime(2027, 4, 3, 12, 0, tzinfo=UTC),  # Australia puts them back
    datetime(2027, 10, 30, 21, 0, tzinfo=UTC),  # Europe does
)
ZONES = (
    "UTC",
    "America/Mexico_City",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
)

ODD_MIX = {
    "never_back": 0.15,
    "flapping": 0.15,
    "late": 0.1,
    "double_contact": 0.1,
    "nat": 0.15,
    "ignores": 0.05,
    "busy_booting": 0.1,
    "auto_firmware": 0.1,
    "slow": 0.1,
}
MIXES: Sequence[Mapping[str, float]] = (
    NORMAL_MIX,
    NORMAL_MIX,
    ODD_MIX,
    {"fast": 1.0},
    {"slow": 0.6},
    {"never_back": 0.4},
    {"nat": 1.0},
)
LOSSY = Rates(rate_500=0.1, rate_502_html=0.1, reset_before=0.1, reset_after=0.1)
STORMY = Rates(rate_503=0.5, rate_502_html=0.4)


@dataclass(frozen=True)
class Interruption:
    """The end of a process: when, how, and how long nobody drives the run after it."""

    at_length: int
    """Events in the journal at which it comes."""
    how: str
    """`unsent`: killed before the last batch's requests leave; `sent`: right after; `asked`: Ctrl-C."""
    gap: float


@dataclass(frozen=True)
class Act:
    """Something a person does with the run."""

    at_length: int
    after: float
    what: str


@dataclass(frozen=True)
class Holding:
    """Another run wants a device, and has it until a moment if we do not hold it first."""

    device: int
    since: float
    until: float


@dataclass(frozen=True)
class Absence:
    """A device goes out of service for a while; nobody ordered it."""

    device: int
    since: float
    until: float


@dataclass(frozen=True)
class Storm:
    """A while in which the controller does next to nothing it is asked for."""

    since: float
    until: float
    rates: Rates


@dataclass(frozen=True)
class Drawn:
    """Everything that decides how a campaign goes; the same seed gives the same journal."""

    seed: int
    started_at: float
    members: tuple[Member, ...]
    playbook: Playbook
    plan_made: Plan
    listed: tuple[Device, ...]
    """The records from which the plan was made."""
    faults: Faults = field(default_factory=Faults)
    rules: Rules = field(default_factory=Rules)
    page_size: int = 500
    begins_after: float = 1.0
    storms: tuple[Storm, ...] = ()
    absences: tuple[Absence, ...] = ()
    interruptions: tuple[Interruption, ...] = ()
    acts: tuple[Act, ...] = ()
    holdings: tuple[Holding, ...] = ()
    is_alone: bool = True
    changes: str | None = None
    """What it changes records for; None where it changes none."""

    def plan(self) -> Plan:
        """Give the plan of this campaign."""
        return self.plan_made

    def world(self) -> World:
        """Give the world as it is before anybody touches it."""
        world = World(
            self.members,
            seed=self.seed,
            started_at=self.started_at,
            faults=self.faults,
            rules=self.rules,
        )
        for absence in self.absences:
            device = world.population.device(absence.device, self.started_at)
            assert device is not None
            go_away(device, self.started_at + absence.since, self.started_at + absence.until)
        return world

    @cached_property
    def records(self) -> Mapping[int, Mapping[str, object]]:
        """What the records hold that time does not move."""
        return {member.id: member.fields for member in self.members}

    @property
    def answers(self) -> Mapping[str, tuple[Order, ...]]:
        """Nothing; the people of a drawn campaign make up their own minds."""
        return {}

    @property
    def delay(self) -> float:
        """The plan's seconds between two operation requests."""
        return self.plan_made.limits.delay

    @property
    def in_flight(self) -> int:
        """The plan's limit of requests under way."""
        return self.plan_made.limits.in_flight


def go_away(device: SimulatedDevice, since: float, until: float) -> None:
    """Take a device out of service for a while; one that is booting is let be."""

    def leave(at: float) -> None:
        if device._informs_from is None or device._rebooting:
            return
        device._informs_from = None
        device._queue, device._applying = device._applying + device._queue, []
        device.own_outages.append(("elsewhere", at, until))
        device._at(until, device._come_up)

    device._at(since, leave)


def draw(seed: int) -> Drawn:
    """Give the campaign of a seed."""
    return _Drawing(seed).drawn()


class _Drawing:
    """The draws of one seed, in a fixed order."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = random.Random(f"campaign/{seed}")
        self.started_at = self.chance.choice(STARTS).timestamp()
        self.changing = changing(seed)
        self.is_grouped = self.happens(0.4) and (self.changing is None or self.changing.keeps_ids)
        self.is_windowed = self.happens(0.35)
        self.has_own_zones = self.is_windowed and self.happens(0.4)

    def happens(self, share: float) -> bool:
        return self.chance.random() < share

    def drawn(self) -> Drawn:
        members = self._members()
        rules = Rules(shows_operations=self.happens(0.85))
        if self.changing is not None:
            members, rules = self.changing.members(members), self.changing.rules(rules)
        world = World(members, seed=self.seed, started_at=self.started_at)
        listed, _ = perform_page(world, DeviceFilter(), 0, 1000, self.started_at)
        assert not isinstance(listed, Exception)
        plan = self._plan(listed.devices, members)
        if self.changing is not None:
            plan = self.changing.planned(plan)
        faults, storms = self._faults()
        length = 4 * len(plan.devices) * len(plan.playbook.steps) + 10
        interruptions = self._interruptions(length)
        is_calm = faults == Faults() and not storms and not interruptions and rules.shows_operations
        return Drawn(
            seed=self.seed,
            started_at=self.started_at,
            members=members,
            playbook=plan.playbook,
            plan_made=plan,
            listed=listed.devices,
            faults=faults,
            rules=rules,
            page_size=self.chance.choice((500, 500, 7, 3)),
            begins_after=self.chance.choice((1.0, 1.0, 30.0, 3600.0)),
            storms=storms,
            absences=self._absences(plan, members, is_calm=is_calm),
            interruptions=interruptions,
            acts=self._acts(length),
            holdings=self._holdings(plan),
            is_alone=self.happens(0.7),
            changes=None if self.changing is None else self.changing.kind,
        )

    # --- the fleet ------------------------------------------------------------------------------

    def _members(self) -> tuple[Member, ...]:
        chance = self.chance
        size = chance.randint(3, 12)
        if self.happens(0.4):
            size = chance.randint(12, 25)
        if self.happens(0.07):
            size = chance.randint(25, 60)
        fleet = FleetPlan(
            down=chance.choice((0.0, 0.03, 0.25)),
            inactive=chance.choice((0.0, 0.0, 0.1)),
            initial=chance.choice((0.0, 0.02)),
            pending=chance.choice((0.0, 0.0, 0.05)),
            unpaced=chance.choice((0.0, 0.06)),
            mix=chance.choice(MIXES),
            frequencies=chance.choice(((60, 120, 300), (60,), (300,), (60, 900))),
        )
        places = chance.randint(1, 5)
        return tuple(self._edited(each, places) for each in make_fleet(size, self.seed, fleet))

    def _edited(self, member: Member, places: int) -> Member:
        chance = self.chance
        fields = dict(member.fields)
        fields["location"] = None if self.happens(0.12) else 500 + chance.randrange(places)
        if self.happens(0.06):
            fields["software_version"] = None
        if self.happens(0.06):
            fields["type_short_name"] = ""
        zones = (*ZONES, "", "Mars/Olympus", None)
        if self.has_own_zones:
            fields[ZONE_FIELD] = chance.choice(zones)
        return replace(member, fields=fields)

    # --- the playbook ---------------------------------------------------------------------------

    def _plan(self, listed: Sequence[Device], members: Sequence[Member]) -> Plan:
        for attempt in count():
            assert attempt < 500, "the planning refuses whatever is drawn"
            playbook = self._playbook(members)
            try:
                return freeze(
                    playbook,
                    PlaybookSource("drawn.yaml", ""),
                    listed,
                    controller="simulated",
                    now=self.started_at,
                )
            except SelectionError:
                continue
        raise AssertionError

    def _playbook(self, members: Sequence[Member]) -> Playbook:
        chance = self.chance
        steps = self._steps() if self.changing is None else self._changes()
        selection = self._selection(members)
        if self.changing is not None:
            selection = self.changing.selection(selection)
        playbook = Playbook(
            name="drawn",
            description="",
            selection=selection,
            steps=steps,
            rollout=self._rollout(len(members)),
            requests=RequestLimits(
                delay=chance.choice((0.0, 0.05, 0.2, 1.0, 5.0)),
                in_flight=chance.choice((1, 2, 5, 20)),
                per_second=chance.choice((None, 2.0, 20.0)),
            ),
            retry=RetryPolicy(first_wait=chance.choice((0.5, 1.0, 10.0)), longest_wait=60.0),
            rescue=self._rescue() if self.changing is None else self.changing.rescue(),
        )
        if self.changing is not None:
            playbook = self.changing.adjusted(playbook)
        return replace(playbook, window=self._window(playbook)) if self.is_windowed else playbook

    def _selection(self, members: Sequence[Member]) -> Selection:
        chance = self.chance
        order = chance.choice((("id",), ("location", "id"), ("-software_version",)))
        kind = chance.random()
        if kind < 0.5:
            return Selection(everything=True, order_by=order)
        if kind < 0.7:
            ids = [str(each.id) for each in members]
            some = chance.sample(ids, chance.randint(1, max(1, len(ids) // 2)))
            return Selection(exclude=frozenset(some), everything=True, order_by=order)
        if kind < 0.85:
            return Selection(organizations=(chance.choice((123, 456)),), order_by=order)
        where = chance.choice(
            (Condition("software_version", Present()), Condition("is_active", Equals((True,))))
        )
        return Selection(status=Status.UP, where=(where,), order_by=order)

    def _steps(self) -> tuple[Step, ...]:
        factory = self.chance.choice((Operation.FACTORY, Operation.DEVICE_FACTORY))
        reboot, reconf, sync = Operation.REBOOT, Operation.RECONF, Operation.SYNC
        operations = self.chance.choice(
            (
                (factory, reconf),
                (factory, reconf),
                (factory, reconf),
                (reboot,),
                (reboot,),
                (factory, sync),
                (sync, reboot),
                (factory, sync, reconf, reboot),
                (reboot, factory, reconf),
                (factory, reconf, factory, reconf),
                (factory,),
                (reconf,),
                (sync,),
            )
        )
        steps: list[Step] = [self._operation(each) for each in operations]
        for make in (self._sleep, self._check, self._notify, self._approve):
            if self.happens(0.15):
                steps.insert(self.chance.randint(0, len(steps)), make())
        return tuple(steps)

    def _changes(self) -> tuple[Step, ...]:
        """Steps that change records, between them what any playbook may have; create comes first."""
        assert self.changing is not None
        steps = list(self.changing.steps())
        creates = isinstance(steps[0], RecordStep) and steps[0].action is Action.CREATE
        deletes = isinstance(steps[-1], RecordStep) and steps[-1].action is Action.DELETE
        for make in (self._sleep, self._check, self._notify, self._approve):
            if self.happens(0.08):
                steps.insert(self.chance.randint(creates, len(steps) - deletes), make())
        return tuple(steps)

    def _operation(self, operation: Operation) -> OperationStep:
        chance = self.chance
        proof: dict[str, object] = {}
        if self.happens(0.3):
            proof["within"] = chance.choice((120.0, 600.0, 1800.0))
        step = operation_step(operation, attempts=chance.choice((1, 2, 4, 8)), **proof)
        return replace(step, continue_on=self._forgiven())

    def _forgiven(self) -> tuple[Verdict, ...]:
        if not self.happens(0.12):
            return ()
        both = (Verdict.FAILED, Verdict.UNCONFIRMED)
        return self.chance.choice(((Verdict.UNCONFIRMED,), (Verdict.FAILED,), both))

    def _sleep(self) -> Step:
        return SleepStep(self.chance.choice((1.0, 90.0, 1200.0)))

    def _check(self) -> Step:
        conditions = (
            (Condition("status", Equals((Status.UP,))),),
            (Condition("software_version", Present()),),
            (Condition("update_frequency", Present()),),
            (Condition("status", Equals((Status.DOWN,))),),
        )
        chosen = self.chance.choices(conditions, (6, 2, 2, 1))[0]
        return CheckStep(chosen, self.chance.choice((0.0, 60.0, 600.0)), self._forgiven())

    def _notify(self) -> Step:
        return NotifyStep("a device got here")

    def _approve(self) -> Step:
        return ApproveStep("may it go on?", self._approver())

    def _approver(self) -> Approver:
        return self.chance.choice((Approver.ANYBODY, Approver.ANOTHER))

    def _rescue(self) -> tuple[Step, ...]:
        if not self.happens(0.3):
            return ()
        sync, reconf = self._operation(Operation.SYNC), self._operation(Operation.RECONF)
        return self.chance.choice(
            (
                (sync,),
                (reconf,),
                (self._sleep(), reconf),
                (self._operation(Operation.REBOOT), reconf),
                (self._check(), self._notify()),
                (self._approve(), reconf),
                (self._operation(Operation.FACTORY), reconf),
            )
        )

    # --- how carefully ----------------------------------------------------------------------------

    def _amount(self, most: int) -> Amount:
        if self.happens(0.3):
            return Share(Fraction(self.chance.randint(5, 60), 100))
        return self.chance.randint(1, max(1, most))

    def _rollout(self, size: int) -> Rollout:
        waves = self._waves() if self.happens(0.5) else ()
        return Rollout(
            max_down=self._amount(8),
            max_down_per=self._groups() if self.is_grouped else (),
            waves=waves,
            spread_by=self._spread() if waves and self.happens(0.3) else (),
            between_waves=self._between() if waves else BetweenWaves(),
            stop_when=self._budget(size) if self.happens(0.5) else Budget(),
            strict=self.happens(0.8),
            ramp=self.happens(0.2),
        )

    def _waves(self) -> tuple[Amount, ...]:
        everybody = Share(Fraction(1))
        return self.chance.choice(
            (
                (1, everybody),
                (1, 2, everybody),
                (2,),
                (1, Share(Fraction(1, 4)), everybody),
                (3, 5),
                (Share(Fraction(1, 2)), Share(Fraction(1, 2))),
                (everybody,),
                (10, everybody),
            )
        )

    def _spread(self) -> tuple[str, ...]:
        return self.chance.choice((("location",), ("type_short_name",), ("organization_id",)))

    def _between(self) -> BetweenWaves:
        succeeded: Amount | None = None
        if self.happens(0.6):
            succeeded = self.chance.choice((1, 2, Share(Fraction(1, 2)), Share(Fraction(9, 10))))
        return BetweenWaves(
            soak=self.chance.choice((0.0, 60.0, 600.0)),
            succeeded=succeeded,
            approval=self._approver() if self.happens(0.35) else None,
        )

    def _budget(self, size: int) -> Budget:
        def some() -> Amount | None:
            return self._amount(min(5, size)) if self.happens(0.6) else None

        counts = {name: some() for name in ("failed", "unconfirmed", "in_doubt")}
        if self.happens(0.5):
            rate = Share(Fraction(self.chance.choice((5, 10, 25, 40)), 100))
            return Budget(**counts, failure_rate=rate, after=self.chance.choice((0, 5, 10, 20)))
        if all(amount is None for amount in counts.values()):
            counts["failed"] = 1
        return Budget(**counts)

    def _groups(self) -> tuple[GroupLimit, ...]:
        def limit(*fields: str) -> GroupLimit:
            return GroupLimit(fields, self.chance.randint(1, 3))

        return self.chance.choice(
            (
                (limit("location"),),
                (limit("location"), limit("type")),
                (limit("organization_id", "type_short_name"),),
                (limit("location", "organization_id"), limit("software_version")),
            )
        )

    def _window(self, playbook: Playbook) -> Window:
        chance = self.chance
        expected, _ = expectations(playbook, {})
        needed = sum(expected[: len(playbook.steps)])
        lasts = float(max(600, round(needed * chance.uniform(1.02, 3.0))))
        began = datetime.fromtimestamp(self.started_at, UTC)
        minute, hour = chance.choice((0, 15, 37)), chance.randrange(24)
        opens: str | datetime = chance.choice(
            (
                f"{minute} {hour} * * *",
                f"{minute} */{chance.choice((3, 6, 8))} * * *",
                "30 1,2 * * *",
            )
        )
        if self.happens(0.2):
            opens = began.replace(tzinfo=None) + timedelta(hours=chance.randint(1, 30))
        blackouts = []
        if self.happens(0.25):
            first = began.date() + timedelta(days=chance.randint(0, 2))
            blackouts.append(Blackout(first, first + timedelta(days=chance.randint(0, 1))))
        return Window(
            opens=opens,
            lasts=lasts,
            timezone=chance.choice(ZONES),
            cutoff=None if self.happens(0.65) else round(lasts * chance.uniform(0.05, 0.6)),
            blackouts=tuple(blackouts),
            timezone_field=ZONE_FIELD if self.has_own_zones else None,
        )

    # --- what goes wrong --------------------------------------------------------------------------

    def _faults(self) -> tuple[Faults, tuple[Storm, ...]]:
        chance = self.chance
        faults = chance.choice(
            (Faults(), Faults(), Faults.harsh(), Faults.harsh(), Faults(operations=LOSSY))
        )
        if self.changing is not None and self.changing.happens(0.3):
            faults = Faults(operations=replace(LOSSY, truncated=0.1))
        if self.happens(0.2):
            faults = replace(faults, outages=self._spans(3000.0, 1500.0))
        if self.happens(0.04):
            faults = replace(faults, outages=self._spans(2000.0, 9000.0))
        if self.happens(0.15):
            faults = replace(faults, revoked=self._spans(3000.0, 1500.0))
        if self.happens(0.15):
            faults = replace(faults, restarts=tuple(sorted(self._some(2500.0, 3))))
        storms = ()
        if self.happens(0.15):
            rates = self.chance.choice((STORMY, Rates(rate_503=0.95), Rates(rate_502_html=0.9)))
            storms = tuple(Storm(*span, rates) for span in self._spans(2500.0, 900.0))
        return faults, storms

    def _some(self, until: float, most: int) -> Iterator[float]:
        for _ in range(self.chance.randint(1, most)):
            yield round(self.chance.uniform(1.0, until), 3)

    def _spans(self, until: float, longest: float) -> tuple[tuple[float, float], ...]:
        moments = sorted(self._some(until, 2))
        ends = [at + round(self.chance.uniform(5.0, longest), 3) for at in moments]
        cut = [
            min(end, following)
            for (_, following), end in zip(pairwise(moments), ends, strict=False)
        ]
        return tuple(zip(moments, [*cut, ends[-1]], strict=True))

    def _absences(
        self, plan: Plan, members: Sequence[Member], *, is_calm: bool
    ) -> tuple[Absence, ...]:
        """Others' devices; ours only where nothing else makes requests doubtful."""
        if not (self.is_grouped or is_calm) or not self.happens(0.7):
            return ()
        ours = {device.id for device in plan.devices}
        found = []
        for member in members:
            if (member.id in ours and not is_calm) or not self.happens(0.3):
                continue
            since = round(self.chance.uniform(5.0, 3000.0), 3)
            found.append(Absence(member.id, since, since + round(self._a_while(), 3)))
        return tuple(found)

    def _a_while(self) -> float:
        return self.chance.choice((300.0, 1200.0, 9000.0)) * self.chance.uniform(0.5, 1.5)

    def _interruptions(self, length: int) -> tuple[Interruption, ...]:
        if not self.happens(0.45 if self.changing is None else 0.65):
            return ()
        gaps: Sequence[Callable[[], float]] = (
            lambda: 0.0,
            lambda: self.chance.uniform(0.1, 60.0),
            lambda: self.chance.uniform(60.0, 1800.0),
            lambda: self.chance.uniform(3600.0, 30_000.0),
        )
        return tuple(
            Interruption(
                at,
                self.chance.choice(("unsent", "sent", "sent", "asked")),
                round(self.chance.choice(gaps)(), 3),
            )
            for at in sorted(
                self.chance.randint(1, length) for _ in range(self.chance.randint(1, 4))
            )
        )

    def _acts(self, length: int) -> tuple[Act, ...]:
        if not self.happens(0.6):
            return ()
        kinds = ("pause", "limit", "wrong", "cancel", "abandon")
        chosen = self.chance.choices(kinds, (4, 4, 3, 2, 0.7), k=self.chance.randint(1, 6))
        return tuple(
            Act(
                self.chance.randint(1, length),
                round(self.chance.choice((0.0, 0.0, 20.0, 600.0)) * self.chance.random(), 3),
                kind,
            )
            for kind in chosen
        )

    def _holdings(self, plan: Plan) -> tuple[Holding, ...]:
        if not self.happens(0.25):
            return ()
        found = []
        for device in plan.devices:
            if self.happens(0.4):
                since = self.chance.choice((0.0, round(self.chance.uniform(0.0, 1500.0), 3)))
                until = since + round(self.chance.choice((30.0, 600.0, 4000.0)), 3)
                found.append(Holding(device.id, self.started_at + since, self.started_at + until))
        return tuple(sorted(found, key=lambda each: each.since))
