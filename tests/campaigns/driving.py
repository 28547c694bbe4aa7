"""A drawn campaign from its beginning to its end, through every interruption that was drawn.

`live(drawn)` gives the campaign as its last process left it, with what was seen on the way that no
ledger and no journal holds: who was down anyway, who held which device, what was refused.
"""

import random
import traceback
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop
from typing import NoReturn, TypeVar

import msgspec

from orchestrator.adapters.simulated.simulated_controller import SimulatedController
from orchestrator.engine.run import Run, replayed
from orchestrator.model import events
from orchestrator.model.answering import event_of, failure_of
from orchestrator.model.commands import (
    AskWitnesses,
    Command,
    FindDevice,
    HoldDevices,
    PrepareDevice,
    ReleaseDevices,
    SaveSnapshot,
    SendChange,
    SendNotice,
    SendOperation,
    TakeCensus,
)
from orchestrator.model.devices import DeviceId
from orchestrator.model.errors import ControllerError, SecretError
from orchestrator.model.events import Event
from orchestrator.model.operations import Action
from orchestrator.model.orders import OrderRefusedError
from orchestrator.model.readings import DevicesHeld, Found, Reading, ReadingFailed
from orchestrator.model.snapshots import Snapshot
from orchestrator.planning.foresight.rehearsing import ROUND_TRIP
from orchestrator.runtime.obeying import obey_undriven
from orchestrator.runtime.preparing import Preparer
from orchestrator.simulator.answering import perform_change
from orchestrator.simulator.world import World
from tests.campaigns.drawing import Drawn, Holding, Interruption
from tests.campaigns.people import MUST_NOT, People
from tests.campaigns.vaulting import Vault
from tests.support.campaigns import Campaign, KilledError, stuck
from tests.support.stories import durable

LONGEST = 60 * 86_400.0
"""Simulated seconds after which a run counts as one that never ends."""
STANDSTILL = 400
"""Turns without a new event and without time passing after which the loop counts as spinning."""
MOST_PROCESSES = 60
"""Processes after which a run counts as one that nobody can bring to its end."""
MOST_TURNS = 60_000
_DELETION_LAG = 60.0 + 45.0
"""Seconds for which a record may be believed, and that answers take to come: who came Up in them
may be deleted."""

T = TypeVar("T")


class BrokenError(Exception):
    """The campaign cannot go on; `life` is how far it came."""

    life: "Life | None" = None


@dataclass
class Chronicle:
    """What is seen on the way; it outlives every process."""

    broken: list[str] = field(default_factory=list)
    """Promises that were seen to be broken at the moment itself."""
    down_since: dict[int, dict[int, float]] = field(default_factory=dict)
    """Devices shown Down at some events, by the event's place in the journal: since when each."""
    batches: list[int] = field(default_factory=list)
    """Lengths of the journal after each append."""
    kills: int = 0
    refused: int = 0
    obeyed: int = 0
    undriven: int = 0
    """Orders that were obeyed while nobody drove the run."""
    censuses: int = 0
    elsewhere: int = 0
    """Devices that were asked for and held by another run."""
    vault: Vault = field(default_factory=lambda: Vault(0))
    snapshots: list[tuple[int, Snapshot]] = field(default_factory=list)
    """What was saved, and how long the journal was then."""
    notices: list[SendNotice] = field(default_factory=list)


class Instant:
    """A clock whose sleeps take no time and are added up: answers come as late as they were."""

    speed = 1.0

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.slept = 0.0

    def now(self) -> float:
        return self._now()

    def steady(self) -> float:
        return self._now()

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds


class Neighbours:
    """Other runs on this machine, and which devices they hold."""

    def __init__(self, holdings: Sequence[Holding]) -> None:
        self._coming = list(holdings)
        self._held: dict[int, float] = {}
        self.ours: set[int] = set()

    def until(self, device: int, now: float) -> float | None:
        """Give until when another run holds a device; None when none does."""
        while self._coming and self._coming[0].since <= now:
            wanted = self._coming.pop(0)
            if wanted.device not in self.ours:
                self._held[wanted.device] = wanted.until
        until = self._held.get(device)
        return until if until is not None and now < until else None


class Life(Campaign):
    """One process of a campaign, with its people and its neighbours."""

    def __init__(
        self,
        drawn: Drawn,
        *,
        world: World | None = None,
        journal: Sequence[Event] = (),
        now: float | None = None,
        chronicle: Chronicle | None = None,
        people: People | None = None,
        neighbours: Neighbours | None = None,
    ) -> None:
        self.drawn = drawn
        self.chronicle = chronicle or Chronicle(vault=Vault(drawn.seed))
        self.people = people or People(drawn.seed, drawn.acts)
        self.neighbours = neighbours or Neighbours(drawn.holdings)
        self.quiet_faults = drawn.faults
        chance: Callable[[], float] = random.Random(f"{drawn.seed}/{len(journal)}").random
        super().__init__(
            drawn,
            world=world,
            journal=journal,
            now=drawn.started_at + drawn.begins_after if now is None else now,
            chance=chance,
        )
        self._instant = Instant(lambda: self.now)
        self._preparer = _Preparing(self)
        if not journal:
            self._know_what_the_plan_read()

    def _know_what_the_plan_read(self) -> None:
        """The inventory that was read for the plan is not read again."""
        for device in self.drawn.listed:
            at = self.drawn.started_at
            self.run.observe(Reading(device.id, device, at, at, is_detail=False), self.now)

    # --- the loop -------------------------------------------------------------------------------

    def go_on(self, ending: Interruption | None) -> None:
        """Drive until the run is over, or the process ends as was drawn."""
        sends_last = ending is not None and ending.how == "sent"
        if ending is not None and ending.how != "asked":
            self._killed_at, self._sends_last = ending.at_length, sends_last
        turns, spins, before = 0, 0, (0.0, 0)
        while not self.run.is_over:
            if ending is not None and len(self.journal) >= ending.at_length:
                if ending.how != "asked":
                    break
                self.run.interrupt("Ctrl-C")
            try:
                self.turn()
            except KilledError:
                break
            here = (self.now, len(self.journal))
            spins = spins + 1 if here == before else 0
            before = here
            turns += 1
            if spins > STANDSTILL or turns > MOST_TURNS:
                self.give_up("it spins")
            if self.now > self.drawn.started_at + LONGEST:
                self.give_up("it never ends")
        self.chronicle.kills += not self.run.is_over

    def give_up(self, why: str) -> NoReturn:
        """Say that the campaign cannot be brought to its end."""
        raise BrokenError(f"{why}: {stuck(self.run)}")

    def turn(self) -> None:
        """One turn of the loop, in whatever weather there is, with whoever interferes."""
        self._heed_people()
        if not self.run.is_over:
            self._set_weather()
            self._turn()

    def _turn(self) -> None:
        """As the rehearsal's, but snapshots are saved before what they were taken for is intended."""
        news: list[Event] = []
        while self._coming and self._coming[0][0] <= self.now:
            item = heappop(self._coming)[2]
            if isinstance(item, Event):
                news.append(item)
            else:
                self.run.observe(item, self.now)
        self._record(news)
        decision = self.run.decide(self.now, self.chance)
        self.chronicle.snapshots += [
            (len(self.journal), command.snapshot)
            for command in decision.commands
            if isinstance(command, SaveSnapshot)
        ]
        self._record(decision.events)
        self.now = max(self.now, self.run.last_at)
        for command in decision.commands:
            self._perform(command)
        if not decision.events and not self.run.is_over:
            self._wait()

    def _set_weather(self) -> None:
        passed = self.now - self.drawn.started_at
        storm = next((s for s in self.drawn.storms if s.since <= passed < s.until), None)
        faults = self.quiet_faults
        if storm is not None:
            faults = replace(faults, operations=storm.rates)
        self.world.faults = faults

    def _wakes(self) -> Iterator[float]:
        yield from super()._wakes()
        if self.people.next_at is not None:
            yield self.people.next_at

    def _heed_people(self) -> None:
        for order, known in self.people.wishes(self.run, self.now):
            if self.run.is_over:
                return
            before = durable(self.run)
            try:
                self.obey(order)
            except OrderRefusedError as refusal:
                self.chronicle.refused += 1
                self._check_unmoved(before, str(refusal))
            else:
                self.chronicle.obeyed += 1
                if known == MUST_NOT:
                    self.chronicle.broken.append(f"an order was obeyed that is wrong: {order}")

    def _check_unmoved(self, before: dict[str, object], refusal: str) -> None:
        if durable(self.run) != before:
            self.chronicle.broken.append(f"a refused order changed the run: {refusal}")
        if not refusal or refusal.endswith("."):
            self.chronicle.broken.append(f"a refusal is no sentence: {refusal!r}")

    # --- recording and performing -----------------------------------------------------------------

    def _record(self, happened: Sequence[Event]) -> None:
        happened = list(happened)
        first = len(self.journal)
        try:
            super()._record(happened)
        finally:
            if happened:
                self.chronicle.batches.append(len(self.journal))
                self._note(first, happened)

    def _note(self, first: int, happened: Sequence[Event]) -> None:
        self.people.hear(happened, len(self.journal))
        self.chronicle.vault.hear(happened)
        for place, event in enumerate(happened, start=first):
            if isinstance(event, events.OperationIntended):
                self._check_held(event)
                if self.plan.limits.max_down_per:
                    self._look_around(place, event.at)
            elif isinstance(event, events.WaveJudged):
                self._look_around(place, event.at)

    def _look_around(self, place: int, at: float) -> None:
        down = {}
        for member in self.drawn.members:
            population = self.world.population
            device = population.device(population.present_id(member.id), at)
            if device is not None and not device.is_up(at):
                down[member.id] = device.status_change(at)
        self.chronicle.down_since[place] = down

    def _check_held(self, event: events.OperationIntended) -> None:
        if event.device not in self.neighbours.ours:
            self.chronicle.broken.append(
                f"{event.device}: {event.operation} was intended and the device is not held"
            )

    def _perform(self, command: Command) -> None:
        match command:
            case HoldDevices():
                self._hold(command)
            case ReleaseDevices():
                self.neighbours.ours -= set(command.devices)
            case TakeCensus():
                self.chronicle.censuses += 1
                super()._perform(command)
            case SendOperation() | SendChange():
                self._check_intended(command)
                super()._perform(command)
            case SendNotice():
                self.chronicle.notices.append(command)
            case _:
                super()._perform(command)

    def _check_intended(self, command: SendOperation | SendChange) -> None:
        """See that the intention stands in the journal, and that nothing that serves is deleted."""
        wanted = (command.device, command.step, command.attempt)
        if not any(
            isinstance(event, events.OperationIntended)
            and (event.device, event.step, event.attempt) == wanted
            for event in reversed(self.journal)
        ):
            self.chronicle.broken.append(f"{command.device}: {command} was not intended")
        if isinstance(command, SendChange) and command.action is Action.DELETE:
            device = self.world.population.device(command.record or 0, self.now)
            if device is None:
                return
            is_long_up = device.is_up(self.now) and (
                device.status_change(self.now) < self.now - _DELETION_LAG
            )
            if is_long_up or device.fields["is_active"]:
                self.chronicle.broken.append(f"{command.device} is deleted, and it is Up or active")

    def _change(self, command: SendChange) -> None:
        self.requests += 1
        secrets = self.chronicle.vault.reveal(command) if command.secrets else {}
        answer, delay = perform_change(self.world, command, secrets, self.now)
        self._comes(delay, event_of(command, answer, round(self.now + delay + ROUND_TRIP, 6)))

    def _look(self, command: PrepareDevice | FindDevice | AskWitnesses) -> None:
        """Look closely with the runtime's own code, and with whatever this controller offers."""
        self.requests += 1
        self._instant.slept = 0.0
        found: Reading | Found | ReadingFailed
        try:
            found = completed(self._preparer.look(command))
        except ControllerError as error:
            found = failure_of((command.device,), error)
        except SecretError as error:
            found = ReadingFailed((command.device,), str(error), unprepared=True)
        self._comes(self._instant.slept, found)

    def _hold(self, command: HoldDevices) -> None:
        theirs = [d for d in command.devices if self.neighbours.until(d, self.now) is not None]
        held = tuple(device for device in command.devices if device not in theirs)
        self.neighbours.ours |= set(held)
        self.chronicle.elsewhere += len(theirs)
        elsewhere = tuple((device, "run 7 (process 99 on noc-9)") for device in theirs)
        answer = DevicesHeld(self.now, held, elsewhere, alone=self.drawn.is_alone)
        self.run.observe(answer, self.now)

    # --- another process --------------------------------------------------------------------------

    def taken_over(self, gap: float) -> "Life | None":
        """Give the process that goes on after this one; None when the run is finished before."""
        self.check_replay()
        self.neighbours.ours.clear()
        now = self._undriven(self.now + gap)
        run = replayed(self.plan, self.journal)
        if run.finished_at is not None:
            self.run = run
            return None
        underway = [each.id for each in run.devices.values() if each.verdict is None]
        while blocked := [u for d in underway if (u := self.neighbours.until(d, now)) is not None]:
            now = max(blocked)  # resuming is refused until then
        self.neighbours.ours |= set(underway)
        return Life(
            self.drawn,
            world=self.world,
            journal=self.journal,
            now=now,
            chronicle=self.chronicle,
            people=self.people,
            neighbours=self.neighbours,
        )

    def check_replay(self) -> None:
        """See that the journal alone restores what this process knew."""
        lived, again = durable(self.run), durable(replayed(self.plan, self.journal))
        for name, value in lived.items():
            if again[name] != value:
                self.chronicle.broken.append(
                    f"replayed after {len(self.journal)} events, {name} is {again[name]}"
                    f" and was {value}"
                )

    def _undriven(self, until: float) -> float:
        """Have people's orders obeyed while nobody drives the run, as the command line does."""
        now = self.now
        while self.people.next_at is not None and self.people.next_at <= until:
            now = max(now, self.people.next_at)
            run = replayed(self.plan, self.journal)
            for order, known in self.people.wishes(run, now):
                try:
                    self._obey_undriven(run, order, now)
                except OrderRefusedError:
                    self.chronicle.refused += 1
                else:
                    self.chronicle.undriven += 1
                    if known == MUST_NOT:
                        self.chronicle.broken.append(f"an order was obeyed undriven: {order}")
                run = replayed(self.plan, self.journal)
                now = max(now, run.last_at)
        return max(now, until)

    def _obey_undriven(self, run: Run, order: object, now: float) -> None:
        shelf = _Shelf(self)
        completed(obey_undriven(run, order, journal=shelf, now=now, chance=self.chance))


def completed(working: Coroutine[object, object, T]) -> T:
    """Give what a coroutine comes to that waits for nothing."""
    try:
        working.send(None)
    except StopIteration as end:
        found: T = end.value
        return found
    raise AssertionError("nothing here waits")


class _Preparing(Preparer):
    """The runtime's close looks; pages are listed as the rehearsal does, without an event loop."""

    def __init__(self, life: Life) -> None:
        self._life = life
        controller = SimulatedController(life.world, life._instant)
        super().__init__(
            life.plan, controller, life.chronicle.vault, page_size=life.drawn.page_size
        )

    async def _find(self, device: DeviceId, serial_number: str) -> Reading:
        if self._offers is not None:
            found = await self._offers.find_by_serial(serial_number)
            if found is not None:
                return msgspec.structs.replace(found, device_id=device)
        listed, delay = self._life._find(serial_number)
        await self._life._instant.sleep(delay)
        if isinstance(listed, ControllerError):
            raise listed
        return msgspec.structs.replace(listed, device_id=device)


class _Shelf:
    """The journal of a campaign, for the code that orders runs which nobody drives."""

    def __init__(self, life: Life) -> None:
        self._life = life

    async def append(self, happened: Sequence[Event]) -> None:
        if not happened:
            return
        life = self._life
        first = len(life.journal)
        life.journal.extend(happened)
        life.chronicle.batches.append(len(life.journal))
        life._note(first, happened)


def live(drawn: Drawn) -> Life:
    """Give the campaign after its end; raises BrokenError when it has none."""
    life = Life(drawn)
    endings = list(drawn.interruptions)
    gaps = random.Random(f"gaps/{drawn.seed}")
    try:
        for _ in range(MOST_PROCESSES):
            endings = [each for each in endings if each.at_length > len(life.journal)]
            ending = endings[0] if endings else None
            life.go_on(ending)
            if life.run.finished_at is not None:
                life.check_replay()
                return life
            gap = ending.gap if ending is not None else gaps.choice((0.0, 600.0, 7200.0))
            following = life.taken_over(gap)
            if following is None:
                return life
            life = following
        life.give_up(f"after {MOST_PROCESSES} processes it has not ended")
    except BrokenError as error:
        error.life = life
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        broken = BrokenError(f"{type(error).__name__} in {place}: {error}")
        broken.life = life
        raise broken from error
