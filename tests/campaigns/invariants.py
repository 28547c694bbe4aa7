"""The promises of a campaign, each judged against what really happened; none may be broken.

Every function gives a sentence for each breach. What was intended is read from the journal, what
became of it from the world's ledger, what holds when from the plan; never from the run's beliefs.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.adapters.memory.memory_journal import MemoryJournal
from orchestrator.engine.rollout.asking import UNASKED
from orchestrator.engine.rollout.windowing import Openings
from orchestrator.engine.run import replayed
from orchestrator.model import events
from orchestrator.model.events import Event
from orchestrator.model.operations import Action
from orchestrator.model.plans import Limits
from orchestrator.model.policies import Approver
from orchestrator.model.steps import ApproveStep, CheckStep, DoneStep, RequestStep
from orchestrator.model.verdicts import Verdict
from tests.campaigns.driving import Life
from tests.campaigns.history import ANSWERS, INSTANT, NOT_APPLIED, Attempt, History, Walk
from tests.campaigns.records import ON_RECORDS
from tests.support.campaigns import (
    false_successes,
    refreshed_while_polling,
    untouched_and_yet_touched,
    without_one_verdict,
    wrongly_resolved,
)
from tests.support.stories import durable

CENSUS_LAG = 150.0 + 45.0
"""Seconds for which others' outages may be unknown: the oldest census anybody is started on, and
the time its pages, and the records read for the guard, take to come."""

TROUBLE = ("failed", "unconfirmed", "in_doubt")

Promise = Callable[[History], Iterator[str]]


def broken(life: Life) -> list[str]:
    """Give every promise that a finished campaign has broken."""
    history = History(life)
    found = list(life.chronicle.broken)
    changes_records = history.drawn.changes is not None
    for promise in (*PROMISES, *(ON_RECORDS if changes_records else (as_ever,))):
        found += promise(history)
    return found


# --- what every campaign of this house promises ---------------------------------------------------


def as_ever(history: History) -> Iterator[str]:
    """The promises that older campaigns are judged by as well; only of operations."""
    yield from without_one_verdict(history.life)
    yield from false_successes(history.life)
    yield from wrongly_resolved(history.life)
    yield from untouched_and_yet_touched(history.life)
    yield from refreshed_while_polling(history.life)


# --- one device -----------------------------------------------------------------------------------


def in_order(history: History) -> Iterator[str]:
    """Each step comes when its predecessor is proven, forgiven, or failed and rescued."""
    walks: dict[int, Walk] = defaultdict(Walk)
    for event in history.journal:
        device = getattr(event, "device", None)
        if device is None:
            continue
        walk = walks[device]
        where = f"{device}: {type(event).__name__} of step {event.step + 1}"
        if walk.is_ended:
            yield f"{where} after its verdict"
        step = event.step
        match event:
            case events.RescueStarted():
                yield from _rescue(history, walk, event)
            case events.StepForgiven():
                yield from _forgiven(history, walk, event)
            case events.DeviceFinished():
                last = walk.step if walk.failing is not None else walk.step - 1
                if step not in (walk.step, last):
                    yield f"{where} while it was at step {walk.step + 1}"
            case _ if step != walk.step:
                yield f"{where} while it was at step {walk.step + 1}"
        history.walk(walk, event)


def _rescue(history: History, walk: Walk, event: events.RescueStarted) -> Iterator[str]:
    failing = walk.failing
    if failing is None or failing.step != walk.step or failing.verdict != event.verdict:
        yield f"{event.device} is rescued from {event.verdict}, which is not how its step ended"
    if event.verdict not in ("failed", "unconfirmed"):
        yield f"{event.device} is rescued after {event.verdict}"
    if walk.failed_step is not None or event.step != history.main or not history.playbook.rescue:
        yield f"{event.device} is rescued from step {event.step + 1}"


def _forgiven(history: History, walk: Walk, event: events.StepForgiven) -> Iterator[str]:
    step = history.steps[event.step]
    allowed = step.continue_on if isinstance(step, RequestStep | CheckStep) else ()
    failing = walk.failing
    if Verdict(event.verdict) not in allowed:
        yield f"{event.device}: step {event.step + 1} was forgiven, and the playbook does not"
    if failing is None or (failing.step, failing.verdict) != (event.step, event.verdict):
        yield f"{event.device}: step {event.step + 1} was forgiven and had not ended so"


def verdicts_that_agree(history: History) -> Iterator[str]:
    """A verdict follows from how the steps ended, and from what was asked of the device."""
    stopped = [event.at for event in history.of(events.RunStopped)]
    for device, ended in history.finished.items():
        mine = history.of_device[device]
        proven = [e.step for e in mine if isinstance(e, events.StepSucceeded)]
        failed = [e for e in mine if isinstance(e, events.StepFailed)]
        verdict = ended.verdict
        is_success = Verdict(verdict).is_success
        walked = history.main
        if proven and isinstance(history.steps[proven[-1]], DoneStep) and is_success:
            walked = proven[-1] + 1  # where the conditions hold, nothing more is to be done
        if is_success and (proven != list(range(walked)) or failed):
            yield f"{device} {verdict} and only steps {proven} did"
        if not is_success and not failed and proven[: history.main] == list(range(history.main)):
            yield f"{device} is {verdict} and every step succeeded"
        if verdict == "not_started" and not any(at <= ended.at for at in stopped):
            yield f"{device} was not started and nobody had stopped the run"
        if verdict == "deferred" and history.playbook.window is None:
            yield f"{device} is deferred and there is no window"
        yield from _troubled(history, ended, failed)


def _troubled(
    history: History, ended: events.DeviceFinished, failed: list[events.StepFailed]
) -> Iterator[str]:
    device, verdict = ended.device, ended.verdict
    attempts = history.attempts_of(device)
    if verdict in TROUBLE:
        ways = {event.verdict for event in failed}
        if verdict not in ways and not history.is_left_by_a_person():
            yield f"{device} is {verdict} and its steps ended {sorted(ways)}"
    was_applied = any(a.was_applied or (a.resolved and a.resolved.applied) for a in attempts)
    if verdict == "unconfirmed" and not was_applied:
        yield f"{device} is unconfirmed and nothing was ever applied to it"
    if verdict == "in_doubt" and not any(
        isinstance(a.answer, events.OperationLost) for a in attempts
    ):
        yield f"{device} is in doubt and every request was answered"
    if verdict == "succeeded":
        for attempt in attempts:
            applied = attempt.applied
            if applied is None or not applied.operation.is_disruptive:
                continue
            if applied.returned_at is None or applied.returned_at > ended.at:
                yield f"{device} succeeded while {attempt.operation} kept it out of service"


def never_twice(history: History) -> Iterator[str]:
    """Nothing disruptive is asked for again unless evidence said that it was not applied."""
    last: dict[tuple[int, int], Attempt] = {}
    for attempt in history.attempts:
        key = (attempt.device, attempt.intended.step)
        before = last.get(key)
        last[key] = attempt
        if before is None:
            continue
        where = f"{attempt.device}: {attempt.operation} of step {key[1] + 1}"
        if isinstance(before.answer, events.OperationAccepted):
            yield f"{where} was accepted and is asked for again"
        if before.resolved is not None and before.resolved.applied:
            yield f"{where} was applied, as was found, and is asked for again"
        if not attempt.operation.is_disruptive or isinstance(before.answer, NOT_APPLIED):
            continue
        if attempt.operation is Action.UPGRADE and "firmware_image" in (
            attempt.intended.before or {}
        ):
            continue  # the record told that it was not written
        if before.resolved is None or before.resolved.applied:
            yield f"{where} is asked for again although nobody knows what became of it"


def only_what_was_intended(history: History) -> Iterator[str]:
    """Nothing arrives that was not written down before, and nothing arrives twice."""
    for each in history.arrivals:
        if not each.is_taken:
            yield f"{each.method} for {each.device} arrived at {each.at} and was not intended"
    asked = [(e.device, e.step, e.attempt) for e in history.of(events.OperationIntended)]
    if len(asked) != len(set(asked)):
        yield f"an attempt was intended twice: {Counter(asked).most_common(1)}"
    applied = [id(a.applied) for a in history.attempts if a.applied is not None]
    if len(applied) != len(set(applied)) or len(applied) != len(history.ledger.operations):
        yield f"{len(history.ledger.operations)} operations were applied, {len(applied)} intended"


def never_overlapping(history: History) -> Iterator[str]:
    """A device gets nothing while it is not back, unless that wait was given up."""
    for attempt in history.attempts:
        if attempt.applied is None or attempt.applied.was_back:
            continue
        before = history.journal[: attempt.place]
        given_up = any(
            isinstance(e, events.StepFailed)
            and e.device == attempt.device
            and e.verdict == "unconfirmed"
            for e in before
        )
        if not given_up and history.obeys(attempt.device):
            yield f"{attempt.device}: {attempt.operation} while it was not back"


# --- limits ---------------------------------------------------------------------------------------


def max_down(history: History) -> Iterator[str]:
    """Never more devices out of service through the run than the limit that held then."""
    attempts = {attempt.place: attempt for attempt in history.attempts}
    down: dict[int, float] = {}
    for place, event, limits in history.limits():
        attempt = attempts.get(place)
        if attempt is None or not attempt.operation.is_disruptive:
            continue
        down = {device: until for device, until in down.items() if until > event.at}
        down[attempt.device] = max(down.get(attempt.device, 0.0), history.down_until(attempt))
        if len(down) > limits.max_down:
            yield (
                f"{len(down)} devices down at event {place}, {limits.max_down} allowed:"
                f" {sorted(down)}"
            )


def max_down_per(history: History) -> Iterator[str]:
    """The same in each group, where others' outages count that a census could have shown."""
    if not history.plan.limits.max_down_per:
        return
    attempts = {attempt.place: attempt for attempt in history.attempts}
    down: dict[int, float] = {}
    lost: dict[int, Attempt] = {}
    for place, event, limits in history.limits():
        attempt = attempts.get(place)
        if attempt is None or not attempt.operation.is_disruptive:
            continue
        down = {device: until for device, until in down.items() if until > event.at}
        others = _down_anyway(history, place, event.at)
        others |= {d for d, a in lost.items() if _is_lost(history, a, event.at)}
        down[attempt.device] = max(down.get(attempt.device, 0.0), history.down_until(attempt))
        lost[attempt.device] = attempt
        if attempt.in_chain:
            others = set()  # it is brought back into service in spite of others' outages
        yield from _groups(history, attempt, limits, set(down) | others, place)


def _down_anyway(history: History, place: int, at: float) -> set[int]:
    organizations = history.playbook.selection.organizations
    found = set()
    for device, since in history.life.chronicle.down_since.get(place, {}).items():
        record = history.drawn.records.get(device, {})
        if organizations and record["organization_id"] not in organizations:
            continue
        if record["is_active"] is not False and since < at - CENSUS_LAG:
            found.add(device)
    return found


def _is_lost(history: History, attempt: Attempt, at: float) -> bool:
    """Say whether the device was given up, and really is out of service still."""
    ended = history.finished.get(attempt.device)
    if ended is None or ended.at > at or ended.verdict not in ("unconfirmed", "in_doubt"):
        return False
    applied = attempt.applied
    return applied is not None and (applied.returned_at is None or applied.returned_at > at)


def _groups(
    history: History, attempt: Attempt, limits: Limits, down: set[int], place: int
) -> Iterator[str]:
    for limit in limits.max_down_per:
        group = history.group(attempt.device, limit.fields)
        members = sorted(d for d in down if history.group(d, limit.fields) == group)
        if len(members) > limit.at_most:
            yield (
                f"{len(members)} devices of {limit.title} {group} down at event {place},"
                f" {limit.at_most} allowed: {members}"
            )


def in_flight(history: History) -> Iterator[str]:
    """Never more operation requests without an answer than the limit that held then."""
    open_requests: set[int] = set()
    for place, event, limits in history.limits():
        if isinstance(event, events.OperationIntended):
            open_requests.add(event.device)
            if len(open_requests) > limits.in_flight:
                yield f"{len(open_requests)} requests in flight at event {place}"
        elif isinstance(event, ANSWERS):
            open_requests.discard(event.device)


def rhythm(history: History) -> Iterator[str]:
    """Requests keep their distance, the rate is kept, and a controller that asks for rest has it."""
    before, rests_until = float("-inf"), float("-inf")
    for place, event, limits in history.limits():
        if isinstance(event, events.SendingSlowed):
            rests_until = max(rests_until, event.until_at)
        if not isinstance(event, events.OperationIntended):
            continue
        gap = max(limits.delay, 1 / limits.per_second if limits.per_second else 0.0)
        if event.at - before < gap - INSTANT:
            yield f"event {place}: a request {event.at - before:.4f} s after another, not {gap:g} s"
        if event.at < rests_until - INSTANT:
            yield f"event {place}: a request while the controller was to have rest"
        before = event.at


def budgets(history: History) -> Iterator[str]:
    """Strict: never more devices under way than failures still allowed + 1; so never overshot."""
    rollout, total = history.rollout, len(history.plan.devices)
    underway: set[int] = set()
    verdicts: Counter[str] = Counter()
    storm = _Storm()
    attempts = {attempt.place: attempt for attempt in history.attempts}
    for place, event in enumerate(history.journal):
        device = getattr(event, "device", None)
        verdicts -= storm.after(event)
        if isinstance(event, events.DeviceFinished):
            underway.discard(event.device)
            verdicts[event.verdict] += 1
        elif device is not None and device not in underway:
            underway.add(device)
            if rollout.ramp and len(underway) > _ramp(_well(verdicts)):
                yield f"event {place}: {len(underway)} under way after {_well(verdicts)}"
        room = _room(history, verdicts, total)
        if room is None:
            continue
        if rollout.strict and len(underway) > max(0, room):
            yield f"event {place}: {len(underway)} devices under way, {room} allowed"
        attempt = attempts.get(place)
        if attempt is not None and room <= 0 and not attempt.in_chain:
            yield f"event {place}: {attempt.device} was sent something, the budget was spent"
    room = _room(history, verdicts, total)
    if room is not None and rollout.strict and room < 0:
        yield f"the budget was overshot by more than one: {dict(verdicts)}"


class _Storm:
    """Who ended in trouble while the controller accepted nothing, before the run paused for it."""

    def __init__(self) -> None:
        self._tried: set[int] = set()
        self._ended: Counter[str] = Counter()
        self._rounds = 0
        self._resumed_at = float("-inf")

    def after(self, event: Event) -> Counter[str]:
        """Give the verdicts that spend no budget from here on."""
        match event:
            case events.RunResumed():
                self._begin_anew()
                self._resumed_at = event.at
            case events.OperationAccepted():
                self._begin_anew()
            case events.OperationLost() if event.at <= self._resumed_at:
                pass
            case events.OperationRefused(refusal="busy") | events.OperationLost():
                self._tried.add(event.device)
            case events.OperationRefused(refusal="state" | "gone" | "rejected") if not self._rounds:
                self._tried.clear()
                self._ended.clear()
            case events.DeviceFinished(verdict="failed" | "in_doubt"):
                self._ended[event.verdict] += event.device in self._tried
            case events.RunPaused(cause="controller"):
                excused = +self._ended
                self._rounds += bool(excused)
                self._ended.clear()
                return excused
            case _:
                pass
        return Counter()

    def _begin_anew(self) -> None:
        self._tried.clear()
        self._ended.clear()
        self._rounds = 0


def _room(history: History, verdicts: Counter[str], total: int) -> int | None:
    """Give how many devices may fail from here on until the run is stopped; None is any."""
    budget = history.plan.limits.budget
    rooms = [
        getattr(budget, name) - verdicts[name] + 1
        for name in TROUBLE
        if getattr(budget, name) is not None
    ]
    if budget.failure_rate is not None:
        troubled = sum(verdicts[name] for name in TROUBLE)
        counted = max(troubled + _well(verdicts), min(budget.after, total))
        rooms.append(int(budget.failure_rate.fraction * counted) - troubled + 1)
    return min(rooms, default=None)


def _well(verdicts: Mapping[str, int]) -> int:
    return sum(count for verdict, count in verdicts.items() if Verdict(verdict).is_success)


def _ramp(succeeded: int) -> int:
    power = 1
    while power * 2 <= succeeded + 1:
        power *= 2
    return power


# --- when nothing may be sent -----------------------------------------------------------------------


def windows(history: History) -> Iterator[str]:
    """Outside a chain nothing is sent while the window is closed, or too late in it."""
    window = history.playbook.window
    if window is None:
        return
    openings: dict[str, Openings] = {}
    for attempt in history.attempts:
        if attempt.in_chain:
            continue
        at, zone = attempt.intended.at, history.zone(attempt.device)
        if zone not in openings:
            openings[zone] = Openings(window, zone)
        opening = openings[zone].at(at)
        where = f"{attempt.device}: {attempt.operation} of step {attempt.intended.step + 1}"
        if opening is None:
            yield f"{where} was sent while the window in {zone} was closed"
            continue
        left = opening.end - at
        if window.cutoff is not None:
            if left <= window.cutoff:
                yield f"{where} was sent {left:.0f} s before the end, cutoff {window.cutoff:.0f}"
        elif min(history.needed(attempt)) > left + 1:
            yield f"{where} was sent {left:.0f} s before the end and does not fit"


@dataclass
class _Rest:
    """What keeps a run from sending."""

    is_stopped: bool = False
    is_paused: bool = False
    is_abandoned: bool = False
    is_unusable: bool = False

    def note(self, event: Event) -> None:
        match event:
            case events.RunStopped():
                self.is_stopped = True
                self.is_abandoned |= event.cause == "invalid_request"
            case events.CancelOrdered():
                self.is_abandoned |= event.abandon
            case events.PauseOrdered() | events.ContinueOrdered():
                self.is_paused = isinstance(event, events.PauseOrdered)
            case events.RunPaused():
                self.is_unusable = True
            case events.RunContinued() | events.RunResumed():
                self.is_unusable = False
            case _:
                pass


def nothing_but_chains(history: History) -> Iterator[str]:
    """After a stop and in a person's pause only chains go on, after abandoning nothing does."""
    attempts = {attempt.place: attempt for attempt in history.attempts}
    rest = _Rest()
    for place, event in enumerate(history.journal):
        rest.note(event)
        attempt = attempts.get(place)
        if attempt is None:
            continue
        where = f"event {place}: {attempt.device} was sent {attempt.operation}"
        if rest.is_unusable:
            yield f"{where} while the controller could not be used"
        if rest.is_abandoned:
            yield f"{where} after the run was abandoned"
        elif (rest.is_stopped or rest.is_paused) and not attempt.in_chain:
            yield f"{where} outside a chain: {rest}"


def nobody_left_behind(history: History) -> Iterator[str]:
    """A stop or a closing window leaves nobody without its configuration; only abandoning does."""
    if history.is_left_by_a_person() or _was_invalid(history):
        return
    walks: dict[int, Walk] = defaultdict(Walk)
    for event in history.journal:
        device = getattr(event, "device", None)
        if device is None:
            continue
        walk = walks[device]
        if isinstance(event, events.DeviceFinished) and history.is_in_chain(walk):
            yield from _left(history, walk, event)
        history.walk(walk, event)


def _was_invalid(history: History) -> bool:
    return any(event.cause == "invalid_request" for event in history.of(events.RunStopped))


_OWN_TROUBLE = (
    events.OperationRefused,
    events.OperationLost,
    events.OperationUnsent,
    events.DoubtResolved,
    events.StepHeld,
    events.LastLookTaken,
)


def _left(history: History, walk: Walk, event: events.DeviceFinished) -> Iterator[str]:
    if Verdict(event.verdict).is_success or walk.step >= len(history.steps):
        return
    at_step = walk.failing.step if walk.failing is not None else walk.step
    told = history.of_step(event.device, at_step)
    if any(isinstance(each, _OWN_TROUBLE) for each in told):
        return
    if isinstance(history.steps[at_step], CheckStep) and walk.failing is not None:
        return
    if isinstance(history.steps[at_step], ApproveStep) and history.of(events.ApprovalDenied):
        return
    if "max_down_per" in event.reason:
        return  # no room in its group for longer than the patience: no stop's doing
    yield f"{event.device} was left {event.verdict} in the middle of its chain: {event.reason}"


# --- waves, approvals, stops ------------------------------------------------------------------------


def waves(history: History) -> Iterator[str]:
    """A wave begins when the one before is finished, judged, and approved where that was asked."""
    begun, ended = 0, set()
    finished: dict[int, tuple[events.WaveFinished, float]] = {}
    may_begin = {1}
    for place, event in enumerate(history.journal):
        match event:
            case events.WaveStarted():
                if event.wave != begun + 1 or event.wave not in may_begin:
                    yield f"event {place}: wave {event.wave} began, allowed: {sorted(may_begin)}"
                begun = event.wave
            case events.WaveFinished():
                members = {d for d, wave in history.wave_of.items() if wave == event.wave}
                if not members <= ended:
                    yield f"wave {event.wave} was finished before {sorted(members - ended)} were"
                finished[event.wave] = (event, history.active[place])
            case events.WaveJudged():
                yield from _judged(history, place, event, finished)
            case events.RunStopped():
                may_begin.clear()
            case events.DeviceFinished():
                ended.add(event.device)
            case _:
                yield from _begun_early(history, place, event, begun)
        may_begin |= _let_through(history, event)


def _let_through(history: History, event: Event) -> set[int]:
    """Give the wave that may begin because of an event."""
    if isinstance(event, events.ApprovalGiven) and event.what.startswith("wave "):
        return {int(event.what.removeprefix("wave "))}
    needs_nobody = history.rollout.between_waves.approval is None
    if isinstance(event, events.WaveJudged) and event.outcome == "pass" and needs_nobody:
        return {event.wave + 1}
    return set()


def _begun_early(history: History, place: int, event: Event, begun: int) -> Iterator[str]:
    wave = history.wave_of.get(getattr(event, "device", 0), 0)
    if wave > begun:
        yield f"event {place}: a device of wave {wave} was begun, and wave {begun} was the last"


def _judged(
    history: History,
    place: int,
    event: events.WaveJudged,
    finished: dict[int, tuple[events.WaveFinished, float]],
) -> Iterator[str]:
    if event.wave not in finished:
        yield f"wave {event.wave} was judged before it was finished"
        return
    end, active = finished[event.wave]
    soak = history.rollout.between_waves.soak
    if history.active[place] < active + soak - INSTANT:
        yield f"wave {event.wave} was judged before it had soaked"
    wave = history.plan.limits.waves[event.wave - 1]
    if not wave.must_succeed:
        return
    counts = Counter(end.verdicts)
    untried = counts["skipped"] + counts["deferred"] + counts["not_started"]
    may_miss = wave.devices - wave.must_succeed
    gone = _gone(history, place, event, end)
    missing = wave.devices - untried - _well(counts) + gone
    if event.outcome == "pass" and (missing > may_miss or untried == wave.devices):
        yield f"wave {event.wave} passed with {missing} missing, {may_miss} allowed"
    if event.outcome == "fail" and missing <= may_miss:
        yield f"wave {event.wave} failed with {missing} missing, {may_miss} allowed"


def _gone(history: History, place: int, event: events.WaveJudged, end: events.WaveFinished) -> int:
    """Count those that succeeded and were shown Down from before the soak was over.

    Where only records are changed nobody is looked at again: a record stays whatever its device does.
    """
    if not history.plan.playbook.is_for_devices:
        return 0
    down = history.life.chronicle.down_since.get(place, {})
    return sum(
        history.wave_of.get(device) == event.wave
        and Verdict(history.finished[device].verdict).is_success
        and since < end.until_at - 1
        for device, since in down.items()
    )


def approvals(history: History) -> Iterator[str]:
    """Nothing is approved by itself, by denial, or by whom it must not be."""
    asked: dict[str, events.ApprovalAsked] = {}
    given: set[str] = set()
    started = history.of(events.RunStarted)[0]
    is_stopped = False
    for place, event in enumerate(history.journal):
        match event:
            case events.RunStopped():
                is_stopped = True
            case events.ApprovalAsked():
                if event.what in asked:
                    yield f"event {place}: {event.what} is asked for twice"
                asked[event.what] = event
            case events.ApprovalGiven() | events.ApprovalDenied():
                yield from _answered(event, asked.get(event.what), started.started_by)
                if isinstance(event, events.ApprovalGiven):
                    given.add(event.what)
            case events.StepSucceeded() if isinstance(history.steps[event.step], ApproveStep):
                is_moot = is_stopped and event.evidence == UNASKED
                if f"step {event.step + 1}" not in given and not is_moot:
                    yield f"event {place}: {event.device} went on without an approval"
            case _:
                pass


def _answered(
    event: events.ApprovalGiven | events.ApprovalDenied,
    asked: events.ApprovalAsked | None,
    starter: str,
) -> Iterator[str]:
    if asked is None:
        yield f"{event.what} was answered and nobody had asked"
    elif asked.by == Approver.ANOTHER and event.by == starter:
        yield f"{event.what} was answered by {event.by}, who started the run"


def stops_with_a_cause(history: History) -> Iterator[str]:
    """A run is stopped once, and for what the journal shows."""
    seen: list[Event] = []
    verdicts: Counter[str] = Counter()
    stops = 0
    for event in history.journal:
        if isinstance(event, events.DeviceFinished):
            verdicts[event.verdict] += 1
        if isinstance(event, events.RunStopped):
            stops += 1
            room = _room(history, verdicts, len(history.plan.devices))
            reasons = {
                "budget": room is not None and room <= 0,
                "wave": any(isinstance(e, events.WaveJudged) and e.outcome == "fail" for e in seen),
                "denied": any(isinstance(e, events.ApprovalDenied) for e in seen),
                "person": any(isinstance(e, events.CancelOrdered) for e in seen),
            }
            if not reasons.get(event.cause):
                yield f"the run was stopped by {event.cause}: {event.detail}"
        seen.append(event)
    if stops > 1:
        yield f"the run was stopped {stops} times"
    denied = history.of(events.ApprovalDenied)
    if denied and not stops:
        yield f"{denied[0].what} was denied and the run was not stopped"


# --- the journal ------------------------------------------------------------------------------------


def journal_that_holds(history: History) -> Iterator[str]:
    """It can be written, read back and verified, and replaying it gives the same state."""
    last = history.journal[-1]
    if not isinstance(last, events.RunFinished):
        yield f"the journal ends with {type(last).__name__}"
    elif Counter(last.verdicts) != Counter(e.verdict for e in history.finished.values()):
        yield f"the run says {dict(last.verdicts)} at its end"
    moments = [event.at for event in history.journal]
    if moments != sorted(moments):
        yield "the journal's moments run backwards"
    written = MemoryJournal()
    begin = 0
    for end in history.life.chronicle.batches:
        written._take(history.journal[begin:end])
        begin = end
    read = tuple(written.read())
    if read != tuple(history.journal):
        differing = next((a, b) for a, b in zip(read, history.journal, strict=False) if a != b)
        yield f"the journal reads back otherwise: {differing}"
    lived, again = durable(history.life.run), durable(replayed(history.plan, read))
    for name, value in lived.items():
        if again[name] != value:
            yield f"read back and replayed, {name} is {again[name]} and was {value}"


PROMISES: tuple[Promise, ...] = (
    in_order,
    verdicts_that_agree,
    never_twice,
    only_what_was_intended,
    never_overlapping,
    max_down,
    max_down_per,
    in_flight,
    rhythm,
    budgets,
    windows,
    nothing_but_chains,
    nobody_left_behind,
    waves,
    approvals,
    stops_with_a_cause,
    journal_that_holds,
)
