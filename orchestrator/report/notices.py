"""What people are told of a run wherever they are: a few short texts, and never a secret."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.model.commands import SendNotice
from orchestrator.model.devices import DeviceId
from orchestrator.model.events import (
    ApprovalAsked,
    DeviceFinished,
    Event,
    PauseOrdered,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunStarted,
    RunStopped,
    WaveFinished,
    WaveJudged,
)
from orchestrator.model.plans import Plan
from orchestrator.model.policies import Occasion
from orchestrator.report.telling_campaigns import OUTCOMES, act, approval
from orchestrator.report.wording import devices, printable, stop_cause, tally


@dataclass(frozen=True, slots=True)
class Notice:
    """One message; whether anybody wants to hear of its occasion stands in the playbook."""

    occasion: Occasion
    title: str
    body: str


class Notices:
    """Turns the events of one run into notices; `of` takes every event it heeds once and in order.

    A history is taken too, so that counts are right; what it gives then was sent long ago.
    """

    heeded: frozenset[type[Event]] = frozenset(
        {
            ApprovalAsked,
            DeviceFinished,
            PauseOrdered,
            RunFinished,
            RunInterrupted,
            RunPaused,
            RunStarted,
            RunStopped,
            WaveFinished,
            WaveJudged,
        }
    )
    """The kinds of events that are told of or counted."""

    def __init__(self, plan: Plan, run_id: str) -> None:
        self._name = plan.playbook.name
        self._devices = len(plan.devices)
        self._waves = len(plan.limits.waves)
        self._run_id = run_id
        self._plan = plan
        self._verdicts: Counter[str] = Counter()
        self._of_wave: dict[int, WaveFinished] = {}
        """The wave that waits for its gate."""

    def of(self, event: Event) -> Notice | None:
        """Take an event into account and give what there is to tell, if anything."""
        match event:
            case DeviceFinished():
                self._verdicts[event.verdict] += 1
            case WaveFinished():
                self._of_wave = {event.wave: event}
            case WaveJudged():
                return self._judged(event)
            case ApprovalAsked():
                return self._asked(event)
            case RunStarted():
                waves = f" in {self._waves:,} waves" if self._waves > 1 else ""
                told = f"{event.started_by} on {event.host} started it for {devices(event.devices)}"
                return self._notice(Occasion.STARTED, "started", f"{told}{waves}.")
            case RunPaused():
                told = f"It pauses because of the {event.cause}: {event.detail}"
                return self._notice(Occasion.PAUSED, "paused", told, self._so_far())
            case PauseOrdered():
                back = f"To go on: orchestrator continue {self._run_id}"
                return self._notice(Occasion.PAUSED, "paused", act(event), self._so_far(), back)
            case _:
                return self._end(event)
        return None

    def handed_over(self, escalated: Sequence[SendNotice]) -> tuple[str, str]:
        """Give the title and the text that hand these devices to a person, each with its history."""
        names = [self._device(each.device) for each in escalated]
        who = names[0] if len(names) == 1 else devices(len(names))
        verb = "is" if len(names) == 1 else "are"
        title = printable(f"{self._name}: {who} {verb} handed to a person")
        lines = [] if len(names) == 1 else [f"These are {', '.join(names)}"]
        for name, each in zip(names, escalated, strict=True):
            if len(names) > 1:
                lines += ["", name]
            lines += [*self._about(each), each.text, *(f"- {told}" for told in each.history)]
        return title, "\n".join(map(printable, (*lines, f"Run {self._run_id}")))

    def _device(self, device: int) -> str:
        planned = self._plan.devices.find(DeviceId(device))
        serial = None if planned is None else planned.serial_number
        if planned is not None and planned.is_new and serial:
            return f"device {serial}"
        return f"device {device} ({serial})" if serial else f"device {device}"

    def _about(self, command: SendNotice) -> list[str]:
        planned = self._plan.devices.find(DeviceId(command.device))
        if planned is None:
            return []
        known = (("Name", planned.name), ("Location", planned.location))
        return [f"{word}: {value}" for word, value in known if value]

    def _judged(self, event: WaveJudged) -> Notice:
        outcome = OUTCOMES.get(event.outcome, event.outcome)
        lines = [f"The gate: {outcome}, {event.detail}", self._so_far()]
        finished = self._of_wave.pop(event.wave, None)
        if finished is not None:
            lines.insert(0, f"The wave: {tally(finished.verdicts)}")
        of = f" of {self._waves:,}" if self._waves else ""
        return self._notice(
            Occasion.WAVE_FINISHED, f"wave {event.wave:,}{of} finished, {outcome}", *lines
        )

    def _asked(self, event: ApprovalAsked) -> Notice:
        command = f"orchestrator approve {self._run_id}"
        return self._notice(
            Occasion.APPROVAL_NEEDED,
            f"approval needed for {event.what}",
            f"The run waits for {approval(event)}: {event.question}",
            self._so_far(),
            f"To agree: {command}",
            f"To refuse: {command} --deny",
        )

    def _end(self, event: Event) -> Notice | None:
        match event:
            case RunStopped():
                told = f"It was stopped {stop_cause(event.cause)}: {event.detail}"
                return self._notice(Occasion.FINISHED, "stopped", told, self._so_far())
            case RunInterrupted():
                told = f"It was interrupted: {event.reason}"
                back = f"To go on: orchestrator resume {self._run_id}"
                return self._notice(Occasion.FINISHED, "interrupted", told, self._so_far(), back)
            case RunFinished():
                told = f"Of {devices(self._devices)}: {tally(event.verdicts)}"
                return self._notice(Occasion.FINISHED, "finished", told)
            case _:
                return None

    def _so_far(self) -> str:
        finished = self._verdicts.total()
        told = f" ({tally(self._verdicts)})" if finished else ""
        return f"So far {finished:,} of {devices(self._devices)} finished{told}"

    def _notice(self, occasion: Occasion, what: str, *lines: str) -> Notice:
        title = printable(f"{self._name}: {what}")
        body = "\n".join(map(printable, (*lines, f"Run {self._run_id}")))
        return Notice(occasion, title, body)
