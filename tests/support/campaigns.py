"""Whole campaigns over the simulated world, and the promises they are judged by.

A campaign is judged by the world's own ledger and not by what the run believes: `broken_promises`
names everything that a run must never do, in sentences.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from orchestrator.engine.run import Run
from orchestrator.model import events
from orchestrator.model.events import Event
from orchestrator.model.operations import Operation
from orchestrator.model.orders import Order
from orchestrator.model.plans import Limits, Plan, PlannedDevice, Wave
from orchestrator.model.playbooks import Playbook, PlaybookSource
from orchestrator.model.policies import BetweenWaves, RequestLimits, RetryPolicy, Rollout
from orchestrator.model.selections import Selection
from orchestrator.model.steps import OperationStep, Step, default_proof
from orchestrator.model.verdicts import Verdict
from orchestrator.model.windows import Window
from orchestrator.planning.foresight.rehearsing import Rehearsal
from orchestrator.simulator.endpoints import Rules
from orchestrator.simulator.faults import Faults
from orchestrator.simulator.fleet import FleetPlan, make_fleet
from orchestrator.simulator.ledger import AppliedOperation, Ledger
from orchestrator.simulator.world import World

START = 1_800_000_000.0
LONGEST = 7 * 86_400.0
"""Simulated seconds after which a run counts as one that never ends."""
ORDER_PAUSE = 40.0
"""Simulated seconds that a person takes for each order."""
STANDSTILL = 400
"""Turns without a new event and without time passing after which the loop counts as spinning."""


def operation_step(operation: Operation, *, attempts: int = 4, **proof: object) -> OperationStep:
    """Give a step with the proof that a playbook takes when it says nothing."""
    return OperationStep(operation, replace(default_proof(operation), **proof), attempts)


REDEPLOY = (operation_step(Operation.FACTORY), operation_step(Operation.RECONF))
REBOOT = (operation_step(Operation.REBOOT),)


@dataclass(frozen=True)
class Setting:
    """Everything that decides how a campaign goes; the same setting gives the same journal."""

    seed: int = 1
    devices: int = 20
    steps: tuple[Step, ...] = REDEPLOY
    fleet: FleetPlan = field(default_factory=FleetPlan)
    faults: Faults = field(default_factory=Faults)
    rules: Rules = field(default_factory=Rules)
    max_down: int = 6
    delay: float = 0.2
    in_flight: int = 20
    per_second: float | None = 20.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    page_size: int = 500
    rescue: tuple[Step, ...] = ()
    waves: tuple[Wave, ...] = ()
    between_waves: BetweenWaves = BetweenWaves()
    window: Window | None = None
    answers: Mapping[str, tuple[Order, ...]] = field(default_factory=dict)
    """What a person does, one order after the other, once the run asks something."""

    def world(self) -> World:
        """Give the world as it is before anybody touches it."""
        members = make_fleet(self.devices, self.seed, self.fleet)
        return World(
            members, seed=self.seed, started_at=START, faults=self.faults, rules=self.rules
        )

    def plan(self) -> Plan:
        """Give the plan over the whole fleet."""
        requests = RequestLimits(self.delay, self.in_flight, self.per_second)
        playbook = Playbook(
            name="campaign",
            description="",
            selection=Selection(everything=True),
            steps=self.steps,
            rollout=Rollout(self.max_down, between_waves=self.between_waves),
            requests=requests,
            retry=self.retry,
            rescue=self.rescue,
            window=self.window,
        )
        members = make_fleet(self.devices, self.seed, self.fleet)
        return Plan(
            playbook=playbook,
            source=PlaybookSource("campaign.yaml", ""),
            controller="simulated",
            created_at=START,
            devices=tuple(
                PlannedDevice(member.id, str(member.fields["serial_number"]), None)
                for member in members
            ),
            limits=Limits(
                self.devices,
                self.max_down,
                self.in_flight,
                self.delay,
                self.per_second,
                waves=self.waves,
            ),
            listed=self.devices,
        )


class Campaign(Rehearsal):
    """A rehearsal that remembers where its batches end and notices when it spins."""

    def __init__(
        self,
        setting: Setting,
        *,
        world: World | None = None,
        journal: Sequence[Event] = (),
        now: float = START + 1.0,
        chance: Callable[[], float] | None = None,
    ) -> None:
        self.setting = setting
        self.batches: list[int] = []
        """Lengths of the journal after each append: where a crash can cut it."""
        self._killed_at: int | None = None
        self._sends_last = False
        super().__init__(
            setting.plan(),
            world or setting.world(),
            now,
            chance or random.Random(setting.seed).random,
            page_size=setting.page_size,
            journal=journal,
        )

    def _record(self, happened: Sequence[Event]) -> None:
        super()._record(happened)
        if happened:
            self.batches.append(len(self.journal))
        if self._killed_at is not None and len(self.journal) >= self._killed_at:
            sends = any(isinstance(event, events.OperationIntended) for event in happened)
            if not (sends and self._sends_last):
                raise KilledError

    def turn(self) -> None:
        """One turn of the loop, after what a person has to say."""
        wish = self._wish()
        if wish is not None and wish[0] <= self.now:
            self.obey(wish[1])
        super().turn()

    def _wakes(self) -> Iterator[float]:
        yield from super()._wakes()
        wish = self._wish()
        if wish is not None:
            yield wish[0]

    def _wish(self) -> tuple[float, Order] | None:
        """Give the next order and its moment; those before it stand in the journal."""
        for what, asked in self.run.approvals.open.items():
            given = sum(event.at >= asked.at for event in self.of(*_ORDERED))
            orders = self.setting.answers.get(what, ())
            if given < len(orders):
                return asked.at + ORDER_PAUSE * (given + 1), orders[given]
        return None

    def finish(self) -> "Campaign":
        """Go on to the end; raises AssertionError when the run never ends or only spins."""
        turns, before = 0, (0.0, 0)
        while not self.run.is_over:
            self.turn()
            here = (self.now, len(self.journal))
            turns = turns + 1 if here == before else 0
            before = here
            assert turns < STANDSTILL, f"it spins at {self.now - START:.6f}: {stuck(self.run)}"
            assert self.now < START + LONGEST, f"it never ends: {stuck(self.run)}"
        return self

    def kill_at(self, length: int, *, sends_last: bool) -> "Campaign":
        """Kill the process once its journal is that long; no answer under way ever arrives.

        `sends_last` lets the requests of the last batch leave before; else they never do.
        """
        self._killed_at, self._sends_last = length, sends_last
        try:
            while len(self.journal) < length and not self.run.is_over:
                self.turn()
        except KilledError:
            pass
        return self

    def resumed(self, *, later: float = 0.0) -> "Campaign":
        """Give another process that goes on with the journal in the same world."""
        return Campaign(
            self.setting,
            world=self.world,
            journal=self.journal,
            now=self.now + later,
            chance=random.Random(f"{self.setting.seed}/{len(self.journal)}").random,
        )

    @property
    def verdicts(self) -> dict[int, str]:
        """Every device's verdict."""
        return {
            device.id: device.verdict.value
            for device in self.run.devices.values()
            if device.verdict is not None
        }

    @property
    def ledger(self) -> Ledger:
        """What really happened until now."""
        return self.world.settled_ledger(self.now)

    def of(self, *kinds: type[Event], device: int | None = None) -> list[Event]:
        """Give the events of some kinds, of one device if named."""
        return [
            event
            for event in self.journal
            if isinstance(event, kinds)
            and (device is None or getattr(event, "device", None) == device)
        ]


_ORDERED = (
    events.PauseOrdered,
    events.ContinueOrdered,
    events.LimitOrdered,
    events.CancelOrdered,
)
"""What an order that answers no question leaves in the journal."""


class KilledError(Exception):
    """The process is dead."""


def run_campaign(setting: Setting) -> Campaign:
    """Run a campaign from its beginning to its end."""
    return Campaign(setting).finish()


def stuck(run: Run) -> list[tuple[object, ...]]:
    """Give a few devices that have no verdict, for the message of a failed assertion."""
    waiting = [device for device in run.devices.values() if device.verdict is None]
    return [
        (device.id, device.phase.name, device.step, device.reason, device.is_being_read)
        for device in waiting[:5]
    ]


# --- promises -----------------------------------------------------------------------------------


def broken_promises(campaign: Campaign) -> list[str]:
    """Give every promise that the ledger or the journal shows to be broken; none is expected."""
    return [
        *without_one_verdict(campaign),
        *false_successes(campaign),
        *wrongly_resolved(campaign),
        *_repeated(campaign),
        *untouched_and_yet_touched(campaign),
        *_too_many_down(campaign),
        *_too_fast(campaign),
        *_sent_when_nothing_may_be(campaign),
        *refreshed_while_polling(campaign),
    ]


def without_one_verdict(campaign: Campaign) -> Iterator[str]:
    ended = Counter(event.device for event in campaign.of(events.DeviceFinished))
    for planned in campaign.plan.devices:
        if ended[planned.id] != 1:
            yield f"{planned.id} has {ended[planned.id]} verdicts"
    if campaign.run.finished_at is None:
        yield f"the run did not finish: {campaign.run.interrupted}"


def false_successes(campaign: Campaign) -> Iterator[str]:
    """A step succeeded although its operation was never applied, or had not had its effect by then."""
    ledger = campaign.ledger
    for event in campaign.of(events.StepSucceeded):
        step = campaign.plan.playbook.all_steps[event.step]
        if not isinstance(step, OperationStep):
            continue
        began = _began(campaign, event)
        done = [
            each
            for each in ledger.of_device(event.device)
            if each.operation is step.operation and each.arrived_at >= began - 0.001
        ]
        if not done:
            yield f"{event.device}: {step.title} succeeded and was never applied: {event.evidence}"
        elif not _had_effect(done[0], event.at, campaign):
            yield f"{event.device}: {step.title} succeeded before it was done: {event.evidence}"


def _had_effect(applied: AppliedOperation, at: float, campaign: Campaign) -> bool:
    if applied.done_at is not None and applied.done_at <= at:
        return True
    # A controller that hides operations shows of a gentle one nothing but the contact.
    return not applied.operation.is_disruptive and not campaign.setting.rules.shows_operations


def _began(campaign: Campaign, event: events.StepSucceeded | events.DoubtResolved) -> float:
    return min(
        intended.at
        for intended in campaign.of(events.OperationIntended, device=event.device)
        if intended.step == event.step
    )


def wrongly_resolved(campaign: Campaign) -> Iterator[str]:
    """What the run made of a request without an answer is not what happened."""
    for event in campaign.of(events.DoubtResolved):
        if not _obeys(campaign, event.device):
            continue  # what has no effect cannot be told from what was not applied
        intended, lost = _asked(campaign, event.device, event.step, event.attempt)
        began = intended.at
        if Operation(intended.operation).may_be_repeated:
            began = _began(campaign, event)  # any of its attempts will do
        applied = any(
            began - 0.001 <= each.arrived_at <= lost.at and each.operation == intended.operation
            for each in campaign.ledger.of_device(event.device)
        )
        if applied != event.applied:
            yield f"{event.device}: applied is {applied}, the run says: {event.sign}"


def _asked(
    campaign: Campaign, device: int, step: int, attempt: int
) -> tuple[events.OperationIntended, events.OperationLost]:
    found = {
        type(event): event
        for event in campaign.of(events.OperationIntended, events.OperationLost, device=device)
        if (event.step, event.attempt) == (step, attempt)
    }
    return found[events.OperationIntended], found[events.OperationLost]


def _repeated(campaign: Campaign) -> Iterator[str]:
    ledger = campaign.ledger
    for device in filter(partial(_obeys, campaign), ledger.touched()):
        counts = Counter(each.operation for each in ledger.of_device(device))
        asked = Counter(
            step.operation
            for step in campaign.plan.playbook.steps
            if isinstance(step, OperationStep)
        )
        for operation, count in counts.items():
            if operation.is_disruptive and count > asked[operation]:
                yield f"{device}: {operation} was applied {count} times"
    yield from _sent_more_than_once(campaign)
    for each in ledger.overlapping_operations():
        yield f"{each.device}: {each.operation} while it was not back from its last operation"
    yield from _accepted_and_repeated(campaign)


def _obeys(campaign: Campaign, device: int) -> bool:
    found = campaign.world.population.device(device, campaign.now)
    return found is None or found.temperament.obeys


def _sent_more_than_once(campaign: Campaign) -> Iterator[str]:
    intended = Counter(
        (event.device, event.operation) for event in campaign.of(events.OperationIntended)
    )
    arrived = Counter((each.device, each.operation) for each in campaign.ledger.operation_arrivals)
    for what, count in arrived.items():
        if count > intended[what]:
            yield f"{what} arrived {count} times and was intended {intended[what]} times"


def _accepted_and_repeated(campaign: Campaign) -> Iterator[str]:
    accepted = set()
    for event in campaign.of(events.OperationIntended, events.OperationAccepted):
        if isinstance(event, events.OperationAccepted):
            accepted.add((event.device, event.step))
        elif (event.device, event.step) in accepted:
            yield f"{event.device}: step {event.step} was accepted and is asked for again"


def untouched_and_yet_touched(campaign: Campaign) -> Iterator[str]:
    for device, verdict in campaign.verdicts.items():
        if verdict in (Verdict.SKIPPED, Verdict.NOT_STARTED) and campaign.ledger.of_device(device):
            yield f"{device} is {verdict} although something was applied to it"


def _too_many_down(campaign: Campaign) -> Iterator[str]:
    """Devices out of service through the run, from arrival to return or verdict."""
    ended = {event.device: event.at for event in campaign.of(events.DeviceFinished)}
    changes = []
    for each in campaign.ledger.operations:
        if each.operation.is_disruptive:
            until = min(each.returned_at or float("inf"), ended.get(each.device, float("inf")))
            changes += [(each.arrived_at, 1), (max(until, each.arrived_at), -1)]
    down = 0
    for at, change in sorted(changes):
        down += change
        if down > campaign.setting.max_down:
            yield f"{down} devices down at {at - START:.1f}, {campaign.setting.max_down} allowed"
            return


def _too_fast(campaign: Campaign) -> Iterator[str]:
    gaps = campaign.ledger.operation_gaps()
    if gaps and min(gaps) < campaign.setting.delay - 1e-4:
        yield f"two operation requests only {min(gaps):.4f} s apart"
    for at, count in _in_flight(campaign):
        if count > campaign.setting.in_flight:
            yield f"{count} operation requests in flight at {at - START:.1f}"
            return


def _in_flight(campaign: Campaign) -> Iterator[tuple[float, int]]:
    open_requests = set()
    for event in campaign.journal:
        if isinstance(event, events.OperationIntended):
            open_requests.add(event.device)
            yield event.at, len(open_requests)
        elif isinstance(event, _ANSWERS):
            open_requests.discard(event.device)


_ANSWERS = (
    events.OperationAccepted,
    events.OperationRefused,
    events.OperationUnsent,
    events.OperationLost,
)


def _sent_when_nothing_may_be(campaign: Campaign) -> Iterator[str]:
    """Chains are for tests/campaigns to judge: what is finished after a stop was begun before."""
    is_paused = is_stopped = False
    begun: set[int] = set()
    for event in campaign.journal:
        match event:
            case events.RunPaused():
                is_paused = True
            case events.RunContinued() | events.RunResumed():
                is_paused = False
            case events.RunStopped():
                is_stopped = True
            case events.OperationIntended():
                if is_paused:
                    yield f"{event.device}: {event.operation} was sent while the run was paused"
                if is_stopped and event.device not in begun:
                    yield f"{event.device}: was begun after the run was stopped"
                begun.add(event.device)


def refreshed_while_polling(campaign: Campaign) -> Iterator[str]:
    looks = Counter((event.device, event.step) for event in campaign.of(events.LastLookTaken))
    for (device, step), count in looks.items():
        if count > 1:
            yield f"{device}: step {step} had {count} last looks"
    refreshed = Counter(each.device for each in campaign.ledger.arrivals if each.refreshed)
    for device, count in refreshed.items():
        if count > sum(looks[key] for key in looks if key[0] == device):
            yield f"{device} was asked {count} times to update its status"
