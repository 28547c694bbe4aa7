"""What a run waits for or was ended by, in words: short for lists, whole for people who must act."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from orchestrator.model import moments
from orchestrator.model.verdicts import Verdict
from orchestrator.report.course import Course
from orchestrator.report.summary import State, Summary
from orchestrator.report.telling_campaigns import approval, person
from orchestrator.report.wording import because, in_words, local_time, printable, stop_cause


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a list of runs says of one; of a run that is over it is kept, for it never changes."""

    state: str
    standing: str
    """The state with what it is about, in a few words."""
    devices: int
    verdicts: Mapping[str, int] = field(default_factory=dict)
    """Devices by verdict, all verdicts named."""
    last_at: float | None = None
    """The moment of its newest event; of a run that is over, its end."""
    is_over: bool = False

    @classmethod
    def of(cls, summary: Summary, *, driven: bool = True) -> Self:
        """Give what a run has come to, as far as its events tell."""
        return cls(
            state=summary.state_if(driven=driven).value,
            standing=in_short(summary, driven=driven),
            devices=summary.total,
            verdicts=summary.counts(),
            last_at=None if summary.started is None else summary.last_at,
            is_over=summary.is_over,
        )


def in_short(summary: Summary, *, driven: bool = True) -> str:
    """Say in a few words where the run stands."""
    state = summary.state_if(driven=driven)
    course = summary.course
    told = in_words(state.value)
    match state:
        case State.STOPPED if summary.stopped is not None:
            told += f" ({in_words(summary.stopped.cause)})"
        case State.PAUSED if course.paused is not None:
            told += f" by {course.paused.by}"
        case State.PAUSED if summary.paused is not None:
            told += f" ({summary.paused.cause})"
        case State.WAITING_FOR_APPROVAL:
            told += f" ({', '.join(course.asked)})"
        case State.SOAKING | State.RUNNING if course.in_waves and course.wave is not None:
            told += f" ({wave_number(course)})"
        case _:
            pass
    return printable(told)


def wave_number(course: Course) -> str:
    """Say which wave the run is at, and of how many."""
    number = course.wave.number if course.wave is not None else 0
    in_all = course.waves_in_all
    return f"wave {number:,}" if in_all is None else f"wave {number:,} of {in_all:,}"


def matters(summary: Summary) -> Iterator[tuple[State, str]]:
    """Give in one sentence each whatever stopped the run or holds it now; several may."""
    if summary.stopped is not None:
        cause = stop_cause(summary.stopped.cause)
        yield State.STOPPED, printable(f"stopped {cause}: {summary.stopped.detail}")
    if not summary.is_over:
        for state, told in _holds(summary):
            yield state, printable(told)


def nothing_done(summary: Summary) -> str:
    """Say that a run which is over skipped every device; empty for any other."""
    if not summary.is_over or not summary.total:
        return ""
    if summary.counts()[Verdict.SKIPPED.value] != summary.total:
        return ""
    begins = "no device succeeded" if summary.requests.sent else "nothing was done"
    if summary.total == 1:
        return f"{begins}: the only device was skipped"
    return f"{begins}: all {summary.total:,} devices were skipped"


def nothing_to_do(summary: Summary) -> str:
    """Say that a run which is over found every device as it should be; empty for any other."""
    if not summary.is_over or not summary.total:
        return ""
    if summary.counts()[Verdict.ALREADY_OK.value] != summary.total:
        return ""
    if summary.total == 1:
        return "nothing had to be done: the only device was already ok"
    return f"nothing had to be done: all {summary.total:,} devices were already ok"


def _holds(summary: Summary) -> Iterator[tuple[State, str]]:
    course = summary.course
    if summary.paused is not None:
        told = f"paused because of the {summary.paused.cause}: {summary.paused.detail}"
        yield State.PAUSED, told
    if course.paused is not None:
        yield State.PAUSED, f"paused by {person(course.paused)}{because(course.paused.why)}"
    for asked in course.asked.values():
        yield State.WAITING_FOR_APPROVAL, f"waiting for {approval(asked)}: {asked.question}"
    if summary.stopped is not None:
        return
    if course.waits_for_window:
        yield State.WAITING_FOR_WINDOW, _window(course)
    if course.wave is not None and course.wave.soaks and course.wave.finished is not None:
        until = moments.as_short_text(course.wave.finished.until_at)
        yield State.SOAKING, f"soaking: {wave_number(course)} is left alone until {until}"


def _window(course: Course) -> str:
    opening = course.next_opening()
    if opening is None:
        return "waiting for window: it never opens again in this run"
    return f"waiting for window: it opens at {local_time(*opening)}"
