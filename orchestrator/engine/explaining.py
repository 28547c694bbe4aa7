"""Why is this device where it is? One sentence, from the same state that the decisions are made of."""

from typing import TYPE_CHECKING

from orchestrator.engine.rollout.asking import name_of_step
from orchestrator.engine.rollout.waving import Stage
from orchestrator.engine.walking.progressing import DeviceRun, Phase
from orchestrator.model import moments
from orchestrator.model.devices import DeviceId
from orchestrator.model.plans import PlannedDevice

if TYPE_CHECKING:
    from orchestrator.engine.run import Run


def why(run: "Run", device: DeviceId, now: float) -> str:
    """Say which limit, window, wave, guard or retry holds the device now, or how it ended.

    Raises KeyError when the run is not about this device.
    """
    planned = run.plan.devices.find(device)
    if planned is None:
        raise KeyError(device)
    walk = run.devices.get(device)
    if walk is not None and walk.verdict is not None:
        because = f": {walk.reason}" if walk.reason else ""
        return f"it ended {walk.verdict.value.replace('_', ' ')}{because}"
    held = _held_as_a_whole(run)
    if walk is None:
        return held or _not_begun(run, planned, now)
    where = f"at step {walk.step + 1}, {walk.current.title}"
    if walk.phase in _BETWEEN and not walk.is_in_chain and held is not None:
        return f"{where}: {held}"
    if run.is_paused:
        return f"{where}: {_paused(run)}"
    return f"{where}: {_underway(run, walk, now)}"


_BETWEEN = frozenset({Phase.READY, Phase.RESTING, Phase.FALTERED})


def _paused(run: "Run") -> str:
    word = "the token" if run.reach.cause == "token" else "the controller"
    return f"the run pauses because of {word}: {run.reach.detail}"


def _held_as_a_whole(run: "Run") -> str | None:
    if run.finished_at is not None:
        return "the run is finished"
    if run.stopped is not None:
        return f"the run was stopped and starts nothing new: {run.stopped.detail}"
    if run.is_paused:
        return _paused(run)
    if run.pause is not None:
        because = f" ({run.pause.why})" if run.pause.why else ""
        return f"{run.pause.by} paused the run at {_clock(run.pause.at)}{because}"
    return None


def _not_begun(run: "Run", planned: PlannedDevice, now: float) -> str:
    wave = _wave_of(run, planned)
    if wave > run.waves.number:
        return f"it is in wave {wave}; {_stage(run)}"
    if not run.zones.may_start(planned, now, run.durations.remaining(planned.begins_at)):
        return _window(run, planned)
    group = run.admissions.groups.full_for(planned)
    if group is not None:
        return f"its group is full: {run.admissions.groups.describe(group)}"
    if planned.groups and not run.counting.is_known(run.active(now)):
        return _unknown_census(run)
    room, underway = run.spending.most_underway, run.waits.underway
    if room is not None and underway >= room:
        parked = sum(map(len, run.starts.parked.values()))
        waiting = f" ({parked} of them wait for their window)" if parked else ""
        return f"{_devices(underway)} under way{waiting}, and {_bounds(run)} {room} at once for now"
    if run.plan.playbook.is_disruptive and run.admissions.free_places <= 0:
        return f"{_devices(run.limits.max_down)} out of service already, which is max_down"
    return f"its turn has not come; {_devices(underway)} under way"


def _bounds(run: "Run") -> str:
    if not run.plan.playbook.rollout.ramp:
        return "the failure budget allows"
    return (
        "the ramp and the failure budget allow" if run.limits.budget.is_set else "the ramp allows"
    )


def _devices(count: int) -> str:
    return "1 device is" if count == 1 else f"{count:,} devices are"


def _unknown_census(run: "Run") -> str:
    because = f": {run.counting.failure}" if run.counting.failure else ""
    return f"it is not known which devices are Down anyway; they are being listed{because}"


def _wave_of(run: "Run", planned: PlannedDevice) -> int:
    position = next(n for n, each in enumerate(run.plan.devices) if each.id == planned.id)
    for number, wave in enumerate(run.waves.waves, start=1):
        position -= wave.devices
        if position < 0:
            return number
    return len(run.waves.waves)


def _stage(run: "Run") -> str:
    waves = run.waves
    match waves.stage:
        case Stage.BEFORE:
            return "no wave has begun yet"
        case Stage.SOAKING | Stage.LOOKING:
            return f"wave {waves.number} is finished and soaks before it is judged"
        case Stage.ASKING:
            asked = run.approvals.open.get(waves.next_name)
            question = f": {asked.question}" if asked else ""
            return f"{waves.next_name} waits for an approval{question}"
        case _:
            done = waves.verdicts.total()
            return f"wave {waves.number} runs, {done} of its {waves.wave.devices} devices are done"


def _window(run: "Run", planned: PlannedDevice) -> str:
    zone = run.zones.zone_of(planned)
    until = run.zones.open_until.get(zone)
    if until is not None:
        return f"the window closes at {_clock(until)} and its steps would not fit before ({zone})"
    opens = run.zones.closed.get(zone)
    if opens is None:
        return f"its window is closed ({zone})"
    return f"its window opens at {_clock(opens)} ({zone})"


def _underway(run: "Run", walk: DeviceRun, now: float) -> str:
    until = _clock(walk.deadline + run.paused_for)
    match walk.phase:
        case Phase.READY | Phase.FALTERED | Phase.RESTING:
            return _waiting(run, walk, now)
        case Phase.SUSPECT:
            return f"{walk.reason}; the controller is asked whether the token is the matter"
        case Phase.SENT:
            return f"its request is on the way since {_clock(walk.asked_after)}; no answer yet"
        case Phase.PROVING if walk.evidence is not None:
            return f"it is back ({walk.evidence}) and has to stay Up for a while"
        case Phase.APPROVING:
            asked = run.approvals.open.get(name_of_step(walk.step))
            question = asked.question.rstrip(".") if asked else walk.current.title
            return f"a person has to approve: {question}"
        case phase if phase in _UNTIL:
            return _UNTIL[phase].format(reason=walk.reason, until=until)
        case _:
            return walk.reason


_UNTIL = {
    Phase.PROVING: "accepted; proof of what it did is awaited until {until}",
    Phase.DOUBTING: "{reason}; signs of what happened are looked for until {until}",
    Phase.CHECKING: "its record does not satisfy the check yet; it may until {until}",
    Phase.SLEEPING: "it sleeps until {until}",
}


def _waiting(run: "Run", walk: DeviceRun, now: float) -> str:
    until = _clock(walk.deadline + run.paused_for)
    if walk.phase is Phase.RESTING and run.active(now) < walk.deadline:
        return f"{walk.reason}; it is tried again at {until}"
    if walk.held:
        return f"it is not fit for its operation and waited for until {until}"
    kept = run.held_by(walk, now)
    if kept is not None:
        return _held_as_a_whole(run) or _window(run, walk.planned)
    return _in_queue(run, walk, now)


def _in_queue(run: "Run", walk: DeviceRun, now: float) -> str:
    if walk.id in run.admissions.holding:
        return "it is being taken for this run"
    if walk.id in run.admissions.guarding:
        return "its record is read for the guard"
    group = run.admissions.groups.full_for(walk.planned)
    if group is not None:
        return f"its group is full: {run.admissions.groups.describe(group)}"
    if run.pace.next_at > now:
        return f"the pace lets the next request leave at {_clock(run.pace.next_at)}"
    return "it is ready and waits for its turn"


def _clock(at: float) -> str:
    return moments.as_short_text(at)
