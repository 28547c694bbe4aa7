"""A run told while it goes on: plain lines for logs and people, JSON lines for programs."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import get_args

from orchestrator.cli import screen
from orchestrator.model import moments
from orchestrator.model.answers import Refusal
from orchestrator.model.events import (
    ApprovalAsked,
    DeviceFinished,
    DeviceFound,
    DeviceRelapsed,
    DoubtResolved,
    Event,
    NotificationFailed,
    OperationLost,
    OperationRefused,
    OperationUnsent,
    RescueStarted,
    RunContinued,
    RunFinished,
    RunInterrupted,
    RunPaused,
    RunResumed,
    RunStarted,
    RunStopped,
    SendingSlowed,
    StepForgiven,
    StepHeld,
    as_facts,
)
from orchestrator.model.plans import Plan
from orchestrator.report.standing import matters, wave_number
from orchestrator.report.summary import Summary
from orchestrator.report.tables import tell
from orchestrator.report.telling_campaigns import ActEvent, WaveEvent, WindowEvent
from orchestrator.report.wording import in_words

Write = Callable[[str], None]

PROGRESS_SECONDS = 30.0

_NOTEWORTHY = frozenset(
    (
        RunStarted,
        RunResumed,
        RunInterrupted,
        RunPaused,
        RunContinued,
        RunStopped,
        RunFinished,
        SendingSlowed,
        *get_args(WindowEvent),
        *get_args(WaveEvent),
        *get_args(ActEvent),
        ApprovalAsked,
        NotificationFailed,
        StepHeld,
        StepForgiven,
        RescueStarted,
        OperationRefused,
        OperationUnsent,
        OperationLost,
        DoubtResolved,
        DeviceRelapsed,
        DeviceFound,
        DeviceFinished,
    )
)


def is_noteworthy(event: Event) -> bool:
    """Tell whether an event is worth a line of its own; the audit log has the others too."""
    if type(event) not in _NOTEWORTHY:
        return False
    # A refusal for load slows all sending down, and that has a line for all devices together.
    return not (isinstance(event, OperationRefused) and event.refusal == Refusal.BUSY)


class PlainLines:
    """One line for each noteworthy event, and now and then how far the run is."""

    def __init__(
        self,
        plan: Plan,
        write: Write = screen.show,
        *,
        run_id: str = "RUN",
        silent_history: bool = False,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.summary = Summary.of(plan, rows=False)
        """What the run has come to, for whoever drives it as well."""
        self._write = _forgiving(write)
        self._run_id = run_id
        self._is_silent = silent_history
        self._steady = steady
        self._told_at = steady()

    def hear(self, events: Sequence[Event]) -> None:
        """Tell what is worth telling; what was before this process was told by another one."""
        for event in events:
            self.summary.after(event)
            if not self._is_silent and is_noteworthy(event):
                self._tell(event.at, tell(self.summary, event))
                if isinstance(event, ApprovalAsked):
                    self._tell(event.at, self._answer())
        if self._is_silent:
            self._tell_what_holds()
        self._is_silent = False
        if self._steady() - self._told_at >= PROGRESS_SECONDS and not self.summary.is_over:
            self._told_at = self._steady()
            self._tell(self.summary.last_at, self._progress())
        _flush()

    def _tell(self, at: float, told: str) -> None:
        self._write(f"{moments.as_short_text(at)}  {told}")

    def _tell_what_holds(self) -> None:
        """A history that is not told again may still hold the run, or wait for a person."""
        for _, told in matters(self.summary):
            self._tell(self.summary.last_at, f"still {told}")
        if self.summary.course.asked:
            self._tell(self.summary.last_at, self._answer())

    def _answer(self) -> str:
        command = f"orchestrator approve {self._run_id}"
        return f"to agree: {command}; to end the run here: {command} --deny"

    def _progress(self) -> str:
        summary = self.summary
        counts = ", ".join(f"{n} {v}" for v, n in summary.counts().items() if n)
        told = in_words(f" ({counts})") if counts else ""
        course = summary.course
        wave = f"; {wave_number(course)}" if course.in_waves and course.wave else ""
        return (
            f"so far {summary.finished:,} of {screen.counted(summary.total, 'device')}{told},"
            f" {summary.down:,} of at most {summary.max_down_now:,} down{wave}"
        )


class JsonLines:
    """One JSON object for each event, as the journal holds it."""

    def __init__(
        self, run_id: str, write: Write = screen.show_data, *, silent_history: bool = False
    ) -> None:
        self._run_id = run_id
        self._write = _forgiving(write)
        self._is_silent = silent_history

    def hear(self, events: Sequence[Event]) -> None:
        """Write every event that this process brought about."""
        if not self._is_silent:
            for event in events:
                self._write(json.dumps(as_object(event, self._run_id)))
            _flush()
        self._is_silent = False


def as_object(event: Event, run_id: str) -> dict[str, object]:
    """Give an event as one object: `at`, `event`, `run`, and its facts."""
    facts = as_facts(event)
    return {"at": facts.pop("at"), "event": type(event).__name__, "run": run_id, **facts}


def _flush() -> None:
    with suppress(OSError, ValueError):
        sys.stdout.flush()


def _forgiving(write: Write) -> Write:
    """Write no more once the reader is gone: a run does not end because nobody looks."""
    is_open = True

    def guarded(line: str) -> None:
        nonlocal is_open
        if is_open:
            try:
                write(line)
            except (OSError, ValueError):
                is_open = False

    return guarded
