"""A run as a view that a person can read across the room."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from orchestrator.cli.picturing import Bar, Snapshot, facts_of, legend_of
from orchestrator.model import durations, moments
from orchestrator.model.events import (
    DeviceFinished,
    DeviceRelapsed,
    Event,
    NotificationFailed,
    OperationIntended,
    OperationLost,
    OperationRefused,
    SendingSlowed,
    StepForgiven,
    WaveJudged,
)
from orchestrator.model.plans import Plan
from orchestrator.model.verdicts import Verdict
from orchestrator.report.course_tables import changed_limits
from orchestrator.report.standing import matters, wave_number
from orchestrator.report.summary import State, Summary
from orchestrator.report.telling import describe
from orchestrator.report.wording import in_words

_BANNERS: Mapping[State, str] = {
    State.STOPPED: "bold white on red",
    State.PAUSED: "bold white on red",
    State.WAITING_FOR_APPROVAL: "bold white on magenta",
    State.WAITING_FOR_WINDOW: "bold white on blue",
    State.RUNNING: "bold black on yellow",
}
_PROBLEMS = 6
_TROUBLE = frozenset(each.value for each in Verdict if each.is_trouble)
_RATE_SECONDS = 15.0


class LiveView:
    """The listener port on a terminal; a context manager, and the view vanishes at its end."""

    def __init__(
        self,
        plan: Plan,
        run_id: str,
        *,
        speed: float = 1.0,
        console: Console | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._run_id = run_id
        self._speed = speed
        self._steady = steady
        self.summary = Summary.of(plan, rows=False)
        """What the run has come to, for whoever drives it as well."""
        self._problems: deque[tuple[float, str]] = deque(maxlen=_PROBLEMS)
        self._sent: deque[tuple[float, int]] = deque()
        self._lock = Lock()
        """Held while the run is told, and while a snapshot is taken of what it has come to."""
        self._snapshot = self._taken(steady())
        self._heard_at: float | None = None
        """When there was news last; None once they are in the snapshot."""
        self._live = Live(
            console=console or Console(highlight=False),
            get_renderable=self.picture,
            refresh_per_second=4,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def hear(self, events: Sequence[Event]) -> None:
        """Take note; the picture is drawn by another thread, from a snapshot as often as it draws."""
        sent, now = 0, self._steady()
        with self._lock:
            for event in events:
                self.summary.after(event)
                sent += type(event) is OperationIntended
                if type(event) in _PROBLEM_KINDS and _is_problem(event):
                    self._problems.append((event.at, self._in_short(event)))
            self._prune(now)
            if sent:
                self._sent.append((now, sent))
            self._heard_at = now

    def _prune(self, now: float) -> None:
        while self._sent and self._sent[0][0] < now - _RATE_SECONDS:
            self._sent.popleft()

    def _in_short(self, event: Event) -> str:
        """Say it without what a narrow line has no room for; the audit log has it all."""
        titles, rescue_from = self.summary.titles, self.summary.rescue_from

        def step(number: int) -> str:
            if number >= len(titles):
                return f"step {number + 1}"
            in_rescue = rescue_from is not None and number >= rescue_from
            return f"rescue {titles[number]}" if in_rescue else titles[number]

        return describe(event, device_name=self._short_name, step_name=step)

    def _short_name(self, device: int) -> str:
        """Nobody knows the provisional id of a device that is still to be created."""
        record = self.summary.record_id(device)
        return self.summary.serial_number(device) or "new" if record is None else str(record)

    def _taken(self, now: float) -> Snapshot:
        summary = self.summary
        slowed = summary.slowed
        course = summary.course
        opening = course.next_opening() if course.waits_for_window else None
        until, zone = course.open_until() or (None, "")
        soaking = course.wave.finished if course.wave and course.wave.soaks else None
        return Snapshot(
            state=summary.state,
            counts=summary.counts(),
            total=summary.total,
            finished=summary.finished,
            underway=summary.underway,
            down=summary.down,
            peak_down=summary.peak_down,
            max_down=int(course.limit("max_down", self._plan.limits.max_down)),
            wave=_wave(summary),
            limits=", ".join(changed_limits(summary)),
            budget=tuple((str(each), each.is_all) for each in summary.spendings()),
            window_ends_at=until,
            window_zone=zone if opening is None else opening[1],
            window_opens_at=None if opening is None else opening[0],
            soaks_until=None if soaking is None else soaking.until_at,
            sent=summary.requests.sent,
            refused=summary.requests.refused,
            lost=summary.requests.lost,
            recently=tuple(self._sent),
            matters=tuple(matters(summary)),
            slowed=slowed.reason if slowed and slowed.until_at > summary.last_at else "",
            last_at=summary.last_at,
            taken_at=now,
            began_at=summary.started.at if summary.started else summary.last_at,
            ends_at=summary.estimated_end(summary.last_at),
            problems=tuple(self._problems),
        )

    def picture(self) -> RenderableType:
        """Draw how things stand."""
        with self._lock:
            if self._heard_at is not None:
                self._snapshot = self._taken(self._heard_at)
                self._heard_at = None
            shot = self._snapshot
        steady = self._steady()
        now = shot.last_at + (steady - shot.taken_at) * self._speed
        lately = sum(count for at, count in shot.recently if at > steady - _RATE_SECONDS)
        return Padding(Group(*self._parts(shot, now, lately / _RATE_SECONDS)), (0, 1))

    def _parts(self, shot: Snapshot, now: float, rate: float) -> Iterator[RenderableType]:
        yield _sides(
            Text(self._plan.playbook.name, style="bold"),
            Text(
                f"{in_words(shot.state.value).upper()}  {durations.as_text(max(0, now - shot.began_at))}"
            ),
        )
        yield Text(f"run {self._run_id}", style="dim")
        yield Text()
        yield Bar(shot)
        yield Text.assemble(*legend_of(shot))
        yield Text()
        yield facts_of(shot, now, rate)
        yield from self._banners(shot)
        if shot.problems:
            yield Text()
            yield Text("last problems", style="bold")
            for at, told in shot.problems:
                line = Text.assemble((moments.as_short_text(at)[11:], "dim"), "  ", told)
                line.no_wrap, line.overflow = True, "ellipsis"
                yield line

    def _banners(self, shot: Snapshot) -> Iterator[RenderableType]:
        """Say loudly what holds the run, and what to type where a person has to."""
        for state, told in shot.matters:
            if state is State.SOAKING:
                continue  # no alarm, and the line of the wave says it
            word = in_words(state.value)
            yield Text(f" {told.replace(word, word.upper(), 1)} ", style=_BANNERS[state])
            for line in self._answers(state, told):
                yield Text(f"   {line}", style="bold")
        if shot.slowed and not any(state is State.PAUSED for state, _ in shot.matters):
            yield Text(f" SLOWED DOWN: {shot.slowed} ", style=_BANNERS[State.RUNNING])

    def _answers(self, state: State, told: str) -> Iterator[str]:
        if state is State.WAITING_FOR_APPROVAL:
            yield f"to agree:   orchestrator approve {self._run_id}"
            yield f"to refuse:  orchestrator approve {self._run_id} --deny"
        elif state is State.PAUSED and told.startswith(f"{state.value} by "):
            yield f"to go on:   orchestrator continue {self._run_id}"


def _wave(summary: Summary) -> str:
    course = summary.course
    if not course.in_waves or course.wave is None:
        return ""
    finished = f"{course.wave.ended:,} of {course.wave.devices:,} finished"
    return f"{wave_number(course).removeprefix('wave ')}: {finished}"


def _sides(left: Text, right: Text) -> Table:
    line = Table.grid(expand=True)
    line.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    line.add_column(justify="right", no_wrap=True)
    line.add_row(left, right)
    return line


def _is_problem(event: Event) -> bool:
    """Say of an event among `_PROBLEM_KINDS` whether somebody should know."""
    if isinstance(event, DeviceFinished):
        return event.verdict in _TROUBLE
    if isinstance(event, WaveJudged):
        return event.outcome != "pass"
    return True


_PROBLEM_KINDS = frozenset(
    (
        DeviceFinished,
        WaveJudged,
        DeviceRelapsed,
        NotificationFailed,
        OperationLost,
        OperationRefused,
        SendingSlowed,
        StepForgiven,
    )
)
