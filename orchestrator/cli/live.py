"""A run as a view that a person can read across the room."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from orchestrator.model import durations, moments
from orchestrator.model.events import (
    DeviceFinished,
    DeviceRelapsed,
    Event,
    OperationIntended,
    OperationLost,
    OperationRefused,
    SendingSlowed,
)
from orchestrator.model.plans import Plan
from orchestrator.model.verdicts import Verdict
from orchestrator.report.summary import State, Summary
from orchestrator.report.telling import describe

STYLES: Mapping[str, str] = {
    "succeeded": "green",
    "failed": "red",
    "unconfirmed": "yellow",
    "in_doubt": "magenta",
    "skipped": "blue",
    "deferred": "blue",
    "not_started": "bright_black",
    "under way": "cyan",
}
_MARKS = {"succeeded": "█", "under way": "▒"}
_OTHER_MARK = "▓"
_EMPTY = "░"
_PROBLEMS = 6
_RATE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the view shows, so that it can be drawn while the run goes on."""

    state: State
    counts: Mapping[str, int]
    total: int
    finished: int
    underway: int
    down: int
    peak_down: int
    max_down: int
    sent: int
    refused: int
    lost: int
    recently: tuple[tuple[float, int], ...]
    """When operation requests were sent lately, by our steady clock, and how many."""
    pause: str
    slowed: str
    last_at: float
    taken_at: float
    """Our steady clock when `last_at` was now."""
    began_at: float
    ends_at: float | None
    problems: tuple[tuple[float, str], ...]


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
        self._summary = Summary.of(plan)
        self._problems: deque[tuple[float, str]] = deque(maxlen=_PROBLEMS)
        self._sent: deque[tuple[float, int]] = deque()
        self._snapshot = self._taken()
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
        """Take note; the picture is drawn by another thread, from a snapshot."""
        sent = 0
        for event in events:
            self._summary.after(event)
            sent += isinstance(event, OperationIntended)
            if _is_problem(event):
                self._problems.append((event.at, self._in_short(event)))
        if sent:
            self._sent.append((self._steady(), sent))
        self._snapshot = self._taken()

    def _in_short(self, event: Event) -> str:
        """Say it without what a narrow line has no room for; the audit log has it all."""
        titles = self._summary.titles

        def step(number: int) -> str:
            return titles[number] if number < len(titles) else f"step {number + 1}"

        return describe(event, device_name=str, step_name=step)

    def _taken(self) -> Snapshot:
        summary = self._summary
        now = self._steady()
        while self._sent and self._sent[0][0] < now - _RATE_SECONDS:
            self._sent.popleft()
        slowed = summary.slowed
        return Snapshot(
            state=summary.state,
            counts=summary.counts(),
            total=summary.total,
            finished=summary.finished,
            underway=summary.underway,
            down=summary.down,
            peak_down=summary.peak_down,
            max_down=self._plan.limits.max_down,
            sent=summary.requests.sent,
            refused=summary.requests.refused,
            lost=summary.requests.lost,
            recently=tuple(self._sent),
            pause=summary.paused.detail if summary.paused else "",
            slowed=slowed.reason if slowed and slowed.until_at > summary.last_at else "",
            last_at=summary.last_at,
            taken_at=now,
            began_at=summary.started.at if summary.started else summary.last_at,
            ends_at=summary.estimated_end(summary.last_at),
            problems=tuple(self._problems),
        )

    def picture(self) -> RenderableType:
        """Draw the newest snapshot."""
        shot = self._snapshot
        steady = self._steady()
        now = shot.last_at + (steady - shot.taken_at) * self._speed
        lately = sum(count for at, count in shot.recently if at > steady - _RATE_SECONDS)
        return Padding(Group(*self._parts(shot, now, lately / _RATE_SECONDS)), (0, 1))

    def _parts(self, shot: Snapshot, now: float, rate: float) -> Iterator[RenderableType]:
        yield _sides(
            Text(self._plan.playbook.name, style="bold"),
            Text(f"{shot.state.value.upper()}  {durations.as_text(max(0, now - shot.began_at))}"),
        )
        yield Text(f"run {self._run_id}", style="dim")
        yield Text()
        yield Bar(shot)
        yield Text.assemble(*_legend(shot))
        yield Text()
        yield _facts(shot, now, rate)
        if shot.pause:
            yield Text(f" PAUSED: {shot.pause} ", style="bold white on red")
        elif shot.slowed:
            yield Text(f" SLOWED DOWN: {shot.slowed} ", style="bold black on yellow")
        if shot.problems:
            yield Text()
            yield Text("last problems", style="bold")
            for at, told in shot.problems:
                line = Text.assemble((moments.as_short_text(at)[11:], "dim"), "  ", told)
                line.no_wrap, line.overflow = True, "ellipsis"
                yield line


class Bar:
    """All devices as one bar, coloured by verdict."""

    def __init__(self, shot: Snapshot) -> None:
        self._shot = shot

    def __rich_console__(self, console: Console, options: object) -> Iterator[Text]:
        """Draw it as wide as the terminal allows; whatever is not zero gets at least one column."""
        shot = self._shot
        share = f" {shot.finished:,} of {shot.total:,}"
        room = max(10, console.width - 2 - len(share))
        bar = Text(no_wrap=True)
        for name, columns in columns_of(_stretches(shot), shot.total, room):
            bar.append(_MARKS.get(name, _OTHER_MARK) * columns, style=STYLES[name])
        bar.append(_EMPTY * (room - len(bar.plain)), style="bright_black")
        bar.append(share, style="bold")
        yield bar


def columns_of(
    stretches: Sequence[tuple[str, int]], total: int, room: int
) -> list[tuple[str, int]]:
    """Share columns out by number: at least one for whatever there is, never more than there are."""
    shown = [(name, count) for name, count in stretches if count > 0]
    columns = [max(1, count * room // max(1, total)) for _, count in shown]
    while sum(columns) > room and max(columns) > 1:
        columns[columns.index(max(columns))] -= 1
    return [(name, wide) for (name, _), wide in zip(shown, columns, strict=True)]


def _stretches(shot: Snapshot) -> list[tuple[str, int]]:
    return [*shot.counts.items(), ("under way", shot.underway)]


def _legend(shot: Snapshot) -> Iterator[str | tuple[str, str]]:
    for name, count in _stretches(shot):
        if count:
            yield (f"{_MARKS.get(name, _OTHER_MARK)} ", STYLES[name])
            yield (f"{count:,}", "bold")
            yield f" {name.replace('_', ' ')}   "
    waiting = shot.total - shot.finished - shot.underway
    if waiting > 0:
        yield (f"{_EMPTY} ", "bright_black")
        yield (f"{waiting:,}", "bold")
        yield " waiting"


def _facts(shot: Snapshot, now: float, rate: float) -> Table:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column()
    full = shot.down >= shot.max_down
    down = Text.assemble(
        (f"{shot.down:,}", "bold yellow" if full else "bold"),
        f" of at most {shot.max_down:,}, {shot.peak_down:,} at the peak",
    )
    facts.add_row("down now", down)
    told = f"{rate:.1f} operations a second, {shot.sent:,} sent"
    told += f", {shot.refused:,} refused" if shot.refused else ""
    told += f", {shot.lost:,} without an answer" if shot.lost else ""
    facts.add_row("requests", told)
    if shot.ends_at is not None and not shot.pause:
        left = durations.as_text(max(0.0, shot.ends_at - now))
        facts.add_row("ends about", f"{moments.as_short_text(shot.ends_at)}, in {left}")
    else:
        facts.add_row("ends about", "not known yet")
    return facts


def _sides(left: Text, right: Text) -> Table:
    line = Table.grid(expand=True)
    line.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    line.add_column(justify="right", no_wrap=True)
    line.add_row(left, right)
    return line


def _is_problem(event: Event) -> bool:
    if isinstance(event, DeviceFinished):
        return Verdict(event.verdict).is_trouble
    return isinstance(event, DeviceRelapsed | OperationLost | OperationRefused | SendingSlowed)
