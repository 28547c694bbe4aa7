"""What the live view shows, and how its bar and its facts are drawn."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.model import durations, moments
from orchestrator.report.summary import State
from orchestrator.report.wording import local_time

STYLES: Mapping[str, str] = {
    "succeeded": "green",
    "already_ok": "bright_green",
    "failed": "red",
    "unconfirmed": "yellow",
    "in_doubt": "magenta",
    "skipped": "blue",
    "deferred": "blue",
    "not_started": "bright_black",
    "under way": "cyan",
}
_MARKS = {"succeeded": "█", "already_ok": "▆", "under way": "▒"}
_OTHER_MARK = "▓"
_EMPTY = "░"


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
    wave: str
    """Which wave of how many, and how far it is; empty where there are none."""
    limits: str
    """The limits that a person moved away from the plan."""
    budget: tuple[tuple[str, bool], ...]
    """How much of each budget is spent, and whether the next one stops the run."""
    window_ends_at: float | None
    window_zone: str
    window_opens_at: float | None
    """When the window opens; None while it is open, and where there is none."""
    soaks_until: float | None
    recently: tuple[tuple[float, int], ...]
    """When operation requests were sent lately, by our steady clock, and how many."""
    matters: tuple[tuple[State, str], ...]
    """What holds the run now, one sentence each."""
    slowed: str
    last_at: float
    taken_at: float
    """Our steady clock when `last_at` was now."""
    began_at: float
    ends_at: float | None
    problems: tuple[tuple[float, str], ...]


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


def legend_of(shot: Snapshot) -> Iterator[str | tuple[str, str]]:
    """Name the colours of the bar, with their numbers."""
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


def facts_of(shot: Snapshot, now: float, rate: float) -> Table:
    """Tell where the run stands and how much of what it may do is used, a line each."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column()
    full = shot.down >= shot.max_down
    down = Text.assemble(
        (f"{shot.down:,}", "bold yellow" if full else "bold"),
        f" of at most {shot.max_down:,}, {shot.peak_down:,} at the peak",
    )
    if shot.wave:
        facts.add_row("wave", shot.wave + _soak(shot, now))
    facts.add_row("down now", down)
    if shot.limits:
        facts.add_row("limits", Text(shot.limits, style="yellow"))
    if shot.budget:
        facts.add_row("budget", Text(", ").join(_spent(*each) for each in shot.budget))
    if shot.window_zone and shot.state is not State.STOPPED:
        facts.add_row("window", _window(shot, now))
    told = f"{rate:.1f} operations a second, {shot.sent:,} sent"
    told += f", {shot.refused:,} refused" if shot.refused else ""
    told += f", {shot.lost:,} without an answer" if shot.lost else ""
    facts.add_row("requests", told)
    facts.add_row("ends about", _end(shot, now))
    return facts


def _spent(told: str, is_all: bool) -> Text:
    return Text(told, style="bold red" if is_all else "")


def _end(shot: Snapshot, now: float) -> str:
    if shot.ends_at is None:
        return "not known yet"
    if shot.window_ends_at is not None and shot.ends_at > shot.window_ends_at:
        return "not within this opening of the window"
    left = durations.as_text(max(0.0, shot.ends_at - now))
    return f"{moments.as_short_text(shot.ends_at)}, in {left}"


def _soak(shot: Snapshot, now: float) -> str:
    if shot.soaks_until is None:
        return ""
    left = durations.as_text(max(0.0, shot.soaks_until - now))
    return f", left alone for another {left}"


def _window(shot: Snapshot, now: float) -> str:
    if shot.window_opens_at is not None:
        left = durations.as_text(max(0.0, shot.window_opens_at - now))
        return f"opens in {left}"
    assert shot.window_ends_at is not None
    left = durations.as_text(max(0.0, shot.window_ends_at - now))
    ends = local_time(shot.window_ends_at, shot.window_zone, with_date=False)
    return f"closes in {left}, at {ends}"
