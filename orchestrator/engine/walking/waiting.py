"""When a waiting device is looked at next: read when that can bring something new, else by its time.

One heap of moments and common rounds of reading serve all devices; a waiting device costs an entry.
"""

from collections.abc import Iterator
from heapq import heappop, heappush

from orchestrator.engine.choosing import watching
from orchestrator.engine.walking.concluding import Moment
from orchestrator.engine.walking.deciding import Decision
from orchestrator.engine.walking.progressing import DeviceRun, Phase
from orchestrator.model.commands import AskWitnesses, Command, FindDevice
from orchestrator.model.devices import DETAIL_ONLY_FIELDS, DeviceId
from orchestrator.model.operations import Operation
from orchestrator.model.steps import CheckStep, DoneStep, Witness

SELDOM = 3.0
"""Times longer between two looks at a device that took its command and has to settle: no contact
proves its return yet, only an outage that the controller happened to notice would."""


class Waits:
    """The moments at which devices want to be looked at, on the run's active clock."""

    def __init__(self, *, per_second: float | None, pages: int | None) -> None:
        self.underway = 0
        """Devices that have begun and have no verdict yet."""
        self.pages = pages
        """Requests that a round of reading takes; None while unknown, then it is one a device."""
        self._per_second = per_second
        self._timers: list[tuple[float, int]] = []

    @property
    def next_at(self) -> float | None:
        """The next moment at which a device wants to be looked at."""
        return self._timers[0][0] if self._timers else None

    def due(self, active: float) -> Iterator[tuple[float, DeviceId]]:
        """Take out every entry whose moment has come; outdated ones are among them."""
        while self._timers and self._timers[0][0] <= active:
            moment, device = heappop(self._timers)
            yield moment, DeviceId(device)

    def wake(self, run: DeviceRun, due: float) -> None:
        """Look at the device at that moment, and at no other."""
        if run.due != due:
            run.due = due
            heappush(self._timers, (due, run.id))

    def next_round(self, now: Moment) -> float:
        """Give the next common moment for reading."""
        return self._round_after(now.active)

    def _next_look(self, run: DeviceRun, now: Moment) -> float:
        """Give the round after this one, or a later one for a device of which it would bring nothing."""
        following = self.next_round(now)
        settling = run.settling(now.at)
        if settling <= following - now.active:
            return following
        seldom = min(settling, SELDOM * (following - now.active))
        return max(following, self._round_after(now.active + seldom))

    def _round_after(self, active: float) -> float:
        interval = watching.poll_interval(self.underway, self.pages, self._per_second)
        return watching.next_round(active, interval)

    def wait(self, decision: Decision, run: DeviceRun, now: Moment) -> None:
        """See that a device in the middle of a step is read, or looked at, in time."""
        if run.is_being_read:
            return
        match run.phase:
            case Phase.SLEEPING:
                self.wake(run, run.deadline)
            case Phase.CHECKING:
                self._wait_for_check(decision, run, now)
            case Phase.DOUBTING if not run.has_record:
                self.poll(decision, run, now, in_full=True, command=_search(run))
            case Phase.DOUBTING:
                command = _last_question(run) if now.active >= run.deadline else None
                self.poll(decision, run, now, in_full=True, command=command)
            case Phase.PROVING:
                self._wait_for_proof(decision, run, now)
            case _:
                pass

    def _wait_for_proof(self, decision: Decision, run: DeviceRun, now: Moment) -> None:
        is_in_rows = not (run.must_be_seen_whole or run.operation_step.proof.witnesses)
        if run.evidence is not None and is_in_rows and run.poll_at == 0.0:
            # The pages of the next round are read anyway.
            run.poll_at = self._round_after(max(run.stable_at, now.active))
        if run.evidence is not None and now.active < run.stable_at:
            self.wake(run, max(run.stable_at, run.poll_at))
            return
        if run.must_be_searched:
            self.poll(decision, run, now, in_full=True, command=_search(run))
            return
        if run.is_searched and run.owes_refresh:
            run.owes_refresh = False
            run.is_being_read = run.is_read_in_full = True
            decision.read_in_full(run.record, update_status=True)
            return
        # What a record shows is there at once; what a device does takes its time.
        is_of_record = run.change is not None
        if run.poll_at == 0.0 and run.evidence is None and not (run.last_look or is_of_record):
            run.poll_at = self._next_look(run, now)
        is_back = run.evidence is not None and run.must_be_seen_whole
        in_full = run.last_look or is_back or is_of_record
        self.poll(decision, run, now, in_full=in_full, command=_witnessed(run))

    def _wait_for_check(self, decision: Decision, run: DeviceRun, now: Moment) -> None:
        step = run.current
        assert isinstance(step, CheckStep | DoneStep)
        if step.refresh and not run.is_refreshed:
            run.is_refreshed = run.is_being_read = run.is_read_in_full = True
            decision.read_in_full(run.record, update_status=True)
            return
        fields = {condition.field for condition in step.conditions}
        self.poll(decision, run, now, in_full=bool(fields & DETAIL_ONLY_FIELDS))

    def wait_for_retry(self, decision: Decision, run: DeviceRun, now: Moment) -> None:
        """See that a resting device is looked at when its rest is over, or what it waits for comes."""
        if not run.awaits_change:
            self.wake(run, run.deadline)
        elif not run.is_being_read:
            if run.poll_at == 0.0:
                run.poll_at = self.next_round(now)
            self.poll(decision, run, now, in_full=False)

    def poll(
        self,
        decision: Decision,
        run: DeviceRun,
        now: Moment,
        *,
        in_full: bool,
        command: Command | None = None,
    ) -> None:
        """Read the device if its time has come, else wake up when it will have.

        A command is what reads it in full instead.
        """
        if now.active < run.poll_at:
            over = run.deadline if run.deadline > now.active else run.poll_at
            self.wake(run, min(run.poll_at, over))
            return
        run.poll_at = self._next_look(run, now)
        run.is_being_read, run.is_read_in_full = True, in_full
        if command is not None:
            decision.commands.append(command)
        elif in_full:
            decision.read_in_full(run.record)
        else:
            decision.to_read.append(run.record)


def _search(run: DeviceRun) -> Command | None:
    if run.serial_number is None:
        return None
    return FindDevice(run.id, run.serial_number)


def _last_question(run: DeviceRun) -> Command | None:
    """When the wait for signs is over, the device log is asked too, where there is one."""
    if not isinstance(run.operation, Operation):
        return None
    return AskWitnesses(run.record, (Witness.DEVICE_LOG,), run.sent_at)


def _witnessed(run: DeviceRun) -> Command | None:
    """Witnesses are heard once, of a device that is back and has stayed so."""
    witnesses = run.operation_step.proof.witnesses
    if not witnesses or run.evidence is None:
        return None
    return AskWitnesses(run.record, witnesses, run.sent_at)
