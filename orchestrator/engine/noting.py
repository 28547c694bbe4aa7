"""What was read: taken note of here; only what a decision finds that it proves is recorded."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from orchestrator.engine.walking.progressing import DeviceRun, Phase
from orchestrator.model.readings import (
    Census,
    DevicesHeld,
    Found,
    Observation,
    Probed,
    Reading,
    ReadingFailed,
)

if TYPE_CHECKING:
    from orchestrator.engine.run import Run


def note(run: "Run", observation: Observation, now: float) -> None:
    """Keep what was read for the next decision."""
    if type(observation) is Reading:  # nearly all are: rows of the list
        if not run.moved:
            _note_reading(run, observation)
        elif not _is_of_left_record(run, observation):
            _note_reading(run, _of_plan(run, observation))
        return
    match observation:
        case Found():
            _note_found(run, observation)
        case ReadingFailed():
            _note_failure(run, observation, now)
        case Probed():
            run.probed = observation
        case Census():
            if observation.failure is not None:
                _note_failure(run, observation.failure, now)
            run.counting.note(
                observation, asked=run.active(observation.asked_at), done=run.active(now)
            )
        case DevicesHeld():
            _note_held(run, observation)


def _of_plan(run: "Run", reading: Reading) -> Reading:
    """Give a reading under the id by which the plan knows the device."""
    planned = run.moved.get(reading.device_id)
    return reading if planned is None else replace(reading, device_id=planned)


def _is_of_left_record(run: "Run", reading: Reading) -> bool:
    """Say whether a reading is of a record that its device has left: it tells nothing of the device."""
    device = run.devices.whole.get(reading.device_id)
    return device is not None and device.record != reading.device_id and reading.step is None


def _note_found(run: "Run", found: Found) -> None:
    """What a search brought; a device that is where it was believed to be is looked at as ever."""
    run.reach.answered()
    device = run.devices[found.device_id]
    device.is_being_read = False
    device.failed_looks = 0
    device.is_searched = True
    is_elsewhere = found.reading.device is not None and found.reading.device.id != device.record
    if device.phase is not Phase.ENDED and (is_elsewhere or not device.has_record):
        run.news[device.id] = found.reading
        run.starts.known[device.id] = found.reading
    run.mark(device)


def _note_reading(run: "Run", reading: Reading) -> None:
    run.reach.answered()
    device = run.devices.whole.get(reading.device_id)
    if device is None:
        _note_at_rest(run, reading)
        return
    if _answers(device, reading):
        device.is_being_read = False
        device.failed_looks = 0
    if device.phase is Phase.ENDED:
        _note_ended(run, reading)
        return
    _note_return(run, reading)
    run.mark(device)
    known = run.starts.known.get(device.id)
    if _adds(reading, known) and not _is_ready_by(run, device, known, reading):
        run.starts.known[device.id] = reading
        news = run.news.get(device.id)
        if news is None or reading.is_detail or not news.is_detail:
            run.news[device.id] = reading


def _note_at_rest(run: "Run", reading: Reading) -> None:
    """A device that was not begun yet, that ended well, or that is none of this run's."""
    place = run.plan.devices.place(reading.device_id)
    if place is None:
        return
    if run.devices.has_retired_at(place):
        _note_ended(run, reading)
    elif place < len(run.devices) + KNOWN_AHEAD:
        run.starts.known[reading.device_id] = reading


KNOWN_AHEAD = 10_000
"""Places in the plan for which readings are kept before the device's turn: more than a run of any
pace begins with while they are fresh, and few beside a million devices."""


def _note_ended(run: "Run", reading: Reading) -> None:
    """A device with its verdict is looked at for the gate of its wave, or because it was lost."""
    if run.waves.wants(reading.device_id):
        run.waves.note(reading)
    _note_return(run, reading)


def _note_return(run: "Run", reading: Reading) -> None:
    """A device that was lost may be back, and leave room in its groups."""
    groups = run.admissions.groups
    if groups.lost and reading.device is not None:
        run.admissions.free(groups.look_at(reading.device))


def _note_failure(run: "Run", failed: ReadingFailed, now: float) -> None:
    if failed.unauthorised:
        run.reach.rejected(failed.reason)
    elif failed.unreachable:
        run.reach.missed(failed.reason)
    for identity in failed.device_ids:
        device = run.devices.whole.get(run.moved.get(identity, identity))
        if device is None:
            continue
        device.is_being_read = False
        device.is_unprepared, device.trouble = failed.unprepared, failed.reason
        if not (failed.unauthorised or failed.unreachable):
            device.failed_looks += 1
        device.poll_at = run.active(now) + min(60.0, 5.0 * 2 ** min(device.failed_looks, 4))
        run.mark(device)


def _note_held(run: "Run", answer: DevicesHeld) -> None:
    for identity in answer.held:
        device = run.devices[identity]
        device.is_held = True
        device.held_since = 0.0 if answer.alone else answer.at
        if device.phase is Phase.ENDED:  # given up before the answer came
            run.starts.released.append(identity)
        run.mark(device)
    for identity, holder in answer.elsewhere:
        run.starts.elsewhere[identity] = holder
        run.mark(run.devices[identity])


def _answers(device: DeviceRun, reading: Reading) -> bool:
    """Say whether a reading is what the device is being read for, not a row that came by the way."""
    if device.last_look and reading.asked_at < device.asked_after:
        return False
    return reading.is_detail or not device.is_read_in_full


def _is_ready_by(run: "Run", device: DeviceRun, known: Reading | None, reading: Reading) -> bool:
    """Say whether all that the next step needs is known, so that a row of a list would only tell less."""
    if known is None or reading.is_detail or known.asked_at <= device.asked_after:
        return False
    needs_all = device.phase is Phase.READY and run.starts.must_be_full(device)
    return known.step == device.step or (needs_all and known.is_detail)


def _adds(reading: Reading, known: Reading | None) -> bool:
    """Say whether a reading tells more than the last one: it was asked for later, or it tells all."""
    if known is None or (reading.is_detail and not known.is_detail):
        return True
    if reading.is_detail == known.is_detail:
        return reading.asked_at >= known.asked_at
    return reading.asked_at > known.asked_at
