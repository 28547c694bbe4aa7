"""The history of runs: which of them are wanted, and how they are shown in the columns there are."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import typer

from orchestrator.adapters.machine.system_clock import SystemClock
from orchestrator.adapters.runs.kept_outcome import outcome_of
from orchestrator.adapters.runs.run_folder import Listed, RunsFolder, new_id
from orchestrator.cli import screen
from orchestrator.cli.failing import nearest
from orchestrator.model import durations, moments
from orchestrator.model.errors import JournalError
from orchestrator.model.verdicts import Verdict
from orchestrator.report.standing import Outcome
from orchestrator.report.summary import State, Summary

if TYPE_CHECKING:
    from orchestrator.settings import Settings

DAMAGED = "damaged"
"""What is said of a run whose journal cannot be believed, in place of a state."""

_DAY = 86_400.0
_A_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_HEAD = ("RUN", "PLAYBOOK", "STARTED", "TOOK", "STATE", "DEVICES")
_COLOURS = {
    DAMAGED: "red",
    State.STOPPED.value: "red",
    State.PAUSED.value: "yellow",
    State.INTERRUPTED.value: "yellow",
    State.WAITING_FOR_APPROVAL.value: "yellow",
    State.WAITING_FOR_WINDOW.value: "yellow",
}
_ALL = range(len(_HEAD))
_UNTOLD = (0, 3, 4, 5)
"""The columns without what the program's own names of runs tell: the playbook and the start."""
_LEFT_FOR_DEVICES = 24
"""Columns that what became of the devices has to have beside the others."""
_NOTHING = Summary()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs are asked for; what is None or empty asks for nothing."""

    playbook: str | None = None
    verdicts: Collection[str] = ()
    states: Collection[str] = ()
    since: float | None = None
    until: float | None = None

    @property
    def asks_for_outcome(self) -> bool:
        """True when a run has to be looked into before it is known whether it is wanted."""
        return bool(self.verdicts or self.states)

    def is_begun_as(self, run: Listed) -> bool:
        """Say whether a run is of the playbook and of the days asked for."""
        name = run.started.playbook if run.started else ""
        if self.playbook is not None and not fnmatchcase(name.casefold(), self.playbook.casefold()):
            return False
        if self.since is not None and run.created_at < self.since:
            return False
        return self.until is None or run.created_at < self.until

    def is_come_to(self, row: "Row") -> bool:
        """Say whether a run has come to what is asked for."""
        if self.states and row.state not in self.states:
            return False
        return not self.verdicts or any(row.verdicts.get(verdict) for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Row:
    """One run of the list."""

    run: Listed
    outcome: Outcome | None
    """None of a run that is damaged."""
    damage: str = ""

    @property
    def state(self) -> str:
        """Name where it stands."""
        return DAMAGED if self.outcome is None else self.outcome.state

    @property
    def verdicts(self) -> dict[str, int]:
        """Count its devices by verdict."""
        found = {} if self.outcome is None else self.outcome.verdicts
        return {each.value: found.get(each.value, 0) for each in Verdict}

    @property
    def ended_at(self) -> float | None:
        """Give its end; None when it is not over."""
        return self.outcome.last_at if self.outcome is not None and self.outcome.is_over else None

    @property
    def colour(self) -> str | None:
        """Give the colour of a run that somebody should look at."""
        troubled = any(self.verdicts.get(each.value) for each in Verdict if each.is_trouble)
        return _COLOURS.get(self.state, "yellow" if troubled else None)

    def as_object(self) -> dict[str, object]:
        """Give it to programs."""
        started, ended_at = self.run.started, self.ended_at
        return {
            "run": self.run.folder.run_id,
            "playbook": started.playbook if started else None,
            "started_at": moments.as_text(started.at) if started else None,
            "ended_at": None if ended_at is None else moments.as_text(ended_at),
            "started_by": started.started_by if started else None,
            "state": self.state,
            "standing": DAMAGED if self.outcome is None else self.outcome.standing,
            "devices": started.devices if started else 0,
            "verdicts": self.verdicts,
            "damage": self.damage or None,
        }

    def cells(self) -> tuple[str, ...]:
        """Give it to people, a text for each column."""
        started = self.run.started
        return (
            self.run.folder.run_id,
            started.playbook if started else "",
            "" if started is None else _minute(started.at),
            self._took(),
            DAMAGED if self.outcome is None else self.outcome.standing,
            self.damage or self._devices(),
        )

    def _took(self) -> str:
        started, ended_at = self.run.started, self.ended_at
        if started is None or self.outcome is None:
            return ""
        if ended_at is not None:
            return durations.as_text(round(max(0.0, ended_at - started.at)))
        if self.run.holder is not None and self.outcome.last_at is not None:
            # By the run's own clock: a simulated one does not go as ours does.
            passed = max(0.0, self.outcome.last_at - started.at)
            return f"{durations.as_text(round(passed))} so far"
        return ""

    def _devices(self) -> str:
        assert self.outcome is not None
        counts = [f"{n:,} {name.replace('_', ' ')}" for name, n in self.verdicts.items() if n]
        left = self.outcome.devices - sum(self.verdicts.values())
        if left > 0:
            counts.append(f"{left:,} without a verdict")
        told = f": {', '.join(counts)}" if counts else ""
        return f"{self.outcome.devices:,}{told}"


@dataclass(slots=True)
class History:
    """The runs that are wanted, the newest first and at most `limit` of them."""

    settings: "Settings"
    wanted: Wanted
    limit: int | None
    total: int = 0
    """Runs there are at all."""
    hidden: int = 0
    """Runs that are wanted beyond the limit."""
    notes: dict[str, int] = field(default_factory=dict)
    """What is to be said of how audit logs were checked, with how many that is true of."""

    def rows(self) -> list[Row]:
        """Look into the runs, as few of them as are to be shown."""
        listed = RunsFolder(self.settings.runs_dir).listed()
        self.total = len(listed)
        rows: list[Row] = []
        for run in listed:
            if not self.wanted.is_begun_as(run):
                continue
            is_full = self.limit is not None and len(rows) >= self.limit
            if is_full and not self.wanted.asks_for_outcome:
                self.hidden += 1
                continue
            row, note = self._row(run)
            if not self.wanted.is_come_to(row):
                continue
            if is_full:
                self.hidden += 1
                continue
            rows.append(row)
            if note:
                self.notes[note] = self.notes.get(note, 0) + 1
        return rows

    def _row(self, run: Listed) -> tuple[Row, str]:
        """Give one run, and what is to be said of how far its audit log was checked."""
        if run.damage:
            return Row(run, None, run.damage), ""
        driven = run.holder is not None
        if run.started is None:
            return Row(run, Outcome.of(_NOTHING, driven=driven)), ""
        try:
            outcome, note = outcome_of(run.folder, self.settings.audit_key_bytes, driven=driven)
        except JournalError as error:
            return Row(run, None, str(error)), ""
        return Row(run, outcome), note


def read_wanted(
    settings: "Settings",
    *,
    playbook: str | None,
    verdict: str | None,
    state: str | None,
    since: str | None,
    until: str | None,
) -> Wanted:
    """Read what is asked for; raises a usage error naming the option that nobody can follow."""
    now = SystemClock(settings.speed).now()
    wanted = Wanted(
        playbook=playbook,
        verdicts=_words("--verdict", verdict, Verdict),
        states=_words("--state", state, State, DAMAGED),
        since=_moment("--since", since, now),
        until=_moment("--until", until, now, day=_DAY),
    )
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise typer.BadParameter(f"--since {since} is not before --until {until}: no run is both")
    return wanted


def read_verdicts(option: str, text: str) -> tuple[Verdict, ...]:
    """Read verdicts with commas between them; raises a usage error for any other word."""
    return tuple(map(Verdict, _words(option, text, Verdict)))


def _words(option: str, text: str | None, known: type[Enum], *more: str) -> tuple[str, ...]:
    if text is None:
        return ()
    values = [str(each.value) for each in known] + list(more)
    words = [re.sub(r"[\s-]+", "_", word.strip().lower()) for word in text.split(",")]
    for word in words:
        if word not in values:
            what = f"{option} takes {', '.join(values)}, this is {word or text!r}"
            raise typer.BadParameter(what + nearest(word, values))
    return tuple(dict.fromkeys(words))


def _moment(option: str, text: str | None, now: float, *, day: float = 0.0) -> float | None:
    """Read a moment, or how long ago it was; of a whole day its beginning, plus `day`."""
    if text is None:
        return None
    text = text.strip()
    try:
        return now - durations.from_text(text)
    except ValueError:
        pass
    try:
        moment = moments.from_text(text)
    except ValueError:
        what = f"{option} takes a day such as 2026-11-22 or how long ago such as 30d"
        raise typer.BadParameter(f"{what}, this is {text!r}") from None
    return moment + day if _A_DAY.fullmatch(text) else moment


def lines(rows: Sequence[Row], limit: int | None) -> Iterator[tuple[str, str | None]]:
    """Give the list with the colour of each line, in the columns that the screen has.

    Where they do not all have room, what the names of the runs tell is left out; where that is not
    enough, each run has a line for its state and others below for all else.
    """
    cells = [row.cells() for row in rows]
    colours = [row.colour for row in rows]
    if limit is None or _has_room(cells, _ALL, limit):
        yield from _in_columns(cells, colours, _ALL, limit)
        return
    are_told = all(map(_tells, rows))
    if are_told and _has_room(cells, _UNTOLD, limit):
        yield from _in_columns(cells, colours, _UNTOLD, limit)
    else:
        yield from _in_pairs(cells, colours, (3, 5) if are_told else (2, 3, 1, 5))


def _has_room(cells: Sequence[Sequence[str]], shown: Sequence[int], limit: int) -> bool:
    widths = [max(len(row[place]) for row in (_HEAD, *cells)) + 2 for place in shown[:-1]]
    return sum(widths) + _LEFT_FOR_DEVICES <= limit


def _tells(row: Row) -> bool:
    """Say whether a run's name was made of its playbook and the minute of its start."""
    run_id, started = row.run.folder.run_id, row.run.started
    return started is not None and run_id.startswith(
        new_id(started.playbook, now=started.at, suffix="")
    )


def _in_columns(
    cells: Sequence[Sequence[str]],
    colours: Sequence[str | None],
    shown: Sequence[int],
    limit: int | None,
) -> Iterator[tuple[str, str | None]]:
    """Give a line a run, or more where the last column has to be folded."""
    picked = [[row[place] for place in shown] for row in cells]
    head, *told = screen.table([_HEAD[place] for place in shown], picked, limit=limit)
    yield head, "bold"
    coming = iter(colours)
    colour: str | None = None
    for line in told:
        colour = colour if line.startswith(" ") else next(coming)
        yield line, colour


def _in_pairs(
    cells: Sequence[Sequence[str]], colours: Sequence[str | None], others: Sequence[int]
) -> Iterator[tuple[str, str | None]]:
    """Give a line a run with where it stands, and below it, folded, what else there is to tell."""
    head, *firsts = screen.table(("RUN", "STATE"), [(row[0], row[4]) for row in cells])
    yield head, "bold"
    for first, row, colour in zip(firsts, cells, colours, strict=True):
        yield first, colour
        below = "  ".join(row[place] for place in others if row[place])
        for line in screen.folded(below, indent="    ").splitlines():
            yield line, colour


def _minute(moment: float) -> str:
    return moments.as_short_text(moment)[: len("2026-11-22 04:15")] + "Z"
