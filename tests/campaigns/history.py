"""What a finished campaign has left behind, put in order so that its promises can be judged.

The journal says what was intended and when; the world's ledger says what really happened. What a
chain is, who is under way and how time stands still are reckoned here once more, without the
engine, from the words of the design alone.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from orchestrator.model import events
from orchestrator.model.events import Event
from orchestrator.model.operations import REQUESTS, Action, Operation, Request
from orchestrator.model.plans import Limits
from orchestrator.model.policies import GroupLimit
from orchestrator.model.steps import ApproveStep, RequestStep, Step
from orchestrator.model.zones import is_zone
from orchestrator.simulator.ledger import AppliedOperation, Change
from tests.campaigns.driving import Life

INSTANT = 1e-5
"""Moments in a journal are cut to microseconds."""

ENOUGH = 20
"""Device runs of its own from which on a run measures instead of expecting."""

ANSWERS = (
    events.OperationAccepted,
    events.OperationRefused,
    events.OperationUnsent,
    events.OperationLost,
)
_STEP_ENDS = (events.StepSucceeded, events.StepForgiven, events.RescueStarted)
NOT_APPLIED = (events.OperationRefused, events.OperationUnsent)


_METHODS = {
    Action.CREATE: "POST",
    Action.UPDATE: "PATCH",
    Action.UPGRADE: "PATCH",
    Action.DEACTIVATE: "PATCH",
    Action.REPLACE: "PUT",
    Action.DELETE: "DELETE",
}


@dataclass
class Arrival:
    """One request that changes something, as it reached the controller."""

    at: float
    method: str
    device: int | None
    change: Change | None
    """What was asked of the record; None for an operation."""
    is_taken: bool = False
    """Whether an intention for it was found."""

    @property
    def serial(self) -> object:
        """The serial number of the record that is to be made."""
        return None if self.change is None else self.change.wrote.get("serial_number")


@dataclass
class Attempt:
    """One intention, and what became of it."""

    place: int
    """Where it stands in the journal."""
    intended: events.OperationIntended
    in_chain: bool
    arrival: Arrival | None = None
    applied: AppliedOperation | None = None
    answer: Event | None = None
    resolved: events.DoubtResolved | None = None

    @property
    def device(self) -> int:
        """The device it was for."""
        return self.intended.device

    @property
    def operation(self) -> Request:
        """What was asked for; of a change with a flag, the flag's operation."""
        return REQUESTS[self.intended.operation]

    @property
    def was_applied(self) -> bool:
        """Whether the world changed by it."""
        if self.applied is not None:
            return True
        change = None if self.arrival is None else self.arrival.change
        return change is not None and change.applied


@dataclass
class Walk:
    """Where a device stands while its events are read, as a stranger would reckon it."""

    step: int = 0
    has_begun: bool = False
    is_ended: bool = False
    failed_step: int | None = None
    rescued_in_chain: bool = False
    unproven_destruction: bool = False
    is_sent: bool = False
    """Whether something was asked for in this step."""
    failing: events.StepFailed | None = None
    forgiven: str | None = None


class History:
    """The journal of a campaign beside the ledger of its world."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.drawn = life.drawn
        self.plan = life.plan
        self.playbook = life.plan.playbook
        self.rollout = life.plan.playbook.rollout
        self.steps = self.playbook.all_steps
        self.main = len(self.playbook.steps)
        self.journal: Sequence[Event] = life.journal
        self.ledger = life.ledger
        self.of_device: dict[int, list[Event]] = defaultdict(list)
        for event in self.journal:
            device = getattr(event, "device", None)
            if device is not None:
                self.of_device[device].append(event)
        rescue = chained_steps(self.playbook.rescue)
        self.chained = chained_steps(self.playbook.steps) | {self.main + n for n in rescue}
        self.active = active_moments(self.journal)
        self.serials = {each.id: each.serial_number for each in self.plan.devices}
        self.ids: dict[int, list[int]] = {each.id: [each.id] for each in self.plan.devices}
        """The ids of each device's records as far as the run knows; the last is the present one."""
        for event in self.of(events.OperationAccepted, events.DeviceFound):
            if event.record is not None and event.record not in self.ids[event.device]:
                self.ids[event.device].append(event.record)
        self.arrivals = list(self._arrivals())
        self.finished = {e.device: e for e in self.of(events.DeviceFinished)}
        self.attempts = list(self._attempts())
        self.wave_of = self._waves()

    def of(self, *kinds: type[Event]) -> list[Event]:
        """Give the events of some kinds."""
        return [event for event in self.journal if isinstance(event, kinds)]

    def of_step(self, device: int, step: int) -> list[Event]:
        """Give the events of one device at one step."""
        return [e for e in self.of_device[device] if getattr(e, "step", None) == step]

    def attempts_of(self, device: int) -> list[Attempt]:
        """Give what was intended for a device, in order."""
        return [attempt for attempt in self.attempts if attempt.device == device]

    def is_left_by_a_person(self) -> bool:
        """Say whether somebody abandoned the run."""
        return any(event.abandon for event in self.of(events.CancelOrdered))

    # --- chains -----------------------------------------------------------------------------------

    def walk(self, walk: Walk, event: Event) -> None:
        """Take note of one more of a device's events."""
        walk.has_begun = True
        match event:
            case events.StepSucceeded():
                if isinstance(self.steps[event.step], RequestStep) and walk.is_sent:
                    walk.unproven_destruction = False
                walk.step += 1
                walk.failing, walk.is_sent = None, False
            case events.OperationIntended():
                walk.is_sent = True
            case events.StepFailed():
                walk.failing = event
                step = self.steps[event.step]
                if event.verdict == "unconfirmed" and isinstance(step, RequestStep):
                    walk.unproven_destruction |= step.operation.is_destructive
            case events.StepForgiven():
                walk.forgiven = walk.forgiven or event.verdict
                walk.step += 1
                walk.failing, walk.is_sent = None, False
            case events.RescueStarted():
                walk.rescued_in_chain = walk.step in self.chained or walk.unproven_destruction
                walk.failed_step = walk.step
                walk.forgiven = walk.forgiven or event.verdict
                walk.step = event.step
                walk.failing, walk.is_sent = None, False
            case events.DeviceFinished():
                walk.is_ended = True
            case _:
                pass

    def is_in_chain(self, walk: Walk) -> bool:
        """Say whether a device has lost what its next steps bring back."""
        return walk.rescued_in_chain or walk.step in self.chained

    # --- attempts ---------------------------------------------------------------------------------

    def _arrivals(self) -> Iterator[Arrival]:
        """Give the requests that were to change something, in order."""
        changes = iter(self.ledger.changes)
        for each in self.ledger.arrivals:
            if "inventory_device_operation" in each.path:
                yield Arrival(each.at, each.method, each.device, None)
            elif each.method in _METHODS.values():
                yield Arrival(each.at, each.method, each.device, next(changes))

    def _attempts(self) -> Iterator[Attempt]:
        waiting: dict[object, list[Arrival]] = defaultdict(list)
        for arrival in self.arrivals:
            waiting[arrival.serial if arrival.method == "POST" else arrival.device].append(arrival)
        walks: dict[int, Walk] = defaultdict(Walk)
        open_attempts: dict[int, Attempt] = {}
        for place, event in enumerate(self.journal):
            device = getattr(event, "device", None)
            if device is None:
                continue
            if isinstance(event, events.OperationIntended):
                attempt = Attempt(place, event, self.is_in_chain(walks[device]))
                attempt.arrival = self._arrived(waiting, event)
                attempt.applied = self._applied(attempt.arrival, attempt.operation)
                open_attempts[device] = attempt
                yield attempt
            elif isinstance(event, ANSWERS) and device in open_attempts:
                open_attempts[device].answer = event
            elif isinstance(event, events.DoubtResolved) and device in open_attempts:
                open_attempts[device].resolved = event
            self.walk(walks[device], event)

    def _arrived(
        self, waiting: dict[object, list[Arrival]], event: events.OperationIntended
    ) -> Arrival | None:
        method = "PUT" if event.action is None else _METHODS[Action(event.action)]
        keys = [self.serials[event.device]] if method == "POST" else self.ids[event.device]
        for arrival in (each for key in keys for each in waiting[key]):
            is_alike = arrival.method == method and (arrival.change is None) == (
                event.action is None
            )
            if not arrival.is_taken and is_alike and abs(arrival.at - event.at) <= INSTANT:
                arrival.is_taken = True
                return arrival
        return None

    def _applied(self, arrival: Arrival | None, operation: Request) -> AppliedOperation | None:
        if arrival is None or arrival.device is None:
            return None
        return next(
            (
                a
                for a in self.ledger.of_device(arrival.device)
                if a.arrived_at == arrival.at and a.operation == operation
            ),
            None,
        )

    def down_until(self, attempt: Attempt) -> float:
        """Give until when an intention keeps its device out of service, or may as far as is known."""
        ended = self.finished.get(attempt.device)
        latest = ended.at if ended is not None else float("inf")
        if isinstance(attempt.answer, NOT_APPLIED) and not attempt.was_applied:
            return min(latest, attempt.answer.at)
        if attempt.applied is not None:
            back = attempt.applied.returned_at
            return latest if back is None else min(latest, max(back, attempt.intended.at))
        if attempt.resolved is not None and not attempt.resolved.applied:
            return min(latest, attempt.resolved.at)
        return latest

    def obeys(self, device: int) -> bool:
        """Say whether a device does what it is told."""
        found = self.life.world.population.device(self.ids[device][0], self.life.now)
        return found is None or found.temperament.obeys

    def group(self, device: int, fields: Sequence[str]) -> tuple[object, ...]:
        """Give a device's values of some fields; what is not known is a value of its own."""
        record = self.drawn.records.get(device, {})
        values = (record.get(field) for field in fields)
        return tuple("unknown" if value in (None, "") else value for value in values)

    # --- windows ------------------------------------------------------------------------------------

    def zone(self, device: int) -> str:
        """Name the zone whose clocks a device's window goes by."""
        window = self.playbook.window
        assert window is not None
        own = self.drawn.records.get(device, {}).get(window.timezone_field or "")
        return own if isinstance(own, str) and is_zone(own) else window.timezone

    def needed(self, attempt: Attempt) -> tuple[float, ...]:
        """Give the seconds that the rest of a device's walk is expected to take.

        More than one figure where the decision may or may not have known of the latest successes.
        """
        step = attempt.intended.step
        if step >= self.main:
            return (0.0,)
        planned = float(sum(self.plan.expected[step : self.main]))
        whole = float(sum(self.plan.expected[: self.main]))
        figures = []
        for took in self._measured(attempt.place):
            if len(took) < ENOUGH or not whole:
                figures.append(planned)
            else:
                longest = max(whole, self.playbook.window.lasts / 2)
                figures.append(min(_ninth(took), longest) * planned / whole)
        return tuple(figures)

    def _measured(self, place: int) -> Iterator[list[float]]:
        """Give how long device runs took that had succeeded before this batch, and within it."""
        begins: dict[int, float] = {}
        idle: dict[int, float] = {}
        took: list[float] = []
        batch = max((end for end in self.life.chronicle.batches if end <= place), default=0)
        for index in range(place):
            event, active = self.journal[index], self.active[index]
            if index == batch:
                yield sorted(took)
            device = getattr(event, "device", 0)
            if self._is_at_work(event):
                if device in begins:
                    begins[device] += active - idle.pop(device, active)
                elif isinstance(event, events.OperationIntended):
                    begins[device] = active
            elif isinstance(event, _STEP_ENDS):
                idle.setdefault(device, active)
            elif device in begins and _has_succeeded(event):
                took.append(idle.get(device, active) - begins[device])
        yield sorted(took)

    def _is_at_work(self, event: Event) -> bool:
        """Say whether a device begins to take its time, rather than to wait for people."""
        if isinstance(event, events.StepStarted):
            return not isinstance(self.steps[event.step], ApproveStep)
        return isinstance(event, events.OperationIntended)

    # --- limits and waves ---------------------------------------------------------------------------

    def limits(self) -> Iterator[tuple[int, Event, Limits]]:
        """Give every event with its place and the limits that people had ordered by then."""
        now = self.plan.limits
        for place, event in enumerate(self.journal):
            if isinstance(event, events.LimitOrdered):
                value = event.value
                if event.limit == "delay":
                    now = replace(now, delay=value)
                elif event.limit.startswith("max_down_per."):
                    now = replace(now, max_down_per=_with(now.max_down_per, event.limit, value))
                else:
                    now = replace(now, **{event.limit: int(value)})
            yield place, event, now

    def _waves(self) -> dict[int, int]:
        numbers: dict[int, int] = {}
        devices = iter(self.plan.devices)
        for number, wave in enumerate(self.plan.limits.waves, start=1):
            for _ in range(wave.devices):
                numbers[next(devices).id] = number
        return numbers


def _with(limits: tuple[GroupLimit, ...], name: str, value: float) -> tuple[GroupLimit, ...]:
    fields = [part.strip() for part in name.removeprefix("max_down_per.").split(",")]
    return tuple(
        GroupLimit(each.fields, int(value)) if list(each.fields) == fields else each
        for each in limits
    )


def _has_succeeded(event: Event) -> bool:
    return isinstance(event, events.DeviceFinished) and event.verdict == "succeeded"


def _ninth(took: Sequence[float]) -> float:
    return took[min(len(took) - 1, len(took) * 9 // 10)]


def chained_steps(steps: Sequence[Step]) -> frozenset[int]:
    """Give the steps that are in a chain: behind a destructive one, up to what restores the device."""
    inside: set[int] = set()
    operations = {n: s.operation for n, s in enumerate(steps) if isinstance(s, RequestStep)}
    destructive = [n for n, operation in operations.items() if operation.is_destructive]
    for begin, behind in zip(destructive, [*destructive, len(steps)][1:], strict=True):
        for restoring in (Operation.RECONF, Operation.SYNC):
            ends = [n for n, op in operations.items() if begin < n < behind and op is restoring]
            if ends:
                inside |= set(range(begin + 1, max(ends) + 1))
                break
    return frozenset(inside)


def active_moments(journal: Sequence[Event]) -> list[float]:
    """Give each event's moment on the clock that stands still in pauses and between processes."""
    stood_still, since, before = 0.0, None, 0.0
    moments = []
    for event in journal:
        if isinstance(event, events.RunResumed):
            stood_still += event.at - (before if since is None else since)
            since = None
        elif isinstance(event, events.RunContinued) and since is not None:
            stood_still += event.at - since
            since = None
        moments.append((event.at if since is None else since) - stood_still)
        if isinstance(event, events.RunPaused):
            since = event.at
        before = event.at
    return moments
