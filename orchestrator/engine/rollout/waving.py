"""One wave after the other: each is finished, left to soak, judged, and perhaps approved."""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from itertools import compress

from orchestrator.engine.rollout.budgeting import succeeded
from orchestrator.model import events
from orchestrator.model.devices import DeviceId, Status
from orchestrator.model.events import Event
from orchestrator.model.plans import Plan, Wave
from orchestrator.model.policies import Approver
from orchestrator.model.readings import Reading
from orchestrator.model.verdicts import Verdict

LOOKS = 5
"""How often a device that cannot be read after the soak is tried."""

LOOK_PAUSE = 10.0
"""Seconds between two such tries."""


class Outcome(StrEnum):
    """What a gate says."""

    PASS = "pass"  # noqa: S105 - the word of a gate
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    """A person has to say."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How a wave's devices stand at the end of its soak."""

    verdicts: Counter[Verdict]
    gone: int = 0
    """Succeeded, and no longer Up."""
    unread: int = 0
    """Succeeded, and now they cannot be read."""


def judge(wave: Wave, finding: Finding) -> tuple[Outcome, str]:
    """Say whether the next wave may begin, and why.

    What is known to be bad decides against it, what is not known asks a person. Devices that the
    guard skipped count neither way.
    """
    verdicts = finding.verdicts
    skipped = verdicts[Verdict.SKIPPED] + verdicts[Verdict.DEFERRED] + verdicts[Verdict.NOT_STARTED]
    attempted = wave.devices - skipped
    good = succeeded(verdicts) - finding.gone - finding.unread
    bad = verdicts[Verdict.FAILED] + finding.gone
    may_miss = wave.devices - wave.must_succeed
    detail = _detail(wave, finding, attempted, good)
    if attempted == 0:
        return Outcome.INCONCLUSIVE, f"no device of the wave was attempted ({skipped} skipped)"
    if bad > may_miss:
        return Outcome.FAIL, detail
    if attempted - good > may_miss:
        return Outcome.INCONCLUSIVE, detail
    return Outcome.PASS, detail


def _detail(wave: Wave, finding: Finding, attempted: int, good: int) -> str:
    told = f"{good} of {attempted} succeeded"
    if finding.gone:
        told += f", {finding.gone} more did and went out of service afterwards"
    if finding.unread:
        told += f", {finding.unread} more did and cannot be read now"
    missing = wave.devices - wave.must_succeed
    return f"{told}; {missing} may be missing" if wave.must_succeed else told


def name_of_wave(number: int) -> str:
    """Name the approval that a wave waits for."""
    return f"wave {number}"


class Stage(Enum):
    """Where the waves stand."""

    BEFORE = auto()
    RUNNING = auto()
    SOAKING = auto()
    LOOKING = auto()
    """The wave's devices are read once more."""
    ASKING = auto()
    """A person has to agree before the next wave begins."""
    PASSED = auto()
    """The next wave may begin."""
    DONE = auto()
    """The last wave runs; nothing comes behind it."""


class _Awaited:
    """Devices of which a reading is awaited, nine bytes each."""

    def __init__(self, devices: Iterable[DeviceId] = ()) -> None:
        self._ids = array("q", sorted(devices))
        self._awaited = bytearray(b"\x01") * len(self._ids)
        self._left = len(self._ids)

    def __len__(self) -> int:
        return self._left

    def __iter__(self) -> Iterator[DeviceId]:
        return map(DeviceId, compress(self._ids, self._awaited))

    def __contains__(self, device: DeviceId) -> bool:
        if not self._left:
            return False
        place = bisect_left(self._ids, device)
        is_known = place < len(self._ids) and self._ids[place] == device
        return is_known and bool(self._awaited[place])

    def discard(self, device: DeviceId) -> None:
        if device in self:
            self._awaited[bisect_left(self._ids, device)] = 0
            self._left -= 1


class Waves:
    """The waves of a run; without any in the plan everything is one and nothing is ever judged."""

    def __init__(self, plan: Plan) -> None:
        self.waves = plan.limits.waves or (Wave(len(plan.devices)),)
        self.is_silent = not plan.limits.waves
        self._between = plan.playbook.rollout.between_waves
        self._looks_again = plan.playbook.is_for_devices
        self.number = 1 if self.is_silent else 0
        """The wave that runs or ran last, from 1; 0 is none yet."""
        self.begins = 0
        """Index of its first device in the plan."""
        self.stage = Stage.DONE if self.is_silent else Stage.BEFORE
        self.soaks_until = 0.0
        """On the active clock."""
        self.verdicts: Counter[Verdict] = Counter()
        self._succeeded = array("q")
        self._looking = _Awaited()
        self._gone = 0
        self._looks = 0
        self.look_at = 0.0
        """Active moment of the next look at the devices of the wave."""
        self._asked_after = 0.0

    @property
    def wave(self) -> Wave:
        """The wave that runs or ran last."""
        return self.waves[self.number - 1]

    @property
    def is_last(self) -> bool:
        """True when no wave follows."""
        return self.number == len(self.waves)

    @property
    def may_begin_devices(self) -> bool:
        """True while devices of the wave may be started."""
        return self.stage in (Stage.RUNNING, Stage.DONE)

    @property
    def next_name(self) -> str:
        """What is approved: the next wave."""
        return name_of_wave(self.number + 1)

    @property
    def next_at(self) -> float | None:
        """Active moment at which `decide` has something to do without being told anything."""
        match self.stage:
            case Stage.SOAKING:
                return self.soaks_until
            case Stage.LOOKING if self._looks:
                return self.look_at if self._looking else 0.0
            case _:
                return None

    # --- the fold -------------------------------------------------------------------------------

    def started(self, wave: int) -> None:
        """A wave begins."""
        if self.number:
            self.begins += self.wave.devices
        self.number = wave
        self.stage = Stage.DONE if self.is_last else Stage.RUNNING
        self.verdicts = Counter()
        self._succeeded = array("q")

    def ended(self, device: DeviceId, verdict: Verdict) -> None:
        """A device of this wave has its verdict."""
        self.verdicts[verdict] += 1
        if verdict.is_success and self.gate and self._looks_again and not self.is_last:
            self._succeeded.append(device)

    def finished(self, active: float, soak: float) -> None:
        """All devices of the wave have their verdict."""
        self.stage = Stage.SOAKING
        self.soaks_until = active + soak

    def judged(self, outcome: Outcome) -> None:
        """The gate has spoken."""
        self.stage = Stage.PASSED if outcome is Outcome.PASS else Stage.ASKING

    def asked(self) -> None:
        """A person is asked."""
        self.stage = Stage.ASKING

    def approved(self) -> None:
        """A person agreed to the next wave."""
        self.stage = Stage.PASSED

    # --- the look after the soak ------------------------------------------------------------------

    @property
    def gate(self) -> int:
        """Devices that must have succeeded; 0 is no gate."""
        return self.wave.must_succeed if self.number else 0

    def wants(self, device: DeviceId) -> bool:
        """Say whether this device is looked at for the gate."""
        return device in self._looking

    def note(self, reading: Reading) -> None:
        """Take note of a device's record after the soak."""
        if reading.asked_at < self._asked_after:
            return
        self._looking.discard(reading.device_id)
        if reading.device is None or reading.device.status is not Status.UP:
            self._gone += 1

    def look(self, now: float, active: float) -> Iterable[DeviceId]:
        """Give the devices to be read now, if any; their readings come by `note`."""
        if self.stage is Stage.SOAKING and self.gate and active >= self.soaks_until:
            self.stage = Stage.LOOKING
            self._looking = _Awaited(map(DeviceId, self._succeeded))
            self._gone = self._looks = 0
            self._asked_after = now
            self.look_at = active
        if self.stage is not Stage.LOOKING or active < self.look_at or self._looks >= LOOKS:
            return ()
        self._looks += 1
        self.look_at = active + LOOK_PAUSE * 2**self._looks
        return tuple(self._looking)

    def finding(self, active: float) -> Finding | None:
        """Give what the soak has shown once that is known."""
        if self.stage is Stage.SOAKING and not self.gate and active >= self.soaks_until:
            return Finding(self.verdicts)
        if self.stage is not Stage.LOOKING:
            return None
        if self._looking and (self._looks < LOOKS or active < self.look_at):
            return None
        return Finding(self.verdicts, self._gone, len(self._looking))

    # --- what follows ------------------------------------------------------------------------------

    def decide(self, now: float, active: float) -> list[Event]:
        """Say what has happened to the waves by now."""
        if self.stage is Stage.BEFORE or self.stage is Stage.PASSED:
            following = self.waves[self.number]
            return [events.WaveStarted(now, self.number + 1, following.devices)]
        if self.stage is Stage.RUNNING and self.verdicts.total() >= self.wave.devices:
            return [self._end(now)]
        finding = self.finding(active)
        if finding is None:
            return []
        return self._verdict(finding, now)

    def _end(self, now: float) -> Event:
        counts = {verdict.value: n for verdict, n in sorted(self.verdicts.items())}
        until = round(now + self._between.soak, 6)
        return events.WaveFinished(now, self.number, counts, until)

    def _verdict(self, finding: Finding, now: float) -> list[Event]:
        outcome, detail = Outcome.PASS, "no share of it has to have succeeded"
        if self.gate:
            outcome, detail = judge(self.wave, finding)
        happened: list[Event] = [events.WaveJudged(now, self.number, outcome.value, detail)]
        approver = self._between.approval
        if outcome is Outcome.FAIL:
            told = f"wave {self.number} did not pass its gate: {detail}"
            happened.append(events.RunStopped(now, "wave", told))
        elif outcome is Outcome.INCONCLUSIVE or approver is not None:
            by = approver or Approver.ANYBODY
            question = f"wave {self.number}: {detail}. May wave {self.number + 1} begin?"
            happened.append(events.ApprovalAsked(now, self.next_name, question, by.value))
        return happened
